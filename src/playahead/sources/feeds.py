"""Any event feed that can be read, whoever provided it.

A provider is one entry of ``READERS``: how its files are recognised, and the function that reads a match
(docs/how-to/add-a-provider.md). Some providers ship a match as two files; the second is the reader's companion.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.feed import FeedHalf
from playahead.errors import InputError, RecordError
from playahead.sources import kloppy_files, metrica_csv, whoscored
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.notes import SourceNotes
from playahead.sources.opened import head_of
from playahead.sources.spadl_files import is_spadl, read_spadl_file
from playahead.sources.spotting_files import read_osl, read_soccernet_spotting
from playahead.sources.wyscout import read_wyscout_match

_HEAD_BYTES = 65_536
_NEIGHBOURS = 200  # files that are looked at beside a match
_COMPANION_NAME = re.compile(r"\.(json|xml)(\.gz)?$", re.IGNORECASE)

Read = Callable[[Path, SourceNotes], list[FeedHalf]]
ReadPair = Callable[[Path, Path, SourceNotes], list[FeedHalf]]


def starting(*starts: bytes) -> Callable[[bytes], bool]:
    """Recognises files by their first bytes (white space before them does not count)."""
    return lambda head: head.startswith(starts)


def holding(opens: bytes, *patterns: str) -> Callable[[bytes], bool]:
    """Recognises JSON or XML by what opens it (any of these characters) and by patterns that its first 64 KB hold."""
    compiled = [re.compile(pattern.encode()) for pattern in patterns]
    return lambda head: head[:1] in (*(bytes([b]) for b in opens),) and all(found.search(head) for found in compiled)


@dataclass(frozen=True)
class Companion:
    """The second file of a match.

    Attributes:
        called: what the provider calls it.
        recognises: by the first 64 KB of a file.
        read: both files, the events first.
    """

    called: str
    recognises: Callable[[bytes], bool]
    read: ReadPair


@dataclass(frozen=True)
class FeedReader:
    """How one provider's matches are read.

    Attributes:
        provider: its name.
        recognises: by the first 64 KB of a file, without white space and byte order mark before them.
        read: a file's halves; what it does not read, it says in the notes. Or the companion that is read with it.
    """

    provider: str
    recognises: Callable[[bytes], bool]
    read: Read | Companion


_JSON, _XML = b"{[", b"<"
READERS: tuple[FeedReader, ...] = (
    FeedReader("compact table", starting(b"PK\x03\x04"), read_feed_table),
    FeedReader("Metrica (CSV)", starting(metrica_csv.HEADER.encode()), metrica_csv.read_metrica_csv),
    FeedReader(
        "StatsBomb",
        holding(_JSON, r'"possession_team"\s*:', r'"period"\s*:'),
        Companion("line-up", holding(_JSON, r'"team_name"\s*:', r'"lineup"\s*:'), kloppy_files.statsbomb),
    ),
    FeedReader(
        "Sportec",
        holding(_XML, r"<Event\s[^>]*EventTime="),
        Companion("match information", holding(_XML, r"<MatchInformation"), kloppy_files.sportec),
    ),
    FeedReader(
        "Opta",
        holding(_XML, r"<Games", r"<Event "),
        Companion("F7 file", holding(_XML, r"<SoccerFeed"), kloppy_files.opta),
    ),
    FeedReader(
        "Stats Perform",
        holding(_JSON + _XML, r'"typeId"\s*:|typeId=', r'"liveData"|<liveData'),
        Companion("MA1 file", holding(_JSON + _XML, r'"matchInfo"|<matchInfo', r"ineUp"), kloppy_files.stats_perform),
    ),
    FeedReader(
        "Metrica (JSON)",
        holding(_JSON, r'"subtypes"\s*:', r'"start"\s*:'),
        Companion("EPTS metadata", holding(_XML, r"<Metadata|<main>"), kloppy_files.metrica_json),
    ),
    FeedReader("DataFactory", holding(_JSON, r'"incidences"\s*:'), kloppy_files.datafactory),
    FeedReader("Wyscout v3", holding(_JSON, r'"primary"\s*:', r'"matchPeriod"\s*:'), kloppy_files.wyscout_v3),
    FeedReader("OSL JSON", holding(_JSON, r'"data"\s*:\s*\[', r'"inputs"\s*:'), read_osl),
    FeedReader(
        "SoccerNet spotting",
        holding(_JSON, r'"(predictions|annotations)"\s*:', r'"label"\s*:'),
        read_soccernet_spotting,
    ),
    FeedReader(
        "WhoScored",
        holding(_JSON, r'"(matchCentreData|playerIdNameDictionary|expandedMinute)"\s*:'),
        whoscored.read_whoscored,
    ),
    FeedReader("SPADL", is_spadl, read_spadl_file),
    FeedReader("Wyscout v2", holding(_JSON, r'"(events|eventSec|eventName|matchPeriod)"'), read_wyscout_match),
)


def reader_of(path: Path) -> FeedReader | None:
    """The first reader that recognises a file's content; None if it is no feed.

    Raises:
        InputError: no such file, or one that cannot be read.
    """
    head = _head(path)
    return next((reader for reader in READERS if reader.recognises(head)), None)


def _head(path: Path) -> bytes:
    return head_of(path, _HEAD_BYTES).lstrip()


def known_providers() -> str:
    """What a message says of the feeds that can be read."""
    return f"known: {', '.join(reader.provider for reader in READERS)}"


def reader_named(provider: str) -> FeedReader:
    """The reader of a provider, by any spelling of its name.

    Raises:
        InputError: there is none.
    """
    asked = _letters(provider)
    for reader in READERS:
        if _letters(reader.provider) == asked:
            return reader
    raise InputError("--provider", f"{provider!r} is not one of {', '.join(reader.provider for reader in READERS)}")


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def read_feed(
    path: Path | str, notes: SourceNotes | None = None, companions: Sequence[Path] = (), provider: str = ""
) -> list[FeedHalf]:
    """The halves of every match in a file, in its order.

    Args:
        path: a match as its provider ships it, or a compact table.
        notes: told what was recognised and what was not read; says whether bad rows are dropped.
        companions: further files of the match; what a provider needs beside the events is also looked for beside them.
        provider: who made it, where its content does not say so.

    Raises:
        InputError: not a feed, damaged, without events, or without its companion.
    """
    path, notes = Path(path), notes or SourceNotes()
    reader = reader_named(provider) if provider else reader_of(path)
    if reader is None:
        raise InputError(path, "is not an event feed of a known provider", known_providers())
    try:
        if isinstance(reader.read, Companion):
            halves = reader.read.read(path, _companion(path, companions, reader, reader.read), notes)
        else:
            _require_used(companions, reader)
            halves = reader.read(path, notes)
    except RecordError as reason:  # of the rows of a half, which knows no file
        raise InputError(path, reason) from None
    if not any(len(half) for half in halves):
        raise InputError(path, "holds no events of any half")
    notes.provider = reader.provider
    return halves


def _require_used(companions: Sequence[Path], reader: FeedReader) -> None:
    if companions:
        raise InputError(companions[0], f"is not needed: a match of {reader.provider} is one file", "leave it out")


def _companion(path: Path, given: Sequence[Path], reader: FeedReader, companion: Companion) -> Path:
    """The second file: of those that were given, or the one beside the first that is nearest by name."""
    for file in given:
        if companion.recognises(_head(file)):
            return file
    if given:
        raise InputError(given[0], f"is not the {companion.called} of a match of {reader.provider}")
    beside = [file for file in _neighbours(path) if companion.recognises(_head(file))]
    shared = [_shared_letters(file.name, path.name) for file in beside]
    if beside and shared.count(max(shared)) == 1:
        return beside[shared.index(max(shared))]
    what = f"is a match of {reader.provider}, whose {companion.called} was not found beside it"
    if beside:
        what = f"is a match of {reader.provider}; {len(beside)} files beside it could be its {companion.called}"
    raise InputError(path, what, f"give it as well: playahead predict {path.name} {companion.called.upper()}")


def _shared_letters(first: str, second: str) -> int:
    """How many letters two names begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((count for count, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def _neighbours(path: Path) -> list[Path]:
    files = sorted(file for file in path.absolute().parent.iterdir() if file.is_file() and file.name != path.name)
    return [file for file in files if _COMPANION_NAME.search(file.name)][:_NEIGHBOURS]
