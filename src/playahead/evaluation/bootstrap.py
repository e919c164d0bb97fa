"""Intervals: whole matches are drawn again, because the windows of one match are not independent.

Axes: M matches, S bootstrap samples, D tolerances, C classes, H thresholds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.evaluation.exact import area_of_counts
from playahead.evaluation.official import ThresholdCounts, average_precision
from playahead.io.errors import InputError


@dataclass(frozen=True)
class Measure:
    """A figure, and which question its interval answers.

    The benchmark's figure falls with the size of the test set, so no interval around it holds the value that more
    matches would give: the percentile interval says where *another test set of as many matches* would lie. The area
    hardly moves with the size: its basic interval holds the value of *very many matches* (docs/metric.md, measured by
    benchmarks/coverage.py).

    Attributes:
        precision: counts -> precision_GDC.
        is_basic: the interval is mirrored around the figure.
    """

    precision: Callable[[ThresholdCounts], NDArray[np.float64]]
    is_basic: bool


OFFICIAL = Measure(average_precision, is_basic=False)
AREA = Measure(area_of_counts, is_basic=True)

SAMPLES = 1000
_CHUNK = 50


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval (fractions)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:  # one match says nothing of others
            return f"{100 * self.value:.2f}"
        return f"{100 * self.value:.2f} [{100 * self.low:.2f}, {100 * self.high:.2f}]"


def bootstrap_averages(
    matches: Sequence[ThresholdCounts],
    samples: int = SAMPLES,
    seed: int = 0,
    measure: Measure = OFFICIAL,
    size: int | None = None,
) -> NDArray[np.float64]:
    """The average over tolerances and classes of each bootstrap sample of ``size`` matches (all if None): averages_S.

    The same seed draws the same matches, so two systems scored on the same matches are compared in pairs.
    """
    if not matches:
        raise InputError("bootstrap", "no matches")
    rng = np.random.default_rng(seed)
    drawn_SM = rng.multinomial(size or len(matches), np.full(len(matches), 1 / len(matches)), size=samples)
    # Few matches can be drawn in few ways: each is computed once.
    draws_UM, which_S = np.unique(drawn_SM, axis=0, return_inverse=True)
    hits_MX = np.stack([m.hits_GDCH[0].ravel() for m in matches])
    detections_MX = np.stack([m.detections_GCH[0].ravel() for m in matches])
    events_MC = np.stack([m.events_GC[0] for m in matches])
    shape_DCH = matches[0].hits_GDCH.shape[1:]
    averages = []
    for start in range(0, len(draws_UM), _CHUNK):
        draw = draws_UM[start : start + _CHUNK].astype(np.float64)
        resampled = ThresholdCounts(
            (draw @ detections_MX).reshape(len(draw), *shape_DCH[1:]),
            (draw @ hits_MX).reshape(len(draw), *shape_DCH),
            draw @ events_MC,
            matches[0].classes,
        )
        averages.append(measure.precision(resampled).mean(axis=(1, 2)))
    return np.concatenate(averages)[which_S.ravel()]


def interval(value: float, sampled_S: NDArray[np.float64], measure: Measure = OFFICIAL) -> Interval:
    """95 % interval around a figure, of the kind that its measure asks for."""
    low, high = np.percentile(sampled_S, (2.5, 97.5))
    if measure.is_basic:
        low, high = 2 * value - high, 2 * value - low
    return Interval(value, float(low), float(high))


@dataclass(frozen=True)
class Resampled:
    """A run's figure, and what it is on each sample of its matches.

    Attributes:
        value: on all matches.
        sampled_S: on each sample.
        n_matches: of them.
    """

    value: float
    sampled_S: NDArray[np.float64]
    n_matches: int


def resample(matches: Sequence[ThresholdCounts], measure: Measure = OFFICIAL) -> Resampled:
    """The figure of all matches, and of samples that are the same for every run on as many matches."""
    return Resampled(average_of(matches, measure), bootstrap_averages(matches, measure=measure), len(matches))


def mean_interval(runs: Sequence[Resampled], measure: Measure = OFFICIAL) -> Interval:
    """Mean of the average over runs (seeds) on the same matches; each sample draws the same matches for all runs."""
    return interval(_mean(runs), np.mean([run.sampled_S for run in runs], axis=0), measure)


def paired_difference(
    ours: Sequence[Resampled], theirs: Sequence[Resampled], measure: Measure = OFFICIAL, seed: int = 0
) -> Interval:
    """Mean over our runs - mean over theirs, on the same matches in the same order.

    Each sample draws the same matches for every run of both, so what matches have in common does not count; and it
    draws runs (seeds) too, the same of both where there are as many, because another seed gives another figure.
    """
    lengths = {run.n_matches for run in (*ours, *theirs)}
    if len(lengths) != 1:
        raise InputError("paired difference", f"{max(lengths)} matches against {min(lengths)}")
    return interval(_mean(ours) - _mean(theirs), _redrawn(ours, seed) - _redrawn(theirs, seed), measure)


def _redrawn(runs: Sequence[Resampled], seed: int) -> NDArray[np.float64]:
    """Mean over runs that each sample draws again: the same seed draws the same of equally many."""
    sampled_RS = np.stack([run.sampled_S for run in runs])
    drawn_SR = np.random.default_rng([seed, 1]).integers(len(runs), size=(sampled_RS.shape[1], len(runs)))
    return np.take_along_axis(sampled_RS.T, drawn_SR, axis=1).mean(axis=1)


def least_difference(matches: Sequence[ThresholdCounts], size: int, measure: Measure = OFFICIAL) -> float:
    """How far apart two systems must be, as a fraction, to be told apart when each is scored on ``size`` matches.

    At 95 %, for different matches; on the same matches less is enough, as far as the systems find the same ones hard
    (``paired_difference``).

    Raises:
        InputError: fewer matches to draw from than two, or a size below 1.
    """
    if len(matches) < 2 or size < 1:
        raise InputError("--noise-at", f"{size} matches drawn from {len(matches)} say nothing", "score more matches")
    return 1.96 * float(np.sqrt(2) * bootstrap_averages(matches, measure=measure, size=size).std(ddof=1))


def average_of(matches: Sequence[ThresholdCounts], measure: Measure = OFFICIAL) -> float:
    """The average over all matches, as a fraction."""
    return float(measure.precision(sum(matches[1:], start=matches[0]))[0].mean())


def _mean(runs: Sequence[Resampled]) -> float:
    return float(np.mean([run.value for run in runs]))
