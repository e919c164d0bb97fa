"""Submissions: write one, list what a server would refuse in one, and score one.

A submission is ``results_anticipation.json``, or a zip with that file at its top level.

Axes: P entries (anticipations), V vector entries (background first, then the ten classes).
"""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.records import Anticipation, Clip
from playahead.domain.time import whole_ms
from playahead.evaluation.exact import TimedEvents, timed_events_of_clips
from playahead.evaluation.frames import VECTOR_LENGTH, FrameTable, clip_labels, frame_of_ms, rasterise
from playahead.evaluation.official import count_detections
from playahead.evaluation.scores import Evaluation
from playahead.io.errors import InputError, RecordError
from playahead.io.files import DAMAGED_ZIP, atomic_write, require_archive, require_file, write_whole
from playahead.sources import reading
from playahead.sources.soccernet import clip_name, read_baa_split

Entry = dict[str, object]
"""An anticipation as it stands in the file."""
Results = dict[str, list[Entry]]
"""Clip name -> its entries."""

RESULTS_NAME = "results_anticipation.json"
ZIP_NAME = "results_anticipation.zip"
_MAX_BYTES = 256 * 1024 * 1024  # of a submission, unpacked: ten times what the challenge split can need
_HUGE = 1e30  # below float32's largest number
_END_MS = OBSERVATION_MS + ANTICIPATION_MS
_MAX_NAMES = 5  # clips named in a message; the rest is counted


def write_submission(folder: Path | str, anticipations: Mapping[str, Sequence[Anticipation]]) -> tuple[Path, Path]:
    """Write the JSON, and the zip with the JSON at its top level; returns both paths.

    Args:
        folder: output folder, made if need be.
        anticipations: clip name -> its anticipated actions, at least one clip; a clip without any is written empty.
    """
    if not anticipations:
        raise InputError("anticipations", "no clips to write")
    videos = [
        {"path": name, "annotations": {"observation": [], "anticipation": [_entry(a) for a in of_clip]}}
        for name, of_clip in anticipations.items()
    ]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    results, archive = folder / RESULTS_NAME, folder / ZIP_NAME
    write_whole(results, json.dumps({"videos": videos}))
    with atomic_write(archive) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(results, RESULTS_NAME)
    return results, archive


def _entry(anticipation: Anticipation) -> Entry:
    background = max(0.0, 1.0 - sum(anticipation.class_confidence))
    return {
        "label": str(anticipation.action),
        "position": OBSERVATION_MS + anticipation.offset_ms,
        "confidence": anticipation.confidence,
        "confidence_vect": [background, *anticipation.class_confidence],
    }


def perfect_answer(clips: Sequence[Clip]) -> dict[str, list[Anticipation]]:
    """The ground truth as a submission, with confidence 1 each; withheld labels are refused."""
    answer: dict[str, list[Anticipation]] = {}
    for clip in clips:
        if clip.anticipation is None:
            raise InputError(clip.name, "its labels are withheld")
        answer[clip.name] = [
            Anticipation(e.action, e.position_ms - OBSERVATION_MS, 1.0, tuple(float(a is e.action) for a in ACTIONS))
            for e in clip.anticipation
        ]
    return answer


def read_results(path: Path) -> Results:
    """Clip name -> its entries, from the JSON or the zip."""
    return {clip_name(video, path): entries for video, entries in _read_videos(path)}


def _read_videos(path: Path) -> list[tuple[str, list[Entry]]]:
    """(path of the video, its entries) of each video, as they stand in the file."""
    require_file(path)
    root = _read_zipped(path) if zipfile.is_zipfile(path) else reading.read_json(path)
    listed = reading.field(reading.as_object(root, str(path)), "videos", str(path))
    videos: list[tuple[str, list[Entry]]] = []
    names: set[str] = set()
    for index, item in enumerate(reading.as_list(listed, f"{path}: videos")):
        where = f"{path}: video {index}"
        fields = reading.as_object(item, where)
        video = reading.field(fields, "path", where)
        if not isinstance(video, str):
            raise InputError(where, f"path {video!r} is not text")
        name = clip_name(video, where)
        annotations = reading.as_object(reading.field(fields, "annotations", where), where)
        entries = reading.as_list(reading.field(annotations, "anticipation", where), where)
        if name in names:
            raise InputError(path, f"{name} is listed twice")
        names.add(name)
        videos.append((video, [reading.as_object(entry, f"{path}: {name}") for entry in entries]))
    return videos


