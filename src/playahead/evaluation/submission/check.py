"""Every reason for which a server would refuse a submission, or score it 0."""

import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.evaluation.frames import VECTOR_LENGTH
from playahead.evaluation.submission.write import MOST_BYTES, RESULTS_NAME, read_videos
from playahead.io.errors import InputError
from playahead.io.files import DAMAGED_ZIP, require_archive, require_file
from playahead.sources.soccernet import clip_name

_NAMED = 5  # so many clips are named in a message, the rest counted


def check_submission(path: Path, clip_names: Sequence[str] | None = None) -> list[str]:
    """Problems found, worst first; an empty list means that nothing speaks against it.

    Args:
        path: the zip (as uploaded) or the JSON in it.
        clip_names: the split's clips; without them, missing and extra clips cannot be seen.
    """
    path = Path(path)
    problems = _check_archive(path)
    try:
        videos = read_videos(path)
    except InputError as reason:
        return problems or [str(reason)]
    results = {clip_name(video, path): listed for video, listed in videos}
    problems += _named("paths that are not a clip's folder alone", [p for p, _ in videos if p not in results])
    if clip_names is not None:
        missing = [name for name in clip_names if name not in results]
        extra = [name for name in results if name not in set(clip_names)]
        problems += _named("clips missing", missing) + _named("clips that the split does not have", extra)
    entries = [(name, i, entry) for name, listed in results.items() for i, entry in enumerate(listed)]
    if not entries:
        problems.append("no clip anticipates anything: it scores 0")
    reasons = Counter[str]()
    first: dict[str, str] = {}
    for name, index, entry in entries:
        for reason in _check_entry(entry):
            reasons[reason] += 1
            first.setdefault(reason, f"{name}, anticipation {index}")
    problems += [f"{reason} ({count} times, first in {first[reason]})" for reason, count in reasons.items()]
    return problems


def _check_archive(path: Path) -> list[str]:
    if path.suffix != ".zip":
        return []
    try:
        require_file(path)
        if not zipfile.is_zipfile(path):
            return ["not a zip file"]
        require_archive(path, MOST_BYTES)
        with zipfile.ZipFile(path) as zipped:
            names = [name for name in zipped.namelist() if not name.endswith("/")]
            damaged = zipped.testzip()
            first_bytes = zipped.open(RESULTS_NAME).read(4) if RESULTS_NAME in names and not damaged else b""
    except InputError as reason:
        return [reason.what]
    except (*DAMAGED_ZIP, OSError) as reason:
        return [f"the zip cannot be read ({reason})"]
    problems = [f"{damaged} in the zip is damaged"] if damaged else []
    problems += _named("entries outside the zip's folder", [name for name in names if _leaves(name)])
    problems += _check_encoding(first_bytes)
    if RESULTS_NAME not in names:
        inside = [name for name in names if name.rsplit("/", 1)[-1] == RESULTS_NAME]
        where = f"lies in a folder ({inside[0]})" if inside else "is missing"
        problems.append(f"{RESULTS_NAME} {where}: it must be at the zip's top level")
    extra = [name for name in names if name.rsplit("/", 1)[-1] != RESULTS_NAME]
    return problems + _named("other files in the zip", extra)


def _leaves(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]


def _check_encoding(first_bytes: bytes) -> list[str]:
    encoding = json.detect_encoding(first_bytes)
    return [] if encoding == "utf-8" else [f"{RESULTS_NAME} is {encoding.upper()}: servers read UTF-8"]


def _check_entry(entry: dict[str, object]) -> list[str]:
    missing = {"label", "position", "confidence", "confidence_vect"} - entry.keys()
    if missing:
        return [f"has no {', '.join(sorted(missing))}"]
    problems = []
    label, position = entry["label"], entry["position"]
    if not isinstance(label, str) or label not in set(ACTIONS):
        problems.append(f"label {label!r} is not one of the ten")
    if isinstance(position, bool) or not isinstance(position, int):
        problems.append("position is not a whole number of milliseconds")
    elif not OBSERVATION_MS <= position <= OBSERVATION_MS + ANTICIPATION_MS:
        problems.append(f"position is outside {OBSERVATION_MS}..{OBSERVATION_MS + ANTICIPATION_MS}")
    if not _is_confidence(entry["confidence"]):
        problems.append("confidence is not a number in [0, 1]")
    return problems + _check_vector(entry["confidence_vect"])


def _check_vector(vector: object) -> list[str]:
    if not isinstance(vector, list) or len(vector) != VECTOR_LENGTH:
        return [f"confidence_vect has not {VECTOR_LENGTH} entries (background, then the ten classes)"]
    if not all(_is_confidence(value) for value in vector):
        return ["confidence_vect holds something that is not a number in [0, 1]"]
    if max(vector[1:]) == 0:
        return ["confidence_vect is zero for every class: it scores 0"]
    return []


def _is_confidence(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _named(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{len(names)} {what}: {', '.join(names[:_NAMED])}{more}"]
