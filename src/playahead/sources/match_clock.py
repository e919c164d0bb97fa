"""Times within halves, from clocks that start elsewhere.

A match clock goes on at 45:00 after the break, at 90:00 and 105:00 in extra time. Labelled actions give their time
twice, by ``gameTime`` and by ``position``; a position may count from the start of a video that holds the whole match,
or in another unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median, median_low
from typing import NamedTuple

from playahead.domain.notices import Notices
from playahead.domain.time import format_clock
from playahead.io.errors import InputError

SLACK_MS = 5000
"""Largest difference of the two: a game time has whole seconds, and annotators are no clocks."""
CLOCK_STARTS_MS = {half: minutes * 60_000 for half, minutes in ((1, 0), (2, 45), (3, 90), (4, 105))}
"""Time that a match clock shows when each half begins."""
_LONGEST_HALF_MS = 60 * 60_000
_BREAK_MS = (8 * 60_000, 30 * 60_000)
_MOST = 0.9  # of a half's times: so many are no mistake


class Stamp(NamedTuple):
    """Time of one action, as its file gives it: place in the file, half, ``gameTime`` and ``position`` if there are."""

    where: str
    half: int
    clock_ms: int | None
    position_ms: int | None


def late_starts(times: Iterable[tuple[int, float]], notices: Notices) -> dict[int, int]:
    """Clock at the start of each half whose clock does not begin at 0; a notice names the half.

    Args:
        times: half, and time that the clock shows, of each event.
        notices: collector.
    """
    late = {half: start_ms for half, start_ms in sorted(_clock_starts(times).items()) if start_ms}
    for half, start_ms in late.items():
        notices.add(_started_late(half, start_ms))
    return late


def _clock_starts(times: Iterable[tuple[int, float]]) -> dict[int, int]:
    """Clock at the start of each half: 0, or the minutes played so far.

    A half is taken to start at the match clock's minute if nothing in it comes before that minute. One late action
    alone says little, so where another half's clock does start at 0, times must be later than any half lasts.
    """
    times_ms: dict[int, list[float]] = {}
    for half, time_ms in times:
        times_ms.setdefault(half, []).append(time_ms)
    late = {half: CLOCK_STARTS_MS[half] for half in times_ms if CLOCK_STARTS_MS.get(half)}
    shares = {
        half: sum(ms >= start_ms - SLACK_MS for ms in times_ms[half]) / len(times_ms[half])
        for half, start_ms in late.items()
    }
    restarts = any(share < _MOST for share in shares.values())
    starts = dict.fromkeys(times_ms, 0)
    for half, share in shares.items():
        beyond_any_half = max(times_ms[half]) >= _LONGEST_HALF_MS
        if (share == 1 and not restarts) or (share >= _MOST and beyond_any_half):
            starts[half] = late[half]
    return starts


def _started_late(half: int, start_ms: int) -> str:
    return f"half {half}: its clock starts at {start_ms // 60_000}:00; its times are counted from there"


def times_in_halves(stamps: Sequence[Stamp], notices: Notices, one_video: bool = False) -> list[int | InputError]:
    """Milliseconds from each action's half's start, or why there is no such time.

    Args:
        stamps: times of all actions of a match.
        notices: collector; it names halves whose times were moved.
        one_video: positions count from the start of one video, wherever the halves lie in it.

    Raises:
        InputError: most positions contradict their game times, as in another unit.
    """
    shown = ((stamp.half, stamp.position_ms if stamp.clock_ms is None else stamp.clock_ms) for stamp in stamps)
    starts = _clock_starts((half, time_ms) for half, time_ms in shown if time_ms is not None)
    # Each time from its half's start: by position where there is one and it agrees with the clock.
    origins = {half: _origins(half, starts[half], stamps, one_video) for half in starts}
    times = [_time_ms(stamp, starts[stamp.half], origins[stamp.half]) for stamp in stamps]
    # Many contradictions are another unit, a few are mistakes of single entries.
    twice = [stamp for stamp in stamps if None not in (stamp.clock_ms, stamp.position_ms)]
    apart = [stamp for stamp, time_ms in zip(stamps, times, strict=True) if time_ms is None]
    if 2 * len(apart) > len(twice):
        unit = _unit(apart, starts)
        what = _contradiction(apart[0]) + (f", as do {len(apart):,} of {len(twice):,}" if len(apart) > 1 else "")
        what += f": positions look like {unit}" if unit else ""
        raise InputError(apart[0].where, what, "position is in milliseconds from the start of its half")
    for half, start_ms in sorted(starts.items()):
        moved = any(s.half == half and s.position_ms != t for s, t in zip(stamps, times, strict=True))
        if moved and start_ms:
            notices.add(_started_late(half, start_ms))
    for half, (origin_ms, *others) in sorted(origins.items()):
        if not others:  # a place in a video
            clock, part = format_clock(abs(origin_ms)), "half" if origin_ms < 0 else "video"
            starts_at = f"its video starts at {clock}" if origin_ms < 0 else f"starts at {clock}"
            notices.add(f"half {half}: {starts_at} of the {part}, by its game times")
    return [_checked(stamp, time_ms, starts) for stamp, time_ms in zip(stamps, times, strict=True)]


def _origins(half: int, start_ms: int, stamps: Sequence[Stamp], one_video: bool) -> tuple[int, ...]:
    """Times from which a half's positions may count: its own start, the match clock's, or its place in a video."""
    # How much later each position is than its clock says.
    apart = [
        stamp.position_ms - (stamp.clock_ms - start_ms)
        for stamp in stamps
        if stamp.half == half and stamp.clock_ms is not None and stamp.position_ms is not None
    ]
    usual = (0, CLOCK_STARTS_MS.get(half, 0))
    if not one_video or not apart:
        return usual
    middle_ms = median_low(apart)
    if min(abs(middle_ms - origin_ms) for origin_ms in usual) <= SLACK_MS:
        return usual
    # a game time leaves out the part of a second, so the least difference is nearest to the truth
    return (min(ms for ms in apart if abs(ms - middle_ms) <= SLACK_MS),)


def _time_ms(stamp: Stamp, start_ms: int, origins: Sequence[int]) -> int | None:
    """A time from the half's start; None where position and clock agree for no origin."""
    if stamp.position_ms is None or stamp.clock_ms is None:
        given_ms = stamp.clock_ms if stamp.position_ms is None else stamp.position_ms
        return (given_ms or 0) - start_ms
    clock_ms = stamp.clock_ms - start_ms
    time_ms = min((stamp.position_ms - origin_ms for origin_ms in origins), key=lambda ms: abs(ms - clock_ms))
    return time_ms if abs(time_ms - clock_ms) <= SLACK_MS else None