def _read_zipped(path: Path) -> object:
    require_archive(path, _MAX_BYTES)
    try:
        with zipfile.ZipFile(path) as zipped, zipped.open(RESULTS_NAME) as file:
            content = file.read(_MAX_BYTES + 1)
    except KeyError:
        raise InputError(path, f"has no {RESULTS_NAME} at its top level") from None
    except (*DAMAGED_ZIP, OSError) as reason:
        raise InputError(path, f"cannot be read ({reason})") from None
    if len(content) > _MAX_BYTES:
        raise InputError(path, f"{RESULTS_NAME} holds more than it declares")
    return reading.parse_json(content, f"{path}: {RESULTS_NAME}")


def evaluate_submission(results: Path, labels: Path) -> Evaluation:
    """Score ``results_anticipation.json`` or its zip; clips that it lacks are empty.

    Args:
        results: the submission.
        labels: Labels-ball.json of the split, or its folder.

    Raises:
        InputError: labels that are withheld, or a file that cannot be read.
    """
    split = read_baa_split(labels)
    withheld = [clip.name for clip in split.clips if clip.anticipation is None]
    if withheld:
        raise InputError(split.path, f"labels of {len(withheld)} clips are withheld", "only the server can score them")
    if not split.clips:
        raise InputError(split.path, "holds no clips")
    entries = read_results(results)
    table = frame_table(split.clips, entries, results)
    # In continuous time, each entry is a prediction of every class that it gives a score.
    clip_P, position_P, vector_PV = _arrays(split.clips, entries, results)
    entry, class_index = np.nonzero(vector_PV[:, 1:] > 0)
    scores = vector_PV[entry, class_index + 1]
    predictions = TimedEvents(clip_P[entry], class_index, position_P[entry] - OBSERVATION_MS, scores)
    return Evaluation(count_detections(table), [table], [(timed_events_of_clips(split.clips), predictions)])


def frame_table(clips: Sequence[Clip], results: Results, where: object) -> FrameTable:
    """Labels and a submission as the official scorer's frames; clips that the submission lacks are empty."""
    clip_P, position_P, vector_PV = _arrays(clips, results, where)
    return FrameTable(*clip_labels(clips), rasterise(clip_P, frame_of_ms(position_P), vector_PV, len(clips)))


def _arrays(
    clips: Sequence[Clip], results: Results, where: object
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """(clip_P, position_ms_P, vector_PV) of all entries, in the file's order."""
    clip_P, position_P, vector_PV = [], [], []
    for n, clip in enumerate(clips):
        for index, entry in enumerate(results.get(clip.name, ())):
            place = f"{where}: {clip.name}, anticipation {index}"
            position_P.append(_position_ms(entry, place))
            vector_PV.append(_vector(entry, place))
            clip_P.append(n)
    vectors = np.array(vector_PV, np.float32).reshape(-1, VECTOR_LENGTH)
    return np.array(clip_P, np.int64), np.array(position_P, np.int64), vectors


def _position_ms(entry: Entry, where: str) -> int:
    try:
        position_ms = whole_ms(reading.field(entry, "position", where))
    except RecordError as reason:
        raise InputError(where, reason) from None
    if not OBSERVATION_MS <= position_ms <= _END_MS:
        outside = f"position {position_ms} is outside {OBSERVATION_MS}..{_END_MS}"
        raise InputError(where, outside, "positions count from the clip's start, in ms")
    return position_ms


def _vector(entry: Entry, where: str) -> list[float]:
    """``confidence_vect``; NaN, infinities, what float32 cannot hold, and wrong lengths are refused."""
    vector = reading.as_list(reading.field(entry, "confidence_vect", where), where)
    if len(vector) != VECTOR_LENGTH:
        raise InputError(where, f"confidence_vect has {len(vector)} entries instead of {VECTOR_LENGTH}")
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < _HUGE for v in vector):
        raise InputError(where, "confidence_vect holds something that is not a finite number")
    return [float(v) for v in vector]  # type: ignore[arg-type]


