"""Any event feed that can be read, whoever provided it.

A provider is one entry of ``READERS``: how its files are recognised, and the function that reads a match
(docs/how-to/add-a-provider.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.feed import FeedHalf
from playahead.errors import InputError, RecordError
from playahead.files import require_file
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.notes import SourceNotes
from playahead.sources.wyscout import read_wyscout_match


@dataclass(frozen=True)
class FeedReader:
    """How one provider's matches are read.

    Attributes:
        provider: its name.
        starts_with: the first bytes of its files (white space before them does not count), any of these.
        read: a file's halves; what it does not read, it says in the notes.
    """

    provider: str
    starts_with: tuple[bytes, ...]
    read: Callable[[Path, SourceNotes], list[FeedHalf]]


READERS: tuple[FeedReader, ...] = (
    FeedReader("compact table", (b"PK\x03\x04",), read_feed_table),
    FeedReader("Wyscout v2", (b"{", b"["), read_wyscout_match),
)

_HEAD_BYTES = 256


def reader_of(path: Path) -> FeedReader | None:
    """The first reader that recognises a file's content; None if it is no feed.

    Raises:
        InputError: no such file, or one that cannot be read.
    """
    require_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as reason:
        raise InputError(path, f"cannot be read ({reason.strerror})") from None
    return next((reader for reader in READERS if head.startswith(reader.starts_with)), None)


def known_providers() -> str:
    """What a message says of the feeds that can be read."""
    return f"known: {', '.join(reader.provider for reader in READERS)}"


def read_feed(path: Path | str, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of every match in a file, in its order.

    Args:
        path: a match as its provider ships it, or a compact table.
        notes: told what was not read; says whether bad rows are dropped.

    Raises:
        InputError: not a feed, damaged, or without events.
    """
    path = Path(path)
    reader = reader_of(path)
    if reader is None:
        raise InputError(path, "is not an event feed of a known provider", known_providers())
    try:
        halves = reader.read(path, notes or SourceNotes())
    except RecordError as reason:  # of the rows of a half, which knows no file
        raise InputError(path, reason) from None
    if not any(len(half) for half in halves):
        raise InputError(path, "holds no events of any half")
    return halves
