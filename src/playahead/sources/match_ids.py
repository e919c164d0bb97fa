"""A number for every match, from what its file says of it."""

import zlib

LARGEST_ID = 2**31 - 1


def match_id(said: object) -> int:
    """The provider's id if it is a whole number that a feed can hold; else a number that stands for it.

    Args:
        said: the id, a file's name, or its content.
    """
    if isinstance(said, bytes):
        return zlib.crc32(said) >> 1
    text = str(said)
    is_number = text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_ID
    return int(text) if is_number else zlib.crc32(text.encode()) >> 1
