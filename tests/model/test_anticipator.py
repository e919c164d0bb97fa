"""Shapes at every boundary, the sequence trick, and each switch of the model."""

from dataclasses import replace

import pytest
import torch

from playahead.io.errors import InputError
from playahead.paper.anticipator import Anticipator
from playahead.paper.encoder import LocalEncoder, Residual
from playahead.paper.memory import ObservationMemory
from playahead.paper.slots import SlotDecoder
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import StepEncoder, gaussian_logits

SMALL = AnticipatorConfig(feature_dim=7, d_model=16, heads=2, ffn_dim=32, slots=5, bins=4, decoder_layers=2)


def build(**changes) -> Anticipator:
    torch.manual_seed(0)
    return Anticipator(replace(SMALL, **changes))


def features(sequences=2, windows=6) -> torch.Tensor:
    return torch.randn(sequences, windows, 33, 7, generator=torch.Generator().manual_seed(1))


def test_shapes_of_every_piece():
    config = SMALL
    tokens_PND = LocalEncoder(config)(torch.randn(12, 33, 7).fill_(0.1))
    assert tokens_PND.shape == (12, 33, 16)
    memory = ObservationMemory(config)
    summaries_PSD = memory.summarise(tokens_PND)
    assert summaries_PSD.shape == (12, 4, 16)
    memory_OMD, context_OD = memory(summaries_PSD.unflatten(0, (2, 6)))
    assert memory_OMD.shape == (2, 24, 16)
    assert context_OD.shape == (2, 16)
    assert SlotDecoder(config, 5)(memory_OMD, context_OD).shape == (2, 5, 16)


def test_slot_output():
    output = build().train()(features())
    assert output.slots is not None
    assert output.slots.objectness_OK.shape == (2, 5)
    assert output.slots.class_OKC.shape == (2, 5, 10)
    assert output.slots.offset_OKT.shape == (2, 5, 4)
    assert output.dense_ORC is None
    assert output.presence_BWNC is not None
    assert output.presence_BWNC.shape == (2, 1, 33, 10)


def test_dense_output():
    output = build(head="dense", auxiliary="off").train()(features())
    assert output.slots is None
    assert output.presence_BWNC is None
    assert output.dense_ORC is not None
    assert output.dense_ORC.shape == (2, 32, 10)


@pytest.mark.parametrize(("auxiliary", "windows"), [("last", 3), ("all", 8)])
def test_the_observation_head_looks_at_the_windows_it_should(auxiliary, windows):
    output = build(auxiliary=auxiliary).train()(features(windows=8))
    assert output.presence_BWNC is not None
    assert output.presence_BWNC.shape == (2, windows, 33, 10)


def test_the_observation_head_is_for_training_only():
    assert build().eval()(features()).presence_BWNC is None


SWITCHED = (
    {},
    {"memory_tail": True},
    {"head": "dense"},
    {"head": "dense", "memory_tail": True},
    {"memory": "mean"},
    {"memory": "last"},
    {"n_windows": 1},
    {"n_windows": 2, "memory_tail": True},
    {"encoder": "steps"},
    {"encoder": "steps", "n_windows": 2, "slot_time": "regression"},
)


@pytest.mark.parametrize("changes", SWITCHED, ids=str)
def test_a_sequence_gives_the_same_as_its_observations_one_by_one(changes):
    model = build(**changes).eval()
    sequence_BWNF = features(windows=9)
    together = model(sequence_BWNF)
    for first in range(4):
        alone = model(sequence_BWNF[:, first : first + 6])
        for whole, part in zip(_tensors(together), _tensors(alone), strict=True):
            of_each_sequence = whole.unflatten(0, (2, 4))[:, first]
            torch.testing.assert_close(of_each_sequence, part, atol=1e-6, rtol=1e-5)


def _tensors(output):
    return output.slots if output.slots is not None else (output.dense_ORC,)


@pytest.mark.parametrize(
    "changes", [{"n_windows": 2}, {"encoder": "steps", "n_windows": 2}, {"memory": "last"}], ids=str
)
def test_only_the_windows_that_are_looked_at_count(changes):
    model = build(**changes).eval()
    whole_BWNF = features()
    unseen_BWNF = whole_BWNF.clone()
    looked_at = 1 if "memory" in changes else 2
    unseen_BWNF[:, : 6 - looked_at] = 9.0
    for mine, theirs in zip(_tensors(model(whole_BWNF)), _tensors(model(unseen_BWNF)), strict=True):
        assert torch.equal(mine, theirs)
    unseen_BWNF[:, -1] += 1.0
    assert not torch.equal(model(whole_BWNF).slots.class_OKC, model(unseen_BWNF).slots.class_OKC)


