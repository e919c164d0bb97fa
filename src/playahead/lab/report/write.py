"""``write_report()``: one self-contained HTML page about a comparison, or about one run."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import jinja2
import numpy as np

from playahead.datasets.check import audit_feed
from playahead.datasets.dataset import Dataset, FeedDataset
from playahead.decoding.choosing import Decoding
from playahead.decoding.decoder import Kind
from playahead.domain.actions import ACTIONS
from playahead.domain.palette import COLOURS, short_name
from playahead.evaluation.frames import NO_EVENT
from playahead.evaluation.official import TOLERANCES_S
from playahead.evaluation.scores import score
from playahead.io.errors import InputError
from playahead.io.files import write_whole
from playahead.io.progress import Show, quiet
from playahead.io.settings import check_choices
from playahead.lab.compare.compare import VERSION, summarise
from playahead.lab.compare.runs import Members, run_folder
from playahead.lab.report import charts
from playahead.lab.report.answers import MIN_EVENTS, answers
from playahead.lab.report.diagnose import diagnose
from playahead.lab.report.examples import best_and_worst
from playahead.lab.report.page import Page, Split
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import SPLITS
from playahead.sources.layouts import SIMULATED_MARKER, folder_of_split, is_clip_split
from playahead.sources.soccernet import read_baa_split

_AGAIN = "run playahead compare again"
_KEYS = {"version", "grid", "about", "reference", "seeds", "rows", "decodings", "pasts", "weights", "data"}
_KEYS_OF_ROWS = {"variant", "decoding", "mean", "area", "seeds", "examples", "predictions_per_clip", "significant"}


PUBLISHED = (
    ("FAANTRA-WS (winner 2026)", None, 24.08),
    ("FAANTRA-TS", None, 21.14),
    ("FAANTRA (organisers' baseline)", 18.05, 16.76),
    ("Hierarchical GRU with input-conditioned slots (the paper)", 17.91, 16.5),
)
"""(system, test, challenge) on SoccerNet Ball Action Anticipation, from the paper: video, other matches."""


def render(page: Page) -> str:
    """Render one HTML document that needs no other file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["setting"] = json.dumps
    drawn = {
        "precision_recall": charts.precision_recall(page.diagnosis),
        "sweep": charts.threshold_sweep(page.diagnosis),
        "calibration": charts.calibration(page.diagnosis),
        "errors": charts.time_errors(page.diagnosis),
        "forest": _differences(page.rows),
        "pasts": charts.pasts(page.rows, page.pasts) if page.pasts else "",
        "importance": charts.window_importance(page.importance_W) if page.importance_W else "",
        "curves": charts.learning_curves(page.curves, page.chosen[0]) if page.curves else "",
    }
    return environment.get_template("report.html").render(
        page=page,
        answers=answers(page),
        min_events=MIN_EVENTS,
        charts=drawn,
        actions=[short_name(ACTIONS[c]) for c in page.diagnosis.classes],
        colours=[COLOURS[ACTIONS[c]] for c in page.diagnosis.classes],
        tolerances=[f"{t} s" for t in TOLERANCES_S[:-1]] + ["any"],
        published=PUBLISHED,
    )