def check_submission(path: Path, clip_names: Sequence[str] | None = None) -> list[str]:
    """Every reason for which a server would refuse a submission, or score it 0.

    Args:
        path: the zip (as uploaded) or the JSON in it.
        clip_names: names of the split's clips; without them, missing and extra clips cannot be seen.

    Returns:
        Problems, worst first; none if a server would take it.
    """
    path = Path(path)
    problems = _check_archive(path) if path.suffix == ".zip" else []
    try:
        videos = _read_videos(path)
    except InputError as reason:
        return problems or [str(reason)]
    results = {clip_name(video, path): entries for video, entries in videos}
    problems += _named("paths that are not a clip's folder alone", [p for p, _ in videos if p not in results])
    if clip_names is not None:
        expected = set(clip_names)
        problems += _named("clips missing", [name for name in clip_names if name not in results])
        problems += _named("clips that the split does not have", [name for name in results if name not in expected])
    if not any(results.values()):
        problems.append("no clip anticipates anything: it scores 0")
    # The same mistake usually runs through a file: it is counted, and its first place named.
    reasons = Counter[str]()
    first: dict[str, str] = {}
    for name, entries in results.items():
        for index, entry in enumerate(entries):
            for reason in _check_entry(entry):
                reasons[reason] += 1
                first.setdefault(reason, f"{name}, anticipation {index}")
    return problems + [f"{reason} ({count} times, first in {first[reason]})" for reason, count in reasons.items()]


def _check_archive(path: Path) -> list[str]:
    try:
        require_file(path)
        if not zipfile.is_zipfile(path):
            return ["not a zip file"]
        require_archive(path, _MAX_BYTES)
        with zipfile.ZipFile(path) as zipped:
            names = [name for name in zipped.namelist() if not name.endswith("/")]
            damaged = zipped.testzip()
            first_bytes = zipped.open(RESULTS_NAME).read(4) if RESULTS_NAME in names and not damaged else b""
    except InputError as reason:
        return [reason.what]
    except (*DAMAGED_ZIP, OSError) as reason:
        return [f"the zip cannot be read ({reason})"]
    problems = [f"{damaged} in the zip is damaged"] if damaged else []
    problems += _named("entries outside the zip's folder", [name for name in names if _is_outside(name)])
    if (encoding := json.detect_encoding(first_bytes)) != "utf-8":
        problems.append(f"{RESULTS_NAME} is {encoding.upper()}: servers read UTF-8")
    if RESULTS_NAME not in names:
        inside = [name for name in names if name.rsplit("/", 1)[-1] == RESULTS_NAME]
        where = f"lies in a folder ({inside[0]})" if inside else "is missing"
        problems.append(f"{RESULTS_NAME} {where}: it must be at the zip's top level")
    return problems + _named("other files in the zip", [n for n in names if n.rsplit("/", 1)[-1] != RESULTS_NAME])


def _is_outside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]


def _check_entry(entry: Entry) -> list[str]:
    missing = {"label", "position", "confidence", "confidence_vect"} - entry.keys()
    if missing:
        return [f"has no {', '.join(sorted(missing))}"]
    problems = []
    label, position, vector = entry["label"], entry["position"], entry["confidence_vect"]
    if not isinstance(label, str) or label not in set(ACTIONS):
        problems.append(f"label {label!r} is not one of the ten")
    if isinstance(position, bool) or not isinstance(position, int):
        problems.append("position is not a whole number of milliseconds")
    elif not OBSERVATION_MS <= position <= _END_MS:
        problems.append(f"position is outside {OBSERVATION_MS}..{_END_MS}")
    if not _is_confidence(entry["confidence"]):
        problems.append("confidence is not a number in [0, 1]")
    if not isinstance(vector, list) or len(vector) != VECTOR_LENGTH:
        problems.append(f"confidence_vect has not {VECTOR_LENGTH} entries (background, then the ten classes)")
    elif not all(_is_confidence(value) for value in vector):
        problems.append("confidence_vect holds something that is not a number in [0, 1]")
    elif max(vector[1:]) == 0:
        problems.append("confidence_vect is zero for every class: it scores 0")
    return problems


def _is_confidence(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _named(problem: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return [f"{len(names)} {problem}: {', '.join(names[:_MAX_NAMES])}{more}"]