def test_a_step_attends_to_its_fifteen_neighbours_and_no_further():
    torch.manual_seed(0)
    encoder = StepEncoder(replace(SMALL, encoder="steps", encoder_layers=1)).eval()
    torch.nn.init.zeros_(encoder.position_XLD)
    steps_OLF = torch.randn(1, 198, 7)
    moved_OLF = steps_OLF.clone()
    moved_OLF[0, 100] += 1.0
    changed = (encoder(steps_OLF) != encoder(moved_OLF)).any(dim=2)[0].nonzero().flatten().tolist()
    assert changed == list(range(93, 108))


def test_a_regressed_time_is_a_gaussian_around_it():
    logits_T = gaussian_logits(torch.tensor([[[0.62]]]), 20)[0, 0]
    centre_T = (torch.arange(20) + 0.5) / 20
    assert logits_T.argmax().item() == 12
    assert (logits_T.softmax(0) @ centre_T).item() == pytest.approx(0.62, abs=1e-3)
    one_hot = -logits_T.log_softmax(0)[4] + logits_T.log_softmax(0)[12]
    assert one_hot.item() == pytest.approx(((0.62 - 0.225) ** 2 - (0.62 - 0.625) ** 2) * 400 / 2, rel=1e-4)


def test_regression_starts_in_the_middle():
    offset_OKT = build(slot_time="regression", bins=20)(features()).slots.offset_OKT
    time_OK = offset_OKT.softmax(-1) @ ((torch.arange(20) + 0.5) / 20)
    torch.testing.assert_close(time_OK, torch.full((2, 5), 0.5), atol=1e-3, rtol=0)


def test_queries_follow_the_input_only_when_conditioned():
    """Eq. (1). With the layers silenced, what is left of a slot is its query."""
    for conditioned in (False, True):
        decoder = SlotDecoder(replace(SMALL, conditioned=conditioned), 5)
        torch.nn.init.normal_(decoder.embedding_KD)
        decoder.layers = torch.nn.ModuleList()
        memory_OMD = torch.zeros(2, 3, 16)
        slots_OKD = decoder(memory_OMD, torch.eye(2, 16))
        assert torch.equal(slots_OKD[0], slots_OKD[1]) is not conditioned


def test_window_importance_scales_a_window_uniformly():
    memory = ObservationMemory(SMALL)
    assert memory.importance_W is not None
    with torch.no_grad():
        memory.importance_W.copy_(torch.tensor([-50.0, 0, 0, 0, 0, 50.0]))
    summaries_OWSD = torch.ones(1, 6, 4, 16)
    seen = {}
    memory.gru.register_forward_pre_hook(lambda _, inputs: seen.update(steps=inputs[0]))
    memory(summaries_OWSD)
    weights_M = seen["steps"][0, :, 0].tolist()
    assert weights_M == pytest.approx([0.0] * 4 + [0.5] * 16 + [1.0] * 4)


def test_window_importance_can_be_left_out():
    assert build(window_importance=False).memory.importance_W is None


def test_drop_path_drops_whole_branches_and_keeps_the_mean():
    torch.manual_seed(0)
    residual = Residual(dropout=0.0, drop_path=0.25).train()
    out = residual(torch.zeros(4000, 2, 3), torch.ones(4000, 2, 3))
    per_sample = out.flatten(1)
    assert (per_sample == per_sample[:, :1]).all()
    assert out.mean().item() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(residual.eval()(torch.zeros(3, 2, 3), torch.ones(3, 2, 3)), torch.ones(3, 2, 3))


@pytest.mark.parametrize("shape", [(2, 5, 33, 7), (2, 6, 32, 7), (2, 6, 33, 8), (6, 33, 7)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(InputError, match="is not \\(sequences, 6 or more windows, 33 snippets, 7 features\\)"):
        build()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"heads": 3}, "does not divide"),
        ({"slots": 0}, "below 1"),
        ({"dropout": 1.0}, r"not in \[0, 1\)"),
        ({"summaries": 34}, "34 summaries of 33 snippets"),
        ({"n_windows": 7}, "an observation has 6"),
        ({"encoder": "steps", "memory_tail": True}, "in its memory already"),
        ({"encoder": "steps", "memory": "mean"}, "its steps are the memory"),
        ({"encoder": "steps", "auxiliary": "all"}, "on the last window"),
    ],
)
def test_contradictory_settings_are_refused(changes, reason):
    with pytest.raises(InputError, match=reason):
        replace(SMALL, **changes)


def test_few_slots_fire_at_first():
    output = build().eval()(features())
    assert output.slots is not None
    assert output.slots.objectness_OK.sigmoid().mean().item() < 0.2
