"""The next action: which one comes next, and how long until then. Models of event sequences are scored on this.

A predictor's intensities over the coming 5 s say both. The next action is of class c with probability
sum_r S(r) lambda_c(r), where S(r) is the probability that nothing has happened before frame r; the wait is S's median,
which has the smallest expected absolute error. Beyond the 5 s, their mean rate goes on. Where train is at hand, waits
are mapped to those that were typical there.

Axes: O times, W windows (6), N steps, F features, R raster frames, C classes, G groups, M matches, S bootstrap samples.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.dataset import FeedDataset
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS, RASTER_FRAME_MS
from playahead.evaluation.scores import SAMPLES, Interval
from playahead.features.forms import AS_RECORDED, FEED_FEATURES, Reading
from playahead.inference.any_predictor import AnyPredictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.lab.baselines import fit_baseline, predict_halves

GROUPS: dict[str, tuple[Action, ...]] = {
    "pass": (Action.PASS, Action.HIGH_PASS, Action.HEADER, Action.THROW_IN),
    "dribble": (Action.DRIVE,),
    "cross": (Action.CROSS,),
    "shot": (Action.SHOT,),
    "possession end": (Action.OUT, Action.BLOCK, Action.TACKLE),
}
"""The literature's five groups, made of our ten classes (docs/metric.md says where the protocols differ)."""
MODEL, MARKOV, COMMONEST = "model", "Markov renewal", "commonest class"
_IN_GROUP_GC = np.array([[action in group for action in ACTIONS] for group in GROUPS.values()], np.float64)
_MIN_RATE = 1e-9
_BATCH = 256  # times
_MATCHES_FITTED, _PARTS_FITTED = 40, 60  # of train, and parts in which their waits are compared
_JUST_AFTER_MS = 1  # a step sees what became visible before its end


@dataclass(frozen=True)
class NextScores:
    """Scores of next actions, with the matches resampled; ``grouped_`` figures are of ``GROUPS``.

    ``time_error_s`` is the mean absolute error of the wait in seconds, not a fraction.
    """

    times: int
    accuracy: Interval
    macro_f1: Interval
    grouped_accuracy: Interval
    grouped_f1: Interval
    time_error_s: Interval


class NextActions:
    """Every time, from 30 s on, at which an action became visible while another is to come in its half.

    ``class_O`` and ``wait_s_O`` are the class of the next action, and the seconds until then.
    """

    def __init__(self, halves: Sequence[FeedHalf], split: str = "feed") -> None:
        times = [(half, *_times_of(half)) for half in halves]
        times = [of_half for of_half in times if len(of_half[1])]
        if not times:
            raise InputError(split, "in no half does an action follow another after the first 30 s")
        self.halves = [half for half, _, _, _ in times]
        self.end_ms = [end for _, end, _, _ in times]
        self.match_O = np.concatenate([np.full(len(end), half.match) for half, end, _, _ in times])
        self.class_O = np.concatenate([next_class for _, _, next_class, _ in times])
        self.wait_s_O = np.concatenate([wait_ms for _, _, _, wait_ms in times]) / 1000

    def __len__(self) -> int:
        """Number of times."""
        return len(self.class_O)

    def batches(self, reading: Reading = AS_RECORDED) -> Iterator[NDArray[np.float32]]:
        """Windows (O, W, N, F) for ``Predictor.predict_all``; the times lie on no grid, so they share no window."""
        back_ms_W = np.arange(reading.n_before, -1, -1) * GRID.window_ms
        for half, end_ms_O in zip(self.halves, self.end_ms, strict=True):
            track = reading.prepare(reading.seen(half))
            for first, stop in pairwise([*range(0, len(end_ms_O), _BATCH), len(end_ms_O)]):
                ends_OW = end_ms_O[first:stop, None] - back_ms_W
                windows_PNF = track.at(ends_OW.ravel())
                yield windows_PNF.reshape(*ends_OW.shape, *windows_PNF.shape[1:])


def _times_of(half: FeedHalf) -> tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.int64]]:
    """(ends of the observations, next class, wait in ms) of one half."""
    is_action = half.is_target
    at_ms, code = half.t_ms[is_action].astype(np.int64), half.code[is_action].astype(np.intp)
    seen_ms = np.unique(half.visible_ms[is_action])
    seen_ms = seen_ms[seen_ms >= OBSERVATION_MS]
    coming = np.searchsorted(at_ms, seen_ms, side="right")
    seen_ms, coming = seen_ms[coming < len(at_ms)], coming[coming < len(at_ms)]
    return seen_ms + _JUST_AFTER_MS, code[coming], at_ms[coming] - seen_ms


def score_next_actions(
    dataset: FeedDataset, split: str, predictor: AnyPredictor, show: Show = quiet
) -> dict[str, NextScores]:
    """Scores of the model, of Markov renewal fitted on train (if there is one), and of the commonest class, by name.

    Args:
        dataset: compact feed tables.
        split: train, val or test.
        predictor: predictor for event feeds.
        show: function that is called with the progress of predicting.

    Raises:
        InputError: the split cannot be read or has no such time, or the weights are of other features.
    """
    times = NextActions(dataset.evaluation_set(split).halves, split)
    predictor.check(FEED_FEATURES)
    class_OC, wait_s_O = next_action(predictor.predict_all(times, show).intensity())
    scores = {}
    if (dataset.folder / "train.npz").exists():
        halves, length_ms = dataset.training_halves()
        wait_s_O = _typical_waits(predictor, halves, show)(wait_s_O)
        markov = fit_baseline("markov", halves, length_ms)
        class_MC, markov_wait_s_O = next_action(predict_halves(markov, times.halves, times.end_ms).intensity())
        scores[MARKOV] = score_answers(class_MC.argmax(axis=1), markov_wait_s_O, times)
    return {MODEL: score_answers(class_OC.argmax(axis=1), wait_s_O, times), **scores, COMMONEST: score_commonest(times)}


