"""Scores of a run on a split: counts by match, and the figures and intervals that are made from them.

Intervals draw whole matches again, because the examples of one match are not independent. A further figure beside the
benchmark's is a function and an entry of ``FIGURES`` (docs/how-to/add-a-metric.md).

Axes: M matches, S bootstrap samples, U distinct samples, R runs, X all counts of a match, G groups (here one: all
events), D tolerances, C classes, H thresholds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.evaluation.exact import ExactScores, TimedEvents, area_of_counts, score_exactly, timed_events_of_frames
from playahead.evaluation.frames import NO_EVENT, FrameTable, load_frame_case
from playahead.evaluation.official import (
    ThresholdCounts,
    average_precision,
    benchmark_average,
    metrics_from_counts,
    score_videos,
)
from playahead.evaluation.reliability import ReliabilityRow
from playahead.evaluation.score_scale import fit_log_ranks
from playahead.io.errors import InputError
from playahead.io.files import atomic_write

SAMPLES = 1000
_CHUNK = 50  # samples computed at a time
_ARRAYS = ("detections_GCH", "hits_GDCH", "events_GC")


@dataclass(frozen=True)
class Measure:
    """A figure, and the question that its interval answers.

    The benchmark's figure falls with the size of the test set, so no interval around it holds the value that more
    matches would give: the percentile interval says where *another test set of as many matches* would lie. The area
    hardly moves with the size: its basic interval holds the value of *very many matches* (docs/metric.md, measured by
    benchmarks/coverage.py).

    Attributes:
        precision: function from counts to precision_GDC.
        is_basic: whether the interval is mirrored around the figure.
    """

    precision: Callable[[ThresholdCounts], NDArray[np.float64]]
    is_basic: bool


OFFICIAL = Measure(average_precision, is_basic=False)
AREA = Measure(area_of_counts, is_basic=True)


@dataclass(frozen=True)
class Interval:
    """A figure with its resampled interval (fractions)."""

    value: float
    low: float
    high: float

    @classmethod
    def of_samples(cls, value: float, samples: NDArray[np.float64], is_basic: bool = False) -> "Interval":
        """Percentile interval of a figure's bootstrap samples, or the basic one: mirrored around the figure."""
        low, high = np.percentile(samples, (2.5, 97.5))
        if is_basic:
            low, high = 2 * value - high, 2 * value - low
        return cls(value, float(low), float(high))

    def __str__(self) -> str:
        if self.low == self.high:  # of one match
            return f"{100 * self.value:.2f}"
        return f"{100 * self.value:.2f} [{100 * self.low:.2f}, {100 * self.high:.2f}]"


@dataclass(frozen=True)
class Resampled:
    """A run's figure on all matches, and on each bootstrap sample of them."""

    value: float
    sampled_S: NDArray[np.float64]
    n_matches: int


@dataclass(frozen=True)
class Scores:
    """Counts of a run (or a baseline, an ensemble) with one decoding, on one split.

    Attributes:
        counts_M: counts of the official scorer.
        ranked_M: counts on scores whose ranks are spread over the thresholds, for the exact area.
        predictions_per_clip: mean number of frames with any score.
    """

    counts_M: list[ThresholdCounts]
    ranked_M: list[ThresholdCounts]
    predictions_per_clip: float

    @property
    def average(self) -> float:
        """The benchmark's average, percent."""
        return 100 * average_of(self.counts_M)

    @property
    def area(self) -> float:
        """Area under the precision-recall curves, averaged alike, percent."""
        return 100 * average_of(self.ranked_M, AREA)

    @cached_property
    def resampled(self) -> Resampled:
        """The benchmark's average on samples of the matches, cached because every row needs the reference's."""
        return resample(self.counts_M)

    @cached_property
    def resampled_area(self) -> Resampled:
        """The area on the same samples."""
        return resample(self.ranked_M, AREA)

    @property
    def precision_DC(self) -> NDArray[np.float64]:
        """Average precision of each tolerance and class, percent."""
        return 100 * average_precision(sum(self.counts_M[1:], start=self.counts_M[0]))[0]


def score(
    scores: NDArray[np.float32], count_by_match: Callable[[NDArray[np.float32]], list[ThresholdCounts]]
) -> Scores:
    """Count decoded scores (O, 32, 11) by match (``EvaluationSet.count_by_match``), for both figures."""
    counts, ranked = (
        [replace(c, **{name: getattr(c, name)[:1] for name in _ARRAYS}) for c in count_by_match(scaled)]
        for scaled in (scores, fit_log_ranks(scores)(scores))
    )
    return Scores(counts, ranked, mean_predictions(scores))


