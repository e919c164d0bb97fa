"""Reader of Wyscout match files, version 3, by way of kloppy, an extra: without it, a message says what to install."""

import io
import json
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playahead.domain.feed import FeedHalf
from playahead.io.errors import InputError, RecordError
from playahead.sources.jsonfile import as_list, as_object, field, number, read_json
from playahead.sources.notes import SourceNotes

if TYPE_CHECKING:
    from kloppy.domain import EventDataset

_PERIODS, _SHOOT_OUT = ("1H", "2H", "1E", "2E"), "P"
_PRIMARY = {
    *("acceleration", "clearance", "corner", "duel", "fairplay", "free_kick", "game_interruption", "goal_kick"),
    *("goalkeeper_exit", "infraction", "interception", "offside", "own_goal", "pass", "penalty", "received_pass"),
    *("shot", "shot_against", "throw_in", "touch", "postmatch_penalty", "postmatch_penalty_faced"),
}
MOST_UNREADABLE = 20
"""So many events may be left out of a match before it is refused."""


def read_wyscout_v3(path: Path, notes: SourceNotes) -> list[FeedHalf]:
    """The halves of one match, extra time as halves 3 and 4.

    Raises:
        InputError: kloppy is not installed, or cannot read the file, even without some of its events.
    """
    try:
        import kloppy.wyscout  # noqa: F401

        from playahead.sources.kloppy_events import read_kloppy_dataset
    except ImportError:
        what, fix = "is a match of Wyscout v3, which needs kloppy", "pip install 'playahead[kloppy]'"
        raise InputError(path, what, fix) from None
    root = as_object(read_json(path), str(path))
    events = _of_periods_in_order(as_list(field(root, "events", str(path)), f"{path}: events"), notes)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            dataset = _load_tolerantly(root, [_to_the_millisecond(event) for event in events], notes)
    except Exception as reason:  # kloppy raises whatever its parser does
        what = f"cannot be read as a match of Wyscout v3 ({type(reason).__name__}: {_line(reason)})"
        raise InputError(path, what, "is it whole?") from None
    doubts = Counter(_line(found.message) for found in warned if type(found.message).__module__.startswith("kloppy"))
    notes.doubts += [f"kloppy: {text}" + (f" ({count:,} times)" if count > 1 else "") for text, count in doubts.items()]
    try:
        return read_kloppy_dataset(dataset, notes)
    except (InputError, RecordError) as reason:
        raise InputError(path, f"Wyscout v3: {reason}") from None


def _of_periods_in_order(events: list[Any], notes: SourceNotes) -> list[Any]:
    """Events in the order of the match, without those of the shoot-out, which kloppy reads after extra time alone.

    An event of a type that Wyscout does not have is one that kloppy passes over in silence: it is counted.
    """
    played = [event for event in events if not (isinstance(event, dict) and event.get("matchPeriod") == _SHOOT_OUT)]
    if len(played) < len(events):
        notes.left_out["events of the shoot-out"] += len(events) - len(played)
    for event in played:
        primary = _primary(event)
        if isinstance(primary, str) and primary not in _PRIMARY:
            notes.left_out[f"events with an unknown type ({primary[:40]})"] += 1
    try:
        return sorted(played, key=lambda e: (_PERIODS.index(e["matchPeriod"]), e["minute"], e["second"]))
    except (KeyError, TypeError, ValueError):  # kloppy says what is wrong with them
        return played


def _primary(event: Any) -> object:
    what = event.get("type") if isinstance(event, dict) else None
    return what.get("primary") if isinstance(what, dict) else None


def is_wyscout_v3(root: object) -> bool:
    """Whether the events of a match are those of version 3, wherever in the file they stand."""
    listed = root.get("events") if isinstance(root, dict) else None
    return isinstance(listed, list) and bool(listed) and isinstance(_primary(listed[0]), str)


def _to_the_millisecond(event: Any) -> Any:
    """kloppy reads ``minute`` and ``second``, which are whole; ``matchTimestamp`` (00:45:08.841) is finer."""
    if not isinstance(event, dict) or not isinstance(event.get("second"), int):
        return event
    _, dot, fraction = str(event.get("matchTimestamp", "")).partition(".")
    seconds = number(f"0.{fraction}") if dot else 0.0
    return event | {"second": event["second"] + seconds} if 0 < seconds < 1 else event


def _load_tolerantly(root: dict[str, Any], events: list[Any], notes: SourceNotes) -> "EventDataset":
    """What kloppy reads; an event that it stumbles over is left out and counted.

    kloppy reads events in order and stops at the first that it does not know: the shortest beginning of the list that
    it refuses ends with that one.
    """
    fine = 0
    for left_out in range(MOST_UNREADABLE + 1):
        reason = _refusal(root, events)
        if reason is None:
            break
        low, high = fine, len(events)  # a beginning of `low` events is read, one of `high` is refused
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _refusal(root, events[:middle]) else (middle, high)
        if left_out == MOST_UNREADABLE or high != low + 1 or (low and _refusal(root, events[:low])):
            raise reason
        notes.left_out[f"events that kloppy does not read ({_line(reason)})"] += 1
        fine = low
        del events[low]
    return _load(root, events)


def _refusal(root: dict[str, Any], events: list[Any]) -> Exception | None:
    try:
        _load(root, events)
    except Exception as reason:
        return reason
    return None


def _load(root: dict[str, Any], events: list[Any]) -> "EventDataset":
    """From memory: kloppy is given bytes and never a name, which it would fetch if it looked like an address."""
    from kloppy import wyscout

    return wyscout.load(event_data=io.BytesIO(json.dumps(root | {"events": events}).encode()), data_version="V3")


def _line(reason: object) -> str:
    text = " ".join(str(reason).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
