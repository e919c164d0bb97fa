"""``evaluate(predictor, evaluation_set)``: where a model meets what followed, and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from playahead.evaluation.bootstrap import AREA, Interval, least_difference, mean_interval
from playahead.evaluation.exact import ExactScores, TimedEvents, score_exactly, timed_events_of_frames
from playahead.evaluation.figures import FIGURES
from playahead.evaluation.frames import FrameTable, load_frame_case
from playahead.evaluation.official import (
    ThresholdCounts,
    benchmark_average,
    count_detections,
    metrics_from_counts,
    score_videos,
)
from playahead.evaluation.reliability import ReliabilityRow, reliability
from playahead.evaluation.scores import Scores, score
from playahead.io.progress import Show, quiet


class DecodesPredictions(Protocol):
    """What is needed of a decoder."""

    def decode(self, predictions: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(scores_ORV on the official scorer's scale, confidences_ORV that people are shown) of predictions."""
        ...


class Predicts(Protocol):
    """What is needed of a predictor."""

    def check(self, features: Any) -> None:
        """Refuse features that it was not trained on."""
        ...

    def decoder(self, name: str = "marginal") -> DecodesPredictions:
        """The decoding of that name that was chosen on validation."""
        ...

    def predict_all(self, evaluation_set: Any, show: Show = quiet) -> Any:
        """Predictions of every example of a set, in its order."""
        ...


class Scorable(Protocol):
    """What is needed of an evaluation set."""

    features: Any
    unit: str

    def table(self, scores_ORV: NDArray[np.float32]) -> FrameTable:
        """Scores beside what happened."""
        ...

    def timed_events(self) -> TimedEvents:
        """What happened, to the millisecond."""
        ...

    def count_by_match(self, scores_ORV: NDArray[np.float32]) -> list[ThresholdCounts]:
        """The official scorer's counts of each match."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model, submission or frame table.

    Attributes:
        counts: of the official scorer.
        tables: what the official scorer sees.
        timed: (events, predictions) in continuous time for each frame table: what the exact score is made from.
        by_match: counts of each match, for the intervals; None where matches are not known.
        unit: what the intervals resample.
        reliability: confidences beside what happened, of a model; None of what was read from a file.
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
        """Rough range of ``average`` over other test sets of as many matches; None where matches are not known."""
        return mean_interval([self.by_match.resampled]) if self.by_match else None

    @cached_property
    def area_interval(self) -> Interval | None:
        """The exact area with the 95 % interval of its value on very many matches; None where they are not known."""
        return mean_interval([self.by_match.resampled_area], AREA) if self.by_match else None

    def least_difference(self, size: int) -> dict[str, float]:
        """How far apart two systems must be on ``size`` matches each: ``"area"`` and ``"average"``, as fractions.

        Raises:
            InputError: fewer than two matches are known, or a size below 1.
        """
        counts, ranked = (self.by_match.counts_M, self.by_match.ranked_M) if self.by_match else ([], [])
        return {"area": least_difference(ranked, size, AREA), "average": least_difference(counts, size)}

    @property
    def figures(self) -> dict[str, float]:
        """Figures beside the benchmark's (``evaluation.figures``), mean over the tables."""
        return {name: float(np.mean([figure(t) for t in self.tables])) for name, figure in FIGURES.items()}

    @cached_property
    def exact(self) -> list[ExactScores]:
        """The same question with every threshold and continuous time, for each frame table."""
        return [score_exactly(*pair) for pair in self.timed]


def evaluate(
    predictor: Predicts,
    evaluation_set: Scorable,
    decoder: DecodesPredictions | None = None,
    show: Show = quiet,
) -> Evaluation:
    """Score a predictor on a set.

    Args:
        predictor: refused where it was trained on other features than the set holds.
        evaluation_set: examples, and what followed each.
        decoder: the marginal one that the weights carry if None.
        show: told how far it is.

    Raises:
        InputError: other features, or no such decoding.
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
        InputError: missing or damaged file.
    """
    tables = load_frame_case(path)
    return Evaluation(score_videos(tables), tables, [timed_events_of_frames(table) for table in tables])
