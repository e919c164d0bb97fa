"""Reading files that somebody else wrote: unpacked, as text, JSON or XML, and what every reader is given of them."""

import gzip
import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field as attribute
from pathlib import Path
from xml.etree import ElementTree

from playahead.domain.notices import Notices
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.io.files import read_bytes, readable_size, require_file, strict_json

MOST_BYTES = 256 * 1024 * 1024
"""Largest size of a file, unpacked. The largest real files (a season's labels, a submission) hold a tenth of that."""
NO_VIDEO = (".csv", ".json", ".jsonl", ".npz", ".parquet", ".txt", ".xml")
"""Endings of files that no video has."""
_GZIP = b"\x1f\x8b"
_XML_ENCODING = re.compile(rb"""^(<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']""")
LARGEST_ID = 2**31 - 1
"""Ids are stored as int32 in compact feed tables."""
_SAYS_NO_MATCH = re.compile(
    r"(labels|results|predictions|annotations|actions|events|spadl|match|matchcentre(data)?)"
    r"([-_](ball|spotting|action|actions|events|spadl|atomic|v\d))*",
    re.I,
)
"""Names that a file has whichever match it is of: the folder's name says which."""


@dataclass(frozen=True)
class FeedFile:
    """A feed to read, and how.

    Attributes:
        path: the file; of a match in two files, the one of its events.
        companion: the second file of the match; None if there is none, or it was not given.
        notices: collector of what a reader of the rows should know.
        drop_bad_rows: leave out rows that cannot be, and count them; else the first one is an error.
        kick_offs_ms: start of each half in its video, for files that hold a whole match on one clock.
    """

    path: Path
    companion: Path | None = None
    notices: Notices = attribute(default_factory=Notices)
    drop_bad_rows: bool = False
    kick_offs_ms: Mapping[int, int] = attribute(default_factory=dict)

    def bad_row(self, reason: InputError) -> None:
        """Count a row that cannot be; raise the reason unless bad rows are dropped."""
        if not self.drop_bad_rows:
            raise InputError(reason.where, reason.what, reason.fix or "drop_bad_rows leaves such rows out")
        self.notices.count("bad rows dropped", example=f"{reason.where}: {reason.what}")


def read_source(path: Path) -> bytes:
    """A whole file, unpacked, its text in UTF-8 without a byte order mark.

    Raises:
        InputError: no ordinary file, larger than ``MOST_BYTES``, damaged, or not the text that it begins as. So do all
            readers of whole files below.
    """
    try:
        return _as_utf8(read_unpacked(path), "strict")
    except UnicodeDecodeError as reason:
        raise InputError(path, f"not text ({reason})", "is the file whole?") from None


def read_source_text(path: Path) -> str:
    """A whole text file in a Unicode encoding, unpacked."""
    try:
        return read_source(path).decode("utf-8")
    except UnicodeDecodeError as reason:
        raise InputError(path, f"cannot be read as text ({reason})") from None


def read_unpacked(path: Path) -> bytes:
    """A whole file, unpacked if it is gzipped, its bytes as they are."""
    content = read_bytes(path, MOST_BYTES)
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.open(path) as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as reason:
        raise InputError(path, f"cannot be unpacked ({reason})", "is the file whole?") from None
    if len(content) > MOST_BYTES:
        raise InputError(path, f"unpacks to more than {readable_size(MOST_BYTES)}")
    return content


def head_of(path: Path, n_bytes: int) -> bytes:
    """The first bytes of what ``read_source`` gives; of a damaged file, what can be read of them."""
    require_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(n_bytes)
    except OSError as reason:
        raise InputError(path, f"cannot be read ({reason.strerror})") from None
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, n_bytes)
        except zlib.error:
            return b""
    return _as_utf8(head, "ignore")


def _as_utf8(content: bytes, errors: str) -> bytes:
    """Text as UTF-8; bytes that do not begin like UTF-16 or UTF-32 stay as they are."""
    encoding = json.detect_encoding(content)  # by a byte order mark, or by where the zero bytes are
    if encoding.startswith("utf-8"):
        return content.removeprefix(b"\xef\xbb\xbf")
    text = content.decode(encoding, errors).removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    return _XML_ENCODING.sub(rb"\1", text, count=1)  # a parser would believe the old encoding