def _typical_waits(
    predictor: AnyPredictor, halves: Sequence[FeedHalf], show: Show
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Map from the waits that the rates say to the median waits that followed them in some matches of train.

    A rate is an average over whether something has happened before. Where nothing has, the next action is nearer, so
    the rates read as a Poisson process wait too long.
    """
    first = list(dict.fromkeys(half.match for half in halves))[:_MATCHES_FITTED]
    times = NextActions([half for half in halves if half.match in first], "train")
    _, stated_s_O = next_action(predictor.predict_all(times, show).intensity())
    parts = np.array_split(np.argsort(stated_s_O, kind="stable"), _PARTS_FITTED)
    stated_s, typical_s = ([float(np.median(waits[part])) for part in parts] for waits in (stated_s_O, times.wait_s_O))
    return lambda wait_s_O: np.interp(wait_s_O, stated_s, np.maximum.accumulate(typical_s))


def score_commonest(times: NextActions) -> NextScores:
    """Scores of the commonest class after the median wait: the floor of both figures."""
    commonest, median_s = np.bincount(times.class_O).argmax(), float(np.median(times.wait_s_O))
    return score_answers(np.full(len(times.class_O), commonest), np.full(len(times.class_O), median_s), times)


def next_action(intensity: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(probability_OC of the next action's class, median wait_s_O) from events per frame, (O, 32, 10)."""
    rate_OR = np.maximum(intensity.sum(axis=2, dtype=np.float64), _MIN_RATE)
    mass_OR = rate_OR.cumsum(axis=1)
    # The probability that nothing has happened before a frame, times that something then does: within the frame, the
    # classes share that by their rates.
    before_OR = np.exp(-(mass_OR - rate_OR))
    share_OR = before_OR * -np.expm1(-rate_OR) / rate_OR
    class_OC = np.einsum("or,orc->oc", share_OR, intensity)
    # The median is where the mass reaches log 2, at a constant rate within its frame; beyond the last frame, at the
    # mean rate of all.
    half, row, frames = np.log(2.0), np.arange(len(mass_OR)), mass_OR.shape[1]
    reached = (mass_OR >= half).argmax(axis=1)
    inside = reached + 1 - (mass_OR[row, reached] - half) / rate_OR[row, reached]
    beyond = frames * half / mass_OR[:, -1]
    wait_frames_O = np.where(mass_OR[:, -1] >= half, inside, beyond)
    return class_OC / np.maximum(class_OC.sum(axis=1, keepdims=True), _MIN_RATE), wait_frames_O * RASTER_FRAME_MS / 1000


def score_answers(classes: NDArray[np.intp], waits_s: NDArray[np.float64], times: NextActions) -> NextScores:
    """Scores of one class and one wait for each time."""
    # Count by match, so that a bootstrap sample of matches is a weighted sum of the counts.
    matches, match_O = np.unique(times.match_O, return_inverse=True)
    counts_MCC = np.zeros((len(matches), len(ACTIONS), len(ACTIONS)))  # actual class by answer
    np.add.at(counts_MCC, (match_O, times.class_O, classes), 1)
    error_M = np.bincount(match_O, np.abs(waits_s - times.wait_s_O))
    count_M = np.bincount(match_O).astype(np.float64)

    def interval(figure: Callable[[NDArray[np.float64]], float]) -> Interval:
        draw_SM = np.random.default_rng(0).multinomial(len(matches), np.full(len(matches), 1 / len(matches)), SAMPLES)
        sampled_S = np.array([figure(draw_M.astype(np.float64)) for draw_M in draw_SM])
        return Interval.of_samples(figure(np.ones(len(matches))), sampled_S)

    def of_counts(figure: Callable[[NDArray[np.float64]], float], grouped: bool = False) -> Interval:
        counts = _IN_GROUP_GC @ counts_MCC @ _IN_GROUP_GC.T if grouped else counts_MCC
        return interval(lambda weight_M: figure(np.tensordot(weight_M, counts, axes=1)))

    def accuracy(counts_CC: NDArray[np.float64]) -> float:
        return float(np.trace(counts_CC) / counts_CC.sum())

    return NextScores(
        times=len(classes),
        accuracy=of_counts(accuracy),
        macro_f1=of_counts(_macro_f1),
        grouped_accuracy=of_counts(accuracy, grouped=True),
        grouped_f1=of_counts(_macro_f1, grouped=True),
        time_error_s=interval(lambda weight_M: float(weight_M @ error_M / (weight_M @ count_M))),
    )


def _macro_f1(counts_CC: NDArray[np.float64]) -> float:
    """Mean F1 over the classes that happened."""
    actual_C, answered_C = counts_CC.sum(axis=1), counts_CC.sum(axis=0)
    f1_C = 2 * np.diagonal(counts_CC) / np.maximum(actual_C + answered_C, 1)
    return float(f1_C[actual_C > 0].mean())
