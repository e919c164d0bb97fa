"""What there is to report on: a comparison or a single run, and the run of it that is shown in detail."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from playahead.decoding.choosing import Decoding
from playahead.decoding.decoder import Kind
from playahead.io.errors import InputError
from playahead.lab.compare.compare import VERSION
from playahead.lab.compare.jobs import run_folder

_WANTED = {"version", "grid", "about", "reference", "seeds", "rows", "decodings", "pasts", "weights", "data"}
_WANTED_OF_ROWS = {"variant", "decoding", "mean", "area", "seeds", "examples", "predictions_per_clip", "significant"}


@dataclass(frozen=True)
class Chosen:
    """The run shown in detail.

    Attributes:
        folder: of the run.
        weights: of the run.
        decoding: of its predictions; ``name`` is what the comparison calls it.
        comparison: the document that it is part of; None for a single run.
    """

    folder: Path
    weights: Path
    name: str
    decoding: Decoding
    comparison: dict[str, Any] | None


def choose_run(runs: Path, split: str, run: str, decoding: str) -> Chosen:
    """Open a folder of runs and choose one.

    Raises:
        InputError: nothing there, a damaged comparison, or no run or decoding of that name.
    """
    comparison = _comparison(runs, split)
    folder, weights = _run(runs, run, comparison, decoding)
    return Chosen(folder, weights, decoding, _decoding(decoding, comparison), comparison)


def _comparison(runs: Path, split: str) -> dict[str, Any] | None:
    """What ``compare`` wrote; None for a single run's folder."""
    path = runs / f"comparison-{split}.json"
    if not path.exists():
        if (runs / "weights.safetensors").exists():
            return None
        what = f"holds neither comparison-{split}.json nor weights.safetensors"
        raise InputError(runs, what, "run playahead compare")
    try:
        document = json.loads(path.read_text())
    except ValueError as reason:
        raise InputError(path, f"is not a comparison ({reason})", "run playahead compare again") from None
    fine = isinstance(document, dict) and document.keys() >= _WANTED and document["rows"]
    fine = fine and document["version"] == VERSION
    if not fine or not all(isinstance(row, dict) and row.keys() >= _WANTED_OF_ROWS for row in document["rows"]):
        raise InputError(path, "is not a comparison of this version", "run playahead compare again")
    return document


def _decoding(name: str, comparison: Mapping[str, Any] | None) -> Decoding:
    """What the comparison calls by that name; of a single run, a kind of decoding."""
    known = comparison["decodings"] if comparison else {kind: {"kind": kind} for kind in get_args(Kind)}
    if name not in known:
        raise InputError("--decoding", f"{name!r} is not one of {', '.join(known)}")
    return Decoding(**known[name])


def _run(runs: Path, run: str, comparison: Mapping[str, Any] | None, decoding: str) -> tuple[Path, Path]:
    """(folder, weights) of the run asked for; else of the best variant's first seed."""
    if comparison is None:
        return runs, runs / "weights.safetensors"
    if run:
        folder = runs / Path(run).name
    else:
        reading = comparison["reference"][1] if comparison["pasts"] else decoding
        scored = [row for row in comparison["rows"] if row["decoding"] == reading and row["examples"]]
        folders = {_first_run(runs, row["variant"], comparison): row["area"][0] for row in scored}
        folders = {folder: area for folder, area in folders.items() if folder.exists()}
        if not folders:
            raise InputError(runs, f"no run was scored with {reading} {'past' if comparison['pasts'] else 'decoding'}")
        folder = max(folders, key=lambda folder: folders[folder])
    given = {
        run_folder(runs, variant, index): Path(path)
        for variant, paths in comparison["weights"].items()
        for index, path in enumerate(paths)
    }
    weights = given.get(folder, folder / "weights.safetensors")
    if not weights.exists():
        raise InputError("--run", f"{folder.name}: no trained run of that name in {runs}")
    return folder, weights


def _first_run(runs: Path, variant: str, comparison: Mapping[str, Any]) -> Path:
    return run_folder(runs, variant, 0 if variant in comparison["weights"] else comparison["seeds"][0])
