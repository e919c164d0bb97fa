"""The content of a source's file: unpacked if it is gzipped, text as UTF-8 whichever Unicode encoding it came in."""

import gzip
import json
import re
import zlib
from pathlib import Path

from playahead.io.errors import InputError
from playahead.io.files import read_bytes, readable_size, require_file

MOST_BYTES = 256 * 1024 * 1024
"""Of a file, unpacked. The largest real files (a season's labels, a submission) hold a tenth of that."""
_GZIP = b"\x1f\x8b"
_XML_ENCODING = re.compile(rb"""^(<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']""")


def read_source(path: Path) -> bytes:
    """A whole file, unpacked, its text in UTF-8 without a byte order mark.

    Raises:
        InputError: no ordinary file, larger than ``MOST_BYTES``, damaged, or not the text that it begins as.
    """
    content = read_unpacked(path)
    try:
        return _as_utf8(content, "strict")
    except UnicodeDecodeError as reason:
        raise InputError(path, f"not text ({reason})", "is the file whole?") from None


def read_source_text(path: Path) -> str:
    """A whole text file in a Unicode encoding, unpacked.

    Raises:
        InputError: as of ``read_source``, or no text in Unicode.
    """
    try:
        return read_source(path).decode("utf-8")
    except UnicodeDecodeError as reason:
        raise InputError(path, f"cannot be read as text ({reason})") from None


def read_unpacked(path: Path) -> bytes:
    """A whole file, unpacked if it is gzipped, its bytes as they are.

    Raises:
        InputError: no ordinary file, larger than ``MOST_BYTES``, or damaged.
    """
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
    """The first bytes of what ``read_source`` gives; of a damaged file, what can be read of them.

    Raises:
        InputError: no such file, or one that cannot be read.
    """
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
