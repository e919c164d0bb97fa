"""Reading JSON that somebody else wrote."""

import math
from pathlib import Path

from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.io.files import strict_json
from playahead.sources.opened import read_source


def read_json(path: Path) -> object:
    """Parsed JSON, in UTF-8, UTF-16 or UTF-32, with or without a byte order mark, gzipped or not.

    Raises:
        InputError: missing, no ordinary file, too large, truncated, a key given twice, or not JSON (with line and
            column).
    """
    path = Path(path)
    return parse_json(read_source(path), path)


def parse_json(content: bytes, where: object) -> object:
    """JSON from bytes, as strict as ``read_json``.

    Raises:
        InputError: not JSON, or a key given twice.
    """
    try:
        return strict_json(content)
    except UnicodeDecodeError as reason:
        raise InputError(where, f"not text ({reason})", "is it JSON?") from None
    except (ValueError, RecursionError) as reason:  # ValueError: also an integer of too many digits
        raise InputError(where, f"not JSON: {reason}", "is the file cut short?") from None


def as_object(value: object, where: str) -> dict[str, object]:
    """A JSON object, or an error that says where one was expected."""
    if not isinstance(value, dict):
        raise InputError(where, f"expected an object, found {_kind(value)}")
    return value


def as_list(value: object, where: str) -> list[object]:
    """A JSON array, or an error that says where one was expected."""
    if not isinstance(value, list):
        raise InputError(where, f"expected a list, found {_kind(value)}")
    return value


def field(entry: dict[str, object], name: str, where: str) -> object:
    """A field that must be there."""
    if name not in entry:
        raise InputError(where, f"has no {name!r}")
    return entry[name]


def number(value: object) -> float:
    """A number, also where it is written as text; NaN for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def time_ms(value: object, name: str, where: str) -> int:
    """A time within a half, in whole milliseconds.

    Raises:
        InputError: it is none.
    """
    found = number(value)
    if not 0 <= found <= LONGEST_HALF_MS:
        raise InputError(where, f"{name} {value!r} is not a time in milliseconds")
    return round(found)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
