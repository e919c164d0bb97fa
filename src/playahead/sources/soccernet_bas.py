"""SoccerNet Ball Action Spotting: labels of a whole match, cut into anticipation clips at any stride."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from playahead.domain.actions import parse_action
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.records import ActionEvent, Clip, in_time_order
from playahead.domain.time import parse_game_time, whole_ms
from playahead.errors import InputError, RecordError
from playahead.sources import jsonfile
from playahead.sources.soccernet_baa import is_visible, side_of

_HALVES = (1, 2)
_SECOND_HALF_MS = 45 * 60_000  # where some clocks start the second half
_CLOCK_SLACK_MS = 5000


@dataclass
class BasMatch:
    """Actions of one match, by half (1 or 2), in time order.

    Attributes:
        path: the label file.
        halves: half -> actions, ms from that half's start.
        dropped: labels outside the ten classes, and actions of extra time, counted.
    """

    path: Path
    halves: dict[int, tuple[ActionEvent, ...]]
    dropped: Counter[str] = field(default_factory=Counter)


def read_bas_match(path: Path) -> BasMatch:
    """Read ``{"annotations": [{"gameTime": "1 - 00:31", "label", "position", ...}]}``.

    ``position`` (ms) is used where there is one, else the clock of ``gameTime``. Periods after the second half are
    counted, not read.

    Raises:
        InputError: file, entry and reason.
    """
    root = jsonfile.as_object(jsonfile.read_json(path), str(path))
    entries = jsonfile.as_list(jsonfile.field(root, "annotations", str(path)), f"{path}: annotations")
    dropped: Counter[str] = Counter()
    halves: dict[int, list[ActionEvent]] = {}
    for index, entry in enumerate(entries):
        where = f"{path}: annotation {index}"
        try:
            half, event = _event(jsonfile.as_object(entry, where), where, dropped)
        except RecordError as reason:
            raise InputError(where, reason) from None
        if event:
            halves.setdefault(half, []).append(event)
    return BasMatch(path, {half: in_time_order(events) for half, events in halves.items()}, dropped)


def _event(entry: dict[str, object], where: str, dropped: Counter[str]) -> tuple[int, ActionEvent | None]:
    half, clock_ms = parse_game_time(str(jsonfile.field(entry, "gameTime", where)))
    position_ms = whole_ms(entry["position"]) if "position" in entry else clock_ms
    label = str(jsonfile.field(entry, "label", where))
    action = parse_action(label)
    if half not in _HALVES:
        dropped[f"period {half}"] += 1
        return half, None
    if min(abs(position_ms - clock_ms), abs(position_ms + _SECOND_HALF_MS * (half - 1) - clock_ms)) > _CLOCK_SLACK_MS:
        raise RecordError(f"position {position_ms} ms contradicts gameTime {entry['gameTime']!r}")
    if action is None:
        dropped[label] += 1
        return half, None
    return half, ActionEvent(position_ms, action, side_of(entry), is_visible(entry))


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
