"""Results as files: one JSON for each figure, with all that it was made from, so that a machine can say what is stale.

A result names the benchmark and the split, the weights, the code and the command that made it. Beside it lie the
scorer's counts of each match (.npz), from which the figures and every interval can be computed again. ``check``
compares all of that with today's.
"""

import ast
import hashlib
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from playahead.datasets.benchmark import wyscout_baa
from playahead.datasets.dataset import FeedDataset
from playahead.datasets.pasts import past_of
from playahead.domain.actions import ACTIONS
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import TOLERANCES_S
from playahead.evaluation.scores import AREA, Evaluation, Scores, load_scores, mean_interval, save_scores
from playahead.inference.evaluate import evaluate
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.io.files import atomic_write, file_digest, packaged_weights, require_file, strict_json, write_whole
from playahead.io.hub import weights_file
from playahead.io.progress import Show, quiet
from playahead.io.settings import build

TABLES = "tables.json"
"""File that lists the tables in the docs: for each, the command that prints it, and the code that it was made by."""
PACKAGED = "packaged weights"
_MAX_BYTES = 1 << 20
_PACKAGE = Path(__file__).parents[1]
_CODE = (
    *(f"domain/{name}.py" for name in ("actions", "feed", "grid", "pitch", "records", "time")),
    *("features", "decoding", "evaluation", "paper", "variants"),
    *(
        f"inference/{name}.py"
        for name in ("any_predictor", "moment_predictor", "open_predictor", "predictor", "evaluate")
    ),
    *(f"datasets/{name}.py" for name in ("dataset", "evaluation_set", "slicing", "pasts", "spotters")),
    *("sources/feed_tables.py", "lab/baselines.py"),
)
"""What figures depend on, besides data and weights: of these files, those that a command has loaded."""
_TRAINING = (
    *("training", "lab/recipes.py", "lab/compare"),
    *(f"datasets/{name}.py" for name in ("examples", "stored")),
    "sources/soccernet.py",
)
_FRAMES = "lab/faantra"  # trains from frames; no comparison does


@dataclass(frozen=True, kw_only=True)
class Result:
    """A figure on one split, and what it was made from.

    Attributes:
        name: name of the row, for people.
        benchmark, split, past: what it is scored on; "" for data that is no known benchmark, and for a full feed.
        model: which model, in words.
        seeds: seeds of the training runs, whose mean the figures are.
        examples: examples that each run trained on; 0 if it was not trained.
        official, area: the benchmark's figure and the exact area, [figure, low, high], resampled (percent).
        by_tolerance, by_class: official average precision of each tolerance, and exact area of each class (percent).
        matches: number of matches.
        command: what makes it again; an address, for a result of others.
        code: digest of each file of the package that the figure depends on, and of its script, by name.
        weights, counts: digests of the weights files, and of the counts beside this file; "" if not known.
        made: date, version and machine.
    """

    name: str
    benchmark: str
    split: str
    past: str
    model: str
    seeds: list[int]
    examples: int
    official: list[float]
    area: list[float]
    by_tolerance: list[float]
    by_class: dict[str, float]
    matches: int
    command: str
    code: dict[str, str] = field(default_factory=dict)
    weights: list[str] = field(default_factory=list)
    counts: str = ""
    made: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """A figure, a comparison or a table, and why it is stale: an empty list if it is not.

    Attributes:
        path: its file.
        command: what makes it again.
        result: the figure; None for a comparison of many runs (``playahead compare``) and for a table.
    """

    path: Path
    command: str
    stale: list[str]
    result: Result | None = None


def code_in_use() -> dict[str, str]:
    """Digest of each file that figures depend on and that this process has loaded, by name; if it trains, of more."""
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    parts = (*_CODE, *_TRAINING, _FRAMES) if "playahead.training.loop" in sys.modules else _CODE
    return {name: digest for name, digest in _digests(parts).items() if str(_PACKAGE / name) in loaded}


def code_of_training() -> dict[str, str]:
    """Digest of each file that trained models and their figures depend on, by name."""
    return _digests((*_CODE, *_TRAINING))


def changed_since(code: Mapping[str, str]) -> list[str]:
    """Files that are not what they were, or are gone."""
    today = _digests((*_CODE, *_TRAINING, _FRAMES)) | _scripts()
    return [name for name, digest in code.items() if today.get(name) != digest]


