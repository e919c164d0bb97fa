"""Guesses move; none is lost."""

import numpy as np
import pytest

from playahead.decoding.choosing import choose_shifts, shift
from playahead.evaluation.frames import NO_EVENT, FrameTable


def guesses(rng, n=40) -> np.ndarray:
    scores_NRV = rng.random((n, 32, 11)).astype(np.float32)
    return np.where(rng.random(scores_NRV.shape) < 0.1, scores_NRV, 0).astype(np.float32)


@pytest.mark.parametrize("frames", [-3, -1, 0, 2, 31])
def test_each_guess_moves_and_the_best_at_the_edge_stays(frames):
    before = guesses(np.random.default_rng(0))
    after = shift(before, [0, frames, *[0] * 8])
    np.testing.assert_array_equal(np.delete(after, 2, axis=2), np.delete(before, 2, axis=2))
    wanted = np.zeros((40, 32), np.float32)
    for clip, frame in zip(*np.nonzero(before[:, :, 2]), strict=True):
        place = min(max(frame + frames, 0), 31)
        wanted[clip, place] = max(wanted[clip, place], before[clip, frame, 2])
    np.testing.assert_array_equal(after[:, :, 2], wanted)


def test_a_class_that_is_always_late_is_found_out():
    rng = np.random.default_rng(1)
    labels_NR = np.full((300, 32), NO_EVENT, np.int32)
    scores_NRV = np.zeros((300, 32, 11), np.float32)
    frame_N = rng.integers(8, 24, 300)
    for clip, frame in enumerate(frame_N):
        labels_NR[clip, frame] = 1 + clip % 2
        late = 5 if clip % 2 else 0  # class 1 is 5 frames late, class 0 in time
        scores_NRV[clip, frame + late, 1 + clip % 2] = rng.uniform(0.5, 1)
    table = FrameTable(labels_NR, (labels_NR != NO_EVENT).astype(np.int32), scores_NRV)
    assert choose_shifts(table) == (0, -2, *[0] * 8)  # 3 frames late is within a tolerance of 1 s