def read_json(path: Path) -> object:
    """Parsed JSON, in UTF-8, UTF-16 or UTF-32, with or without a byte order mark, gzipped or not."""
    return parse_json(read_source(Path(path)), path)


def parse_json(content: bytes, where: object) -> object:
    """JSON from bytes; an InputError for what is not JSON (with line and column), and for a key given twice."""
    try:
        return strict_json(content)
    except UnicodeDecodeError as reason:
        raise InputError(where, f"not text ({reason})", "is it JSON?") from None
    except (ValueError, RecursionError) as reason:  # ValueError: also an integer of too many digits
        raise InputError(where, f"not JSON: {reason}", "is the file cut short?") from None


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file, in any encoding that it declares; nothing outside the file is opened."""
    try:
        return ElementTree.fromstring(read_source(path))
    except (ElementTree.ParseError, LookupError, ValueError) as reason:  # also an encoding that Python does not know
        raise InputError(path, f"not XML: {reason}", "is the file cut short?") from None


Recognise = Callable[[bytes], bool]
"""Tests the first 64 KB of a file, without white space and byte order mark before them."""


def starting(*starts: bytes) -> Recognise:
    """Recognises files by their first bytes (white space before them does not count)."""
    return lambda head: head.startswith(starts)


def matching(pattern: str) -> Recognise:
    """Recognises files by a pattern that their first bytes match."""
    compiled = re.compile(pattern.encode())
    return lambda head: compiled.match(head) is not None


def holding(opens: bytes, *patterns: str) -> Recognise:
    """Recognises JSON or XML by what opens it (any of these characters) and by patterns that its first 64 KB hold."""
    compiled = [re.compile(pattern.encode()) for pattern in patterns]
    return lambda head: bool(head) and head[0] in opens and all(pattern.search(head) for pattern in compiled)


def as_object(value: object, where: str) -> dict[str, object]:
    """A JSON object, or an error that says where one was expected."""
    if isinstance(value, dict):
        return value
    raise InputError(where, f"expected an object, found {'nothing' if value is None else type(value).__name__}")


def as_list(value: object, where: str) -> list[object]:
    """A JSON array, or an error that says where one was expected."""
    if isinstance(value, list):
        return value
    raise InputError(where, f"expected a list, found {'nothing' if value is None else type(value).__name__}")


def field(entry: Mapping[str, object], name: str, where: str) -> object:
    """A field that must be there."""
    if name not in entry:
        raise InputError(where, f"has no {name!r}")
    return entry[name]


def list_in(entry: Mapping[str, object], name: str, where: str) -> list[object]:
    """A list that must be there."""
    return as_list(field(entry, name, where), f"{where}: {name}")


def number(value: object) -> float:
    """A number, also where it is written as text; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def time_ms(value: object, name: str, where: str) -> int:
    """A time within a half, in whole milliseconds; an InputError for anything else."""
    time = number(value)
    if not 0 <= time <= LONGEST_HALF_MS:
        raise InputError(where, f"{name} {value!r} is not a time in milliseconds")
    return round(time)


def match_id(text: object) -> int:
    """A number of at most 31 bits: the text itself where it is one, else a checksum, the same in every run.

    Args:
        text: the provider's id or a file's name; or bytes, the content of a file that names no match.
    """
    if not isinstance(text, bytes):
        words = str(text).strip()
        if words.isascii() and words.isdigit() and int(words) <= LARGEST_ID:
            return int(words)
        text = words.encode("utf-8", "surrogatepass")
    return zlib.crc32(text) >> 1


def match_id_of_file(path: Path) -> int:
    """The number of a match that only its file's name tells, or its folder's where the name is the same everywhere."""
    stem = path.name.split(".")[0]
    return match_id(path.absolute().parent.name if _SAYS_NO_MATCH.fullmatch(stem) else stem)
