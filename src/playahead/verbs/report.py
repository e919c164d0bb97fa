"""``playahead report``: one page about a comparison, or about one run."""

import base64
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from playahead.comparison.jobs import Reader, run_folder
from playahead.comparison.scored import score
from playahead.comparison.summary import summarise
from playahead.decoding.choosing import Decoding
from playahead.errors import InputError
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.learning.matches import Matches, RecordedMatches
from playahead.report.diagnose import Diagnosis, diagnose
from playahead.report.examples import Example, example, place_of
from playahead.verbs import show
from playahead.verbs.compared_data import Source
from playahead.verbs.environment import write_whole
from playahead.verbs.report_data import describe_splits, is_simulated

try:
    from playahead.report.page import Page, render
except ImportError:
    raise InputError("report", "jinja2 and matplotlib are not installed", "pip install 'playahead[report]'") from None

if TYPE_CHECKING:
    from av import VideoFrame

_APART_WINDOWS = 6  # examples share no video


def report(
    runs: Path,
    data: Path,
    features: Path | None = None,
    split: Literal["val", "test"] = "val",
    run: str = "",
    decoding: str = "marginal",
    out: Path = Path("report.html"),
    examples: int = 10,
) -> None:
    """Write one self-contained HTML page: scores, calibration, mistakes, slots, single windows, data, settings.

    Args:
        runs: folder written by compare, or one run's folder.
        data: folder of compact feed tables, or with --features the dataset's splits.
        features: store of video features that the runs were trained on.
        split: what the comparison was scored on.
        run: name of the run to look at closely, such as paper-0; the best one's first seed if not given.
        decoding: of that run: one of the comparison's, or marginal or threshold.
        out: the page.
        examples: windows shown on either side, best and worst.
    """
    if examples < 0:
        raise InputError("--examples", f"{examples} is below 0")
    page = gather(runs, Source(data, features), split, run, decoding, examples)
    write_whole(out, render(page))
    show.out().print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, open it in a browser")


def gather(runs: Path, source: Source, split: str, run: str, decoding: str, examples: int) -> Page:
    """Everything that the page shows."""
    matches = source.matches(split)
    document = _comparison(runs, split)
    folder = _folder(runs, run, document, decoding)
    read = Reader([folder / "weights.safetensors"], source)
    model, about = read.models[0]
    with show.counted_progress("reading", len(matches.halves)) as advance:
        readings = read(split, advance)
    decoder = read.decoder(_decoding(decoding, document))
    scores_ORV = decoder.scores(readings)
    probabilities = matches.table(decoder.probabilities(readings))
    diagnosis = diagnose(readings, probabilities, matches.table(scores_ORV))
    best, worst = (
        [_example(matches, source.folder(split), o, probabilities, diagnosis) for o in chosen]
        for chosen in _chosen_windows(diagnosis, probabilities, examples)
    )
    data = describe_splits(source)
    if document is None:
        scored, key = score(scores_ORV, matches.count_by_match), (folder.name, decoding)
        alone = summarise({key: [scored]}, key, {folder.name: _windows(about)})
        rows, reference = [row.as_dict() for row in alone], key
    else:
        rows, reference = document["rows"], tuple(document["reference"])
        if document["data"] != source.digest("val", split):
            show.errors.print("[yellow]note:[/] the data is not what the comparison was scored on: compare again")
    return Page(
        title=f"Ball action anticipation: {document['grid'] if document else folder.name}",
        about=str(document["about"]) if document else "One run.",
        split=split,
        n_matches=len(matches.matches),
        n_windows=len(matches),
        simulated=is_simulated(source.data),
        rows=rows,
        reference=reference,
        unit=source.unit(split),
        notice=source.notice,
        chosen=(folder.name, decoding),
        diagnosis=diagnosis,
        best=best,
        worst=worst,
        importance_W=_importance(model),
        curves=dict(_curves(runs)),
        splits=data.splits,
        leaks=data.leaks,
        unread=data.unread,
        settings=_flat(about.get("train", {})),
        environment=_told(folder).get("environment", {}),
    )


_WANTED = {"grid", "about", "reference", "seeds", "rows", "decodings", "data"}
_WANTED_OF_ROWS = {"variant", "decoding", "mean", "area", "seeds", "windows", "guesses", "told", "difference"}


def _comparison(runs: Path, split: str) -> dict[str, Any] | None:
    """What ``compare`` wrote; None for a single run's folder.

    Raises:
        InputError: there is neither, or it is damaged.
    """
    path = runs / f"comparison-{split}.json"
    if not path.exists():
        if (runs / "weights.safetensors").exists():
            return None
        raise InputError(
            runs, f"holds neither comparison-{split}.json nor weights.safetensors", "run playahead compare"
        )
    try:
        document = json.loads(path.read_text())
    except ValueError as reason:
        raise InputError(path, f"is not a comparison ({reason})", "run playahead compare again") from None
    fine = isinstance(document, dict) and document.keys() >= _WANTED and document["rows"]
    if not fine or not all(isinstance(row, dict) and row.keys() >= _WANTED_OF_ROWS for row in document["rows"]):
        raise InputError(path, "is not a comparison of this version", "run playahead compare again")
    return document


