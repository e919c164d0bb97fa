"""The next action: which one, and how long until then. What models of event sequences are asked in the literature.

A predictor's intensities over the coming 5 s say both. The next action is of class c with probability
sum_r S(r) lambda_c(r), where S(r) is the probability that nothing has happened before frame r; the wait is S's median,
which has the smallest expected absolute error. What lies beyond 5 s goes on at the 5 s' mean rate (C).

Axes: O moments, R raster frames, C classes, G groups, M matches, S bootstrap samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.grid import RASTER_FRAME_MS
from playahead.evaluation.bootstrap import SAMPLES, Interval
from playahead.io.progress import Show, quiet

GROUPS: dict[str, tuple[Action, ...]] = {
    "pass": (Action.PASS, Action.HIGH_PASS, Action.HEADER, Action.THROW_IN),
    "dribble": (Action.DRIVE,),
    "cross": (Action.CROSS,),
    "shot": (Action.SHOT,),
    "possession end": (Action.OUT, Action.BLOCK, Action.TACKLE),
}
"""The literature's five, of our ten (docs/metric.md says where the protocols differ)."""
_IN_GROUP_GC = np.array([[action in group for action in ACTIONS] for group in GROUPS.values()], np.float64)
_LEAST_RATE = 1e-9


class NextPredictor(Protocol):
    """What is needed of a predictor."""

    def check(self, features: Any) -> None:
        """Refuse features that it was not trained on."""
        ...

    def predict_all(self, evaluation_set: Any, show: Show = quiet) -> Any:
        """Predictions of every moment."""
        ...


class NextMoments(Protocol):
    """What is needed of a set of moments."""

    features: Any
    match_O: NDArray[np.integer]
    class_O: NDArray[np.intp]
    wait_s_O: NDArray[np.float64]


@dataclass(frozen=True)
class NextScores:
    """How well the next action was predicted, with 95 % intervals over matches.

    Attributes:
        moments: scored.
        accuracy, macro_f1: of the ten classes.
        grouped_accuracy, grouped_f1: of ``GROUPS``.
        time_error_s: mean absolute error of the wait, seconds (not a fraction).
    """

    moments: int
    accuracy: Interval
    macro_f1: Interval
    grouped_accuracy: Interval
    grouped_f1: Interval
    time_error_s: Interval


def evaluate_next(predictor: NextPredictor, moments: NextMoments, show: Show = quiet) -> NextScores:
    """Score a predictor's next actions.

    Raises:
        InputError: it was trained on other features.
    """
    predictor.check(moments.features)
    return score_next(predictor.predict_all(moments, show).intensity(), moments)


def next_action(intensity_ORC: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intensities -> (probability_OC of the next action's class, median wait_s_O)."""
    rate_OR = np.maximum(intensity_ORC.sum(axis=2, dtype=np.float64), _LEAST_RATE)
    mass_OR = rate_OR.cumsum(axis=1)
    before_OR = np.exp(-(mass_OR - rate_OR))
    comes_OR = before_OR * -np.expm1(-rate_OR) / rate_OR
    class_OC = np.einsum("or,orc->oc", comes_OR, intensity_ORC)
    return class_OC / np.maximum(class_OC.sum(axis=1, keepdims=True), _LEAST_RATE), _median_wait_s(rate_OR, mass_OR)


def _median_wait_s(rate_OR: NDArray[np.float64], mass_OR: NDArray[np.float64]) -> NDArray[np.float64]:
    """When the mass reaches log 2, within its frame; beyond the last frame at the mean rate."""
    half = np.log(2.0)
    row, frames = np.arange(len(mass_OR)), mass_OR.shape[1]
    reached = (mass_OR >= half).argmax(axis=1)
    within = frames * half / mass_OR[:, -1]
    inside = reached + 1 - (mass_OR[row, reached] - half) / rate_OR[row, reached]
    return np.where(mass_OR[:, -1] >= half, inside, within) * RASTER_FRAME_MS / 1000


def score_next(intensity_ORC: NDArray[np.floating], moments: NextMoments) -> NextScores:
    """What intensities say of the next action, against what came."""
    class_OC, wait_s_O = next_action(intensity_ORC)
    return score_guesses(class_OC.argmax(axis=1), wait_s_O, moments)


def score_guesses(guess_O: NDArray[np.intp], wait_s_O: NDArray[np.float64], moments: NextMoments) -> NextScores:
    """Guessed classes and waits, against what came."""
    matches, match_O = np.unique(moments.match_O, return_inverse=True)
    counts_MCC = np.zeros((len(matches), len(ACTIONS), len(ACTIONS)))
    np.add.at(counts_MCC, (match_O, moments.class_O, guess_O), 1)
    error_M = np.bincount(match_O, np.abs(wait_s_O - moments.wait_s_O))
    count_M = np.bincount(match_O).astype(np.float64)

    def interval(figure: Callable[[NDArray[np.float64]], float]) -> Interval:
        draw_SM = np.random.default_rng(0).multinomial(len(matches), np.full(len(matches), 1 / len(matches)), SAMPLES)
        value, sampled_S = figure(np.ones(len(matches))), [figure(draw_M.astype(np.float64)) for draw_M in draw_SM]
        low, high = np.percentile(sampled_S, (2.5, 97.5))
        return Interval(value, float(low), float(high))

    def of_counts(figure: Callable[[NDArray[np.float64]], float], grouped: bool) -> Interval:
        counts = _IN_GROUP_GC @ counts_MCC @ _IN_GROUP_GC.T if grouped else counts_MCC
        return interval(lambda weight_M: figure(np.tensordot(weight_M, counts, axes=1)))

    return NextScores(
        moments=len(guess_O),
        accuracy=of_counts(_accuracy, grouped=False),
        macro_f1=of_counts(_macro_f1, grouped=False),
        grouped_accuracy=of_counts(_accuracy, grouped=True),
        grouped_f1=of_counts(_macro_f1, grouped=True),
        time_error_s=interval(lambda weight_M: float(weight_M @ error_M / (weight_M @ count_M))),
    )


def majority(moments: NextMoments) -> NextScores:
    """Always the commonest class, after the median wait: the floor of both questions."""
    commonest = np.bincount(moments.class_O).argmax()
    typical_s = float(np.median(moments.wait_s_O))
    return score_guesses(np.full(len(moments.class_O), commonest), np.full(len(moments.class_O), typical_s), moments)


def _accuracy(counts_CC: NDArray[np.float64]) -> float:
    return float(np.trace(counts_CC) / counts_CC.sum())


def _macro_f1(counts_CC: NDArray[np.float64]) -> float:
    """Mean over the classes that happened."""
    happened_C, guessed_C = counts_CC.sum(axis=1), counts_CC.sum(axis=0)
    f1_C = 2 * np.diagonal(counts_CC) / np.maximum(happened_C + guessed_C, 1)
    return float(f1_C[happened_C > 0].mean())
