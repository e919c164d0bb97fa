"""Score scale: a monotone map per class, chosen on validation.

The official scorer looks at 200 thresholds, evenly spaced on [0, 1]. Only twenty of them resolve a rare class whose
probabilities never exceed 0.1, and its best predictions share one. Only the ranking matters, so each class may be
stretched: equal steps of score for equal factors in rank (1st, 2nd, 4th ...), which puts thresholds where precision
changes. The map is for the scorer; what people are shown is a probability.

Axes: N clips, R frames, V vector entries, C classes, J knots.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import average_precision, count_detections
from playahead.io.errors import InputError

_KNOTS = 100
_FLOOR = 0.005  # the lowest confidence given: the second of the scorer's thresholds


@dataclass(frozen=True)
class ScoreScale:
    """Knots of each class's map; a class without knots keeps its scores.

    Attributes:
        score_CJ: increasing scores.
        confidence_CJ: scores on the scorer's scale, non-decreasing, in [0, 1].
    """

    score_CJ: tuple[tuple[float, ...], ...]
    confidence_CJ: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not len(self.score_CJ) == len(self.confidence_CJ) == len(ACTIONS):
            raise InputError("ScoreScale", f"needs {len(ACTIONS)} classes")
        for scores, confidences in zip(self.score_CJ, self.confidence_CJ, strict=True):
            if len(scores) != len(confidences):
                raise InputError("ScoreScale", "as many confidences as scores are needed")
            if (np.diff(scores) <= 0).any() or (np.diff(confidences) < 0).any():
                raise InputError("ScoreScale", "knots do not increase")

    @cached_property
    def _knots(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        return [(np.array(s), np.array(c)) for s, c in zip(self.score_CJ, self.confidence_CJ, strict=True)]

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (N, 32, 11) on the scorer's scale; zero stays zero, order within a class stays."""
        scaled = scores.copy()
        for c, (knots, confidences) in enumerate(self._knots):
            if len(knots):
                column = scores[:, :, c + 1]
                scaled[:, :, c + 1] = np.where(column > 0, np.interp(column, knots, confidences), 0)
        return scaled


def fit_log_ranks(scores: NDArray[np.float32]) -> ScoreScale:
    """Map that spaces each class's predictions evenly in the logarithm of their rank; scores are (N, 32, 11)."""
    return ScoreScale(*zip(*(_log_rank_knots(scores[:, :, c + 1]) for c in range(len(ACTIONS))), strict=True))


def _log_rank_knots(scores_NR: NDArray[np.float32]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ranked = np.sort(scores_NR[scores_NR > 0])[::-1].astype(np.float64)
    if len(ranked) < 2:
        return (), ()
    # Ranks 1 ... n in equal factors become confidences in equal steps, from just below 1 down to the floor.
    rank = np.unique(np.geomspace(1, len(ranked), _KNOTS).round().astype(int))
    confidence = 1 - _FLOOR - (1 - 2 * _FLOOR) * np.log(rank) / np.log(len(ranked))
    # Of equal scores the best rank counts. A last knot at (1, 1) maps scores above those seen here.
    score, first = np.unique(ranked[rank - 1], return_index=True)
    last = [1.0] if score[-1] < 1.0 else []
    score, confidence = np.append(score, last), np.append(confidence[first], last)
    return tuple(score.tolist()), tuple(confidence.tolist())


def choose_score_scale(validation: FrameTable) -> ScoreScale:
    """Log-rank map of each class for which it improves the official metric on validation; none for the others."""
    fitted = fit_log_ranks(validation.scores_NRV)
    scaled = replace(validation, scores_NRV=fitted(validation.scores_NRV))
    before_C, after_C = (average_precision(count_detections(table))[0].mean(axis=0) for table in (validation, scaled))
    better = {c for c, gain in zip(validation.classes, after_C - before_C, strict=True) if gain > 0}
    both = (fitted.score_CJ, fitted.confidence_CJ)
    return ScoreScale(*(tuple(k if c in better else () for c, k in enumerate(knots_CJ)) for knots_CJ in both))
