"""A comparison: a grid's runs trained, scored, and put into rows with paired intervals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from playahead.datasets.dataset import Dataset
from playahead.decoding.choosing import Decoding, choose
from playahead.evaluation.scores import AREA, Interval, Scores, mean_interval, paired_difference, score
from playahead.io.errors import InputError
from playahead.io.files import lock_folder, write_whole
from playahead.io.progress import Show, quiet
from playahead.io.settings import check_choices, check_counts
from playahead.lab.baselines import fit_baseline, predict_halves
from playahead.lab.compare.grid import Grid, narrowed
from playahead.lab.compare.runs import Members, code_of_runs, run_folder, runs_of, train_runs

VERSION = 3  # of ``comparison-SPLIT.json``
FEW_MATCHES, FEW_SEEDS = 5, 3  # with fewer, no difference is called significant

Key = tuple[str, str]
"""(variant, decoding), or (variant, past)."""


@dataclass(frozen=True)
class Row:
    """One variant with one decoding (or under one past); all figures in percent.

    Attributes:
        seeds: the benchmark's average of each seed.
        seed_spread: standard deviation of ``seeds`` (0 for one).
        mean: mean of ``seeds`` as [mean, low, high], a rough range over other test sets of as many matches.
        areas, area: exact area of each seed, and [mean, low, high], the matches resampled.
        by_tolerance, by_class: mean over seeds.
        examples: number of examples that training has seen; 0 for baselines.
        against: row that this one is compared with: the reference variant with the same decoding, or the reference.
        difference, area_difference: difference to that row, resampling matches and seeds jointly, in pairs; None for
            the reference.
        significant: whether the difference, and that of the area, is significant: its interval excludes 0, there are at
            least ``FEW_MATCHES`` matches and, of what is trained, ``FEW_SEEDS`` seeds.
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


@dataclass(frozen=True)
class Comparison:
    """Scores of a grid's runs on one split.

    Attributes:
        split, n_matches, unit: split that was scored; intervals resample its ``n_matches`` of ``unit``.
        classes: names of the annotated classes; no other is scored.
        members: runs that each ensemble is made of.
        failed: runs that failed, with the reason.
        command: what makes it again; "" if it was not made by a command.
        code: digests of the code that trained and scored it, by file.
    """

    grid: Grid
    split: str
    n_matches: int
    unit: str
    notices: Sequence[str]
    classes: Sequence[str]
    data: str
    rows: Sequence[Row]
    members: Mapping[str, Sequence[str]]
    failed: Mapping[str, str]
    command: str = ""
    code: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Document in ``comparison-SPLIT.json``."""
        return {
            "version": VERSION,
            "grid": self.grid.name,
            "about": self.grid.about,
            "split": self.split,
            "matches": self.n_matches,
            "unit": self.unit,
            "notices": list(self.notices),
            "classes": list(self.classes),
            "data": self.data,
            "reference": list(self.grid.reference),
            "seeds": list(self.grid.seeds),
            "decodings": {name: asdict(decoding) for name, decoding in self.grid.decodings.items()},
            "pasts": list(self.grid.pasts),
            "weights": {name: [str(path) for path in v.weights] for name, v in self.grid.variants.items() if v.weights},
            "rows": [asdict(row) for row in self.rows],
            "ensembles": {name: list(members) for name, members in self.members.items()},
            "failed": dict(self.failed),
            "command": self.command,
            "code": dict(self.code),
        }


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Options of a comparison.

    Attributes:
        split: split to score, val or test. Decodings are chosen on val either way, so figures on val are optimistic;
            look at test once.
        processes: runs at a time, each with its share of the cores.
        only: names of variants to train, separated by commas, beside the reference; rows also hold every run that has
            been scored before.
        reference: variant to compare all others with, instead of the grid's own.
    """

    split: Literal["val", "test"] = "val"
    processes: int = 1
    only: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        check_choices(self)
        check_counts(self, "processes")


def compare(
    grid: Grid,
    dataset: Dataset,
    out: Path,
    config: CompareConfig | None = None,
    show: Show = quiet,
    command: str = "",
) -> Comparison:
    """Train every variant with every seed, score all, and write ``out/comparison-SPLIT.json``; resumes after a kill.

    Args:
        grid: grid to compare (``open_grid``).
        dataset: data to train on; checkpoints and decodings are chosen on its val split.
        out: folder for a folder of each run, and the comparison.
        config: options.
        show: function that is called with the number of steps done, of all runs.
        command: what makes it again, for ``playahead results check``.

    Raises:
        InputError: the data cannot be read, or a name is not in the grid.
    """
    config = config or CompareConfig()
    split, only = config.split, [name.strip() for name in config.only.split(",")] if config.only else []
    if "markov" in grid.baselines and dataset.features["kind"] != "feed":
        raise InputError("baselines", "markov predicts from what happened, which video does not say")
    trained = narrowed(grid, only) if only else grid
    dataset.check("val", split)
    with lock_folder(out):
        failed = train_runs(runs_of(trained, out), trained, dataset, split, config.processes, show)
        rows, members = _score_all(grid, trained, dataset, out, split, failed)
        evaluation_set = dataset.evaluation_set(split)
        comparison = Comparison(
            grid=grid,
            split=split,
            n_matches=len(evaluation_set.matches),
            unit=evaluation_set.unit,
            notices=dataset.notices.lines,
            classes=evaluation_set.class_names,
            data=dataset.digest("val", split),
            rows=rows,
            members=members,
            failed=failed,
            command=command,
            code=code_of_runs(run for run in runs_of(grid, out) if run.weights.exists()),
        )
        write_whole(out / f"comparison-{split}.json", json.dumps(comparison.as_dict(), indent=1))
        return comparison