def mean_predictions(scores: NDArray[np.float32]) -> float:
    """Mean number of frames with any score, of scores (O, 32, 11)."""
    return float((scores[:, :, 1:] > 0).any(axis=2).sum() / max(len(scores), 1))


def average_of(matches: Sequence[ThresholdCounts], measure: Measure = OFFICIAL) -> float:
    """Average over tolerances and classes on all matches, as a fraction."""
    return float(measure.precision(sum(matches[1:], start=matches[0]))[0].mean())


def bootstrap_averages(
    matches: Sequence[ThresholdCounts],
    samples: int = SAMPLES,
    seed: int = 0,
    measure: Measure = OFFICIAL,
    size: int | None = None,
) -> NDArray[np.float64]:
    """Average over tolerances and classes of each bootstrap sample: averages_S.

    One seed draws the same matches for every system, which makes comparisons paired. A sample has ``size`` matches, as
    many as there are if None.
    """
    if not matches:
        raise InputError("matches", "there are none to draw from")
    rng = np.random.default_rng(seed)
    drawn_SM = rng.multinomial(size or len(matches), np.full(len(matches), 1 / len(matches)), size=samples)
    # Few matches can be drawn in few ways: each distinct sample is computed once.
    draws_UM, which_S = np.unique(drawn_SM, axis=0, return_inverse=True)
    # Counts add up, so a sample's counts are one matrix product: how often each match was drawn, times its counts.
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


def resample(matches: Sequence[ThresholdCounts], measure: Measure = OFFICIAL) -> Resampled:
    """Resample the figure; the samples are the same for every run on as many matches."""
    return Resampled(average_of(matches, measure), bootstrap_averages(matches, measure=measure), len(matches))


def mean_interval(runs: Sequence[Resampled], measure: Measure = OFFICIAL) -> Interval:
    """Mean of the average over runs (seeds) on the same matches; each sample draws the same matches for all runs."""
    return Interval.of_samples(_mean(runs), np.mean([run.sampled_S for run in runs], axis=0), measure.is_basic)


def paired_difference(ours: Sequence[Resampled], theirs: Sequence[Resampled], measure: Measure = OFFICIAL) -> Interval:
    """Mean over our runs minus mean over theirs, on the same matches in the same order.

    Each sample draws the same matches for every run of both, so that what matches have in common does not count. It
    also resamples seeds, paired when both have equally many, because another seed gives another figure.
    """
    lengths = {run.n_matches for run in (*ours, *theirs)}
    if len(lengths) != 1:
        raise InputError("theirs", f"runs are scored on {max(lengths)} matches and on {min(lengths)}")
    # Each sample draws runs with replacement and takes their mean. The generator begins anew for each side, so it draws
    # the same runs of both where there are equally many.
    means = []
    for runs in (ours, theirs):
        sampled_RS = np.stack([run.sampled_S for run in runs])
        drawn_SR = np.random.default_rng([0, 1]).integers(len(runs), size=(sampled_RS.shape[1], len(runs)))
        means.append(np.take_along_axis(sampled_RS.T, drawn_SR, axis=1).mean(axis=1))
    return Interval.of_samples(_mean(ours) - _mean(theirs), means[0] - means[1], measure.is_basic)


def _mean(runs: Sequence[Resampled]) -> float:
    return float(np.mean([run.value for run in runs]))


def min_difference(matches: Sequence[ThresholdCounts], noise_at: int, measure: Measure = OFFICIAL) -> float:
    """Smallest significant difference, as a fraction, between systems scored on ``noise_at`` different matches each.

    On the same matches less is enough, as far as the systems find the same ones hard (``paired_difference``).
    """
    if len(matches) < 2 or noise_at < 1:
        raise InputError("noise_at", f"{noise_at} matches drawn from {len(matches)} say nothing", "score more matches")
    return 1.96 * float(np.sqrt(2) * bootstrap_averages(matches, measure=measure, size=noise_at).std(ddof=1))


def events_per_clip(table: FrameTable) -> float:
    """Mean number of actions that happened."""
    return float((table.labels_NR != NO_EVENT).sum() / max(len(table.labels_NR), 1))


