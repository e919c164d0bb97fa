"""Results as files: one JSON for each figure, with all that it was made from, so that a machine can say what is stale.

A result names the benchmark and the split, the weights, the code and the command that made it. Beside it lie the
scorer's counts of each match (.npz), from which the figures and every interval can be computed again. ``check``
compares all of that with today's.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from playahead.datasets.benchmark import wyscout_baa
from playahead.datasets.pasts import PASTS
from playahead.domain.actions import ACTIONS
from playahead.evaluation.official import TOLERANCES_S
from playahead.evaluation.scores import AREA, Scores, load_scores, mean_interval
from playahead.io.errors import InputError
from playahead.io.files import file_digest, packaged_weights, require_file, strict_json
from playahead.io.progress import Show, counter, quiet
from playahead.io.settings import build

TABLES = "tables.json"
"""File that lists the tables in the docs: for each, the command that prints it, and the code that it was made by."""
PACKAGED = "packaged weights"
_MAX_BYTES = 1 << 20
_PACKAGE = Path(__file__).parents[1]
_ROOT = _PACKAGE.parents[1]  # of the repository
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


def code_in_use(command: Sequence[str] = (), root: Path = _ROOT) -> dict[str, str]:
    """Digest of each loaded file that figures depend on, by name.

    Includes the code of training if this process trains, and the scripts of ``root`` that are loaded or words of
    ``command``. Digests are of now: do not edit code while a long command runs.
    """
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    parts = (*_CODE, *_TRAINING, _FRAMES) if "playahead.training.loop" in sys.modules else _CODE
    code = {name: digest for name, digest in _digests(parts).items() if str(_PACKAGE / name) in loaded}
    scripts = {path.relative_to(root).as_posix(): path for path in (root / "benchmarks").glob("*.py")}
    used = {name: path for name, path in scripts.items() if str(path) in loaded or name in command}
    return code | {name: _digest_of(path) for name, path in used.items()}


def code_of_training() -> dict[str, str]:
    """Digest of each file that trained models and their figures depend on, by name."""
    return _digests((*_CODE, *_TRAINING))


def training_key() -> str:
    """Eight letters that change with the code of training, for the name of a folder that keeps trained weights."""
    return hashlib.sha256(repr(_digests((*_CODE, *_TRAINING, _FRAMES))).encode()).hexdigest()[:8]


def changed_since(code: Mapping[str, str], root: Path = _ROOT) -> list[str]:
    """Files that are not what they were, or are gone; scripts are those of ``root``."""
    today = _digests((*_CODE, *_TRAINING, _FRAMES))
    scripts = {name: root / name for name in code if re.fullmatch(r"benchmarks/\w+\.py", name)}
    today |= {name: _digest_of(path) for name, path in scripts.items() if path.is_file()}
    return [name for name, digest in code.items() if today.get(name) != digest]


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


def figures(by_match: Sequence[Scores]) -> dict[str, Any]:
    """A result's figures: the mean over runs, in percent, rounded as they are shown."""
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
    _check_words(path, result)
    return result


def _check_words(path: Path, result: Result) -> None:
    """Refuse an unknown benchmark, split or past, a wrong number of matches, and words that no table can show."""
    known = wyscout_baa()
    if result.benchmark not in ("", known.name):
        raise InputError(path, f"benchmark {result.benchmark!r} is not {known.name}, and not empty")
    if result.split not in known.splits:
        raise InputError(path, f"split {result.split!r} is not one of {', '.join(known.splits)}")
    if result.benchmark and result.matches != len(known.splits[result.split]):
        wanted = f"{known.name} {result.split} has {len(known.splits[result.split])}"
        raise InputError(path, f"scores {result.matches} matches, but {wanted}")
    if result.past not in ("", *PASTS):
        raise InputError(path, f"past {result.past!r} is not one of {', '.join(PASTS)}, and not empty")
    if result.examples < 0:
        raise InputError(path, f"examples {result.examples} is below 0")
    if result.name != path.stem:
        raise InputError(path, f"says that its name is {result.name!r}", "give the file back its name")
    for what, given in (("command", result.command), ("model", result.model)):
        if not given.strip() or not given.isprintable():
            raise InputError(path, f"{what} is empty, or not one line of text")
    if result.model == PACKAGED and not (result.weights and result.command.startswith("playahead results record ")):
        raise InputError(path, f"says that its model is the {PACKAGED}, but not how they were scored")


