"""A folder to upload to the Hugging Face Hub: weights, and a model card whose figures come from recorded results."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.io.files import atomic_write, file_digest, packaged_weights, require_file, write_whole
from playahead.io.hub import WEIGHTS_NAME, weights_file
from playahead.lab.results import Result, check, table

CARD_NAME = "README.md"
_OURS = "mit"


def publish(
    out: Path, name: str, weights: Path | str | None = None, results: Path | None = None, licence: str = ""
) -> list[Result]:
    """Write weights and card into a folder.

    Args:
        out: folder to write to.
        name: name of the repository, as org/name.
        weights: weights to publish; the packaged ones if not given.
        results: folder of recorded results; those of these weights go into the card.
        licence: SPDX name of the weights' licence, as apache-2.0; not needed for the packaged ones.

    Raises:
        InputError: the weights cannot be read, no result is of them, or one of theirs is stale.
    """
    if weights is None and licence not in ("", _OURS):
        raise InputError("license", f"the packaged weights are under {_OURS}, not {licence}", "leave it out")
    if weights is not None and not licence:
        raise InputError("license", "under which licence are these weights?", "--license mit, apache-2.0, ...")
    path = packaged_weights() if weights is None else weights_file(weights)
    require_file(path)  # an export is a folder, and holds no weights
    about, digest = open_predictor(path, None).about, file_digest(path)
    found = check(results) if results is not None else []
    theirs = []
    for one in found:
        if one.result and one.result.weights == [digest]:
            if one.stale:
                raise InputError(one.path, "; ".join(one.stale), f"again: {one.command}")
            theirs.append(one.result)
    if results is not None and not theirs:
        fix = f"playahead results record {results}/NAME.json --data DATA --weights {path}"
        raise InputError(results, f"holds no result of {path.name}", fix)
    out.mkdir(parents=True, exist_ok=True)
    with atomic_write(out / WEIGHTS_NAME) as part:
        shutil.copyfile(path, part)
    write_whole(out / CARD_NAME, card(name, about, theirs, licence or _OURS))
    return theirs


def card(name: str, about: Mapping[str, Any], results: Sequence[Result], licence: str) -> str:
    """The model card: YAML that the hub reads (with a model index), then words for people."""
    kind = about.get("features", {}).get("kind", "feed")
    trained = about.get("train", {})
    head = {
        "license": licence,
        "library_name": "playahead",
        "tags": ["football", "soccer", "action-anticipation", "event-data" if kind == "feed" else "video"],
        "model-index": [{"name": name.rpartition("/")[2], "results": [_entry(one) for one in results]}],
    }
    settings = {field: trained.get(field) for field in ("seed", "epochs", "steps_per_epoch", "sequences", "examples")}
    lines = [
        f"# {name}",
        "",
        "*Watch 30 s of football, say what happens in the next 5.* Weights of playahead, "
        f"which read {'an event feed' if kind == 'feed' else 'features of video'} and anticipate ten ball actions.",
        "",
        "```python",
        "import playahead",
        "",
        f'predictor = playahead.open_predictor("{name}")',
        "```",
        "",
        "## Training",
        f"`{json.dumps(settings)}`. The whole configuration is in the header of `{WEIGHTS_NAME}`.",
        "",
    ]
    if results:
        lines += ["## Results", table(results).strip("\n"), ""]
        lines += [f"* `{one.name}`: `{one.command}`" for one in results] + [""]
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n" + "\n".join(lines)


def _entry(one: Result) -> dict[str, Any]:
    """A result as the hub's model index has it."""
    benchmark, past = one.benchmark or "other data", f", {one.past}" if one.past else ""
    metrics = [
        {"type": "exact-area", "name": "exact area, percent", "value": one.area[0]},
        {"type": "official", "name": "SoccerNet BAA mAP, average of six tolerances, percent", "value": one.official[0]},
    ]
    return {
        "task": {"type": "action-anticipation", "name": "Ball action anticipation"},
        "dataset": {"type": benchmark, "name": benchmark + past, "split": one.split},
        "metrics": metrics,
    }
