"""SoccerNet's two benchmarks on disk: Ball Action Anticipation (clips) and Ball Action Spotting (whole matches).

Both call their labels ``Labels-ball.json``: one per split, or one per match. Quirks that stop here: positions as
strings or integers, labels outside the ten classes (dropped, counted), withheld challenge labels, "not shown" for
visibility, clocks that go on after the break.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field as attribute
from pathlib import Path, PurePosixPath

from playahead.domain.actions import parse_action
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.domain.records import SIDES, ActionEvent, Clip, Side, in_time_order
from playahead.domain.time import parse_game_time, whole_ms
from playahead.io.errors import InputError, RecordError
from playahead.io.files import write_whole
from playahead.sources.match_clock import Stamp, times_in_halves
from playahead.sources.reading import as_list, as_object, field, list_in, read_json

SPLITS = ("train", "valid", "test", "challenge")
LABELS_NAME = "Labels-ball.json"
_HALVES = (1, 2)


@dataclass
class BaaSplit:
    """One split as read.

    Attributes:
        path: the label file.
        clips: clips in the file's order.
        dropped: labels outside the ten classes, counted.
        rejected: entries that cannot be used, one message each (only when read with ``keep_going``).
    """

    path: Path
    clips: list[Clip]
    dropped: Counter[str] = attribute(default_factory=Counter)
    rejected: list[str] = attribute(default_factory=list)


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
    videos = list_in(as_object(read_json(path), str(path)), "videos", str(path))
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
            self.split.clips.append(self._clip(as_object(entry, where), where))
        except (InputError, RecordError) as reason:
            self._reject(reason, where)

    def _reject(self, reason: InputError | RecordError, where: str) -> None:
        refusal = reason if isinstance(reason, InputError) else InputError(where, reason)
        if not self.keep_going:
            raise refusal
        self.split.rejected.append(str(refusal))

    def _clip(self, entry: dict[str, object], where: str) -> Clip:
        video = field(entry, "path", where)
        if not isinstance(video, str):
            raise InputError(where, f"path {video!r} is not text")
        name = clip_name(video, where)
        where = f"{self.split.path}: {name}"
        annotations = as_object(entry.get("annotations", {}), f"{where}, annotations")
        withheld = annotations.get("anticipation") is None
        return Clip(
            name=name,
            video=video,
            observation=self._events(annotations.get("observation"), f"{where}, observation"),
            anticipation=None if withheld else self._events(annotations["anticipation"], f"{where}, anticipation"),
        )

    def _events(self, value: object, where: str) -> tuple[ActionEvent, ...]:
        events = []
        for index, item in enumerate(as_list(value if value is not None else [], where)):
            at = f"{where} {index}"
            try:
                event = self._event(as_object(item, at), at)
            except (InputError, RecordError) as reason:
                self._reject(reason, at)
            else:
                events += [event] if event else []
        return in_time_order(events)

    def _event(self, item: dict[str, object], where: str) -> ActionEvent | None:
        label = str(field(item, "label", where))
        action = parse_action(label)
        position_ms = whole_ms(field(item, "position", where))
        if action is None:
            self.split.dropped[label] += 1
            return None
        return ActionEvent(position_ms, action, side_of(item), is_visible(item))


def is_visible(item: Mapping[str, object]) -> bool:
    """True if the broadcast shows the action: unless the entry denies it.

    Raises:
        RecordError: another word than the benchmark's.
    """
    visibility = item.get("visibility", "visible")
    if visibility not in ("visible", "not shown", None):
        raise RecordError(f"visibility {visibility!r} is neither 'visible' nor 'not shown'")
    return visibility != "not shown"


def side_of(item: Mapping[str, object]) -> Side | None:
    """The side that acted; None where the entry does not give it in the benchmark's words.

    Raises:
        RecordError: a team that is not text.
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


def read_bas_match(path: Path, notices: Notices | None = None) -> dict[int, tuple[ActionEvent, ...]]:
    """Actions of one match by half (1 or 2), in time order, ms from that half's start.

    Reads ``{"annotations": [{"gameTime": "1 - 00:31", "label", "position", ...}]}``. ``position`` (ms) is used where
    there is one, else the clock of ``gameTime``; a half whose clock goes on at 45:00 is counted from there.

    Args:
        path: the label file.
        notices: collector. It counts labels outside the ten classes and actions of extra time, and names halves whose
            times were moved.

    Raises:
        InputError: file, entry and reason.
    """
    notices = notices or Notices()
    read: list[tuple[Stamp, dict[str, object]]] = []
    for index, raw in enumerate(list_in(as_object(read_json(path), str(path)), "annotations", str(path))):
        where = f"{path}: annotation {index}"
        entry = as_object(raw, where)
        try:
            half, clock_ms = parse_game_time(str(field(entry, "gameTime", where)))
            position_ms = whole_ms(entry["position"]) if "position" in entry else None
        except RecordError as reason:
            raise InputError(where, reason) from None
        if half in _HALVES:
            read.append((Stamp(where, half, clock_ms, position_ms), entry))
        else:
            notices.count(f"actions of period {half} not read")
    halves: dict[int, list[ActionEvent]] = {}
    times = times_in_halves([stamp for stamp, _ in read], notices)
    for (stamp, entry), time_ms in zip(read, times, strict=True):
        if isinstance(time_ms, InputError):
            raise time_ms
        label = str(field(entry, "label", stamp.where))
        try:
            if (action := parse_action(label)) is None:
                notices.count(f"actions labelled {label!r} not read")
                continue
            event = ActionEvent(time_ms, action, side_of(entry), is_visible(entry))
        except RecordError as reason:
            raise InputError(stamp.where, reason) from None
        halves.setdefault(stamp.half, []).append(event)
    return {half: in_time_order(events) for half, events in halves.items()}


def cut_into_clips(events: tuple[ActionEvent, ...], duration_ms: int, stride_ms: int, video: str = "") -> list[Clip]:
    """Every 35-s stretch of a half at a stride, as clips named ``clip_1``, ``clip_2`` ...

    Args:
        events: actions of the half.
        duration_ms: length of the half.
        stride_ms: time from one clip's start to the next's; the benchmark's is 5000.
        video: file name inside each clip's folder.
    """
    if stride_ms <= 0:
        raise InputError("stride_ms", f"{stride_ms} ms is not positive")
    clips = []
    for start_ms in range(0, duration_ms - OBSERVATION_MS - ANTICIPATION_MS + 1, stride_ms):
        name = f"clip_{len(clips) + 1}"
        split_ms = start_ms + OBSERVATION_MS
        observed = _between(events, start_ms, start_ms, split_ms)
        coming = _between(events, start_ms, split_ms, split_ms + ANTICIPATION_MS)
        clips.append(Clip(name, f"{name}/{video}" if video else name, observed, coming))
    return clips


def _between(events: tuple[ActionEvent, ...], origin_ms: int, after_ms: int, until_ms: int) -> tuple[ActionEvent, ...]:
    """Actions in (after, until], their times counted from the origin."""
    return tuple(
        ActionEvent(e.position_ms - origin_ms, e.action, e.side, e.visible)
        for e in events
        if after_ms < e.position_ms <= until_ms
    )