def _scripts() -> dict[str, str]:
    root = _PACKAGE.parents[1]  # of the repository; an installed package has no benchmarks
    return {path.relative_to(root).as_posix(): _digest_of(path) for path in (root / "benchmarks").glob("*.py")}


def _digests(parts: Sequence[str]) -> dict[str, str]:
    return {name: _digest_of(_PACKAGE / name) for name in _files(parts)}


def _files(parts: Sequence[str]) -> list[str]:
    places = [_PACKAGE / part for part in parts]
    found = [path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place])]
    return sorted(path.relative_to(_PACKAGE).as_posix() for path in found)


@cache
def _digest_of(path: Path) -> str:
    """Digest of a file's code; comments, docstrings and layout do not count."""
    return hashlib.sha256(_bare(path.read_text()).encode()).hexdigest()[:12]


def _bare(source: str) -> str:
    """A module without its docstrings (a text that is a statement)."""

    class WithoutTexts(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
            return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    return _dumped(WithoutTexts().visit(ast.parse(source)))


def _dumped(node: object) -> str:
    """A syntax tree as text, the same under every Python: newer ones have fields that are empty for older code."""
    if isinstance(node, ast.AST):
        fields = [f"{name}={_dumped(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
        return f"{type(node).__name__}({', '.join(fields)})"
    return f"[{', '.join(map(_dumped, node))}]" if isinstance(node, list) else repr(node)


def record_feed(
    path: Path,
    data: Path,
    split: str = "test",
    past: str = "",
    weights: Sequence[Path | str] = (),
    model: str = "",
    predictions: Path | None = None,
    show: Show = quiet,
) -> Result:
    """Score weights on a split of a folder of feed tables, and write the result; the mean of several weights.

    Args:
        path: the .json to write.
        data: folder of the tables.
        split: train, val or test.
        past: one of ``pasts.PASTS``, or "".
        weights: a file, or a name on the Hugging Face Hub, for each seed; the packaged one if there is none.
        model: which model it is, in words; the names of the weights if not given.
        predictions: .npz to keep the scored frames of the first weights in, as float16: a frame case, which
            ``playahead evaluate frames`` reads. Another name than that of the counts, which lie beside the result.
        show: progress of the scoring.

    Raises:
        InputError: see ``record``; or there is no such past, or the tables or weights cannot be read.
    """
    if predictions is not None and predictions.resolve() == path.with_suffix(".npz").resolve():
        raise InputError(predictions, "is where the result's counts go", "choose another name for the predictions")
    of_split = FeedDataset(data).evaluation_set(split)
    recognised = wyscout_baa().recognise(of_split.halves)
    seen = of_split.seen_as(past_of(past)) if past else of_split
    files = [weights_file(one) for one in weights] or [packaged_weights()]
    for file in files:
        require_file(file)  # an export is a folder: its figures are those of its weights
    predictors = [open_predictor(file) for file in files]
    trained = [predictor.about.get("train") for predictor in predictors]
    about = {
        "benchmark": wyscout_baa().name if recognised else "",
        "split": recognised or split,
        "past": past,
        "model": model or (", ".join(file.parent.name or file.name for file in files) if weights else PACKAGED),
        "seeds": [one["seed"] for one in trained if isinstance(one, dict) and "seed" in one],
        "examples": predictors[0].examples_seen,
        "weights": [file_digest(file) for file in files],
    }
    words = ["playahead", "results", "record", str(path), "--data", str(data), "--split", split]
    words += [
        word
        for name, value in (("--past", past), ("--weights", ",".join(map(str, weights))), ("--model", model))
        if value
        for word in (name, value)
    ]
    evaluations = [evaluate(predictor, seen, show=show) for predictor in predictors]
    if predictions is not None:
        _keep_predictions(predictions, evaluations[0].tables)
    return record(path, evaluations, about, words)


def _keep_predictions(path: Path, tables: Sequence[FrameTable]) -> None:
    arrays = {"n_videos": np.array(len(tables))}
    for number, one in enumerate(tables):
        arrays[f"v{number}_target_labels"] = one.labels_NR.astype(np.uint8)
        arrays[f"v{number}_target_visibility"] = one.visibility_NR.astype(np.int8)
        arrays[f"v{number}_pred_scores"] = one.scores_NRV.astype(np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]


def record(path: Path, evaluations: Sequence[Evaluation], about: Mapping[str, Any], command: Sequence[str]) -> Result:
    """Write a result and its counts.

    Args:
        path: the .json to write; the counts get its name with .npz.
        evaluations: evaluation of each seed, on the same matches.
        about: fields of ``Result`` that nothing here can know: benchmark, split, past, model, seeds, examples, weights.
        command: words of the command that makes it.

    Raises:
        InputError: the file cannot be written, or the evaluations say nothing of matches.
    """
    by_match = [evaluation.by_match for evaluation in evaluations if evaluation.by_match is not None]
    if len(by_match) != len(evaluations) or not by_match:
        raise InputError(path, "a result needs counts by match", "score a split of matches")
    name, counts = path.stem, path.with_suffix(".npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_scores(counts, {str(number): scores for number, scores in enumerate(by_match)}, name)
    made_now = {
        "name": name,
        **_figures(by_match),
        "command": shlex.join(command),
        "code": code_in_use() | {name: digest for name, digest in _scripts().items() if name in command},
        "counts": file_digest(counts),
        "made": {"date": date.today().isoformat(), "version": version("playahead"), "machine": platform.machine()},
    }
    result = build(Result, {**about, **made_now}, path)
    write_whole(path, json.dumps(asdict(result), indent=1, allow_nan=False) + "\n")
    return result


def _figures(by_match: Sequence[Scores]) -> dict[str, Any]:
    """Figures of the mean over runs, in percent, rounded as they are shown."""
    official = mean_interval([scores.resampled for scores in by_match])
    area = mean_interval([scores.resampled_area for scores in by_match], AREA)
    classes = by_match[0].counts_M[0].classes
    of_tolerance_D = np.mean([scores.precision_DC.mean(axis=1) for scores in by_match], axis=0)
    pooled = [sum(scores.ranked_M[1:], start=scores.ranked_M[0]) for scores in by_match]
    of_class_C = np.mean([AREA.precision(counts)[0].mean(axis=0) for counts in pooled], axis=0)
    return {
        "official": [round(100 * value, 3) for value in (official.value, official.low, official.high)],
        "area": [round(100 * value, 3) for value in (area.value, area.low, area.high)],
        "by_tolerance": [round(float(value), 3) for value in of_tolerance_D],
        "by_class": {
            str(ACTIONS[c]): round(100 * float(value), 3) for c, value in zip(classes, of_class_C, strict=True)
        },
        "matches": len(by_match[0].counts_M),
    }


def read_result(path: Path) -> Result:
    """Read a result.

    Raises:
        InputError: it is no result, or holds what cannot be.
    """
    return _result(path, _document(path))


def _result(path: Path, document: object) -> Result:
    result = build(Result, document, path)
    for name, values_of in (("official", result.official), ("area", result.area)):
        if len(values_of) != 3 or not 0 <= values_of[1] <= values_of[0] <= values_of[2] <= 100:
            raise InputError(
                path, f"{name} {values_of} is not a figure with its interval", "[figure, low, high], percent"
            )
    if len(result.by_tolerance) != len(TOLERANCES_S):
        raise InputError(path, f"by_tolerance has {len(result.by_tolerance)} figures, not {len(TOLERANCES_S)}")
    if unknown := result.by_class.keys() - set(map(str, ACTIONS)):
        raise InputError(path, f"by_class names {sorted(unknown)[0]!r}, which is no class")
    known = wyscout_baa()
    if result.benchmark == known.name and result.split not in known.splits:
        raise InputError(path, f"split {result.split!r} is not one of {', '.join(known.splits)}")
    return result


def _document(path: Path) -> object:
    require_file(path, _MAX_BYTES)
    try:
        return strict_json(path.read_bytes())
    except (ValueError, RecursionError) as reason:
        raise InputError(path, f"is no JSON ({reason})") from None


def check(folder: Path) -> list[Checked]:
    """Compare every result of a folder with today's code, packaged weights and counts; comparisons and tables, too.

    Raises:
        InputError: no result there, or one that cannot be read.
    """
    return [one for path, document in _documents(folder) for one in _checked(path, document)]


def _documents(folder: Path) -> Iterator[tuple[Path, object]]:
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise InputError(folder, "holds no results", "playahead results record results/NAME.json --data DATA")
    return ((path, _document(path)) for path in paths)


def _is_figure(path: Path, document: object) -> bool:
    """Whether it is neither the list of tables nor a comparison."""
    return not isinstance(document, dict) or (path.name != TABLES and "grid" not in document)


def _checked(path: Path, document: Any) -> list[Checked]:
    if _is_figure(path, document):
        result = _result(path, document)
        return [Checked(path, result.command, _why_stale(path, result), result)]
    if path.name == TABLES:
        root = path.resolve().parents[1]
        return [_table(root, name, entry) for name, entry in document.items()]
    command, code = _made_by(path, document)  # a comparison: its counts stay in the folders of its runs
    failed = document.get("failed")
    return [Checked(path, command, [*_changes(code), *([f"runs failed: {len(failed)}"] if failed else [])])]


def _table(root: Path, name: str, entry: object) -> Checked:
    """A table of the docs: also stale if it, its script or the packaged weights are other files."""
    path = root / "docs" / "tables" / Path(name).name
    command, code = _made_by(path, entry)
    files = entry.get("files") if isinstance(entry, dict) else None
    if not isinstance(files, dict) or any(Path(file).is_absolute() or ".." in Path(file).parts for file in files):
        raise InputError(path, "does not say from which files it was made", "make it again")
    changed = [
        file for file, digest in files.items() if not (root / file).is_file() or file_digest(root / file) != digest
    ]
    return Checked(path, command, _changes(code) + [f"{file} is another file" for file in changed])


def _made_by(path: Path, entry: object) -> tuple[str, dict[str, str]]:
    """The command and the code of something that has no counts to compute it from."""
    command, code = (entry.get("command"), entry.get("code")) if isinstance(entry, dict) else (None, None)
    if not isinstance(command, str) or not isinstance(code, dict) or not (command and code):
        raise InputError(path, "does not say which command and which code made it", "make it again")
    return command, code


def recorded(folder: Path) -> list[Result]:
    """Figures of a folder, stale or not: nothing is computed again.

    Raises:
        InputError: no result there, or one that cannot be read.
    """
    return [_result(path, document) for path, document in _documents(folder) if _is_figure(path, document)]


def _changes(code: Mapping[str, str]) -> list[str]:
    names = changed_since(code)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return [f"the code has changed ({', '.join(names[:3])}{more})"] if names else []


def _why_stale(path: Path, result: Result) -> list[str]:
    why = _changes(result.code)
    if result.weights and "--weights" not in result.command and result.weights != [file_digest(packaged_weights())]:
        why.append("the packaged weights have changed")
    counts = path.with_suffix(".npz")
    if not result.counts:
        why.append("no counts: nobody can compute the figures again")
    elif not counts.exists():
        why.append(f"{counts.name} is missing")
    elif file_digest(counts) != result.counts:
        why.append(f"{counts.name} is another file")
    else:
        # The figures follow from the counts: nobody can have typed them.
        scored = load_scores(counts, result.name)
        made = _figures(list(scored.values())) if scored else {}
        why += [f"{name} is not what the counts give" for name in made if made[name] != getattr(result, name)]
        why += [] if scored else [f"{counts.name} cannot be read"]
    return why


def table(results: Sequence[Result]) -> str:
    """Rows of Markdown: area and official figure with their intervals, and the official one by tolerance."""
    head = (
        "result",
        "benchmark",
        "exact area [resampled]",
        "official [resampled]",
        *(["@1", "@2", "@3", "@4", "@5", "inf"]),
    )
    rows = [
        (
            ", ".join(filter(None, (one.model, one.past))),
            " ".join(filter(None, (one.benchmark, one.split))),
            f"**{one.area[0]:.2f}** [{one.area[1]:.2f}, {one.area[2]:.2f}]",
            f"{one.official[0]:.2f} [{one.official[1]:.2f}, {one.official[2]:.2f}]",
            *(f"{value:.1f}" for value in one.by_tolerance),
        )
        for one in results
    ]
    return markdown_table(head, rows)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, a line for each row."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))