def _document(path: Path) -> object:
    require_file(path, _MAX_BYTES)
    try:
        return strict_json(path.read_bytes())
    except (ValueError, RecursionError) as reason:
        raise InputError(path, f"is no JSON ({reason})") from None


def check(folder: Path, show: Show = quiet) -> list[Checked]:
    """Compare every result of a folder with today's code, packaged weights and counts; comparisons and tables, too.

    ``show`` is called with the progress.

    Raises:
        InputError: no result there, or one that cannot be read.
    """
    documents = list(_documents(folder))
    advance, found = counter(show, "checking", len(documents), "files"), []
    for path, document in documents:
        found += _checked(path, document, folder.resolve().parent)
        advance()
    return found


def _documents(folder: Path) -> Iterator[tuple[Path, object]]:
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise InputError(folder, "holds no results", "playahead results record results/NAME.json --data DATA")
    return ((path, _document(path)) for path in paths)


def _is_figure(path: Path, document: object) -> bool:
    """Whether it is neither the list of tables nor a comparison."""
    return not isinstance(document, dict) or (path.name != TABLES and "grid" not in document)


def _checked(path: Path, document: Any, root: Path) -> list[Checked]:
    if _is_figure(path, document):
        result = _result(path, document)
        return [Checked(path, result.command, _why_stale(path, result, root), result)]
    if path.name == TABLES:
        return [_table(root, name, entry) for name, entry in document.items()]
    command, code = _made_by(path, document)  # a comparison: its counts stay in the folders of its runs
    failed = document.get("failed")
    return [Checked(path, command, [*_changes(code, root), *([f"runs failed: {len(failed)}"] if failed else [])])]


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
    return Checked(path, command, _changes(code, root) + [f"{file} is another file" for file in changed])


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


def _changes(code: Mapping[str, str], root: Path) -> list[str]:
    names = changed_since(code, root)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return [f"the code has changed ({', '.join(names[:3])}{more})"] if names else []


def _why_stale(path: Path, result: Result, root: Path) -> list[str]:
    why = _changes(result.code, root) if result.code else ["it does not say which code made it"]
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
        made = figures(list(scored.values())) if scored else {}
        why += [f"{name} is not what the counts give" for name in made if made[name] != getattr(result, name)]
        why += [] if scored else [f"{counts.name} cannot be read"]
        if scored and result.seeds and len(result.seeds) != len(scored):
            why.append(f"{len(result.seeds)} seeds, but counts of {len(scored)} runs")
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
            _linked(", ".join(filter(None, (one.model, one.past))), one.command),
            " ".join(filter(None, (one.benchmark, one.split))),
            f"**{one.area[0]:.2f}** [{one.area[1]:.2f}, {one.area[2]:.2f}]",
            f"{one.official[0]:.2f} [{one.official[1]:.2f}, {one.official[2]:.2f}]",
            *(f"{value:.1f}" for value in one.by_tolerance),
        )
        for one in results
    ]
    return markdown_table(head, rows)


def _linked(words: str, command: str) -> str:
    """Words of a result as text and nothing else, linked to its address if that is what its command is."""
    plain = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", words).replace("&", "&amp;").replace("<", "&lt;")
    plain = plain.replace("://", ":&#47;/").replace("www.", "www&#46;")  # or GitHub makes links of them
    is_address = re.fullmatch(r"https://[\w./~%?=#-]+", command, re.ASCII)
    return f"[{plain}]({command})" if is_address else plain


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, a line for each row."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))
