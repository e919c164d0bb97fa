"""The recipes that claim to be the paper's, setting for setting, and what it says of one training step (1.1 to 1.4)."""

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
from playahead.decoding.decoder import Decoder
from playahead.domain.grid import GRID
from playahead.features.feed import N_FEATURES
from playahead.lab.pretrain import PretrainConfig
from playahead.lab.recipes import backbone, recipe
from playahead.paper.anticipator import build
from playahead.paper.config import ModelConfig
from playahead.paper.encoder import Residual
from playahead.paper.memory import Memory
from playahead.paper.schedule import learning_rate
from playahead.paper.slots import SlotDecoder
from playahead.training import loop, run
from playahead.training.run import validate
from playahead.training.trainer import Trainer
from tests.support.training import TINY, Recorded, always_one, windows

SMALL = ModelConfig(feature_dim=4, d_model=16, heads=2, ffn_dim=16)
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
        "pairing": "hungarian",  # 1.4 a
        "frequency": "divide",  # 1.4 b
        "class_weight": 1.0,  # Eq. (5)
        "offset_weight": 1.0,  # 1.4 d
        "positive_weight": 5.0,  # 1.4 h
        "label_smoothing": 0.1,  # 1.4 h
        "class_balance": False,
        "sigma_bins": 1.0,  # 1.4 j
        "matched_weight": 1.0,  # 1.4 f
        "intensity_weight": 0.0,  # ours
        "class_power": 0.3,  # ours, of rates alone
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
    "hindsight": True,  # 1.4 w
    "without": (),  # 1.4 w
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
    found = dict(_flat({key: value for key, value in values.items() if key not in NOT_THE_PAPERS}))
    stated = dict(_flat(STATED))
    unmatched = sorted(found.keys() ^ stated.keys())
    assert not unmatched, f"only in the recipe, or only in STATED: {', '.join(unmatched)}"
    assert found == stated


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


def test_a_decoder_layer_looks_at_the_memory_then_at_the_slots_then_forward():
    """1.3 e: the order, by what each part is called with."""
    decoder = SlotDecoder(SMALL, 5).eval()
    nn.init.normal_(decoder.embedding_KD)
    called: list[tuple[int, str]] = []
    for index, layer in enumerate(decoder.layers):
        for name, part in layer.named_children():
            part.register_forward_hook(lambda *_, name=name, index=index: called.append((index, name)))
    decoder(Memory(torch.randn(2, 24, 16), torch.randn(2, 16)))
    parts = [(index, name) for index, name in called if "norm" not in name and name != "residual"]
    assert parts == [(index, name) for index in range(4) for name in ("cross", "attention", "ffn")]


def test_branches_are_dropped_whole():
    """1.2 c: DropPath on every residual branch of the encoder, on none of the decoder."""
    network = build(SMALL)
    encoders, decoders = (
        [m for m in part.modules() if isinstance(m, Residual)] for part in (network.encoder, network.decoder)
    )
    assert [branch.drop_path for branch in encoders] == [0.1] * 2
    assert [branch.drop_path for branch in decoders] == [0.0] * 4
    torch.manual_seed(0)
    branch = encoders[0].train()
    dropped = (branch(torch.zeros(4000, 3, 16), torch.ones(4000, 3, 16)).abs().sum(dim=(1, 2)) == 0).float().mean()
    assert dropped.item() == pytest.approx(0.1, abs=0.02)


def test_the_observation_head_is_two_convolutions_over_the_last_windows_tokens():
    """1.4 k."""
    network = build(SMALL).train()
    assert len([m for m in network.observer.modules() if isinstance(m, nn.Conv1d)]) == 2
    features_BWNF = torch.randn(2, 6, 33, 4, requires_grad=True)
    presence_PNC = network(features_BWNF).presence_PNC
    assert presence_PNC.shape == (2, 33, 10)
    (gradient_BWNF,) = torch.autograd.grad(presence_PNC.sum(), features_BWNF)
    assert gradient_BWNF.abs().sum(dim=(0, 2, 3)).bool().tolist() == [False] * 5 + [True]


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
    Trainer(replace(TINY, epochs=1, precision="32-true"), windows(), always_one, tmp_path).run()
    assert len(norms) == TINY.steps_per_epoch
    assert any(before > 1.0 for before, _ in norms)
    for before, after in norms:
        assert after == pytest.approx(min(before, 1.0), rel=1e-3)


def test_a_step_computes_in_bfloat16_and_keeps_its_weights_in_float32(tmp_path):
    """1.4 s: layers in bfloat16; the GRU, the losses, the weights and their average in float32."""
    trainer = Trainer(replace(TINY, precision="bf16-mixed"), windows(), always_one, tmp_path)
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


def _note_kind(kinds: dict[str, torch.dtype], name: str, _: nn.Module, __: object, output) -> None:
    kinds[name] = (output[0] if isinstance(output, tuple) else output).dtype


ROOT = Path(__file__).parents[2]


def test_every_departure_of_feed_slots_is_listed():
    """docs/paper.md, "What `feed-slots` does otherwise": thirteen rows name the settings that are not the paper's."""
    section = (
        (ROOT / "docs" / "paper.md").read_text().split("### What `feed-slots` does otherwise")[1].split("## 2 ")[0]
    )
    rows = re.findall(r"^\| \d+ \| .+ \| (`.+`) \|$", section, re.MULTILINE)
    assert len(rows) == 13
    listed = [name for row in rows for name in re.findall(r"`(.+?)`", row)]
    ours, papers = (dict(_flat(asdict(recipe(name)))) for name in ("feed-slots", "paper-feed"))
    assert sorted([*listed, "decoding"]) == sorted(name for name, value in papers.items() if ours[name] != value)


def _flat(values: dict, before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
