"""Answers about a running feed, each when it is due."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import islice
from typing import Protocol

from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.io.errors import InputError
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import EVERY_MS, FeedSession
from playahead.live.session.rows import Line

_SILENT_S = 30.0


class LineSource(Protocol):
    """Where lines come from: ``live.lines.Lines``, or the rows that a server is sent."""

    def next(self, timeout_s: float | None) -> Line | InputError | None:
        """The next one, None at the end; ``TimeoutError`` where none came in time."""
        ...

    def close(self) -> None:
        """Nothing more is wanted."""
        ...


def watch_feed(
    session: FeedSession,
    lines: LineSource,
    speed: float,
    note: Callable[[Line], object] = id,
    refuse: Callable[[InputError], object] = id,
    seconds: Callable[[], float] = time.monotonic,
) -> Generator[Answer, None, None]:
    """Push lines as they come; answer at every full second of the match's clock.

    The clock runs from the half's first line on, ``speed`` times as fast as the machine's; a row that is ahead of it
    puts it forward. It never goes back. At speed 0 it is as late as the newest row. A machine that is too slow for the
    clock leaves out what lies more than 5 s back, and says so.

    Args:
        session: that answers.
        lines: of the source; closed at the end.
        speed: of the match's clock.
        note: is told each line that was taken.
        refuse: is told why a line was not taken; the next answer says so, too.
        seconds: the machine's clock.
    """
    clock = _Clock(speed, seconds)
    with closing(lines):
        while True:
            try:
                line = lines.next(clock.until(session.now_ms + EVERY_MS))
            except TimeoutError:  # one answer, then what came meanwhile: no row is late because this machine is slow
                yield from islice(_due(session, clock, ANTICIPATION_MS), 1)
                continue
            if line is None:
                yield from session.answers()
                return
            _push(session, line, note, refuse)
            if clock.follow(session.half_number, session.newest_ms):
                yield from _due(session, clock, OBSERVATION_MS)


def _due(session: FeedSession, clock: "_Clock", most_behind_ms: int) -> Generator[Answer, None, None]:
    if clock.is_silent(session.newest_ms):
        session.tell(f"no row for {_SILENT_S:.0f} s")
    yield from session.answers(clock.now_ms, most_behind_ms)


def _push(
    session: FeedSession,
    line: Line | InputError,
    note: Callable[[Line], object],
    refuse: Callable[[InputError], object],
) -> None:
    """A line that cannot be used is told, and costs nothing but itself."""
    try:
        if isinstance(line, InputError):
            raise line
        session.push(line)
    except InputError as reason:
        session.tell(str(reason))
        refuse(reason)
    else:
        note(line)


class _Clock:
    """The time of the half under way, ``speed`` times as fast as the machine's clock."""

    def __init__(self, speed: float, seconds: Callable[[], float]) -> None:
        self._speed, self._seconds = speed, seconds
        self._half, self._started_s, self._told_silent = 0, 0.0, False

    @property
    def now_ms(self) -> int | None:
        """None is the newest row's."""
        return round((self._seconds() - self._started_s) * self._speed * 1000) if self._speed and self._half else None

    def follow(self, half: int, newest_ms: int) -> bool:
        """Of a new half, or where a row is ahead, the clock shows that row's time; whether it was moved."""
        if not self._speed:
            return True
        started_s = self._seconds() - newest_ms / 1000 / self._speed
        if half != self._half or started_s < self._started_s:
            self._half, self._started_s = half, started_s
            return True
        return False

    def until(self, time_ms: int) -> float | None:
        """Seconds of the machine until then; None where only a line can bring it."""
        now_ms = self.now_ms
        return None if now_ms is None else max(0.0, (time_ms - now_ms) / 1000 / self._speed)

    def is_silent(self, newest_ms: int) -> bool:
        """Whether nothing has come for long; said once."""
        silent = self.now_ms is not None and self.now_ms - newest_ms >= _SILENT_S * 1000
        first, self._told_silent = silent and not self._told_silent, silent
        return first
