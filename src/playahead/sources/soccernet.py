"""SoccerNet's two benchmarks on disk: Ball Action Anticipation (clips) and Ball Action Spotting (whole matches).

Both call their labels ``Labels-ball.json``: one per split, or one per match. Quirks that stop here: positions as
strings or integers, labels outside the ten classes (dropped, counted), withheld challenge labels, "not shown" for
visibility, clocks that go on after the break.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute, replace
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
        keep_going: collect bad entries in ``rejected`` instead of stopping at the first with an InputError.
    """
    path = labels_path(path)
    split = BaaSplit(path, [])

    @contextmanager
    def stopping_or_noting(where: str) -> Iterator[None]:
        try:
            yield
        except (InputError, RecordError) as reason:
            refusal = reason if isinstance(reason, InputError) else InputError(where, reason)
            if not keep_going:
                raise refusal from None
            split.rejected.append(str(refusal))

    def events_in(value: object, where: str) -> tuple[ActionEvent, ...]:
        events = []
        for index, raw in enumerate(as_list(value if value is not None else [], where)):
            with stopping_or_noting(at := f"{where} {index}"):
                item = as_object(raw, at)
                label = str(field(item, "label", at))
                action, position_ms = parse_action(label), whole_ms(field(item, "position", at))
                if action:
                    events.append(ActionEvent(position_ms, action, side_of(item), is_visible(item)))
                else:
                    split.dropped[label] += 1
        return in_time_order(events)

    for index, raw in enumerate(list_in(as_object(read_json(path), str(path)), "videos", str(path))):
        with stopping_or_noting(where := f"{path}: video {index}"):
            entry = as_object(raw, where)
            video = field(entry, "path", where)
            if not isinstance(video, str):
                raise InputError(where, f"path {video!r} is not text")
            name = clip_name(video, where)
            annotations = as_object(entry.get("annotations", {}), f"{path}: {name}, annotations")
            observed = events_in(annotations.get("observation"), f"{path}: {name}, observation")
            coming = annotations.get("anticipation")
            if coming is not None:
                coming = events_in(coming, f"{path}: {name}, anticipation")
            split.clips.append(Clip(name, video, observed, coming))
    for name, count in Counter(clip.name for clip in split.clips).items():
        if count > 1:
            with stopping_or_noting(""):
                raise InputError(path, f"{name} is listed {count} times")
    return split


def is_visible(item: Mapping[str, object]) -> bool:
    """True if the broadcast shows the action: unless the entry denies it; a RecordError for any other word."""
    visibility = item.get("visibility", "visible")
    if visibility not in ("visible", "not shown", None):
        raise RecordError(f"visibility {visibility!r} is neither 'visible' nor 'not shown'")
    return visibility != "not shown"


def side_of(item: Mapping[str, object]) -> Side | None:
    """The side that acted; None where the entry does not give it in the benchmark's words."""
    team = item.get("team")
    if not isinstance(team, str | None):
        raise RecordError(f"team {team!r} is not text")
    return next((side for side in SIDES if side == team), None)


def clip_name(video: str, where: object) -> str:
    """``clip_7/224p.mp4`` or ``clip_7`` -> ``clip_7``; an InputError for what leaves the split's folder."""
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
    write_whole(labels_path(path), json.dumps({"videos": videos}, indent=1))


def _as_entries(events: Sequence[ActionEvent]) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    for event in events:
        entry: dict[str, object] = {"label": str(event.action), "position": str(event.position_ms)}
        if event.side:
            entry["team"] = event.side
        entries.append(entry | {"visibility": "visible" if event.visible else "not shown"})
    return entries


def read_bas_match(path: Path, notices: Notices | None = None) -> dict[int, tuple[ActionEvent, ...]]:
    """Actions of one match by half (1 or 2), in time order, ms from that half's start.

    Reads ``{"annotations": [{"gameTime": "1 - 00:31", "label", "position", ...}]}``. ``position`` (ms) is used where
    there is one, else the clock of ``gameTime``; a half whose clock goes on at 45:00 is counted from there.

    Args:
        path: the label file.
        notices: collector. It counts labels outside the ten classes and actions of extra time, and names halves whose
            times were moved.
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
        name, split_ms = f"clip_{len(clips) + 1}", start_ms + OBSERVATION_MS
        # Actions in (start, split] are observed, those in (split, end] are coming; times count from the clip's start.
        parts = ((start_ms, split_ms), (split_ms, split_ms + ANTICIPATION_MS))
        observed, coming = (
            tuple(replace(e, position_ms=e.position_ms - start_ms) for e in events if after < e.position_ms <= until)
            for after, until in parts
        )
        clips.append(Clip(name, f"{name}/{video}" if video else name, observed, coming))
    return clips
