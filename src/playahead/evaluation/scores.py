"""What a run scored on a split, small enough to keep: counts by match, from which every interval can be made.

Axes: O examples, R frames, V vector entries, M matches, G groups (here one: all events), C classes, H thresholds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.evaluation.bootstrap import AREA, Resampled, average_of, resample
from playahead.evaluation.figures import mean_predictions
from playahead.evaluation.official import ThresholdCounts, average_precision
from playahead.evaluation.score_scale import fit_log_ranks
from playahead.io.files import atomic_write

CountByMatch = Callable[[NDArray[np.float32]], list[ThresholdCounts]]
"""scores_ORV -> counts of each match (``EvaluationSet.count_by_match``)."""


@dataclass(frozen=True)
class Scores:
    """A run (or a baseline, an ensemble) with one decoding, on one split.

    Attributes:
        counts_M: of the official scorer.
        ranked_M: the same on scores whose ranks are spread over the thresholds, for the exact area.
        predictions_per_clip: frames with any score, on average.
    """

    counts_M: list[ThresholdCounts]
    ranked_M: list[ThresholdCounts]
    predictions_per_clip: float

    @property
    def average(self) -> float:
        """The benchmark's average, in percent."""
        return 100 * average_of(self.counts_M)

    @property
    def area(self) -> float:
        """Area under the precision-recall curves, averaged alike, in percent."""
        return 100 * average_of(self.ranked_M, AREA)

    @cached_property
    def resampled(self) -> Resampled:
        """The benchmark's average on samples of the matches; a comparison asks for the reference's once a row."""
        return resample(self.counts_M)

    @cached_property
    def resampled_area(self) -> Resampled:
        """The area on the same samples."""
        return resample(self.ranked_M, AREA)

    @property
    def precision_DC(self) -> NDArray[np.float64]:
        """Average precision of each tolerance and class, in percent."""
        return 100 * average_precision(sum(self.counts_M[1:], start=self.counts_M[0]))[0]


def score(scores_ORV: NDArray[np.float32], count_by_match: CountByMatch) -> Scores:
    """Count once for the benchmark's figure, once for the area."""
    ranked_ORV = fit_log_ranks(scores_ORV)(scores_ORV)
    counts, ranked = (_all_events(count_by_match(scores)) for scores in (scores_ORV, ranked_ORV))
    return Scores(counts, ranked, mean_predictions(scores_ORV))


def _all_events(counts_M: Sequence[ThresholdCounts]) -> list[ThresholdCounts]:
    return [replace(c, **{name: getattr(c, name)[:1] for name in _ARRAYS}) for c in counts_M]


_ARRAYS = ("detections_GCH", "hits_GDCH", "events_GC")


def save_scores(path: Path, scored: dict[str, Scores], key: str) -> None:
    """Keep what a run scored, by decoding; ``key`` says what it was made from."""
    arrays: dict[str, NDArray] = {"key": np.array(key), "names": np.array(list(scored))}
    for place, found in enumerate(scored.values()):
        arrays[f"{place}.predictions_per_clip"] = np.array(found.predictions_per_clip)
        arrays[f"{place}.classes"] = np.array(found.counts_M[0].classes)
        for kind in ("counts_M", "ranked_M"):
            for name in _ARRAYS:
                stacked = np.stack([getattr(c, name) for c in getattr(found, kind)])
                arrays[f"{place}.{kind}.{name}"] = stacked.astype(np.int32)
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]


def load_scores(path: Path, key: str) -> dict[str, Scores] | None:
    """What ``save_scores`` kept; None where there is nothing, it is damaged, or it was made from something else."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["key"]) != key:
                return None
            return {str(name): _scored(kept, place) for place, name in enumerate(kept["names"])}
    except FileNotFoundError:
        return None
    except Exception:  # damaged: zipfile, zlib and numpy raise their own kinds; it is made again
        return None


def _scored(kept: np.lib.npyio.NpzFile, place: int) -> Scores:
    classes = tuple(kept[f"{place}.classes"].tolist())
    counts, ranked = (
        [
            ThresholdCounts(*match, classes=classes)
            for match in zip(*(kept[f"{place}.{kind}.{name}"].astype(np.float64) for name in _ARRAYS), strict=True)
        ]
        for kind in ("counts_M", "ranked_M")
    )
    return Scores(counts, ranked, float(kept[f"{place}.predictions_per_clip"]))
