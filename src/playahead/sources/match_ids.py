"""Numbers for matches: a feed holds its match as a number, and most sources name theirs in text."""

import re
import zlib
from pathlib import Path

_LARGEST = 2**31 - 1
_SAYS_NO_MATCH = re.compile(
    r"(labels|results|predictions|annotations|actions|events|spadl|match|matchcentre(data)?)"
    r"([-_](ball|spotting|action|actions|events|spadl|atomic|v\d))*",
    re.I,
)
"""Names that a file has whichever match it is of: the folder's name says which."""


def match_id(text: object) -> int:
    """A number of at most 31 bits: the text itself where it is one, else a checksum, the same in every run.

    Args:
        text: the provider's id or a file's name; or bytes, the content of a file that names no match.
    """
    if isinstance(text, bytes):
        return zlib.crc32(text) >> 1
    words = str(text).strip()
    if words.isascii() and words.isdigit() and int(words) <= _LARGEST:
        return int(words)
    return zlib.crc32(words.encode("utf-8", "surrogatepass")) >> 1


def match_id_of_file(path: Path) -> int:
    """The number of a match that only its file's name tells, or its folder's where the name is the same everywhere."""
    stem = path.name.split(".")[0]
    return match_id(path.absolute().parent.name if _SAYS_NO_MATCH.fullmatch(stem) else stem)
