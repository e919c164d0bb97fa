"""``evaluate(predictor, evaluation_set)``: the only place where a model meets what followed.

A further figure beside the benchmark's is a function and an entry of ``FIGURES`` (docs/how-to/add-a-metric.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from playahead.evaluation.exact import ExactScores, TimedEvents, score_exactly, timed_events_of_frames
from playahead.evaluation.frames import NO_EVENT, FrameTable, load_frame_case
from playahead.evaluation.official import (
    ThresholdCounts,
    benchmark_average,
    count_detections,
    metrics_from_counts,
    score_videos,
)
from playahead.evaluation.reliability import ReliabilityRow, reliability
from playahead.evaluation.scores import AREA, Interval, Scores, mean_interval, mean_predictions, min_difference, score
from playahead.io.progress import Show, quiet


def predictions_per_clip(table: FrameTable) -> float:
    """Mean number of frames with any score: what the paper's threshold ablation counts."""
    return mean_predictions(table.scores_NRV)


def events_per_clip(table: FrameTable) -> float:
    """Mean number of actions that happened."""
    return float((table.labels_NR != NO_EVENT).sum() / max(len(table.labels_NR), 1))


FIGURES: dict[str, Callable[[FrameTable], float]] = {
    "predictions per clip": predictions_per_clip,
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
        """The exact area with the 95 % interval of its value on very many matches; None where they are not known."""
        return mean_interval([self.by_match.resampled_area], AREA) if self.by_match else None

    def min_difference(self, noise_at: int) -> dict[str, float]:
        """Smallest significant difference of two systems on ``noise_at`` matches each: ``"area"``, ``"average"``.

        Raises:
            InputError: fewer than two matches are known, or ``noise_at`` below 1.
        """
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


class ScoredDecoder(Protocol):
    """Part of a decoder that ``evaluate`` calls."""

    def decode(self, predictions: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(scores_ORV on the official scorer's scale, confidences_ORV that people are shown) of predictions."""
        ...


class ScoredPredictor(Protocol):
    """Part of a predictor that ``evaluate`` calls."""

    def check(self, features: Any) -> None:
        """Refuse features that it was not trained on."""
        ...

    def decoder(self, name: str = "marginal") -> ScoredDecoder:
        """The decoding of that name that was chosen on validation."""
        ...

    def predict_all(self, evaluation_set: Any, show: Show = quiet) -> Any:
        """Predictions of every example of a set, in its order."""
        ...


class ScoredSet(Protocol):
    """Part of an evaluation set that ``evaluate`` calls."""

    features: Any
    unit: str

    def table(self, scores_ORV: NDArray[np.float32]) -> FrameTable:
        """Scores beside what happened."""
        ...

    def timed_events(self) -> TimedEvents:
        """Events that happened, to the millisecond."""
        ...

    def count_by_match(self, scores_ORV: NDArray[np.float32]) -> list[ThresholdCounts]:
        """The official scorer's counts of each match."""
        ...


def evaluate(
    predictor: ScoredPredictor,
    evaluation_set: ScoredSet,
    decoder: ScoredDecoder | None = None,
    show: Show = quiet,
) -> Evaluation:
    """Score a predictor on an evaluation set.

    Args:
        predictor: a ``Predictor``.
        evaluation_set: examples, and what followed each (``datasets.evaluation_set``).
        decoder: decoder of the predictions; the marginal one that the weights carry if None.
        show: function that is called with the progress.

    Raises:
        InputError: the predictor was trained on other features, or has no such decoding.
    """
    predictor.check(evaluation_set.features)
    decoder = decoder or predictor.decoder()
    scores_ORV, confidences_ORV = decoder.decode(predictor.predict_all(evaluation_set, show))
    table, events = evaluation_set.table(scores_ORV), evaluation_set.timed_events()
    timed = (events, timed_events_of_frames(table)[1])
    by_match = score(scores_ORV, evaluation_set.count_by_match)
    reliable = reliability(events, evaluation_set.table(confidences_ORV))
    return Evaluation(count_detections(table), [table], [timed], by_match, evaluation_set.unit, reliable)


def evaluate_frame_case(path: Path) -> Evaluation:
    """Score a .npz in the golden cases' layout.

    Raises:
        InputError: a missing or damaged file.
    """
    tables = load_frame_case(path)
    return Evaluation(score_videos(tables), tables, [timed_events_of_frames(table) for table in tables])