def _checked(stamp: Stamp, time_ms: int | None, starts: Mapping[int, int]) -> int | InputError:
    if time_ms is None:
        return InputError(stamp.where, _contradiction(stamp))
    if stamp.position_ms is not None and stamp.position_ms < 0:
        return InputError(stamp.where, f"position {stamp.position_ms} ms is negative")
    if time_ms < -SLACK_MS:
        return InputError(stamp.where, f"lies before {starts[stamp.half] // 60_000}:00, where its half's clock starts")
    return max(time_ms, 0)


def _contradiction(stamp: Stamp) -> str:
    minutes, seconds = divmod((stamp.clock_ms or 0) // 1000, 60)
    return f"position {stamp.position_ms} ms contradicts gameTime '{stamp.half} - {minutes:02d}:{seconds:02d}'"


def _unit(apart: Sequence[Stamp], starts: Mapping[int, int]) -> str:
    """Unit of the positions, by how many of them pass in a second of the game."""
    played = [(one, (one.clock_ms or 0) - starts[one.half]) for one in apart]
    rates = [1000 * (one.position_ms or 0) / clock_ms for one, clock_ms in played if clock_ms > 0]
    rate = median(rates) if rates else 0.0
    if 0.9 < rate < 1.1:
        return "seconds"
    return f"frames, {rate:.0f} a second" if 1.5 < rate < 250 else ""


def half_at(time_ms: int, kick_offs_ms: Mapping[int, int]) -> tuple[int, int] | None:
    """The half that a time of a video lies in, and the time from that half's start; None before the first kick-off."""
    for before, half in pairwise(sorted(kick_offs_ms)):
        if kick_offs_ms[half] <= kick_offs_ms[before]:
            raise InputError("kick_off", f"half {half} does not start after half {before}", "as 0:12,58:40")
    half = max((half for half, start_ms in kick_offs_ms.items() if start_ms <= time_ms), default=None)
    return None if half is None else (half, time_ms - kick_offs_ms[half])


def break_inside(times_ms: Sequence[int]) -> str:
    """A notice about a half that is too long to be one; empty for any other."""
    times = sorted(times_ms)
    if not times or times[-1] - times[0] <= _LONGEST_HALF_MS:
        return ""
    middle_ms = (times[0] + times[-1]) / 2
    gaps = [(a, b) for a, b in pairwise(times) if _BREAK_MS[0] <= b - a <= _BREAK_MS[1]]
    text = f"a half of {(times[-1] - times[0]) // 60_000} minutes looks like a whole match"
    if gaps:
        start_ms, end_ms = min(gaps, key=lambda gap: abs(sum(gap) / 2 - middle_ms))
        text += f", and from {format_clock(start_ms)} to {format_clock(end_ms)} like its break"
    return f"{text}: give the kick-offs of both halves (kick_off, as 0:12,58:40)"
