"""Markov renewal: what follows the last row seen, how long after, and what follows that.

Row by row, the next row's code and the time until it depend on the last row's code alone. The intensity of each action
over the coming 5 s is the first row's density, given that it has not come yet, and those of the rows after it:

    lambda_k(b) = f_k(b) + sum_{s <= b} sum_j lambda_j(s) g_jk(b - s)

Axes: J last code, K next code (14), B bins of waiting (one raster frame each), A bins since the last row,
O examples, R raster frames.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import N_CODES, FeedHalf
from playahead.domain.grid import RASTER_FRAME_MS, RASTER_FRAMES
from playahead.io.errors import InputError

_LONGEST_BINS = 250  # 40 s without a row: as long as any wait
_OLDEST_BINS = 125  # 20 s
_NEARLY_ONE = 0.9  # rows that all follow at once would never end
_NOTHING_YET = N_CODES  # the state before the first row


class MarkovRenewal:
    """Waiting times between the rows of the halves that it was fitted on.

    Attributes:
        intensity_JARK: actions a raster frame, by last code (15: none seen yet) and bins since.
    """

    def __init__(self, halves: Sequence[FeedHalf]) -> None:
        """Count waiting times.

        Raises:
            InputError: no half has two rows.
        """
        if not any(len(half) > 1 for half in halves):
            raise InputError("Markov renewal", "nothing to count: no half has two rows")
        last = np.concatenate([np.r_[_NOTHING_YET, half.code[:-1]] for half in halves if len(half)])
        coming = np.concatenate([half.code for half in halves])
        wait_ms = np.concatenate([np.diff(half.t_ms, prepend=0) for half in halves])
        # The first row's frame is the one that it falls in; from row to row times are rounded, or errors would add up.
        self.intensity_JARK = _renew(
            _counted(last, coming, wait_ms // RASTER_FRAME_MS),
            _counted(last, coming, (wait_ms + RASTER_FRAME_MS // 2) // RASTER_FRAME_MS),
        )

    def predict(self, half: FeedHalf, end_ms_O: NDArray[np.int64]) -> DensePredictions:
        """Predictions of the examples that end at these times, from the last row visible by then."""
        visible_ms = half.visible_ms
        order = np.argsort(visible_ms, kind="stable")
        last_O = np.searchsorted(visible_ms[order], end_ms_O, side="left") - 1
        row_O = order[np.maximum(last_O, 0)] if len(half) else np.zeros(len(end_ms_O), np.intp)
        seen_O = last_O >= 0
        code_O = np.where(seen_O, half.code[row_O] if len(half) else 0, _NOTHING_YET)
        since_ms = end_ms_O - np.where(seen_O, half.t_ms[row_O] if len(half) else 0, 0)
        age_O = np.clip(since_ms // RASTER_FRAME_MS, 0, _OLDEST_BINS)
        return DensePredictions(event_probabilities(self.intensity_JARK[code_O, age_O][..., : len(ACTIONS)]))


def _counted(last: NDArray, coming: NDArray, wait_B: NDArray[np.integer]) -> NDArray[np.float64]:
    """Counts of waits by last code, next code and frames: counts_JKB."""
    counts_JKB = np.zeros((N_CODES + 1, N_CODES, _LONGEST_BINS + 1))
    np.add.at(counts_JKB, (last, coming, np.minimum(wait_B, _LONGEST_BINS)), 1)
    return counts_JKB


def _renew(first_counts_JKB: NDArray[np.float64], next_counts_JKB: NDArray[np.float64]) -> NDArray[np.float32]:
    """Counts of waits until the first row, and from row to row -> intensities for every last code and age."""
    first_JARK = np.stack([_density_from(first_counts_JKB, age) for age in range(_OLDEST_BINS + 1)], axis=1)
    next_JRK = _density_from(next_counts_JKB, 0)[:N_CODES]
    within_frame_KK = np.linalg.inv(
        np.eye(N_CODES) - np.minimum(next_JRK[:, 0], _NEARLY_ONE)
    )  # itself, its successors ...
    within_frame_KK = np.maximum(within_frame_KK, 0)  # rounding leaves -1e-17
    intensity_JARK = first_JARK.copy()
    for frame in range(RASTER_FRAMES):
        for earlier in range(frame):
            intensity_JARK[:, :, frame] += intensity_JARK[:, :, earlier] @ next_JRK[:, frame - earlier]
        intensity_JARK[:, :, frame] = intensity_JARK[:, :, frame] @ within_frame_KK
    return intensity_JARK.astype(np.float32)


def _density_from(counts_JKB: NDArray[np.float64], age: int) -> NDArray[np.float64]:
    """Density of the next row in each of the coming frames, given that it has not come for ``age`` bins: f_JRK."""
    left_J = counts_JKB[:, :, age:].sum(axis=(1, 2))
    coming_JKR = counts_JKB[:, :, age : age + RASTER_FRAMES]
    missing = RASTER_FRAMES - coming_JKR.shape[2]
    coming_JKR = np.pad(coming_JKR, ((0, 0), (0, 0), (0, missing)))
    return (coming_JKR / np.maximum(left_J, 1)[:, None, None]).transpose(0, 2, 1)
