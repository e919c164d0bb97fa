"""The paper's model (1.2, 1.3): shapes at every boundary, each mechanism by itself, and sequences."""

from dataclasses import replace

import pytest
import torch

from playahead.paper.anticipator import Anticipator, build
from playahead.paper.config import LossConfig, ModelConfig, ScheduleConfig
from playahead.paper.encoder import LocalEncoder, Residual
from playahead.paper.memory import Memory, ObservationMemory, examples_of, summarise
from playahead.paper.slots import SlotDecoder
from tests.support.paper import features

SMALL = ModelConfig(feature_dim=7, d_model=16, heads=2, ffn_dim=32, slots=5, bins=4, decoder_layers=2)


def small(**changes) -> Anticipator:
    torch.manual_seed(0)
    return build(replace(SMALL, **changes))


def test_shapes_of_every_piece():
    tokens_BWND = LocalEncoder(SMALL)(torch.full((2, 6, 33, 7), 0.1))
    assert tokens_BWND.shape == (2, 6, 33, 16)
    assert summarise(tokens_BWND, 4).shape == (2, 6, 4, 16)
    memory = ObservationMemory(SMALL)(tokens_BWND)
    assert memory.steps_OMD.shape == (2, 24, 16)
    assert memory.context_OD.shape == (2, 16)
    assert SlotDecoder(SMALL, 5)(memory).shape == (2, 5, 16)


def test_slot_output():
    output = small().train()(features())
    assert output.slots.objectness_OK.shape == (2, 5)
    assert output.slots.class_OKC.shape == (2, 5, 10)
    assert output.slots.offset_OKT.shape == (2, 5, 4)
    assert output.presence_PNC is not None
    assert output.presence_PNC.shape == (2, 33, 10)


def test_the_observation_head_looks_at_every_last_window_while_training():
    features_BWNF = features(windows=8)
    output = small().train()(features_BWNF)
    assert output.presence_PNC is not None
    assert output.presence_PNC.shape == (2 * 3, 33, 10)
    assert small().eval()(features_BWNF).presence_PNC is None


@pytest.mark.parametrize("summaries", [1, 4, 7, 33])
def test_summaries_are_adaptive_average_pooling(summaries):
    tokens_BWND = torch.randn(2, 3, 33, 64)
    pooled = torch.nn.functional.adaptive_avg_pool1d(tokens_BWND.flatten(0, 1).transpose(1, 2), summaries)
    expected_BWSD = pooled.transpose(1, 2).unflatten(0, (2, 3))
    torch.testing.assert_close(summarise(tokens_BWND, summaries), expected_BWSD, rtol=0, atol=1e-6)


def test_every_six_windows_in_a_row_are_an_example():
    windows_BWSD = torch.arange(16.0).reshape(2, 8, 1, 1)
    examples_OW = examples_of(windows_BWSD, 6)[..., 0, 0]
    assert examples_OW.tolist() == [list(range(start, start + 6)) for start in (0, 1, 2, 8, 9, 10)]


def test_queries_follow_the_input_only_when_conditioned():
    """Eq. (1). With the layers silenced, what is left of a slot is its query."""
    for conditioned in (False, True):
        decoder = SlotDecoder(replace(SMALL, conditioned=conditioned), 5)
        torch.nn.init.normal_(decoder.embedding_KD)
        decoder.layers = torch.nn.ModuleList()
        slots_OKD = decoder(Memory(torch.zeros(2, 3, 16), torch.eye(2, 16)))
        assert torch.equal(slots_OKD[0], slots_OKD[1]) is not conditioned


def test_equation_one_by_hand():
    """q_k = e_k + W_c c, before any layer and normalisation."""
    decoder = SlotDecoder(SMALL, 5)
    torch.nn.init.normal_(decoder.embedding_KD)
    decoder.layers, decoder.norm = torch.nn.ModuleList(), torch.nn.Identity()  # type: ignore[bad-assignment]
    context_OD = torch.randn(2, 16)
    expected_OKD = decoder.embedding_KD[None] + (context_OD @ decoder.condition.weight.T)[:, None]
    torch.testing.assert_close(decoder(Memory(torch.zeros(2, 3, 16), context_OD)), expected_OKD)


def test_window_importance_scales_a_window_uniformly():
    memory = ObservationMemory(SMALL)
    with torch.no_grad():
        memory.importance_W.copy_(torch.tensor([-50.0, 0, 0, 0, 0, 50.0]))
    seen = {}
    memory.gru.register_forward_pre_hook(lambda _, inputs: seen.update(steps=inputs[0]))
    memory(torch.ones(1, 6, 33, 16))
    assert seen["steps"][0, :, 0].tolist() == pytest.approx([0.0] * 4 + [0.5] * 16 + [1.0] * 4)


def test_drop_path_drops_whole_branches_and_keeps_the_mean():
    torch.manual_seed(0)
    residual = Residual(dropout=0.0, drop_path=0.25).train()
    per_sample = residual(torch.zeros(4000, 2, 3), torch.ones(4000, 2, 3)).flatten(1)
    assert (per_sample == per_sample[:, :1]).all()
    assert per_sample.mean().item() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(residual.eval()(torch.zeros(3, 2, 3), torch.ones(3, 2, 3)), torch.ones(3, 2, 3))


def test_few_slots_fire_at_first():
    assert small().eval()(features()).slots.objectness_OK.sigmoid().mean().item() < 0.2


@pytest.mark.parametrize("shape", [(2, 5, 33, 7), (2, 6, 32, 7), (2, 6, 33, 8), (6, 33, 7)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="is not \\(sequences, 6 or more windows, 33 snippets, 7 features\\)"):
        small()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("config", "changes", "reason"),
    [
        (SMALL, {"heads": 3}, "ModelConfig.heads: 3 is not a divisor of d_model 16"),
        (SMALL, {"slots": 0}, "ModelConfig.slots: 0 is not 1 or more"),
        (SMALL, {"dropout": 1.0}, r"ModelConfig.dropout: 1.0 is not in \[0, 1\)"),
        (SMALL, {"summaries": 34}, "ModelConfig.summaries: 34 is not at most 33"),
        (SMALL, {"n_windows": 7}, "ModelConfig.n_windows: 7 is not 6 or fewer"),
        (SMALL, {"decoder_layers": 65}, r"ModelConfig.decoder_layers: 65 is not in 1\.\.64"),
        (LossConfig(), {"label_smoothing": 2.0}, "LossConfig.label_smoothing"),
        (LossConfig(), {"focal_gamma": 0.5}, "LossConfig.focal_gamma"),
        (LossConfig(), {"sigma_bins": -1.0}, "LossConfig.sigma_bins"),
        (LossConfig(), {"positive_weight": float("nan")}, "LossConfig.positive_weight"),
        (ScheduleConfig(), {"restart_epochs": 0.0}, "ScheduleConfig.restart_epochs"),
        (ScheduleConfig(), {"betas": (0.9, 1.0)}, "ScheduleConfig.betas"),
    ],
)
def test_settings_that_cannot_work_are_refused(config, changes, reason):
    with pytest.raises(ValueError, match=reason):
        replace(config, **changes)
