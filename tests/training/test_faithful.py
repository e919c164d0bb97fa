"""The paper's statements (docs/paper.md) against the recipes that claim them, and against what the code does."""

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from playahead.backbone.network import Backbone, BackboneConfig
from playahead.datasets.examples import Batch, FeedExamples
from playahead.decoding.decoder import Decoder
from playahead.domain.actions import Action
from playahead.domain.grid import GRID
from playahead.features.feed import N_FEATURES
from playahead.lab.pretrain.spotting import PretrainConfig
from playahead.lab.recipes import RECIPES, backbone, recipe
from playahead.lab.simulation.plays import simulate_half
from playahead.paper.anticipator import Anticipator, AnticipatorOutput, ObservationHead
from playahead.paper.encoder import Residual
from playahead.paper.memory import ObservationMemory
from playahead.paper.sampling import RARE_FACTORS, mix
from playahead.paper.schedule import learning_rate
from playahead.paper.slots import SlotDecoder
from playahead.training import loop, run
from playahead.training.run import validate
from playahead.training.trainer import Trainer
from playahead.variants.config import AnticipatorConfig, CriterionConfig
from playahead.variants.losses import build_optimizers
from tests.training.test_classes import Recorded
from tests.training.test_matcher import logits, targets
from tests.training.test_trainer import TINY, never_mind

STATED = {
    "model": {
        "n_windows": 6,  # 1.1 g
        "n_snippets": 33,  # 1.1 f
        "d_model": 256,  # 1.2 a, i
        "heads": 8,  # 1.2 d, 1.3 f
        "ffn_dim": 1024,  # 1.2 d, 1.3 f
        "dropout": 0.1,  # 1.2 d
        "drop_path": 0.1,  # 1.2 c
        "encoder": "windows",  # 1.2 b
        "encoder_layers": 2,  # 1.2 b
        "summaries": 4,  # 1.2 f
        "memory": "gru",  # 1.2 i
        "window_importance": True,  # 1.2 g
        "importance_on": "inputs",  # 1.2 j
        "memory_tail": False,  # 1.2 i: the GRU's outputs are the memory
        "decoder_layers": 4,  # 1.3 e
        "slots": 16,  # 1.3 d
        "bins": 20,  # 1.3 h
        "conditioned": True,  # 1.3 a
        "slot_time": "bins",  # Eq. (4)
        "head": "slots",  # 1.3 g
        "auxiliary": "last",  # 1.4 k
    },
    "criterion": {
        "matcher": {  # Eq. (5)
            "pairing": "hungarian",  # 1.4 a
            "class_cost": "log",  # 1.4 c
            "frequency": "divide",  # 1.4 b
            "class_weight": 1.0,
            "offset_weight": 1.0,  # 1.4 d
        },
        "positive_weight": 5.0,  # 1.4 h
        "label_smoothing": 0.1,  # 1.4 h
        "class_balance": False,
        "sigma_bins": 1.0,  # 1.4 j
        "matched_weight": 1.0,  # 1.4 f
        "intensity_weight": 0.0,  # ours
        "observation": "focal",  # 1.4 k
        "presence_weight": 0.3,  # 1.4 l
        "focal_gamma": 2.0,  # 1.4 k
    },
    "optim": {
        "kind": "adamw",  # 1.4 q
        "lr": 2e-4,  # 1.4 r
        "weight_decay": 1e-2,  # 1.4 r
        "warmup_epochs": 5.0,  # 1.4 q
        "restart_epochs": 10.0,  # 1.4 r
        "restart_factor": 2,  # 1.4 r
        "clip_norm": 1.0,  # 1.4 r
        "betas": (0.9, 0.999),  # 1.4 u
    },
    "sequences": 32,  # 1.4 s
    "examples": 1,  # 1.4 s
    "rare_sampler": True,  # 1.4 m
    "mixup_alpha": 0.2,  # 1.4 p
    "precision": "bf16-mixed",  # 1.4 s
    "average_decay": 0.999,  # 1.4 t
    "decoding": "paper",  # 1.4 v
    "checkpoint_by": "area",  # 1.4 v
    "degraded": 0.0,  # 1.4 w
    "augment": False,  # 1.4 w
    "epochs": 35,  # 1.4 x: warm-up, and cycles of 10 and 20 epochs
    "steps_per_epoch": 144,  # 4,587 clips in batches of 32
}
NOT_THE_PAPERS = {"seed", "validate_every", "save_every", "device", "devices", "deterministic"}