def _differences(rows: Sequence[Mapping[str, Any]]) -> str:
    """Chart of every row's differences to the reference, of the exact area and of the official figure."""
    compared = [row for row in rows if row["difference"]]
    panels = {
        f"difference in {label}": [(row[key], row["significant"][index]) for row in compared]
        for key, index, label in (("area_difference", 1, "exact area"), ("difference", 0, "official mAP"))
    }
    names = [f"{row['variant']}, {row['decoding']}" for row in compared]
    return charts.forest(names, panels, "differences to the reference") if compared else ""


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Options of a report.

    Attributes:
        split: split that the comparison was scored on.
        run: name of the run shown in detail, such as paper-0; the best variant's first seed if empty.
        decoding: decoding of that run: one of the comparison's, or for a single run marginal, tuned-threshold or paper.
        examples: number of best and of worst examples.
    """

    split: Literal["val", "test"] = "val"
    run: str = ""
    decoding: str = "marginal"
    examples: int = 10

    def __post_init__(self) -> None:
        check_choices(self)
        if self.examples < 0:
            raise InputError("ReportConfig.examples", f"{self.examples} is below 0")


def write_report(
    runs: Path, dataset: Dataset, out: Path, config: ReportConfig | None = None, show: Show = quiet
) -> list[str]:
    """Write scores, calibration, mistakes, slots, single examples, data and settings as one page.

    Args:
        runs: folder written by ``compare``, or one run's folder.
        dataset: data that the runs were trained and scored on.
        out: file of the page.
        config: options.
        show: function that is called with the progress of predicting.

    Returns:
        Notices for the reader of the page; it shows them, too.

    Raises:
        InputError: nothing to report on there, a damaged file, or no run or decoding of that name.
    """
    page = gather(runs, dataset, config or ReportConfig(), show)
    write_whole(out, render(page))
    return list(page.notices)


def gather(runs: Path, dataset: Dataset, config: ReportConfig, show: Show = quiet) -> Page:
    """Collect what the page shows; see ``write_report``."""
    split, name, comparison = config.split, config.decoding, _read_comparison(runs, config.split)
    folder, weights = _choose_run(runs, config.run, comparison, name)
    decodings = comparison["decodings"] if comparison else {kind: {"kind": kind} for kind in get_args(Kind)}
    if name not in decodings:
        raise InputError("ReportConfig.decoding", f"{name!r} is not one of {', '.join(decodings)}")
    # The run shown in detail, scored on the split.
    members, evaluation_set = Members([weights], dataset), dataset.evaluation_set(split)
    predictor, decoder = members.predictors[0], members.decoder(Decoding(**decodings[name]))
    predictions = members.predict(split, show=show)
    scores = decoder.scores(predictions)
    probabilities = evaluation_set.table(decoder.probabilities(predictions))
    diagnosis = diagnose(predictions, probabilities, evaluation_set.table(scores))
    videos = folder_of_split(dataset.folder, split)
    best, worst = best_and_worst(evaluation_set, videos, probabilities, diagnosis.gain_O, config.examples)
    # The table: rows of the comparison, or one for this run alone.
    if comparison:
        rows, reference = comparison["rows"], tuple(comparison["reference"])
    else:
        reference = (folder.name, name)
        scored = {reference: [score(scores, evaluation_set.count_by_match)]}
        rows = [asdict(row) for row in summarise(scored, reference, {folder.name: predictor.examples_seen})]
    notices = dataset.notices
    if comparison and comparison["data"] != dataset.digest("val", split):
        notices.add("the data is not what the comparison was scored on: compare again")
    splits, leaks, unread = _describe_splits(dataset)
    try:
        environment = json.loads((folder / "run.json").read_text()).get("environment", {})
    except (OSError, ValueError):
        environment = {}
    importance_W = getattr(predictor.network.memory, "importance_W", None)
    return Page(
        title=f"Ball action anticipation: {comparison['grid'] if comparison else folder.name}",
        about=str(comparison["about"]) if comparison else "One run.",
        split=split,
        n_matches=len(evaluation_set.matches),
        n_examples=len(evaluation_set),
        simulated=(dataset.folder / SIMULATED_MARKER).exists(),
        rows=rows,
        pasts=comparison["pasts"] if comparison else (),
        reference=reference,
        unit=evaluation_set.unit,
        notices=notices.lines,
        chosen=(folder.name, name),
        variant=_variant_of(folder, runs, rows, comparison["seeds"]) if comparison else folder.name,
        diagnosis=diagnosis,
        best=best,
        worst=worst,
        importance_W=[] if importance_W is None else importance_W.sigmoid().tolist(),
        curves=_learning_curves(runs),
        splits=splits,
        leaks=leaks,
        unread=unread,
        settings=_flat(predictor.about.get("train", {})),
        environment=environment,
    )


def _read_comparison(runs: Path, split: str) -> dict[str, Any] | None:
    """Document written by ``compare``; None for a single run's folder."""
    path = runs / f"comparison-{split}.json"
    if not path.exists():
        if (runs / "weights.safetensors").exists():
            return None
        raise InputError(runs, f"holds neither {path.name} nor weights.safetensors", "run playahead compare")
    try:
        document = json.loads(path.read_text())
    except ValueError as reason:
        raise InputError(path, f"is not a comparison ({reason})", _AGAIN) from None
    is_whole = isinstance(document, dict) and document.keys() >= _KEYS and document["version"] == VERSION
    rows = document["rows"] if is_whole else []
    if not rows or not all(isinstance(row, dict) and row.keys() >= _KEYS_OF_ROWS for row in rows):
        raise InputError(path, "is not a comparison of this version", _AGAIN)
    return document


