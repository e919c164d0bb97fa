"""Write a submission, and read one back into the scorer's frames."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.records import Anticipation, Clip
from playahead.domain.time import whole_ms
from playahead.evaluation.exact import TimedEvents
from playahead.evaluation.frames import VECTOR_LENGTH, FrameTable, clip_labels, frame_of_ms, rasterise
from playahead.io.errors import InputError, RecordError
from playahead.io.files import DAMAGED_ZIP, atomic_write, require_archive, require_file, write_whole
from playahead.sources import reading
from playahead.sources.soccernet import clip_name

Results = dict[str, list[dict[str, object]]]
"""Clip name -> its anticipation entries as they stand in the file."""

RESULTS_NAME = "results_anticipation.json"
ZIP_NAME = "results_anticipation.zip"
_HUGE = 1e30
MOST_BYTES = 256 * 1024 * 1024
"""Of a submission, unpacked: ten times what the challenge split can need."""


def write_submission(folder: Path | str, anticipations: Mapping[str, Sequence[Anticipation]]) -> tuple[Path, Path]:
    """Write the JSON and the zip with the JSON at its top level.

    Args:
        folder: made if need be.
        anticipations: clip name -> its anticipated actions; a clip without any is written empty.

    Returns:
        (path of the JSON, path of the zip).
    """
    if not anticipations:
        raise InputError("submission", "no clips to write")
    videos = [
        {"path": name, "annotations": {"observation": [], "anticipation": [_entry(a) for a in listed]}}
        for name, listed in anticipations.items()
    ]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    results, archive = folder / RESULTS_NAME, folder / ZIP_NAME
    write_whole(results, json.dumps({"videos": videos}))
    with atomic_write(archive) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(results, RESULTS_NAME)
    return results, archive


def _entry(anticipation: Anticipation) -> dict[str, object]:
    background = max(0.0, 1.0 - sum(anticipation.class_confidence))
    return {
        "label": str(anticipation.action),
        "position": OBSERVATION_MS + anticipation.offset_ms,
        "confidence": anticipation.confidence,
        "confidence_vect": [background, *anticipation.class_confidence],
    }


def perfect_answer(clips: Sequence[Clip]) -> dict[str, list[Anticipation]]:
    """The ground truth as a submission, confidence 1 each."""
    answer: dict[str, list[Anticipation]] = {}
    for clip in clips:
        if clip.anticipation is None:
            raise InputError(clip.name, "its labels are withheld")
        answer[clip.name] = [
            Anticipation(
                action=event.action,
                offset_ms=event.position_ms - OBSERVATION_MS,
                confidence=1.0,
                class_confidence=tuple(float(a is event.action) for a in ACTIONS),
            )
            for event in clip.anticipation
        ]
    return answer


def read_results(path: Path) -> Results:
    """Clip name -> its anticipation entries as they stand, from the JSON or the zip."""
    return {clip_name(video, path): listed for video, listed in read_videos(path)}


def read_videos(path: Path) -> list[tuple[str, list[dict[str, object]]]]:
    """(path of a video as it stands, its anticipation entries) of each video listed, from the JSON or the zip.

    Raises:
        InputError: a file that cannot be read, an entry of the wrong kind, or a clip listed twice.
    """
    videos: list[tuple[str, list[dict[str, object]]]] = []
    seen: set[str] = set()
    for entry, where in _entries(path):
        video = _path_of(entry, where)
        name = clip_name(video, where)
        annotations = reading.as_object(reading.field(entry, "annotations", where), where)
        listed = reading.as_list(reading.field(annotations, "anticipation", where), where)
        if name in seen:
            raise InputError(path, f"{name} is listed twice")
        seen.add(name)
        videos.append((video, [reading.as_object(item, f"{path}: {name}") for item in listed]))
    return videos


def _entries(path: Path) -> list[tuple[dict[str, object], str]]:
    """(video, where it stands) of each video listed."""
    require_file(path)
    root = _json_in_zip(path) if zipfile.is_zipfile(path) else reading.read_json(path)
    videos = reading.as_list(reading.field(reading.as_object(root, str(path)), "videos", str(path)), f"{path}: videos")
    places = [f"{path}: video {index}" for index in range(len(videos))]
    return [(reading.as_object(video, where), where) for video, where in zip(videos, places, strict=True)]


def _json_in_zip(path: Path) -> object:
    require_archive(path, MOST_BYTES)
    try:
        with zipfile.ZipFile(path) as zipped, zipped.open(RESULTS_NAME) as file:
            content = file.read(MOST_BYTES + 1)
    except KeyError:
        raise InputError(path, f"has no {RESULTS_NAME} at its top level") from None
    except (*DAMAGED_ZIP, OSError) as reason:
        raise InputError(path, f"cannot be read ({reason})") from None
    if len(content) > MOST_BYTES:
        raise InputError(path, f"{RESULTS_NAME} holds more than it declares")
    return reading.parse_json(content, f"{path}: {RESULTS_NAME}")


def _path_of(entry: Mapping[str, object], where: str) -> str:
    path = reading.field(dict(entry), "path", where)
    if not isinstance(path, str):
        raise InputError(where, f"path {path!r} is not text")
    return path


def frame_table(clips: Sequence[Clip], results: Results, where: object) -> FrameTable:
    """Labels and a submission as the official scorer's frames; clips that the submission lacks are empty."""
    labels_NR, visibility_NR = clip_labels(clips)
    clip_P, position_P, vector_PV = _predictions(clips, results, where)
    return FrameTable(labels_NR, visibility_NR, rasterise(clip_P, frame_of_ms(position_P), vector_PV, len(clips)))


