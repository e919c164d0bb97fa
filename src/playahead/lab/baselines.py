"""Baselines that any model must beat: the mean rate of each action, and what usually follows the last row.

Axes: J last code, K next code (14), B bins of waiting (one raster frame each), A bins since the last row,
O examples, R raster frames, C classes.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions, Predictions, event_probabilities, join_predictions
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import N_CODES, FeedHalf
from playahead.domain.grid import RASTER_FRAME_MS, RASTER_FRAMES
from playahead.io.errors import InputError

BaselineName = Literal["constant-rate", "markov"]
BASELINES: tuple[BaselineName, ...] = ("constant-rate", "markov")

_LONGEST_BINS = 250  # 40 s; longer waits count as this
_OLDEST_BINS = 125  # 20 s
_MAX_WITHIN_FRAME = 0.9  # share of rows followed within their frame; with 1, rows would follow without end
_NOTHING_YET = N_CODES  # the state before the first row


class ConstantRate:
    """Every class at its mean rate (``rate_C``, actions a raster frame), at all times."""

    def __init__(self, halves: Sequence[FeedHalf], lasted_ms: int) -> None:
        if lasted_ms <= 0:
            raise InputError("halves", "a constant rate cannot be fitted: they last no time")
        counts_C = np.bincount(np.concatenate([half.code[half.is_target] for half in halves]), minlength=len(ACTIONS))
        self.rate_C = counts_C / lasted_ms * RASTER_FRAME_MS

    def predict(self, half: FeedHalf, end_ms: NDArray[np.int64]) -> DensePredictions:  # noqa: ARG002 - always the same
        """Predictions of the examples that end at these times: the same for all."""
        shape = (len(end_ms), RASTER_FRAMES, len(ACTIONS))
        return DensePredictions(event_probabilities(np.broadcast_to(self.rate_C, shape)))


class MarkovRenewal:
    """Markov renewal: the next row's code, and the time until it, depend on the last row's code alone.

    The intensity of each action over the coming 5 s is the first row's density, given that it has not come yet, and
    those of the rows after it:

        lambda_k(b) = f_k(b) + sum_{s <= b} sum_j lambda_j(s) g_jk(b - s)

    Attributes:
        intensity_JARK: actions a raster frame, by last code (15: none seen yet) and bins since.
    """

    def __init__(self, halves: Sequence[FeedHalf]) -> None:
        if not any(len(half) > 1 for half in halves):
            raise InputError("halves", "Markov renewal cannot be fitted: no half has two rows")
        last = np.concatenate([np.r_[_NOTHING_YET, half.code[:-1]] for half in halves if len(half)])
        coming = np.concatenate([half.code for half in halves])
        wait_ms = np.concatenate([np.diff(half.t_ms, prepend=0) for half in halves])
        # The first row's frame is the one that it falls in; from row to row times are rounded, or errors would add up.
        self.intensity_JARK = _renew(
            _count_waits(last, coming, wait_ms // RASTER_FRAME_MS),
            _count_waits(last, coming, (wait_ms + RASTER_FRAME_MS // 2) // RASTER_FRAME_MS),
        )

    def predict(self, half: FeedHalf, end_ms: NDArray[np.int64]) -> DensePredictions:
        """Predictions of the examples that end at these times, from the last row visible by then."""
        if not len(half):
            code_O, since_ms = np.full(len(end_ms), _NOTHING_YET), end_ms
        else:
            order = np.argsort(half.visible_ms, kind="stable")
            last_O = np.searchsorted(half.visible_ms[order], end_ms, side="left") - 1
            row_O, seen_O = order[np.maximum(last_O, 0)], last_O >= 0
            code_O = np.where(seen_O, half.code[row_O], _NOTHING_YET)
            since_ms = end_ms - np.where(seen_O, half.t_ms[row_O], 0)
        age_O = np.clip(since_ms // RASTER_FRAME_MS, 0, _OLDEST_BINS)
        return DensePredictions(event_probabilities(self.intensity_JARK[code_O, age_O][..., : len(ACTIONS)]))


def _count_waits(last: NDArray, coming: NDArray, wait: NDArray[np.integer]) -> NDArray[np.float64]:
    """Counts of waits by last code, next code and frames: counts_JKB."""
    counts_JKB = np.zeros((N_CODES + 1, N_CODES, _LONGEST_BINS + 1))
    np.add.at(counts_JKB, (last, coming, np.minimum(wait, _LONGEST_BINS)), 1)
    return counts_JKB


def _renew(first_counts_JKB: NDArray[np.float64], next_counts_JKB: NDArray[np.float64]) -> NDArray[np.float32]:
    """Counts of waits until the first row, and from row to row -> intensities for every last code and age."""
    first_JARK = np.stack([_density_from(first_counts_JKB, age) for age in range(_OLDEST_BINS + 1)], axis=1)
    next_JRK = _density_from(next_counts_JKB, 0)[:N_CODES]
    # Rows within one frame: a row, its successors in the same frame, theirs ... add up to a geometric series.
    within_frame_KK = np.linalg.inv(np.eye(N_CODES) - np.minimum(next_JRK[:, 0], _MAX_WITHIN_FRAME))
    within_frame_KK = np.maximum(within_frame_KK, 0)  # rounding leaves -1e-17
    # Frame by frame: what comes first there, and what follows the rows of earlier frames.
    intensity_JARK = first_JARK.copy()
    for frame in range(RASTER_FRAMES):
        for earlier in range(frame):
            intensity_JARK[:, :, frame] += intensity_JARK[:, :, earlier] @ next_JRK[:, frame - earlier]
        intensity_JARK[:, :, frame] = intensity_JARK[:, :, frame] @ within_frame_KK
    return intensity_JARK.astype(np.float32)


def _density_from(counts_JKB: NDArray[np.float64], age: int) -> NDArray[np.float64]:
    """Density of the next row in each of the coming frames, given that it has not come for ``age`` bins: f_JRK."""
    waiting_J = counts_JKB[:, :, age:].sum(axis=(1, 2))
    coming_JKR = counts_JKB[:, :, age : age + RASTER_FRAMES]
    coming_JKR = np.pad(coming_JKR, ((0, 0), (0, 0), (0, RASTER_FRAMES - coming_JKR.shape[2])))
    return (coming_JKR / np.maximum(waiting_J, 1)[:, None, None]).transpose(0, 2, 1)


def fit_baseline(name: str, halves: Sequence[FeedHalf], lasted_ms: int) -> ConstantRate | MarkovRenewal:
    """Fit a baseline on halves (or clips) whose labels last so long in all."""
    if name == "constant-rate":
        return ConstantRate(halves, lasted_ms)
    if name == "markov":
        return MarkovRenewal(halves)
    raise InputError("name", f"{name!r} is not one of {', '.join(BASELINES)}")


def predict_halves(
    baseline: ConstantRate | MarkovRenewal, halves: Sequence[FeedHalf], end_ms: Sequence[NDArray[np.int64]]
) -> Predictions:
    """Predictions of the examples that end at these times of each half."""
    return join_predictions([baseline.predict(half, ends) for half, ends in zip(halves, end_ms, strict=True)])
