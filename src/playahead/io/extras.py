"""Libraries that only some uses need: which extra of this package brings a missing one."""

import re
from importlib.metadata import requires
from typing import Any

from playahead.io.errors import InputError

_REQUIRED = re.compile(r"([\w-]+).*; extra == ['\"](\w+)['\"]")
_IMPORTED_AS = {"PIL": "pillow"}


def as_frame(rows: Any, columns: Any = None) -> Any:
    """A pandas data frame.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[missing-import]
    except ImportError:
        raise InputError("to_frame", "needs pandas", "pip install pandas") from None
    return pd.DataFrame(rows, columns=columns)


def in_one_line(missing: ModuleNotFoundError) -> str | None:
    """Name what is missing, and the command that installs the smallest extra with it; None if no extra brings it."""
    library = (missing.name or "").partition(".")[0]
    package = _IMPORTED_AS.get(library, library).lower().replace("_", "-")
    brought = [found.groups() for found in map(_REQUIRED.fullmatch, requires("playahead") or ()) if found]
    extras = [extra for name, extra in brought if name.lower() == package]
    if not extras:
        return None
    smallest = min(extras, key=[extra for _, extra in brought].count)
    return f"needs {library}, which is not installed (pip install 'playahead[{smallest}]')"
