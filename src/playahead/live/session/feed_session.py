"""A running match through its event feed: rows in, an answer every second, each when it is due."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import islice
from operator import attrgetter

import numpy as np

from playahead.decoding.shown import MinConfidence
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import (
    COLUMNS,
    HOME_AND_AWAY,
    LONGEST_DELAY_MS,
    UNKNOWN,
    FeedHalf,
    FeedRow,
    Tally,
    require_possible,
)
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.features.forms import possession_at
from playahead.inference.any_predictor import AnyPredictor
from playahead.io.channel import Channel
from playahead.io.errors import InputError
from playahead.live.session.answer import Answer, RecentWindows, SeenRow
from playahead.live.session.lines import Line, Reports, Tick

EVERY_MS = 1_000
MOST_ROWS = 5_000
"""Rows in the 40 s that are kept: 125 a second, where a full feed has one or two."""
_LATE_MS = 1_000  # a smaller delay deserves no notice
_MOST_NOTICES = 20  # of one answer
_SILENT_S = 30.0
_TEN_ACTIONS = frozenset(range(len(ACTIONS)))
_NEEDS_MS = OBSERVATION_MS + 2 * GRID.window_ms
_ABOUT = tuple(name for name in COLUMNS if not name.endswith("_ms"))
_attributes = attrgetter(*_ABOUT)
_TIMES = ("t_ms", "delay_ms", "late_ms")
_NO_ROWS = FeedHalf.from_rows(0, 1, [])
_COLUMNS = np.dtype([(name, COLUMNS[name]) for name in (*_TIMES, *_ABOUT)])


class FeedSession:
    """Anticipates all through a half, as its rows arrive.

    Rows may come in any order. A row that comes after its moment was answered for counts from the next answer on, as a
    late row (``late_ms``). No answer changes afterwards: the numbers are those of ``predict`` on the rows with their
    ``late_ms``. Rows are kept for as long as an answer can look at them.

    Args:
        predictor: model.
        min_confidence: see ``LiveConfig``.
        turn: held while an answer is computed, if sessions of other threads take turns.

    Attributes:
        notices: what to say with the next answer.
        newest_ms: time of the newest row or tick of the half under way.
        took_s: duration of computing the latest answer.
    """

    def __init__(
        self, predictor: AnyPredictor, min_confidence: MinConfidence = None, turn: AbstractContextManager | None = None
    ) -> None:
        self._predictor, self._turn = predictor, turn or nullcontext()
        self._windows = RecentWindows(predictor, min_confidence)
        self._reports, self._teams = _TEN_ACTIONS, HOME_AND_AWAY
        self.notices = Notices(_MOST_NOTICES)
        self.took_s = 0.0
        self._start(half=0, now_ms=0)

    def _start(self, half: int, now_ms: int) -> None:
        """Begin a half that is watched from this moment on."""
        self.half_number, self._from_ms, self.now_ms = half, now_ms, now_ms
        self._rows, self._n_rows = np.zeros(MOST_ROWS, _COLUMNS), 0  # in order of arrival
        self._forgot_ms = self.newest_ms = now_ms
        self._tally: Tally | None = None
        self._windows.clear()

    def push(self, line: Line) -> None:
        """Take a row, a tick, or what the source reports.

        Raises:
            InputError: a row of a code that the source does not report, or ``Reports`` after the first row.
            RecordError: a row that no feed can hold.
        """
        if isinstance(line, Reports):
            if self.half_number and line.codes != self._reports:
                raise InputError("reports", "come before the first row")
            self._reports, self._teams = line.codes or _TEN_ACTIONS, line.teams
            return
        if isinstance(line, FeedRow):
            require_possible(line)
        if line.half < self.half_number:
            self.notices.count(f"rows of half {line.half}, which is over")
            return
        at_ms = line.now_ms if isinstance(line, Tick) else line.t_ms
        if isinstance(line, FeedRow) and line.code not in self._reports:
            raise InputError("action", "was not declared in `reports`", 'name it in {"reports": [...]} first')
        if line.half > self.half_number:
            self._start(line.half, at_ms // EVERY_MS * EVERY_MS if at_ms > OBSERVATION_MS else 0)
        if isinstance(line, FeedRow):
            self._take(line)
        elif at_ms < self.newest_ms:
            self.notices.count("ticks that went back")
        self.newest_ms = max(self.newest_ms, at_ms)

    def _take(self, row: FeedRow) -> None:
        # A row that became known before the latest answer is late by the time since then.
        late_ms = max(0, self.now_ms - row.t_ms - row.delay_ms)
        if late_ms > LONGEST_DELAY_MS:
            self.notices.count("rows over a minute late, not used")
            return
        if late_ms >= _LATE_MS:
            self.notices.count("rows over a second late")
        if self._n_rows == MOST_ROWS and self._forgot_ms != self.now_ms:
            self._forget(self._predictor.reading.seen(self.half()))
        if self._n_rows == MOST_ROWS:
            self.notices.count(f"rows not used: more than {MOST_ROWS:,} in {_NEEDS_MS // 1000} s")
            return
        self._rows[self._n_rows] = (row.t_ms, row.delay_ms, late_ms, *_attributes(row))
        self._n_rows += 1

    def answers(self, now_ms: int | None = None, most_behind_ms: int = OBSERVATION_MS) -> Iterator[Answer]:
        """Answer for every full second up to a moment that was not answered for yet.

        Args:
            now_ms: time of the half under way; the newest row's or tick's time if None.
            most_behind_ms: longest time to look back; earlier moments are left out, with a notice.
        """
        until_ms = self.newest_ms if now_ms is None else now_ms
        if not self.half_number:
            return
        skipped_ms = (until_ms - most_behind_ms - self.now_ms) // EVERY_MS * EVERY_MS
        if skipped_ms > 0:  # what is past cannot be anticipated
            self.notices.add(f"{skipped_ms // 1000} s without an answer")
            self.now_ms += skipped_ms
        while self.now_ms + EVERY_MS <= until_ms:
            self.now_ms += EVERY_MS
            yield self._answer()

    def answer_at(self, now_ms: int) -> Answer:
        """Answer for one moment, not before the latest that was answered for."""
        self.now_ms = now_ms
        return self._answer()

    def _answer(self) -> Answer:
        with self._turn:
            return self._computed()

    def _computed(self) -> Answer:
        started_s = time.perf_counter()
        now_ms, known = self.now_ms, self.half()
        track = self._predictor.prepare(known)
        possession = possession_at(track, np.array([now_ms]))
        anticipations, intensity_RC, chance_HC = self._windows.anticipate(now_ms, track.at, possession)
        seen_ms = known.seen_ms(now_ms)
        self._forget(track.half)
        self.took_s = time.perf_counter() - started_s
        return Answer(
            half=self.half_number,
            now_ms=now_ms,
            seen_ms=seen_ms,
            seen=_seen(known, now_ms),
            expected=[one.at(now_ms, seen_ms, half=self.half_number) for one in anticipations],
            notices=self.notices.take(),
            intensity_RC=intensity_RC,
            teams=self._teams,
            chance_HC=chance_HC,
            possession=None if possession is None or possession.side_O[0] < 0 else self._teams[possession.side_O[0]],
        )

    def _forget(self, shown: FeedHalf) -> None:
        """Count rows that lie more than 30 s back, as the model is shown them; drop what no later answer looks at."""
        self._tally = shown.tally_until(self.now_ms - OBSERVATION_MS)
        rows = self._rows[: self._n_rows]
        visible_ms = rows["t_ms"].astype(np.int64) + rows["delay_ms"] + rows["late_ms"]
        recent = rows[visible_ms >= self.now_ms - _NEEDS_MS]
        self._n_rows = len(recent)
        self._rows[: self._n_rows] = recent
        self._forgot_ms = self.now_ms

    def half(self, match: int = 0) -> FeedHalf:
        """Rows of the half under way that answers from here on look at; ``predict`` gives the same numbers on them."""
        # Rows lie in order of arrival; a half has them in order of time, equal times as they came.
        rows = self._rows[: self._n_rows]
        ordered = rows[np.argsort(rows["t_ms"], kind="stable")]
        return _NO_ROWS.changed(
            match=match,
            half=self.half_number,
            reports=self._reports,
            seen_from_ms=self._from_ms,
            teams=self._teams,
            tally=self._tally,
            **{name: np.ascontiguousarray(ordered[name]) for name in _COLUMNS.names or ()},
        )


def _seen(half: FeedHalf, now_ms: int) -> list[SeenRow]:
    # The ten actions that became visible before now and happened in the last 30 s.
    shown = (half.code < len(ACTIONS)) & (half.visible_ms < now_ms) & (half.t_ms > now_ms - OBSERVATION_MS)
    return [
        SeenRow(
            int(half.t_ms[row]),
            ACTIONS[half.code[row]],
            1.0 if half.confidence[row] == UNKNOWN else half.confidence[row] / 100,
            half.teams[half.team[row]] if half.team[row] < len(half.teams) else None,
            *(None if place[row] == UNKNOWN else int(place[row]) for place in (half.x, half.y)),
        )
        for row in np.flatnonzero(shown)
    ]


def watch_feed(
    session: FeedSession,
    lines: Channel[Line | InputError],
    speed: float,
    note: Callable[[Line], object] = id,
    refuse: Callable[[InputError], object] = id,
    seconds: Callable[[], float] = time.monotonic,
) -> Generator[Answer, None, None]:
    """Push lines as they come; answer at every full second of the match's clock.

    The clock starts with the half's first line and runs ``speed`` times as fast as the machine's. A row that is ahead
    of it moves it forward; it never goes back. At speed 0 it shows the newest row's time. A machine that is too slow
    leaves out moments more than 5 s back, with a notice.

    Args:
        session: session that answers.
        lines: lines of the source; closed at the end.
        speed: speed of the match's clock.
        note: called with each line that was taken.
        refuse: called with the reason why a line was not taken; it is a notice of the next answer, too.
        seconds: the machine's clock.
    """
    clock = _Clock(speed, seconds)

    def due(most_behind_ms: int) -> Iterator[Answer]:
        if clock.is_silent(session.newest_ms):
            session.notices.add(f"no row for {_SILENT_S:.0f} s")
        return session.answers(clock.now_ms, most_behind_ms)

    with closing(lines):
        while True:
            try:
                line = lines.next(clock.until(session.now_ms + EVERY_MS))
            except TimeoutError:  # one answer, then what came meanwhile: no row is late because this machine is slow
                yield from islice(due(ANTICIPATION_MS), 1)
                continue
            if line is None:
                yield from session.answers()
                return
            try:
                if isinstance(line, InputError):
                    raise line
                session.push(line)
            except InputError as reason:  # one line that cannot be used becomes a notice and costs nothing else
                session.notices.add(str(reason))
                refuse(reason)
            else:
                note(line)
            if clock.follow(session.half_number, session.newest_ms):
                yield from due(OBSERVATION_MS)


class _Clock:
    """The time of the half under way, ``speed`` times as fast as the machine's clock."""

    def __init__(self, speed: float, seconds: Callable[[], float]) -> None:
        self._speed, self._seconds = speed, seconds
        self._half, self._started_s, self._was_silent = 0, 0.0, False

    @property
    def now_ms(self) -> int | None:
        """Time of the half; None where the newest row's time counts."""
        return round((self._seconds() - self._started_s) * self._speed * 1000) if self._speed and self._half else None

    def follow(self, half: int, newest_ms: int) -> bool:
        """Show a row's time if it is of a new half or ahead; whether the clock was moved."""
        if not self._speed:
            return True
        started_s = self._seconds() - newest_ms / 1000 / self._speed
        if half != self._half or started_s < self._started_s:
            self._half, self._started_s = half, started_s
            return True
        return False

    def until(self, time_ms: int) -> float | None:
        """Seconds of the machine until then; None if only a line can move the clock there."""
        now_ms = self.now_ms
        return None if now_ms is None else max(0.0, (time_ms - now_ms) / 1000 / self._speed)

    def is_silent(self, newest_ms: int) -> bool:
        """Whether nothing has come for long; True once for each silence."""
        silent = self.now_ms is not None and self.now_ms - newest_ms >= _SILENT_S * 1000
        first, self._was_silent = silent and not self._was_silent, silent
        return first
