"""A comparison: a grid's runs trained, scored, and put into rows with paired intervals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from playahead.datasets.dataset import Dataset
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.predictions import Predictions, join_predictions
from playahead.evaluation.scores import Scores, score
from playahead.io.errors import InputError
from playahead.io.files import lock_folder, write_whole
from playahead.io.progress import Show, quiet
from playahead.io.settings import check_choices
from playahead.lab.baselines.fit import fit_baseline
from playahead.lab.compare.grid import Grid, narrowed
from playahead.lab.compare.jobs import jobs_of, run_folder, runs_of
from playahead.lab.compare.members import Members
from playahead.lab.compare.pool import run_jobs
from playahead.lab.compare.rows import Key, Row, summarise

VERSION = 1
"""Of ``comparison-SPLIT.json``."""


@dataclass(frozen=True)
class Comparison:
    """What a grid's runs scored on one split.

    Attributes:
        grid: what was asked for.
        split, n_matches, unit: what they were scored on; intervals resample ``n_matches`` of ``unit``.
        notice: a leak that the features have; empty if none.
        classes: that were scored: those that are annotated.
        data: digest of val and the split.
        rows: one for each configuration and decoding.
        members: of each ensemble, the runs that it was made of.
        failed: runs that failed, with the reason.
    """

    grid: Grid
    split: str
    n_matches: int
    unit: str
    notice: str
    classes: Sequence[str]
    data: str
    rows: Sequence[Row]
    members: Mapping[str, Sequence[str]]
    failed: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """``comparison-SPLIT.json``."""
        return {
            "version": VERSION,
            "grid": self.grid.name,
            "about": self.grid.about,
            "split": self.split,
            "matches": self.n_matches,
            "unit": self.unit,
            "notice": self.notice,
            "classes": list(self.classes),
            "data": self.data,
            "reference": list(self.grid.reference),
            "seeds": list(self.grid.seeds),
            "decodings": {name: asdict(decoding) for name, decoding in self.grid.decodings.items()},
            "pasts": list(self.grid.pasts),
            "weights": {name: [str(path) for path in v.weights] for name, v in self.grid.variants.items() if v.weights},
            "rows": [row.as_dict() for row in self.rows],
            "ensembles": {name: list(members) for name, members in self.members.items()},
            "failed": dict(self.failed),
        }


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """What is scored, and how.

    Attributes:
        split: what is scored; decodings are chosen on val either way, so figures on val are optimistic; look at test
            once.
        processes: runs at a time, each with its share of the cores.
        only: names of variants, separated by commas, to train no others (the reference, always); rows hold every run
            that has been scored before, too.
        reference: a variant to compare all others with, instead of the grid's own.
    """

    split: Literal["val", "test"] = "val"
    processes: int = 1
    only: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        check_choices(self, "-")
        if self.processes < 1:
            raise InputError("--processes", f"{self.processes} is below 1")


def compare(
    grid: Grid, dataset: Dataset, out: Path, config: CompareConfig | None = None, show: Show = quiet
) -> Comparison:
    """Train every variant with every seed, score all, and write ``out/comparison-SPLIT.json``; resumes after a kill.

    Args:
        grid: what to compare.
        dataset: trained on its train split; checkpoints and decodings are chosen on val.
        out: a folder for each run, and the comparison.
        config: what is scored, and how.
        show: told how many steps of all runs are done.

    Raises:
        InputError: the data cannot be read, or a name is not in the grid.
    """
    config = config or CompareConfig()
    split, only = config.split, [name.strip() for name in config.only.split(",")] if config.only else []
    if "markov" in grid.baselines and dataset.features["kind"] != "feed":
        raise InputError("baselines", "markov predicts from what happened, which video does not say")
    chosen = narrowed(grid, only) if only else grid
    dataset.check("val", split)
    with lock_folder(out):
        failed = run_jobs(jobs_of(chosen, out), chosen, dataset, split, config.processes, show)
        rows, members = _rows(grid, chosen, dataset, out, split, failed)
        evaluation_set = dataset.evaluation_set(split)
        found = Comparison(
            grid=grid,
            split=split,
            n_matches=len(evaluation_set.matches),
            unit=evaluation_set.unit,
            notice=dataset.notice,
            classes=evaluation_set.class_names,
            data=dataset.digest("val", split),
            rows=rows,
            members=members,
            failed=failed,
        )
        write_whole(out / f"comparison-{split}.json", json.dumps(found.as_dict(), indent=1))
        return found


def _rows(
    grid: Grid, chosen: Grid, dataset: Dataset, out: Path, split: str, failed: Mapping[str, str]
) -> tuple[list[Row], dict[str, list[str]]]:
    """A row for each variant, ensemble and baseline with each decoding; without what failed and what rests on it."""
    scored: dict[Key, list[Scores]] = {}
    examples: dict[str, int] = {}
    members_of: dict[str, list[str]] = {}

    def add(name: str, found: Mapping[str, Scores], budget: int) -> None:
        examples[name] = budget
        for decoding, one in found.items():
            scored.setdefault((name, decoding), []).append(one)

    weights: dict[tuple[str, int], Path] = {}
    for run in runs_of(grid, out):
        if run.folder.name not in failed:
            weights[run.name, run.seed] = run.weights
            members = Members([run.weights], dataset)
            found = _scored(members, grid, split, run.folder, run.name not in chosen.variants)
            given = grid.variants[run.name].config is None
            add(run.name, found, members.predictors[0].examples_seen if given else grid.budget_of(run.name))
    for name, ensemble in chosen.ensembles.items():
        candidates = [runs for runs in grid.candidates(ensemble) if all(run in weights for run in runs)]
        if not candidates:
            continue
        runs, members = _best_on_val(candidates, weights, dataset)
        members_of[name] = [f"{variant}/{seed}" for variant, seed in runs]
        budget = sum(grid.budget_of(variant) for variant, _ in runs)
        add(name, _scored(members, grid, split, run_folder(out, name, "ensemble")), budget)
    for name in grid.baselines:
        add(name, score_baseline(name, dataset, split, grid.pasts), 0)
    return summarise(scored, grid.reference, examples), members_of


def _scored(members: Members, grid: Grid, split: str, folder: Path, cached: bool = False) -> dict[str, Scores]:
    """Scores with each decoding, or with the first one under each past; of ``cached`` ones, those that there are."""
    if not grid.pasts:
        return (members.cached if cached else members.scores)(grid.decodings, split, folder) or {}
    first = dict(list(grid.decodings.items())[:1])
    seeing = {past: members.under(past) for past in grid.pasts}
    found = {past: (m.cached if cached else m.scores)(first, split, folder) for past, m in seeing.items()}
    return {past: next(iter(scores.values())) for past, scores in found.items() if scores}


def _best_on_val(
    candidates: Sequence[Sequence[tuple[str, int]]], weights: Mapping[tuple[str, int], Path], dataset: Dataset
) -> tuple[Sequence[tuple[str, int]], Members]:
    """The candidate with the largest exact area on val under marginal decoding; the only one if there is no choice."""
    opened = [Members([weights[run] for run in runs], dataset) for runs in candidates]
    if len(candidates) == 1:
        return candidates[0], opened[0]
    areas = [members.score(Decoding(), "val").area for members in opened]
    best = areas.index(max(areas))
    return candidates[best], opened[best]


def score_baseline(name: str, dataset: Dataset, split: str, pasts: Sequence[str] = ()) -> dict[str, Scores]:
    """A baseline fitted on train, its score scale chosen on val: marginal decoding, or a score under each past."""
    fitted = fit_baseline(name, *dataset.training_halves())

    def predict(found: EvaluationSet) -> Predictions:
        seen = zip(found.observed, found.end_ms, strict=True)
        return join_predictions([fitted.predict(half, end_ms) for half, end_ms in seen])

    validation = dataset.evaluation_set("val")
    decoder = choose(Decoding(), predict(validation), validation.table)
    sets = {past: dataset.seen_as(past, split) for past in pasts} or {"marginal": dataset.evaluation_set(split)}
    return {reading: score(decoder.scores(predict(found)), found.count_by_match) for reading, found in sets.items()}
