"""What there is to report on: a comparison or a single run, and the run of it that is shown in detail."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from playahead.decoding.choosing import Decoding
from playahead.decoding.decoder import Kind
from playahead.errors import InputError
from playahead.experiments.compare import VERSION
from playahead.experiments.jobs import run_folder

_WANTED = {"version", "grid", "about", "reference", "seeds", "rows", "decodings", "data"}
_WANTED_OF_ROWS = {"variant", "decoding", "mean", "area", "seeds", "examples", "predictions_per_clip", "significant"}


@dataclass(frozen=True)
class Chosen:
    """The run shown in detail.

    Attributes:
        folder: of the run.
        decoding: of its predictions; ``name`` is what the comparison calls it.
        comparison: the document that it is part of; None for a single run.
    """

    folder: Path
    name: str
    decoding: Decoding
    comparison: dict[str, Any] | None


def choose_run(runs: Path, split: str, run: str, decoding: str) -> Chosen:
    """Open a folder of runs and choose one.

    Raises:
        InputError: nothing there, a damaged comparison, or no run or decoding of that name.
    """
    comparison = _comparison(runs, split)
    folder = _folder(runs, run, comparison, decoding)
    return Chosen(folder, decoding, _decoding(decoding, comparison), comparison)


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


def _folder(runs: Path, run: str, comparison: Mapping[str, Any] | None, decoding: str) -> Path:
    if comparison is None:
        return runs
    if run:
        folder = runs / Path(run).name
    else:
        seed = comparison["seeds"][0]
        trained = [row for row in comparison["rows"] if row["decoding"] == decoding and row["examples"]]
        trained = [row for row in trained if run_folder(runs, row["variant"], seed).exists()]
        if not trained:
            raise InputError(runs, f"no run was scored with {decoding} decoding")
        best = max(trained, key=lambda row: row["area"][0])
        folder = run_folder(runs, best["variant"], seed)
    if not (folder / "weights.safetensors").exists():
        raise InputError("--run", f"{folder.name}: no trained run of that name in {runs}")
    return folder
