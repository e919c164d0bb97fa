"""SoccerNet Ball Action Spotting: labels of a whole match, cut into anticipation clips at any stride."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from playahead.domain.actions import parse_action
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.records import ActionEvent, Clip, in_time_order
from playahead.domain.time import parse_game_time, whole_ms
from playahead.io.errors import InputError, RecordError
from playahead.sources import jsonfile
from playahead.sources.match_clock import Stamp, times_in_halves
from playahead.sources.soccernet_baa import is_visible, side_of

_HALVES = (1, 2)


@dataclass
class BasMatch:
    """Actions of one match, by half (1 or 2), in time order.

    Attributes:
        path: the label file.
        halves: half -> actions, ms from that half's start.
        dropped: labels outside the ten classes, and actions of extra time, counted.
        doubts: what a reader must know of the times.
    """

    path: Path
    halves: dict[int, tuple[ActionEvent, ...]]
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: list[str] = field(default_factory=list)


def read_bas_match(path: Path) -> BasMatch:
    """Read ``{"annotations": [{"gameTime": "1 - 00:31", "label", "position", ...}]}``.

    ``position`` (ms) is used where there is one, else the clock of ``gameTime``; a half whose clock goes on at 45:00
    is counted from there. Periods after the second half are counted, not read.

    Raises:
        InputError: file, entry and reason.
    """
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    entries = jsonfile.as_list(jsonfile.field(root, "annotations", str(path)), f"{path}: annotations")
    match = BasMatch(path, {})
    read: list[tuple[Stamp, dict[str, object]]] = []
    for index, raw in enumerate(entries):
        where = f"{path}: annotation {index}"
        entry = jsonfile.as_object(raw, where)
        try:
            half, clock_ms = parse_game_time(str(jsonfile.field(entry, "gameTime", where)))
            position_ms = whole_ms(entry["position"]) if "position" in entry else None
        except RecordError as reason:
            raise InputError(where, reason) from None
        if half in _HALVES:
            read.append((Stamp(where, half, clock_ms, position_ms), entry))
        else:
            match.dropped[f"period {half}"] += 1
    halves: dict[int, list[ActionEvent]] = {}
    times = times_in_halves([stamp for stamp, _ in read], match.doubts)
    for (stamp, entry), time_ms in zip(read, times, strict=True):
        if isinstance(time_ms, InputError):
            raise time_ms
        label = str(jsonfile.field(entry, "label", stamp.where))
        try:
            action = parse_action(label)
            if action is None:
                match.dropped[label] += 1
                continue
            event = ActionEvent(time_ms, action, side_of(entry), is_visible(entry))
        except RecordError as reason:
            raise InputError(stamp.where, reason) from None
        halves.setdefault(stamp.half, []).append(event)
    match.halves |= {half: in_time_order(events) for half, events in halves.items()}
    return match


def cut_into_clips(events: tuple[ActionEvent, ...], duration_ms: int, stride_ms: int, video: str = "") -> list[Clip]:
    """Every 35-s stretch of a half at a stride, as clips named ``clip_1``, ``clip_2`` ...

    Args:
        events: the half's actions.
        duration_ms: length of the half.
        stride_ms: from one clip's start to the next's; the benchmark's is 5000.
        video: file name inside each clip's folder.
    """
    if stride_ms <= 0:
        raise InputError("stride", f"{stride_ms} ms is not positive")
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