FIGURES: dict[str, Callable[[FrameTable], float]] = {
    "predictions per clip": lambda table: mean_predictions(table.scores_NRV),
    "events per clip": events_per_clip,
}
"""Figures that ``playahead evaluate`` prints beside the benchmark's."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model, submission or frame table.

    Attributes:
        counts: counts of the official scorer.
        tables: frame tables that the official scorer sees.
        timed: (events, predictions) of each frame table in continuous time, for the exact score.
        by_match: counts of each match, for the intervals; None where matches are not known.
        unit: unit that the intervals resample.
        reliability: a model's confidences beside what happened; None for scores read from a file.
    """

    counts: ThresholdCounts
    tables: Sequence[FrameTable]
    timed: Sequence[tuple[TimedEvents, TimedEvents]]
    by_match: Scores | None = None
    unit: str = "matches"
    reliability: Sequence[ReliabilityRow] | None = None

    @property
    def average(self) -> float:
        """The benchmark's figure: mAP averaged over the six tolerances, as a fraction."""
        return benchmark_average(self.counts)

    @property
    def metrics(self) -> dict[str, Any]:
        """All metrics, under the upstream scorer's names (``at1`` ... ``tightV2``)."""
        return metrics_from_counts(self.counts)

    @cached_property
    def interval(self) -> Interval | None:
        """``average`` with its rough range over other test sets of as many matches; None where they are not known."""
        return mean_interval([self.by_match.resampled]) if self.by_match else None

    @cached_property
    def area_interval(self) -> Interval | None:
        """The exact area with the resampled interval of its value on very many matches; None if not known."""
        return mean_interval([self.by_match.resampled_area], AREA) if self.by_match else None

    def min_difference(self, noise_at: int) -> dict[str, float]:
        """Smallest significant difference of two systems on ``noise_at`` matches each: ``"area"``, ``"average"``."""
        counts, ranked = (self.by_match.counts_M, self.by_match.ranked_M) if self.by_match else ([], [])
        return {"area": min_difference(ranked, noise_at, AREA), "average": min_difference(counts, noise_at)}

    @property
    def figures(self) -> dict[str, float]:
        """Every entry of ``FIGURES``, mean over the tables."""
        return {name: float(np.mean([figure(t) for t in self.tables])) for name, figure in FIGURES.items()}

    @cached_property
    def exact(self) -> list[ExactScores]:
        """Scores of each frame table with every threshold and in continuous time."""
        return [score_exactly(*pair) for pair in self.timed]


def evaluate_frame_case(path: Path) -> Evaluation:
    """Score a .npz in the golden cases' layout."""
    tables = load_frame_case(path)
    return Evaluation(score_videos(tables), tables, [timed_events_of_frames(table) for table in tables])


def save_scores(path: Path, scored: dict[str, Scores], key: str) -> None:
    """Write a run's scores by decoding; ``key`` says what they were made from."""
    arrays: dict[str, NDArray] = {"key": np.array(key), "names": np.array(list(scored))}
    for index, scores in enumerate(scored.values()):
        arrays[f"{index}.predictions_per_clip"] = np.array(scores.predictions_per_clip)
        arrays[f"{index}.classes"] = np.array(scores.counts_M[0].classes)
        for kind in ("counts_M", "ranked_M"):
            for name in _ARRAYS:
                # Steps from one threshold to the next are small and mostly 0: half the size of the counts themselves.
                steps = np.diff(np.stack([getattr(c, name) for c in getattr(scores, kind)]), axis=-1, prepend=0)
                fits = np.abs(steps).max(initial=0) <= np.iinfo(np.int16).max
                arrays[f"{index}.{kind}.{name}.steps"] = steps.astype(np.int16 if fits else np.int32)
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]


def load_scores(path: Path, key: str) -> dict[str, Scores] | None:
    """Read what ``save_scores`` wrote; None if there is nothing, it is damaged, or it was made from something else."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            is_same = str(arrays["key"]) == key
            return {str(n): _load_one(arrays, index) for index, n in enumerate(arrays["names"])} if is_same else None
    except Exception:  # missing or damaged: zipfile, zlib and numpy raise their own kinds; it is made again
        return None


def _load_one(arrays: np.lib.npyio.NpzFile, index: int) -> Scores:
    classes = tuple(arrays[f"{index}.classes"].tolist())
    counts, ranked = (
        [
            ThresholdCounts(*match, classes=classes)
            for match in zip(*(_counts(arrays[f"{index}.{kind}.{name}.steps"]) for name in _ARRAYS), strict=True)
        ]
        for kind in ("counts_M", "ranked_M")
    )
    return Scores(counts, ranked, float(arrays[f"{index}.predictions_per_clip"]))


def _counts(steps: NDArray[np.integer]) -> NDArray[np.float64]:
    return np.cumsum(steps, axis=-1, dtype=np.float64)
