"""Match files of the providers that kloppy reads. kloppy is an extra; without it, a message says what to install."""

import io
import json
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playahead.domain.feed import FeedHalf
from playahead.errors import InputError, RecordError
from playahead.files import read_bytes
from playahead.sources.jsonfile import MOST_BYTES, as_list, as_object, field, number, read_json
from playahead.sources.notes import SourceNotes

if TYPE_CHECKING:
    from kloppy.domain import EventDataset

MOST_UNREADABLE = 20
"""So many events may be left out of a match before it is refused."""
LATE_START, LATE_END = timedelta(minutes=3), timedelta(minutes=3)
"""A half whose events begin so long after it, or end so long after its end, belongs to another match's metadata."""


def read_metrica_json(path: Path, metadata: Path | None, notes: SourceNotes) -> list[FeedHalf]:
    """Metrica: events as JSON, and EPTS metadata.

    Raises:
        InputError: either cannot be read, or they are of two matches.
    """
    assert metadata is not None

    def load(kloppy: Any, raw: dict[str, Any]) -> "EventDataset":
        about = io.BytesIO(read_bytes(metadata, MOST_BYTES))
        return kloppy.metrica.load_event(event_data=_as_file(raw), meta_data=about)

    return _read("Metrica", path, "data", load, notes, metadata)


def read_wyscout_v3(path: Path, notes: SourceNotes) -> list[FeedHalf]:
    """Wyscout, version 3."""

    def load(kloppy: Any, raw: dict[str, Any]) -> "EventDataset":
        return kloppy.wyscout.load(
            event_data=_as_file(raw | {"events": _to_the_millisecond(raw["events"])}), data_version="V3"
        )

    return _read("Wyscout v3", path, "events", load, notes)


def _to_the_millisecond(events: list[Any]) -> list[Any]:
    """kloppy reads ``minute`` and ``second``, which are whole; ``matchTimestamp`` (00:45:08.841) is finer."""

    def finer(event: Any) -> Any:
        _, dot, fraction = str(event.get("matchTimestamp", "")).partition(".")
        seconds = number(f"0.{fraction}") if dot else 0.0
        return event | {"second": event["second"] + seconds} if 0 < seconds < 1 else event

    return [
        finer(event) if isinstance(event, dict) and isinstance(event.get("second"), int) else event for event in events
    ]


class _Kloppy:
    """kloppy's modules, imported by name when they are asked for."""

    def __getattr__(self, name: str) -> object:
        import importlib

        return importlib.import_module(f"kloppy.{name}")


def _read(
    provider: str,
    path: Path,
    key: str,
    load: Callable[[Any, dict[str, Any]], "EventDataset"],
    notes: SourceNotes,
    companion: Path | None = None,
) -> list[FeedHalf]:
    """The halves that kloppy reads of a file whose events are listed under ``key``."""
    try:
        import kloppy.domain  # noqa: F401

        from playahead.sources.kloppy_events import read_kloppy_dataset
    except ImportError:
        raise InputError(
            path, f"is a match of {provider}, which needs kloppy", "pip install 'playahead[kloppy]'"
        ) from None
    raw = as_object(read_json(path), str(path))
    as_list(field(raw, key, str(path)), f"{path}: {key}")
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            dataset = _load_tolerantly(load, raw, key, notes)
    except Exception as reason:  # kloppy raises whatever its parsers do
        beside = f" with {companion.name}" if companion else ""
        what = f"cannot be read as a match of {provider}{beside} ({type(reason).__name__}: {_line(reason)})"
        raise InputError(
            path, what, "are both files whole, and of one match?" if companion else "is it whole?"
        ) from None
    if companion is not None:
        _require_same_match(companion, dataset)
    doubts = Counter(_line(found.message) for found in warned if type(found.message).__module__.startswith("kloppy"))
    notes.doubts += [f"kloppy: {text}" + (f" ({count:,} times)" if count > 1 else "") for text, count in doubts.items()]
    try:
        return read_kloppy_dataset(dataset, notes)
    except InputError as reason:
        raise InputError(path, f"{provider}: {reason.what}") from None
    except RecordError as reason:
        raise InputError(path, f"{provider}: {reason}") from None


def _load_tolerantly(
    load: Callable[[Any, dict[str, Any]], "EventDataset"], raw: dict[str, Any], key: str, notes: SourceNotes
) -> "EventDataset":
    """What kloppy reads; an event that it stumbles over is left out and counted.

    kloppy reads events in order and stops at the first that it does not know: the shortest beginning of the list that
    it refuses ends with that one.
    """

    def refusal(events: list[Any]) -> Exception | None:
        try:
            load(_Kloppy(), raw | {key: events})
        except Exception as reason:
            return reason
        return None

    events, fine = list(raw[key]), 0
    for left_out in range(MOST_UNREADABLE + 1):
        reason = refusal(events)
        if reason is None:
            break
        low, high = fine, len(events)  # a beginning of `low` events is read, one of `high` is refused
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if refusal(events[:middle]) else (middle, high)
        if left_out == MOST_UNREADABLE or high != low + 1 or (low and refusal(events[:low])):
            raise reason
        notes.left_out[f"events that kloppy does not read ({_line(reason)})"] += 1
        fine = low
        del events[low]
    return load(_Kloppy(), raw | {key: events})


def _require_same_match(companion: Path, dataset: "EventDataset") -> None:
    """Refuse metadata whose halves are not those of the events."""
    for period in dataset.metadata.periods:
        times = [event.timestamp for event in dataset.events if event.period.id == period.id]
        lasts: Any = period.end_timestamp - period.start_timestamp  # type: ignore[operator]
        if times and not (-LATE_START <= min(times) <= LATE_START and max(times) <= lasts + LATE_END):
            what = f"is of another match: its half {period.id} does not fit the events ({min(times)} to {max(times)})"
            raise InputError(companion, what)


def _as_file(raw: object) -> io.BytesIO:
    """In memory: kloppy is given bytes and never a name, which it would fetch if it looked like an address."""
    return io.BytesIO(json.dumps(raw).encode())


def _line(reason: Exception | Warning | str) -> str:
    text = " ".join(str(reason).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