def _choose_run(runs: Path, run: str, comparison: Mapping[str, Any] | None, decoding: str) -> tuple[Path, Path]:
    """(folder, weights) of the run of that name; without a name, of the best variant's first seed."""
    if comparison is None:
        return runs, runs / "weights.safetensors"
    existing = {
        run_folder(runs, variant, index): Path(path)
        for variant, paths in comparison["weights"].items()
        for index, path in enumerate(paths)
    }
    if run:
        folder = runs / Path(run).name
    else:
        column = comparison["reference"][1] if comparison["pasts"] else decoding
        seed_of = dict.fromkeys(comparison["weights"], 0)  # existing weights are numbered
        area_of = {
            run_folder(runs, row["variant"], seed_of.get(row["variant"], comparison["seeds"][0])): row["area"][0]
            for row in comparison["rows"]
            if row["decoding"] == column and row["examples"]
        }
        area_of = {folder: area for folder, area in area_of.items() if folder.exists()}
        if not area_of:
            raise InputError(runs, f"no run was scored with {column} {'past' if comparison['pasts'] else 'decoding'}")
        folder = max(area_of, key=lambda folder: area_of[folder])
    weights = existing.get(folder, folder / "weights.safetensors")
    if not weights.exists():
        raise InputError("ReportConfig.run", f"{folder.name}: no trained run of that name in {runs}")
    return folder, weights


def _variant_of(folder: Path, runs: Path, rows: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> str:
    """Variant that the run in that folder belongs to; empty if no row is of it."""
    for row in rows:
        if folder in {run_folder(runs, row["variant"], seed) for seed in {*seeds, *range(len(row["seeds"]))}}:
            return row["variant"]
    return ""


def _describe_splits(dataset: Dataset) -> tuple[list[Split], list[str] | None, list[str]]:
    """(splits that are there, what is in two of them, what could not be read and why); None: leaks were not checked."""
    splits, unread = [], []
    if isinstance(dataset, FeedDataset):
        tables = {split: dataset.folder / f"{split}.npz" for split in SPLITS}
        audit = audit_feed({split: path for split, path in tables.items() if path.exists()})
        for name, facts in audit.splits.items():
            empty, counts_C = facts.per_example[0] / max(facts.examples, 1), [facts.actions[str(a)] for a in ACTIONS]
            splits.append(Split(name, facts.matches, facts.examples, facts.mean_actions, empty, counts_C))
        return splits, audit.leaks, audit.rejected
    folders = {split: folder_of_split(dataset.folder, split) for split in SPLITS}
    folders = {split: folder for split, folder in folders.items() if folder.is_dir()}
    for name in folders:
        try:
            examples = dataset.evaluation_set(name)
        except InputError as reason:
            unread.append(str(reason))
            continue
        labels_NR = np.concatenate([labels for labels, _ in examples.frames])
        counts_C = np.bincount(labels_NR[labels_NR != NO_EVENT] - 1, minlength=len(ACTIONS)).tolist()
        empty = float((labels_NR == NO_EVENT).all(axis=1).mean())
        mean_actions = sum(counts_C) / len(labels_NR)
        splits.append(Split(name, len(examples.matches), len(examples), mean_actions, empty, counts_C))
    if not all(is_clip_split(folder) for folder in folders.values()):
        return splits, None, unread
    leaks = audit_splits({split: read_baa_split(folder, keep_going=True) for split, folder in folders.items()}).leaks
    return splits, leaks, unread


def _learning_curves(runs: Path) -> dict[str, dict[str, Sequence[float]]]:
    """Loss and validation score of every run in the folder, by name."""
    curves: dict[str, dict[str, Sequence[float]]] = {}
    for path in sorted([*runs.glob("*/log.csv"), *runs.glob("log.csv")]):
        try:
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            # A log repeats the last validation score until there is another.
            pairs = zip([{}, *rows], rows, strict=False)
            validated = [row for last, row in pairs if row["map"] and row["map"] != last.get("map")]
            curves[path.parent.name] = {
                "step": [int(row["step"]) for row in rows],
                "loss": [float(row["loss_total"]) for row in rows],
                "validated_step": [int(row["step"]) for row in validated],
                "map": [float(row["map"]) for row in validated],
            }
        except (OSError, KeyError, ValueError, TypeError, csv.Error):
            continue  # another kind of run, or one that is being written
    return curves


def _flat(settings: Mapping[str, Any], under: str = "") -> dict[str, object]:
    """Nested settings by dotted name."""
    flat: dict[str, object] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{under}{name}.") if isinstance(value, dict) else {f"{under}{name}": value}
    return flat
