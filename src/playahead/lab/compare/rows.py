"""Rows and differences of a comparison: means, spreads over seeds, intervals over matches resampled in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from playahead.evaluation.bootstrap import AREA, Interval, mean_interval, paired_difference
from playahead.evaluation.scores import Scores

FEW_MATCHES = 5
"""With fewer, an interval over matches says little."""

Key = tuple[str, str]
"""(variant, decoding)."""


@dataclass(frozen=True)
class Row:
    """One configuration with one decoding; everything in percent.

    Attributes:
        variant, decoding: what it is.
        seeds: the benchmark's average of each seed.
        seed_spread: their standard deviation (0 for one).
        mean: over seeds, [mean, low, high]: a rough range over other test sets of as many matches.
        areas, area: the same of the exact area: 95 % interval of its value on very many matches.
        predictions_per_clip: on average.
        by_tolerance, by_class: mean over seeds.
        examples: that training has seen; 0 for what is not trained.
        against: the row that it is compared with: the reference variant with the same decoding, or the reference.
        difference, area_difference: to that row, matches and seeds resampled jointly, in pairs; None for the reference.
        significant: whether the difference, and that of the area, is: their intervals exclude 0, over
            ``FEW_MATCHES`` matches or more and, of what is trained, two seeds or more.
    """

    variant: str
    decoding: str
    seeds: list[float]
    seed_spread: float
    mean: list[float]
    areas: list[float]
    area: list[float]
    predictions_per_clip: float
    by_tolerance: list[float]
    by_class: list[float]
    examples: int
    against: Key | None
    difference: list[float] | None
    area_difference: list[float] | None
    significant: tuple[bool, bool]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def summarise(scored: Mapping[Key, Sequence[Scores]], reference: Key, examples: Mapping[str, int]) -> list[Row]:
    """A row for each configuration, in the given order; ``examples`` that each variant was trained on."""
    return [_row(key, _against(key, scored, reference), scored, examples[key[0]]) for key in scored]


def _against(key: Key, scored: Mapping[Key, Sequence[Scores]], reference: Key) -> Key | None:
    """What a row is compared with: changes of training with equal decodings, decodings with the reference's."""
    alike = (reference[0], key[1])
    against = alike if alike in scored and alike != key else reference
    return against if against in scored and against != key else None


def _row(key: Key, against: Key | None, scored: Mapping[Key, Sequence[Scores]], examples: int) -> Row:
    runs = scored[key]
    averages, areas = [run.resampled for run in runs], [run.resampled_area for run in runs]
    difference = area_difference = None
    if against:
        others = scored[against]
        difference = _percent(paired_difference(averages, [run.resampled for run in others]))
        area_difference = _percent(paired_difference(areas, [run.resampled_area for run in others], AREA))
    enough = averages[0].n_matches >= FEW_MATCHES and (len(runs) > 1 or not examples)
    precision_SDC = np.stack([run.precision_DC for run in runs])
    seeds = [run.average for run in runs]
    return Row(
        variant=key[0],
        decoding=key[1],
        seeds=_rounded(seeds),
        seed_spread=round(float(np.std(seeds, ddof=1)), 2) if len(seeds) > 1 else 0.0,
        mean=_percent(mean_interval(averages)),
        areas=_rounded([run.area for run in runs]),
        area=_percent(mean_interval(areas, AREA)),
        predictions_per_clip=round(float(np.mean([run.predictions_per_clip for run in runs])), 2),
        by_tolerance=_rounded(precision_SDC.mean(axis=(0, 2))),
        by_class=_rounded(precision_SDC.mean(axis=(0, 1))),
        examples=examples,
        against=against,
        difference=difference,
        area_difference=area_difference,
        significant=(enough and _excludes_0(difference), enough and _excludes_0(area_difference)),
    )


def _excludes_0(found: list[float] | None) -> bool:
    return found is not None and (found[1] > 0 or found[2] < 0)


def _percent(found: Interval) -> list[float]:
    return _rounded([100 * found.value, 100 * found.low, 100 * found.high])


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in values]