def timed_events_of_results(clips: Sequence[Clip], results: Results, where: object) -> TimedEvents:
    """A submission's predictions to the millisecond: each entry counts for every class that it gives a score."""
    clip_P, position_P, vector_PV = _predictions(clips, results, where)
    entry, class_index = np.nonzero(vector_PV[:, 1:] > 0)
    scores = vector_PV[entry, class_index + 1]
    return TimedEvents(clip_P[entry], class_index, position_P[entry] - OBSERVATION_MS, scores)


def _predictions(
    clips: Sequence[Clip], results: Results, where: object
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """(clip_P, position_ms_P, vector_PV) of all entries, in the file's order."""
    clip_P, position_P, vector_PV = [], [], []
    for n, clip in enumerate(clips):
        for index, entry in enumerate(results.get(clip.name, ())):
            at = f"{where}: {clip.name}, anticipation {index}"
            position_P.append(_position_ms(entry, at))
            vector_PV.append(_vector(entry, at))
            clip_P.append(n)
    vectors = np.array(vector_PV, np.float32).reshape(-1, VECTOR_LENGTH)
    return np.array(clip_P, np.int64), np.array(position_P, np.int64), vectors


def _position_ms(entry: dict[str, object], where: str) -> int:
    try:
        position_ms = whole_ms(reading.field(entry, "position", where))
    except RecordError as reason:
        raise InputError(where, reason) from None
    if not OBSERVATION_MS <= position_ms <= OBSERVATION_MS + ANTICIPATION_MS:
        outside = f"position {position_ms} is outside {OBSERVATION_MS}..{OBSERVATION_MS + ANTICIPATION_MS}"
        raise InputError(where, outside, "positions count from the clip's start, in ms")
    return position_ms


def _vector(entry: dict[str, object], where: str) -> list[float]:
    """``confidence_vect``; NaN, infinities, what float32 cannot hold, and wrong lengths are refused."""
    vector = reading.as_list(reading.field(entry, "confidence_vect", where), where)
    if len(vector) != VECTOR_LENGTH:
        raise InputError(where, f"confidence_vect has {len(vector)} entries instead of {VECTOR_LENGTH}")
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < _HUGE for v in vector):
        raise InputError(where, "confidence_vect holds something that is not a finite number")
    return [float(v) for v in vector]  # type: ignore[arg-type]
