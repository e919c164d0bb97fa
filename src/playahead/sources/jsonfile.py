"""Reading JSON that somebody else wrote."""

import json
from pathlib import Path

from playahead.errors import InputError


def read_json(path: Path) -> object:
    """Parsed JSON.

    Raises:
        InputError: missing, unreadable, truncated, not UTF-8, or not JSON (with line and column).
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (OSError, UnicodeDecodeError) as reason:
        raise InputError(path, f"cannot be read ({reason})") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as reason:  # ValueError: also an integer of too many digits
        raise InputError(path, f"not JSON: {reason}", "is the file cut short?") from None


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


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