@pytest.mark.parametrize(("name", "feature_dim"), [("video", 1280), ("paper-feed", N_FEATURES)])
def test_every_value_of_a_faithful_recipe_is_a_statement(name, feature_dim):
    values = asdict(recipe(name))
    assert values["model"].pop("feature_dim") == feature_dim  # 1.1 d
    assert values["model"].pop("classes") == ()  # all ten
    assert {key: value for key, value in values.items() if key not in NOT_THE_PAPERS} == STATED


def test_the_published_backbone():
    """1.1 a-d; its input is 720p, padded."""
    config = backbone()
    assert isinstance(config, PretrainConfig)
    assert config.input_size == "1280x736"
    assert config.backbone == BackboneConfig(classes=10)
    assert (config.backbone.encoder, config.backbone.blocks_3d) == ("tf_efficientnetv2_b0", 4)
    assert (config.backbone.stacks, config.backbone.stack_frames, config.backbone.projection) == (5, 3, 256)
    assert config.backbone.feature_dim == 1280
    network = Backbone(config.backbone)
    assert network.global_pool.p.shape == (1,)


def test_the_grid():
    """1.1 c, e-h."""
    assert (GRID.fps, GRID.window_frames, GRID.snippet_frames, GRID.snippet_step) == (25, 125, 15, 2)
    assert (GRID.snippet_span_frames, GRID.snippet_stride, GRID.n_snippets) == (29, 3, 33)
    assert (len(GRID.stack_starts_frames), GRID.n_windows, GRID.window_ms) == (41, 6, 5000)


def test_rare_classes_and_their_factors():
    """1.4 m, n."""
    rare = {"TACKLE": 4, "SHOT": 3, "BLOCK": 3, "CROSS": 2, "THROW_IN": 2}
    assert {getattr(Action, name): factor for name, factor in rare.items()} == dict(RARE_FACTORS)


def test_a_decoder_layer_looks_at_the_memory_then_at_the_slots_then_forward():
    """1.3 e: the order, by what each part is called with."""
    decoder = SlotDecoder(AnticipatorConfig(feature_dim=4, d_model=16, heads=2, ffn_dim=16, decoder_layers=4), 5).eval()
    nn.init.normal_(decoder.embedding_KD)
    called: list[str] = []
    for index, layer in enumerate(decoder.layers):
        for name, part in layer.named_children():
            part.register_forward_hook(lambda *_, name=name, index=index: called.append(f"{index} {name}"))
    decoder(torch.randn(2, 24, 16), torch.randn(2, 16))
    parts = [name for name in called if "norm" not in name and "residual" not in name]
    assert [name.split()[0] for name in parts] == [str(index) for index in range(4) for _ in range(3)]
    first = [name.split()[1] for name in parts[:3]]
    assert "memory" in first[0] or "cross" in first[0]
    assert first[1:] == ["attention", "ffn"]


def test_normalisation_comes_first_and_branches_are_dropped_whole():
    """1.2 b, c: pre-LN, and DropPath on every residual branch of the encoder."""
    network = Anticipator(AnticipatorConfig(feature_dim=4, d_model=16, heads=2, ffn_dim=16, drop_path=0.1))
    branches = [m for m in network.encoder.modules() if isinstance(m, Residual)]
    assert branches
    torch.manual_seed(0)
    branch = branches[0].train()
    x, more = torch.zeros(4000, 3, 16), torch.ones(4000, 3, 16)
    dropped = (branch(x, more).abs().sum(dim=(1, 2)) == 0).float().mean().item()
    assert dropped == pytest.approx(0.1, abs=0.02)


def test_the_observation_head_is_two_convolutions_over_the_last_windows_tokens():
    """1.4 k."""
    convolutions = [m for m in ObservationHead(16).modules() if isinstance(m, nn.Conv1d)]
    assert len(convolutions) == 2
    network = Anticipator(AnticipatorConfig(feature_dim=4, d_model=16, heads=2, ffn_dim=16)).train()
    features = torch.randn(2, 6, 33, 4)
    output = network(features)
    assert output.presence_BWNC.shape == (2, 1, 33, 10)
    (gradient,) = torch.autograd.grad(output.presence_BWNC.sum(), network.encoder.position_ND, retain_graph=True)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("on", ["inputs", "outputs"])
def test_window_importance_scales_all_steps_of_a_window_alike(on):
    """1.2 g, j."""
    config = AnticipatorConfig(feature_dim=4, d_model=8, heads=2, ffn_dim=8, importance_on=on)
    memory = ObservationMemory(config).eval()
    nn.init.constant_(memory.importance_W, 0.0)
    summaries = torch.randn(3, 6, 4, 8)
    halved, _ = memory.gru((summaries / 2).flatten(1, 2))
    whole, _ = memory.gru(summaries.flatten(1, 2))
    found, context = memory(summaries)
    torch.testing.assert_close(found, halved if on == "inputs" else whole / 2)
    torch.testing.assert_close(context, found[:, -1])


