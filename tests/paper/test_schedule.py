"""1.4 q, r, u, y: the learning rate, and what decays."""

from dataclasses import replace

import pytest

from playahead.paper.anticipator import build
from playahead.paper.config import ModelConfig, ScheduleConfig
from playahead.paper.schedule import build_adamw, learning_rate

PAPER = ScheduleConfig(lr=1.0)


@pytest.mark.parametrize(
    ("epoch", "share"), [(0, 0), (2.5, 0.5), (5, 1), (10, 0.5), (14.999, 0), (15, 1), (25, 0.5), (34.999, 0), (35, 1)]
)
def test_the_rate_warms_up_and_restarts(epoch, share):
    """Warm-up over 5 epochs, then cosine cycles of 10 and 20 epochs."""
    assert learning_rate(epoch, PAPER, epochs=65) == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(("epoch", "share"), [(1, 0.5), (2, 1), (6, 0.5), (9.999, 0)])
def test_one_cycle_reaches_to_the_end_of_the_run(epoch, share):
    one_cycle = replace(PAPER, warmup_epochs=2, restart_epochs=None)
    assert learning_rate(epoch, one_cycle, epochs=10) == pytest.approx(share, abs=1e-4)


def test_vectors_are_not_decayed():
    """1.4 y: biases, normalisation scales and the window importance."""
    model = build(ModelConfig(feature_dim=4, d_model=8, heads=1, ffn_dim=8))
    adamw = build_adamw(list(model.parameters()), ScheduleConfig())
    assert (adamw.defaults["lr"], adamw.defaults["betas"]) == (2e-4, (0.9, 0.999))
    decay = {id(p): group["weight_decay"] for group in adamw.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        assert decay[id(parameter)] == (0.01 if parameter.ndim > 1 else 0.0), name