def _decoding(name: str, document: Mapping[str, Any] | None) -> Decoding:
    """What the comparison calls by that name; of a single run, marginal or threshold."""
    known = document["decodings"] if document else {"marginal": {}, "threshold": {"kind": "threshold"}}
    if name not in known:
        raise InputError("--decoding", f"{name!r} is not one of {', '.join(known)}")
    return Decoding(**known[name])


def _folder(runs: Path, run: str, document: Mapping[str, Any] | None, decoding: str) -> Path:
    """The folder of the run to look at closely."""
    if document is None:
        return runs
    if run:
        folder = runs / Path(run).name
    else:
        trained = [row for row in document["rows"] if row["decoding"] == decoding and row["windows"]]
        trained = [row for row in trained if run_folder(runs, row["variant"], document["seeds"][0]).exists()]
        if not trained:
            raise InputError(runs, f"no run was scored with {decoding} decoding")
        best = max(trained, key=lambda row: row["mean"][0])
        folder = run_folder(runs, best["variant"], document["seeds"][0])
    if not (folder / "weights.safetensors").exists():
        raise InputError("--run", f"{folder.name}: no trained run of that name in {runs}")
    return folder


def _windows(about: Mapping[str, Any]) -> int:
    train = about["train"]
    return int(about["step"]) * train["passages"] * train["observations"]


def _importance(model: Any) -> list[float]:
    weight_W = getattr(model.memory, "importance_W", None)
    return [] if weight_W is None else weight_W.sigmoid().tolist()


def _chosen_windows(found: Diagnosis, table: FrameTable, count: int) -> tuple[list[int], list[int]]:
    """The best and the worst explained windows in which something happens, none near another."""
    happens = np.flatnonzero((table.labels_NR != NO_EVENT).any(axis=1))
    ranked = happens[np.argsort(-found.gain_O[happens])].tolist()
    return _spread(ranked, count), _spread(ranked[::-1], count)


def _spread(ranked: Sequence[int], count: int) -> list[int]:
    chosen: list[int] = []
    for o in ranked:
        if len(chosen) == count:
            break
        if all(abs(o - other) >= _APART_WINDOWS for other in chosen):
            chosen.append(o)
    return chosen


def _example(matches: Matches, folder: Path, o: int, probabilities: FrameTable, found: Diagnosis) -> Example:
    starts = np.cumsum([0, *(len(ends) for ends in matches.end_ms)])
    index = int(np.searchsorted(starts, o, side="right")) - 1
    half = matches.halves[index]
    end_ms = int(matches.end_ms[index][o - starts[index]])
    where, picture = place_of(half, end_ms), ""
    if isinstance(matches, RecordedMatches):
        where = matches.recordings[index].name
        picture = _picture(folder / where, end_ms)
    return example(half, where, end_ms, probabilities.scores_NRV[o], float(found.gain_O[o]), picture)


def _picture(place: Path, end_ms: int) -> str:
    """The last frame seen, as a small JPEG in a data URI; empty where the video is not at hand."""
    from PIL import Image  # here and not above: a feed has no pictures

    from playahead.video.reader import read_drawn

    path = next(iter(sorted(place.glob("*.mp4"))), None) if place.is_dir() else place
    if path is None or not path.is_file():
        return ""
    try:
        frames = read_drawn(path, _rgb, end_ms / 1000 - 0.04)
        _, rgb_HWC = next(iter(frames))
    except (InputError, StopIteration):
        return ""
    image = Image.fromarray(rgb_HWC)
    image.thumbnail((320, 180))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=70)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"


def _rgb(frame: "VideoFrame") -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _curves(runs: Path) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """Loss and validation score of every run in the folder, by name."""
    for path in sorted([*runs.glob("*/log.csv"), *runs.glob("log.csv")]):
        try:
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            yield path.parent.name, _curve(rows)
        except (OSError, KeyError, ValueError, TypeError, csv.Error):
            continue  # another kind of run, or one that is being written


def _curve(rows: Sequence[Mapping[str, str]]) -> dict[str, list[float]]:
    validated = [
        row for before, row in zip([{}, *rows], rows, strict=False) if row["map"] and row["map"] != before.get("map")
    ]
    return {
        "step": [int(row["step"]) for row in rows],
        "loss": [float(row["loss_total"]) for row in rows],
        "validated_step": [int(row["step"]) for row in validated],
        "map": [float(row["map"]) for row in validated],
    }


def _told(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "run.json").read_text())
    except (OSError, ValueError):
        return {}


def _flat(settings: object, under: str = "") -> dict[str, object]:
    if not isinstance(settings, dict):
        return {under: settings}
    return {
        k: v for name, value in settings.items() for k, v in _flat(value, f"{under}.{name}" if under else name).items()
    }