def test_the_class_target_is_smoothed():
    """1.4 h: 0.1 of the target is spread evenly over the ten classes."""
    slots = logits(2)
    config = CriterionConfig(matcher=CriterionConfig().matcher, positive_weight=1.0, sigma_bins=0.0)
    found = Criterion(config, np.ones(10, np.float32), torch.device("cpu"))(
        AnticipatorOutput(slots, None, None), [(1.0, targets([(4, 0.33)]))]
    )
    log_p_KC = slots.class_OKC[0].log_softmax(dim=-1)
    smoothed = torch.full((10,), 0.01)
    smoothed[4] += 0.9
    assert any(found["class"].item() == pytest.approx(-(smoothed * log_p_C).sum().item()) for log_p_C in log_p_KC)


def test_mixup_weighs_the_losses_of_both_sources():
    """1.4 o: matched separately, L = share * L_a + (1 - share) * L_b, every loss of it."""
    slots = logits(3, observations=2)
    ours, theirs = targets([(4, 0.33)], [(1, 0.9)]), targets([(2, 0.5), (3, 0.7)], [])
    criterion = Criterion(CriterionConfig(intensity_weight=1.0), np.ones(10, np.float32), torch.device("cpu"))
    output = AnticipatorOutput(slots, None, torch.zeros(2, 1, 33, 10))
    mixed = criterion(output, [(0.3, ours), (0.7, theirs)])
    alone, other = criterion(output, [(1.0, ours)]), criterion(output, [(1.0, theirs)])
    assert mixed.keys() == alone.keys() >= {"objectness", "class", "offset", "intensity", "presence", "total"}
    for name, value in mixed.items():
        assert value.item() == pytest.approx(0.3 * alone[name].item() + 0.7 * other[name].item(), rel=1e-5)


def test_mixup_draws_its_share_from_beta():
    """1.4 o, p: one share for the whole batch."""
    batch: Batch = FeedExamples([simulate_half(0, minutes=4)], 1).batch(np.array([0, 1]), np.random.default_rng(0))
    shares = np.array([mix(batch, 0.2, np.random.default_rng(seed)).parts[0][0] for seed in range(3000)])
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
    assert shares.var() == pytest.approx(0.25 / 1.4, abs=0.01)  # of Beta(0.2, 0.2)


def test_gradients_are_clipped_at_norm_one(tmp_path, monkeypatch):
    """1.4 r."""
    norms = []
    clip = nn.utils.clip_grad_norm_

    def clipped(parameters, norm):
        kept = list(parameters)
        found = clip(kept, norm)
        gradients = [p.grad.norm() for p in kept if p.grad is not None]
        norms.append((float(found), float(torch.stack(gradients).norm())))
        return found

    monkeypatch.setattr(loop.nn.utils, "clip_grad_norm_", clipped)
    Trainer(replace(TINY, epochs=1, precision="32-true"), _windows(), never_mind, tmp_path).run()
    assert len(norms) == TINY.steps_per_epoch
    assert any(before > 1.0 for before, _ in norms)
    for before, after in norms:
        assert after == pytest.approx(min(before, 1.0), rel=1e-3)


def test_a_step_computes_in_bfloat16_and_keeps_its_weights_in_float32(tmp_path):
    """1.4 s: layers in bfloat16; the GRU, the losses, the weights and their average in float32."""
    trainer = Trainer(replace(TINY, precision="bf16-mixed"), _windows(), never_mind, tmp_path)
    kinds: dict[str, torch.dtype] = {}
    layers = {"ffn": nn.Linear, "gru": nn.GRU}
    for name, kind in layers.items():
        module = next(m for m in trainer.plain_model.modules() if isinstance(m, kind))
        module.register_forward_hook(partial(_note_kind, kinds, name))
    losses, _ = trainer.losses(np.random.default_rng(0))
    assert kinds == {"ffn": torch.bfloat16, "gru": torch.float32}
    assert all(value.dtype == torch.float32 for value in losses.values())
    trainer._train_step()
    for model in (trainer.plain_model, trainer.averaged_model):
        assert {value.dtype for value in model.parameters()} == {torch.float32}


def test_the_rate_warms_up_and_restarts():
    """1.4 q, r: linear over 5 epochs, then cosines of 10 and 20."""
    config = recipe("video")
    rate = [learning_rate(epoch, config.optim, config.epochs) for epoch in np.arange(0, 35, 0.5)]
    assert rate[0] == 0
    assert rate[5] == pytest.approx(1e-4)
    assert rate[10] == rate[30] == pytest.approx(2e-4)
    assert rate[20] == pytest.approx(1e-4)
    assert rate[29] < 1e-5
    assert rate[50] == pytest.approx(1e-4)


