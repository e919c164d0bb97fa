"""Match files of the providers that kloppy reads. kloppy is an extra; without it, a message says what to install."""

import io
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playahead.domain.feed import FeedHalf
from playahead.errors import InputError, RecordError
from playahead.sources.notes import SourceNotes
from playahead.sources.opened import read_source

if TYPE_CHECKING:
    from kloppy.domain import EventDataset


def statsbomb(path: Path, lineup: Path, notes: SourceNotes) -> list[FeedHalf]:
    """StatsBomb: events and line-up."""
    return _read("StatsBomb", path, lineup, notes, lambda k, a, b: k.statsbomb.load(event_data=a, lineup_data=b))


def sportec(path: Path, metadata: Path, notes: SourceNotes) -> list[FeedHalf]:
    """Sportec Solutions (DFL): events and match information."""
    return _read("Sportec", path, metadata, notes, lambda k, a, b: k.sportec.load_event(event_data=a, meta_data=b))


def opta(path: Path, f7: Path, notes: SourceNotes) -> list[FeedHalf]:
    """Opta: F24 and F7."""
    return _read("Opta", path, f7, notes, lambda k, a, b: k.opta.load(f24_data=a, f7_data=b))


def stats_perform(path: Path, ma1: Path, notes: SourceNotes) -> list[FeedHalf]:
    """Stats Perform: MA3 and MA1."""
    return _read("Stats Perform", path, ma1, notes, lambda k, a, b: k.statsperform.load_event(ma3_data=a, ma1_data=b))


def metrica_json(path: Path, metadata: Path, notes: SourceNotes) -> list[FeedHalf]:
    """Metrica: events as JSON, and EPTS metadata."""
    return _read("Metrica", path, metadata, notes, lambda k, a, b: k.metrica.load_event(event_data=a, meta_data=b))


def datafactory(path: Path, notes: SourceNotes) -> list[FeedHalf]:
    """DataFactory."""
    return _read("DataFactory", path, None, notes, lambda k, a, _: k.datafactory.load(event_data=a))


def wyscout_v3(path: Path, notes: SourceNotes) -> list[FeedHalf]:
    """Wyscout, version 3."""
    return _read("Wyscout v3", path, None, notes, lambda k, a, _: k.wyscout.load(event_data=a, data_version="V3"))


class _Kloppy:
    """kloppy's modules, imported by name when they are asked for."""

    def __getattr__(self, name: str) -> object:
        import importlib

        return importlib.import_module(f"kloppy.{name}")


def _read(
    provider: str,
    path: Path,
    companion: Path | None,
    notes: SourceNotes,
    load: "Callable[..., EventDataset]",
) -> list[FeedHalf]:
    try:
        import kloppy.domain  # noqa: F401

        from playahead.sources.kloppy_events import read_kloppy_dataset
    except ImportError:
        raise InputError(
            path, f"is a match of {provider}, which needs kloppy", "pip install 'playahead[kloppy]'"
        ) from None
    opened = [None if file is None else _opened(file) for file in (path, companion)]
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            dataset = load(_Kloppy(), *opened)
    except Exception as reason:  # kloppy raises whatever its parsers do
        beside = f" with {companion.name}" if companion else ""
        what = f"cannot be read as a match of {provider}{beside} ({type(reason).__name__}: {_line(reason)})"
        raise InputError(
            path, what, "are both files whole, and of one match?" if companion else "is it whole?"
        ) from None
    doubts = Counter(_line(found.message) for found in warned if type(found.message).__module__.startswith("kloppy"))
    notes.doubts += [f"kloppy: {text}" + (f" ({count:,} times)" if count > 1 else "") for text, count in doubts.items()]
    try:
        return read_kloppy_dataset(dataset, notes)
    except InputError as reason:
        raise InputError(path, f"{provider}: {reason.what}") from None
    except RecordError as reason:
        raise InputError(path, f"{provider}: {reason}") from None


def _opened(path: Path) -> io.BytesIO:
    """In memory: kloppy is given bytes and never a name, which it would fetch if it looked like an address."""
    return io.BytesIO(read_source(path))


def _line(reason: Exception | Warning | str) -> str:
    text = " ".join(str(reason).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