def _score_all(
    grid: Grid, trained: Grid, dataset: Dataset, out: Path, split: str, failed: Mapping[str, str]
) -> tuple[list[Row], dict[str, list[str]]]:
    """Rows of all that did not fail with each decoding, and the members of each ensemble."""
    scored: dict[Key, list[Scores]] = {}
    examples: dict[str, int] = {}
    members_of: dict[str, list[str]] = {}

    def add(name: str, scores: Mapping[str, Scores], budget: int) -> None:
        examples[name] = budget
        for decoding, one in scores.items():
            scored.setdefault((name, decoding), []).append(one)

    weights: dict[tuple[str, int], Path] = {}
    for run in runs_of(grid, out):
        if run.folder.name not in failed:
            weights[run.name, run.seed] = run.weights
            members = Members([run.weights], dataset)
            scores = _scores(members, grid, split, run.folder, only_cached=run.name not in trained.variants)
            add(run.name, scores, grid.budget_of(run.name) if run.config else members.predictors[0].examples_seen)
    for name, ensemble in trained.ensembles.items():
        candidates = [runs for runs in grid.candidates(ensemble) if all(run in weights for run in runs)]
        if candidates:
            opened = [(runs, Members([weights[run] for run in runs], dataset)) for runs in candidates]
            runs, members = opened[0]
            if len(opened) > 1:  # the largest exact area on val under marginal decoding
                runs, members = max(opened, key=lambda one: one[1].score(Decoding(), "val").area)
            members_of[name] = [f"{variant}/{seed}" for variant, seed in runs]
            scores = _scores(members, grid, split, run_folder(out, name, "ensemble"))
            add(name, scores, sum(grid.budget_of(variant) for variant, _ in runs))
    for name in grid.baselines:
        add(name, score_baseline(name, dataset, split, grid.pasts), 0)
    return summarise(scored, grid.reference, examples), members_of


def _scores(members: Members, grid: Grid, split: str, folder: Path, only_cached: bool = False) -> dict[str, Scores]:
    """Scores with each decoding, or with the first one under each past."""
    if not grid.pasts:
        return members.scores(grid.decodings, split, folder, only_cached=only_cached)
    first = dict(list(grid.decodings.items())[:1])
    by_past = {past: members.scores(first, split, folder, past, only_cached) for past in grid.pasts}
    return {past: next(iter(scores.values())) for past, scores in by_past.items() if scores}


def score_baseline(name: str, dataset: Dataset, split: str, pasts: Sequence[str] = ()) -> dict[str, Scores]:
    """Scores of a baseline fitted on train, its score scale chosen on val: with marginal decoding, or by past."""
    fitted, validation = fit_baseline(name, *dataset.training_halves()), dataset.evaluation_set("val")
    predicted = predict_halves(fitted, validation.observed, validation.end_ms)
    decoder = choose(Decoding(), predicted, validation.table)
    sets = {past: dataset.seen_as(past, split) for past in pasts} or {"marginal": dataset.evaluation_set(split)}
    scores = {key: decoder.scores(predict_halves(fitted, e.observed, e.end_ms)) for key, e in sets.items()}
    return {key: score(scores[key], examples.count_by_match) for key, examples in sets.items()}


def summarise(scored: Mapping[Key, Sequence[Scores]], reference: Key, examples: Mapping[str, int]) -> list[Row]:
    """Rows of each variant and decoding, in the given order; ``examples`` says how many each variant was trained on."""
    rows = []
    for key in scored:
        # Variants are compared under the same decoding, the reference's other decodings with the reference itself.
        same_decoding = (reference[0], key[1])
        against = same_decoding if same_decoding in scored and same_decoding != key else reference
        rows.append(_row(key, against if against in scored and against != key else None, scored, examples))
    return rows


def _row(key: Key, against: Key | None, scored: Mapping[Key, Sequence[Scores]], examples: Mapping[str, int]) -> Row:
    runs, others = scored[key], scored[against] if against else []
    averages, areas = [run.resampled for run in runs], [run.resampled_area for run in runs]
    difference = area_difference = None
    if others:
        difference = _percent(paired_difference(averages, [run.resampled for run in others]))
        area_difference = _percent(paired_difference(areas, [run.resampled_area for run in others], AREA))
    trained = [one for one in (key, against) if one and examples[one[0]]]
    is_enough = averages[0].n_matches >= FEW_MATCHES and all(len(scored[one]) >= FEW_SEEDS for one in trained)
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
        examples=examples[key[0]],
        against=against,
        difference=difference,
        area_difference=area_difference,
        significant=(is_enough and _excludes_0(difference), is_enough and _excludes_0(area_difference)),
    )


def _excludes_0(interval: list[float] | None) -> bool:
    return interval is not None and (interval[1] > 0 or interval[2] < 0)


def _percent(interval: Interval) -> list[float]:
    return _rounded([100 * interval.value, 100 * interval.low, 100 * interval.high])


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in values]
