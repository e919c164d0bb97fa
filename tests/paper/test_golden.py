"""The paper's model in training against numbers that are kept: whatever changes one of its equations changes these."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.paper.golden import GOLDEN, logits_in_training, training_steps


def assert_golden(found: dict[str, NDArray[np.float32]], kind: str) -> None:
    """Everything of a kind equals the file's, within what CPUs differ by."""
    with np.load(GOLDEN, allow_pickle=False) as kept:
        names = [name for name in kept if name.startswith(kind)]
        assert names == [name for name in found if name.startswith(kind)]
        for name in names:
            size = np.abs(kept[name]).max()
            np.testing.assert_allclose(found[name], kept[name], rtol=1e-4, atol=1e-5 * size, err_msg=name)


@pytest.fixture(scope="module")
def steps(tmp_path_factory) -> dict[str, NDArray[np.float32]]:
    return training_steps(Path(tmp_path_factory.mktemp("steps")))


def test_every_logit_in_training_is_the_golden_one():
    """1.2, 1.3, Eqs. (1)-(4): dropout and DropPath included, and the observation head."""
    assert_golden(logits_in_training(), "logits")


def test_losses_of_six_steps_are_the_golden_ones(steps):
    """1.4, Eqs. (5), (6): draws, MixUp, assignment, each loss, on weights that earlier steps have moved."""
    assert_golden(steps, "loss")


def test_clipped_gradients_are_the_golden_ones(steps):
    """1.4 h, l, r: how the losses are weighed against each other, and clipping."""
    assert_golden(steps, "gradient")


def test_weights_go_where_the_golden_ones_went(steps):
    """1.4 q, r: AdamW, warm-up, cosine with restarts, decay of matrices."""
    assert_golden(steps, "weights")


def test_the_moving_average_follows_the_golden_one(steps):
    """1.4 t."""
    assert_golden(steps, "average")
