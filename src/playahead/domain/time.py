"""Every conversion between milliseconds, frames, seconds and clocks, and nowhere else."""

import re

from playahead.io.errors import RecordError

_A_DAY_S = 86_400
LONGEST_HALF_MS = 3 * 3_600_000
"""A later time is a wrong unit or a damaged file, not a long half."""
_GAME_TIME = re.compile(r"^\s*([1-5])\s*-\s*(\d{1,3}):([0-5]\d)\s*$")
_CLOCK = re.compile(r"^(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$|^(\d+(?:\.\d+)?)$")


def whole_ms(value: object) -> int:
    """A time in whole milliseconds from an int or a string of digits, as label files hold them.

    Raises:
        RecordError: NaN, a fraction, a boolean or anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise RecordError(f"position {value!r} is not a whole number of milliseconds")
    if not re.fullmatch(r"\s*-?[0-9]{1,12}\s*", str(value)):
        raise RecordError(f"position {value!r} is not a whole number of milliseconds")
    return int(value)


def parse_game_time(text: str) -> tuple[int, int]:
    """``"1 - 12:34"`` -> (period, milliseconds into it); 3 and 4 are extra time, 5 is the shoot-out."""
    match = _GAME_TIME.match(str(text))
    if match is None:
        raise RecordError(f"gameTime {text!r} is not of the form '1 - 12:34'")
    half, minutes, seconds = (int(part) for part in match.groups())
    return half, (minutes * 60 + seconds) * 1000


def parse_clock(text: str) -> int:
    """``"12:30"``, ``"1:02:03.5"`` or ``"750"`` (seconds) -> milliseconds."""
    match = _CLOCK.match(str(text).strip())
    if match is None:
        raise RecordError(f"time {text!r} is not of the form 12:30, 1:02:30 or 750 (seconds)")
    hours, minutes, seconds, plain = match.groups()
    seconds_in_all = float(plain) if plain else int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    if seconds_in_all > _A_DAY_S:
        raise RecordError(f"time {text!r} is more than a day")
    return round(seconds_in_all * 1000)


def parse_kick_offs(text: str) -> dict[int, int]:
    """``"0:12,58:40"`` -> when each half starts on a clock that runs through the match, in milliseconds."""
    return {half: parse_clock(part) for half, part in enumerate(text.split(","), start=1) if part.strip()}


def format_clock(time_ms: int) -> str:
    """Milliseconds -> ``"12:34.5"``, the clock that tables show."""
    tenths = round(time_ms / 100)
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}"


def format_duration(seconds: float) -> str:
    """Seconds -> ``"1 h 02 min"``, ``"3 min 05 s"`` or ``"12 s"``: how long work takes."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