def test_decoding_as_the_paper_has_it():
    """1.3 m."""
    assert Decoder("paper").tau == 0.3


def test_a_recipes_own_decoding_chooses_its_checkpoint(tmp_path, monkeypatch):
    """1.4 v: the first decoding of a validation chooses; marginal decoding's figures stand beside it in the log."""
    config = recipe("paper-small")
    model = replace(config.model, d_model=8, heads=1, ffn_dim=8)
    tiny = replace(config, model=model, epochs=1, steps_per_epoch=1, sequences=2, examples=1, precision="32-true")
    read_by: list[dict[str, Decoder]] = []

    def noted(predictor, evaluation_set, decoders):
        read_by.append(dict(decoders))
        return validate(predictor, evaluation_set, decoders)

    monkeypatch.setattr(run, "validate", noted)
    finished = run.train(Recorded(), tiny, tmp_path)
    assert list(read_by[0].items()) == [("paper", Decoder("paper", 0.3)), ("marginal", Decoder())]
    assert {"map", "map_marginal"} <= set(finished.log.read_text().splitlines()[0].split(","))


def test_vectors_are_not_decayed():
    """1.4 y: biases, normalisation scales and the window importance."""
    model = Anticipator(AnticipatorConfig(feature_dim=4, d_model=8, heads=1, ffn_dim=8))
    (adamw,) = build_optimizers(model, recipe("video").optim)
    decayed = {id(p): group["weight_decay"] for group in adamw.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        assert decayed[id(parameter)] == (0.01 if parameter.ndim > 1 else 0.0), name


def test_the_focal_loss_is_the_formula():
    """1.4 k: (1 - p_t)^2 times the binary cross-entropy, summed over steps and classes."""
    torch.manual_seed(0)
    presence = torch.randn(2, 1, 33, 10)
    wanted = targets([], [])
    wanted.presence_BWNC[0, 5, 3, 2] = 1.0
    config = CriterionConfig(presence_weight=1.0)
    output = AnticipatorOutput(logits(0, observations=2), None, presence)
    found = Criterion(config, np.ones(10, np.float32), torch.device("cpu"))(output, [(1.0, wanted)])["presence"]
    p = presence.double().sigmoid()
    seen = wanted.presence_BWNC[:, -1:].double()
    p_t = torch.where(seen == 1, p, 1 - p)
    assert found.item() == pytest.approx((-((1 - p_t) ** 2) * p_t.log()).sum().item() / 2, rel=1e-4)


def _note_kind(kinds: dict[str, torch.dtype], name: str, _: nn.Module, __: object, output) -> None:
    kinds[name] = (output[0] if isinstance(output, tuple) else output).dtype


def _windows() -> FeedExamples:
    return FeedExamples([simulate_half(0, minutes=6)], TINY.examples)


ROOT = Path(__file__).parents[2]
STATEMENT = re.compile(r"^\| [a-z] \| .+ \| .+ \| (.+) \| (`.+`) \| `(.+?\.py)` `(test_\w+)` \|$", re.MULTILINE)


def test_every_statement_names_its_code_a_faithful_recipe_and_a_test():
    """No cell of the tables in docs/paper.md 1.1 to 1.4 is empty, and what they name exists."""
    sections = (ROOT / "docs" / "paper.md").read_text().split("## 1.1")[1].split("## 2 ")[0]
    rows = [line for line in sections.splitlines() if re.match(r"\| [a-z] \| ", line)]
    found = STATEMENT.findall(sections)
    assert len(found) == len(rows) == 58
    for modules, recipes, path, test in found:
        assert all((ROOT / module).exists() for module in re.findall(r"`(src/.+?\.py)`", modules)), modules
        assert all(name in RECIPES for name in re.findall(r"`(.+?)`", recipes)), recipes
        assert re.search(rf"^def {test}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE), test


def test_every_departure_of_feed_is_listed():
    """docs/paper.md, "What `feed` does otherwise": thirteen rows name all settings in which it is not the paper's."""
    section = (ROOT / "docs" / "paper.md").read_text().split("### What `feed` does otherwise")[1].split("## 2 ")[0]
    rows = re.findall(r"^\| \d+ \| .+ \| (`.+`) \|$", section, re.MULTILINE)
    assert len(rows) == 13
    listed = [name for row in rows for name in re.findall(r"`(.+?)`", row)]
    ours, papers = (dict(_flat(asdict(recipe(name)))) for name in ("feed", "paper-feed"))
    assert sorted([*listed, "decoding"]) == sorted(name for name, value in papers.items() if ours[name] != value)


def _flat(values: dict, before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
