"""A whole match in one video: its halves, where somebody says when they start, or a word about the break inside."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from playahead.domain.time import format_clock
from playahead.io.errors import InputError

_LONGEST_HALF_MS = 60 * 60_000
_BREAK_MS = (8 * 60_000, 30 * 60_000)


def half_at(time_ms: int, kick_offs_ms: Mapping[int, int]) -> tuple[int, int] | None:
    """The half that a time of a video lies in, and the time from that half's start; None before the first kick-off.

    Raises:
        InputError: a half starts before the one before it.
    """
    for before, half in pairwise(sorted(kick_offs_ms)):
        if kick_offs_ms[half] <= kick_offs_ms[before]:
            raise InputError("kick_off", f"half {half} does not start after half {before}", "as 0:12,58:40")
    half = max((half for half, start_ms in kick_offs_ms.items() if start_ms <= time_ms), default=None)
    return None if half is None else (half, time_ms - kick_offs_ms[half])


def break_inside(times_ms: Sequence[int]) -> str:
    """What to say of a half that is too long to be one; empty of any other."""
    times = sorted(times_ms)
    if not times or times[-1] - times[0] <= _LONGEST_HALF_MS:
        return ""
    middle_ms = (times[0] + times[-1]) / 2
    gaps = [(a, b) for a, b in pairwise(times) if _BREAK_MS[0] <= b - a <= _BREAK_MS[1]]
    said = f"a half of {(times[-1] - times[0]) // 60_000} minutes looks like a whole match"
    if gaps:
        start_ms, end_ms = min(gaps, key=lambda gap: abs(sum(gap) / 2 - middle_ms))
        said += f", and from {format_clock(start_ms)} to {format_clock(end_ms)} like its break"
    return f"{said}: give the kick-offs of both halves (kick_off, as 0:12,58:40)"
