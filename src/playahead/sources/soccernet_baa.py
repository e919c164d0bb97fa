"""SoccerNet Ball Action Anticipation on disk: clip folders and ``Labels-ball.json``, one per split.

Quirks that stop here: positions as strings or integers, labels outside the ten classes (dropped, counted),
withheld challenge labels, "not shown" for visibility.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from playahead.domain.actions import parse_action
from playahead.domain.records import SIDES, ActionEvent, Clip, Side, in_time_order
from playahead.domain.time import whole_ms
from playahead.io.errors import InputError, RecordError
from playahead.io.files import write_whole
from playahead.sources import jsonfile

SPLITS = ("train", "valid", "test", "challenge")
LABELS_NAME = "Labels-ball.json"


@dataclass
class BaaSplit:
    """One split as read.

    Attributes:
        path: the label file.
        clips: in the file's order.
        dropped: labels outside the ten classes, counted.
        rejected: entries that cannot be used, one message each (only when read with ``keep_going``).
    """

    path: Path
    clips: list[Clip]
    dropped: Counter[str] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)


def labels_path(path: Path) -> Path:
    """The label file of a split, given itself or its folder."""
    return path / LABELS_NAME if Path(path).is_dir() else Path(path)


def read_baa_split(path: Path, keep_going: bool = False) -> BaaSplit:
    """Read a split's labels.

    Args:
        path: ``Labels-ball.json`` or the folder that holds it.
        keep_going: collect bad entries in ``rejected`` instead of stopping at the first.

    Raises:
        InputError: file, entry and reason.
    """
    path = labels_path(path)
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    videos = jsonfile.as_list(jsonfile.field(root, "videos", str(path)), f"{path}: videos")
    split = BaaSplit(path, [])
    reader = _ClipReader(split, keep_going)
    for index, entry in enumerate(videos):
        reader.read(entry, f"{path}: video {index}")
    names = Counter(clip.name for clip in split.clips)
    twice = [name for name, count in names.items() if count > 1]
    if twice and not keep_going:
        raise InputError(path, f"{twice[0]} is listed {names[twice[0]]} times")
    split.rejected += [f"{path}: {name} is listed {names[name]} times" for name in twice]
    return split


class _ClipReader:
    """Reads entries into a split, stopping at a bad one or noting it."""

    def __init__(self, split: BaaSplit, keep_going: bool) -> None:
        self.split, self.keep_going = split, keep_going

    def read(self, entry: object, where: str) -> None:
        try:
            self.split.clips.append(self._clip(jsonfile.as_object(entry, where), where))
        except RecordError as reason:
            self._reject(InputError(where, reason))
        except InputError as reason:
            self._reject(reason)

    def _reject(self, reason: InputError) -> None:
        if not self.keep_going:
            raise reason
        self.split.rejected.append(str(reason))

    def _clip(self, entry: dict[str, object], where: str) -> Clip:
        video = jsonfile.field(entry, "path", where)
        if not isinstance(video, str):
            raise InputError(where, f"path {video!r} is not text")
        name = clip_name(video, where)
        where = f"{self.split.path}: {name}"
        annotations = jsonfile.as_object(entry.get("annotations", {}), f"{where}, annotations")
        withheld = annotations.get("anticipation") is None
        return Clip(
            name=name,
            video=video,
            observation=self._events(annotations.get("observation"), f"{where}, observation"),
            anticipation=None if withheld else self._events(annotations["anticipation"], f"{where}, anticipation"),
        )

    def _events(self, value: object, where: str) -> tuple[ActionEvent, ...]:
        events = []
        for index, item in enumerate(jsonfile.as_list(value if value is not None else [], where)):
            at = f"{where} {index}"
            try:
                event = self._event(jsonfile.as_object(item, at), at)
            except RecordError as reason:
                self._reject(InputError(at, reason))
            except InputError as reason:
                self._reject(reason)
            else:
                events += [event] if event else []
        return in_time_order(events)

    def _event(self, item: dict[str, object], where: str) -> ActionEvent | None:
        label = str(jsonfile.field(item, "label", where))
        action = parse_action(label)
        position_ms = whole_ms(jsonfile.field(item, "position", where))
        if action is None:
            self.split.dropped[label] += 1
            return None
        return ActionEvent(position_ms, action, side_of(item), is_visible(item))


def is_visible(item: Mapping[str, object]) -> bool:
    """Whether the broadcast shows the action; where the entry does not say, it does.

    Raises:
        RecordError: another word than the benchmark's.
    """
    said = item.get("visibility", "visible")
    if said not in ("visible", "not shown", None):
        raise RecordError(f"visibility {said!r} is neither 'visible' nor 'not shown'")
    return said != "not shown"


def side_of(item: Mapping[str, object]) -> Side | None:
    """Who acted, or None where the entry does not say so in the benchmark's words.

    Raises:
        RecordError: a team that is no text.
    """
    team = item.get("team")
    if not isinstance(team, str | None):
        raise RecordError(f"team {team!r} is not text")
    return next((side for side in SIDES if side == team), None)


def clip_name(video: str, where: object) -> str:
    """``clip_7/224p.mp4`` or ``clip_7`` -> ``clip_7``; nothing that leaves the split's folder.

    Raises:
        InputError: absolute, empty, with ``..`` in it, or with what cannot be printed.
    """
    path = PurePosixPath(video.replace("\\", "/"))
    parts = path.parts
    if not parts or ".." in parts or path.is_absolute() or ":" in parts[0] or not video.isprintable():
        raise InputError(where, f"path {video!r} is not of the form clip_1/224p.mp4")
    return parts[0]


def write_baa_split(path: Path, clips: Iterable[Clip]) -> None:
    """Write clips as ``read_baa_split`` reads them; withheld anticipations stay out of the file."""
    videos = []
    for clip in clips:
        annotations: dict[str, object] = {"observation": _as_entries(clip.observation)}
        if clip.anticipation is not None:
            annotations["anticipation"] = _as_entries(clip.anticipation)
        videos.append({"path": clip.video, "annotations": annotations})
    target = path / LABELS_NAME if path.is_dir() else path
    write_whole(target, json.dumps({"videos": videos}, indent=1))


def _as_entries(events: Sequence[ActionEvent]) -> list[dict[str, object]]:
    return [
        {
            "label": str(event.action),
            "position": str(event.position_ms),
            **({"team": event.side} if event.side else {}),
            "visibility": "visible" if event.visible else "not shown",
        }
        for event in events
    ]
