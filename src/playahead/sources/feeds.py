"""Any event feed that can be read, whoever provided it.

A provider is one entry of ``READERS``: how its files are recognised, and the function that reads a match
(docs/how-to/add-a-provider.md). Some providers ship a match as two files; the second is the reader's companion.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.feed import FeedHalf
from playahead.io.errors import InputError, RecordError
from playahead.sources import metrica, opta, whoscored
from playahead.sources.datafactory import read_datafactory
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.notes import SourceNotes
from playahead.sources.opened import head_of
from playahead.sources.rates import unusual_rates
from playahead.sources.spadl_files import is_spadl, read_spadl_file
from playahead.sources.sportec import read_sportec
from playahead.sources.spotting_files import read_osl, read_soccernet_spotting
from playahead.sources.statsbomb import read_statsbomb
from playahead.sources.wyscout import read_wyscout_match
from playahead.sources.wyscout_v3 import read_wyscout_v3

_HEAD_BYTES = 65_536

Read = Callable[[Path, SourceNotes], list[FeedHalf]]
ReadPair = Callable[[Path, Path | None, SourceNotes], list[FeedHalf]]


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
        read: both files, the events first. The second is not needed; it is read where it is given, to check that both
            are of one match.
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
    FeedReader("Metrica (CSV)", starting(metrica.HEADER.encode()), metrica.read_metrica_csv),
    FeedReader(
        "StatsBomb",
        holding(_JSON, r'"possession_team"\s*:', r'"period"\s*:'),
        Companion("line-up", holding(_JSON, r'"team_name"\s*:', r'"lineup"\s*:'), read_statsbomb),
    ),
    FeedReader(
        "Sportec",
        holding(_XML, r"<Event\s[^>]*EventTime="),
        Companion("match information", holding(_XML, r"<MatchInformation"), read_sportec),
    ),
    FeedReader(
        "Opta",
        holding(_XML, r"<Games", r"<Event "),
        Companion("F7 file", holding(_XML, r"<SoccerFeed"), opta.read_opta),
    ),
    FeedReader(
        "Stats Perform",
        holding(_JSON + _XML, r'"typeId"\s*:|typeId=', r'"liveData"|<liveData'),
        Companion("MA1 file", holding(_JSON + _XML, r'"matchInfo"|<matchInfo', r"ineUp"), opta.read_stats_perform),
    ),
    FeedReader(
        "Metrica (JSON)",
        holding(_JSON, r'"subtypes"\s*:', r'"start"\s*:'),
        Companion("EPTS metadata", holding(_XML, r"<Metadata|<main>"), metrica.read_metrica_json),
    ),
    FeedReader("DataFactory", holding(_JSON, r'"incidences"\s*:'), read_datafactory),
    FeedReader("Wyscout v3", holding(_JSON, r'"primary"\s*:', r'"matchPeriod"\s*:'), read_wyscout_v3),
    FeedReader("OSL JSON", holding(_JSON, r'"data"\s*:\s*\[', r'"(inputs|position_ms)"\s*:'), read_osl),
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
        companions: further files of the match.
        provider: who made it, where its content does not say so.

    Raises:
        InputError: not a feed, damaged, without events, or with a companion of another match.
    """
    path, notes = Path(path), notes or SourceNotes()
    reader = reader_named(provider) if provider else reader_of(path)
    if reader is None:
        raise InputError(path, "is not an event feed of a known provider", known_providers())
    try:
        if isinstance(reader.read, Companion):
            halves = reader.read.read(path, _companion(companions, reader, reader.read), notes)
        else:
            _require_used(companions, reader)
            halves = reader.read(path, notes)
    except InputError as reason:
        if reason.where != str(path) or reader.provider.split()[0] in str(reason):
            raise
        raise InputError(reason.where, f"{reader.provider}: {reason.what}", reason.fix) from None
    except RecordError as reason:  # of the rows of a half, which knows no file
        raise InputError(path, f"{reader.provider}: {reason}") from None
    if not any(len(half) for half in halves):
        raise InputError(path, "holds no events of any half")
    notes.provider = reader.provider
    notes.unusual += unusual_rates(halves, reader.provider)
    return halves


def matches_among(files: Sequence[Path]) -> list[tuple[Path, list[Path]]]:
    """Each match in a list of files, with its further files: a companion goes with the feed nearest by name.

    Raises:
        InputError: no match, or a file that is neither a feed nor the companion of one in the list.
    """
    readers = {file: reader_of(file) for file in files}
    matches: list[tuple[Path, list[Path]]] = [(file, []) for file in files if readers[file] is not None]
    for file in (file for file in files if readers[file] is None):
        takers = [found for found in matches if _takes(readers[found[0]], file)]
        if not takers:
            raise InputError(file, "is not an event feed of a known provider", known_providers())
        near = max(
            takers, key=lambda found: (found[0].parent == file.parent, _shared_letters(found[0].name, file.name))
        )
        near[1].append(file)
    return matches


def second_file_of(path: Path) -> str:
    """Of which provider's match a file is only the second one, as a message says it; empty if of none."""
    for reader in READERS:
        if isinstance(reader.read, Companion) and reader.read.recognises(_head(path)):
            return f"the {reader.read.called} of a match of {reader.provider}"
    return ""


def _takes(reader: FeedReader | None, file: Path) -> bool:
    """Whether a file is the companion of a reader's matches."""
    companion = reader.read if reader is not None else None
    return isinstance(companion, Companion) and companion.recognises(_head(file))


def _require_used(companions: Sequence[Path], reader: FeedReader) -> None:
    if companions:
        raise InputError(companions[0], f"is not needed: a match of {reader.provider} is one file", "leave it out")


def _companion(given: Sequence[Path], reader: FeedReader, companion: Companion) -> Path | None:
    """The second file, of those that were given."""
    for file in given:
        if companion.recognises(_head(file)):
            return file
    if given:
        raise InputError(given[0], f"is not the {companion.called} of a match of {reader.provider}")
    return None


def _shared_letters(first: str, second: str) -> int:
    """How many letters two names begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((count for count, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))
