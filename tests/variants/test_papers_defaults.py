"""Built with default settings, variants are the paper: module for module, loss for loss, weight for weight."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from playahead.paper import anticipator as paper
from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.config import LossConfig, ModelConfig, ScheduleConfig
from playahead.paper.losses import Criterion, build_losses
from playahead.paper.matcher import Matcher
from playahead.paper.schedule import build_adamw
from playahead.variants.config import AnticipatorConfig, CriterionConfig, OptimConfig
from playahead.variants.losses import build_criterion, build_optimizers
from playahead.variants.model import build
from tests.support.paper import CPU, logits, targets

SIZES = {"feature_dim": 7, "d_model": 16, "heads": 2, "ffn_dim": 32, "decoder_layers": 2}


def kinds(model: torch.nn.Module) -> list[tuple[str, type]]:
    return [(name, type(module)) for name, module in model.named_modules()]


def test_the_default_model_is_the_papers_module_for_module():
    ours, papers = build(AnticipatorConfig(**SIZES)), paper.build(ModelConfig(**SIZES))
    assert kinds(ours) == kinds(papers)
    assert all(kind.__module__.split(".")[:2] in (["playahead", "paper"], ["torch", "nn"]) for _, kind in kinds(ours))
    ours.load_state_dict(papers.state_dict())
    features_BWNF = torch.randn(2, 7, 33, 7)
    torch.manual_seed(0)
    mine = ours.train()(features_BWNF)
    torch.manual_seed(0)
    theirs = papers.train()(features_BWNF)
    assert torch.equal(mine.presence_PNC, theirs.presence_PNC)
    assert all(torch.equal(a, b) for a, b in zip(mine.slots, theirs.slots, strict=True))


def test_default_losses_are_the_papers_loss_for_loss():
    weight_C = np.linspace(0.2, 5, 10).astype(np.float32)
    ours = build_criterion(CriterionConfig(), "slots", weight_C, CPU)
    papers = Criterion(build_losses(LossConfig()), Matcher(weight_C, LossConfig().offset_weight), CPU)
    assert [(weight, type(loss)) for weight, loss in ours.losses] == [(w, type(loss)) for w, loss in papers.losses]
    assert type(ours.matcher) is Matcher
    assert ours.matcher.offset_weight == papers.matcher.offset_weight
    assert ours.matcher.class_weight_C.tolist() == weight_C.tolist()
    output = AnticipatorOutput(logits(3, examples=2), torch.randn(2, 33, 10))
    parts = [(0.3, targets([(4, 0.33)], [(1, 0.9)])), (0.7, targets([(2, 0.5), (3, 0.7)], []))]
    mine, theirs = ours(output, parts), papers(output, parts)
    assert {name: value.item() for name, value in mine.items()} == {name: v.item() for name, v in theirs.items()}


def test_the_default_optimiser_is_the_papers():
    model = build(AnticipatorConfig(**SIZES))
    ours, papers = build_optimizers(model, OptimConfig()), build_adamw(list(model.parameters()), ScheduleConfig())
    assert [type(optimizer) for optimizer in ours] == [type(papers)]
    ours = ours[0]
    assert ours.defaults == papers.defaults
    for mine, theirs in zip(ours.param_groups, papers.param_groups, strict=True):
        assert mine["weight_decay"] == theirs["weight_decay"]
        assert list(map(id, mine["params"])) == list(map(id, theirs["params"]))


@pytest.mark.parametrize(
    ("ours", "papers"),
    [
        (AnticipatorConfig(feature_dim=7), ModelConfig(feature_dim=7)),
        (CriterionConfig(), LossConfig()),
        (OptimConfig(), ScheduleConfig()),
    ],
    ids=lambda config: type(config).__name__,
)
def test_settings_that_both_have_share_their_defaults(ours, papers):
    assert isinstance(ours, type(papers))
    assert all(getattr(ours, field.name) == getattr(papers, field.name) for field in fields(papers))


CHANGES = [
    {"encoder": "steps"},
    {"memory": "mean"},
    {"window_importance": False},
    {"importance_on": "outputs"},
    {"memory_tail": True},
    {"slot_time": "regression"},
    {"head": "dense"},
    {"auxiliary": "off"},
    {"classes": ("PASS", "SHOT")},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_other_setting_puts_another_piece_in(change):
    """No setting of a variant is without effect, and each leaves the pieces beside it the paper's."""
    base = AnticipatorConfig(**SIZES)
    papers, ours = dict(build(base).named_children()), dict(build(replace(base, **change)).named_children())
    changed = {name for name in papers if type(papers[name]) is not type(ours.get(name))}
    expected = {
        "encoder": {"encoder", "memory"},
        "slot_time": {"heads"},
        "head": {"heads"},
        "auxiliary": {"observer"},
        "classes": {"heads", "observer"},
    }
    assert changed == expected.get(next(iter(change)), {"memory"})


def test_every_setting_of_a_variant_is_tried_above():
    added = {field.name for field in fields(AnticipatorConfig)} - {field.name for field in fields(ModelConfig)}
    assert added == {next(iter(change)) for change in CHANGES}
