"""A running match through its event feed: rows in, an answer every second."""

import time
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

import numpy as np

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import LONGEST_DELAY_MS, UNKNOWN, FeedHalf, FeedRow
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.features.feed import prepare_track, window_features
from playahead.inference.any_predictor import AnyPredictor
from playahead.inference.result import Expected
from playahead.io.errors import InputError
from playahead.live.session.answer import Answer, SeenRow
from playahead.live.session.rows import Line, Reports, Tick
from playahead.live.session.windows import RecentWindows

EVERY_MS = 1_000
MOST_ROWS = 5_000
"""Rows in the 35 s that answers look at: 140 a second, where a full feed has one or two."""
_LATE_MS = 1_000  # less is nothing to tell
_MOST_TOLD = 20  # in one answer
_TEN_ACTIONS = frozenset(range(len(ACTIONS)))
_TEAMS = {0: "home", 1: "away"}
_NEEDS_MS = OBSERVATION_MS + GRID.window_ms
_ABOUT = ("code", "team", "x", "y", "setpiece", "confidence")
_attributes = attrgetter(*_ABOUT)
_TIMES = [("t_ms", np.int32), ("delay_ms", np.uint16), ("late_ms", np.uint16)]
_COLUMNS = np.dtype([*_TIMES, *((name, np.uint8) for name in _ABOUT)])


class FeedSession:
    """What is expected all through a half, as its rows arrive.

    Rows may come in any order. One that comes after its moment was answered for is seen from the next answer on, as a
    late row (``late_ms``), so no answer changes: the numbers are those of ``predict`` on the rows with their
    ``late_ms``. Rows are kept for as long as an answer can look at them.

    Args:
        predictor: on event feeds.
        min_confidence: of what is expected.

    Attributes:
        took_s: that the latest answer took.
    """

    def __init__(self, predictor: AnyPredictor, min_confidence: float = 0.1) -> None:
        self._decoder, self._least = predictor.decoder(), min_confidence
        self._windows = RecentWindows(predictor)
        self._reports = _TEN_ACTIONS
        self._counts: Counter[str] = Counter()
        self._told: list[str] = []
        self.took_s = 0.0
        self._start(half=0, now_ms=0)

    def _start(self, half: int, now_ms: int) -> None:
        """A half that is watched from this moment on."""
        self.half_number, self._from_ms, self.now_ms = half, now_ms, now_ms
        self._rows, self._n_rows = np.zeros(MOST_ROWS, _COLUMNS), 0  # in order of arrival
        self._forgot_ms = now_ms
        self._newest_ms = now_ms
        self._windows.clear()

    def push(self, line: Line) -> None:
        """Take a row, or what the source says of itself; ``answers`` says what follows from it.

        Raises:
            InputError: a row of what the source said it does not report, or ``Reports`` after the first row.
        """
        if isinstance(line, Reports):
            if self.half_number and line.codes != self._reports:
                raise InputError("reports", "come before the first row")
            self._reports = line.codes or _TEN_ACTIONS
            return
        if line.half < self.half_number:
            self._counts[f"rows of half {line.half}, which is over"] += 1
            return
        at_ms = line.now_ms if isinstance(line, Tick) else line.t_ms
        if isinstance(line, FeedRow) and line.code not in self._reports:
            raise InputError("action", "is none that the source said it reports", 'name it in {"reports": [...]} first')
        if line.half > self.half_number:
            self._start(line.half, at_ms // EVERY_MS * EVERY_MS if at_ms > OBSERVATION_MS else 0)
        if isinstance(line, FeedRow):
            self._take(line)
        elif at_ms < self._newest_ms:
            self._counts["ticks that went back"] += 1
        self._newest_ms = max(self._newest_ms, at_ms)

    def _take(self, row: FeedRow) -> None:
        late_ms = max(0, self.now_ms - row.t_ms - row.delay_ms)
        if late_ms > LONGEST_DELAY_MS:
            self._counts["rows over a minute late, not used"] += 1
            return
        if late_ms >= _LATE_MS:
            self._counts["rows over a second late"] += 1
        if self._n_rows == MOST_ROWS and self._forgot_ms != self.now_ms:
            self._forget()
        if self._n_rows == MOST_ROWS:
            self._counts[f"rows not used: more than {MOST_ROWS:,} in {_NEEDS_MS // 1000} s"] += 1
            return
        self._rows[self._n_rows] = (row.t_ms, row.delay_ms, late_ms, *_attributes(row))
        self._n_rows += 1

    def tell(self, what: str) -> None:
        """Something that happened to the source, for the next answer."""
        if len(self._told) < _MOST_TOLD:
            self._told.append(what)
        else:
            self._counts["more notices"] += 1

    @property
    def newest_ms(self) -> int:
        """Time of the newest row or tick of the half under way."""
        return self._newest_ms

    def answers(self, now_ms: int | None = None, most_behind_ms: int = OBSERVATION_MS) -> Iterator[Answer]:
        """What is expected at every full second up to a moment that was not answered for yet.

        Args:
            now_ms: of the half under way; the newest row's or tick's time if None.
            most_behind_ms: moments that lie further back than this are left out, and told.
        """
        until_ms = self._newest_ms if now_ms is None else now_ms
        if not self.half_number:
            return
        skipped_ms = (until_ms - most_behind_ms - self.now_ms) // EVERY_MS * EVERY_MS
        if skipped_ms > 0:  # what is past cannot be anticipated
            self.tell(f"{skipped_ms // 1000} s without an answer")
            self.now_ms += skipped_ms
        while self.now_ms + EVERY_MS <= until_ms:
            self.now_ms += EVERY_MS
            yield self._answer()

    def answer_at(self, now_ms: int) -> Answer:
        """What is expected at one moment, not before the latest that was answered for."""
        self.now_ms = now_ms
        return self._answer()

    def _answer(self) -> Answer:
        started_s = time.perf_counter()
        self._forget()
        now_ms, known = self.now_ms, self.half()
        track = prepare_track(known)
        predictions = self._windows.predict(now_ms, lambda ends_ms: window_features(track, ends_ms))
        (found,) = self._decoder.anticipations(predictions, self._least)
        seen_ms = track.seen_ms(now_ms)
        told = [*self._told, *(f"{count} {what}" for what, count in self._counts.items())]
        self._told.clear()
        self._counts.clear()
        self.took_s = time.perf_counter() - started_s
        return Answer(
            half=self.half_number,
            now_ms=now_ms,
            seen_ms=seen_ms,
            seen=_seen(known, now_ms),
            expected=[Expected.of(one, now_ms, seen_ms, half=self.half_number) for one in found],
            told=told,
            intensity_RC=predictions.intensity()[0],
        )

    def _forget(self) -> None:
        """Rows that no window which is still to be encoded can look at."""
        rows = self._rows[: self._n_rows]
        visible_ms = rows["t_ms"].astype(np.int64) + rows["delay_ms"] + rows["late_ms"]
        kept = rows[visible_ms >= self.now_ms - _NEEDS_MS]
        self._n_rows = len(kept)
        self._rows[: self._n_rows] = kept
        self._forgot_ms = self.now_ms

    def half(self, match: int = 0) -> FeedHalf:
        """What answers from here on look at, of the half under way; ``predict`` gives the session's numbers on it."""
        rows = self._rows[: self._n_rows]
        ordered = rows[np.argsort(rows["t_ms"], kind="stable")]
        return FeedHalf(
            match=match,
            half=self.half_number,
            reports=self._reports,
            seen_from_ms=self._from_ms,
            **{name: np.ascontiguousarray(ordered[name]) for name in _COLUMNS.names or ()},  # type: ignore[bad-argument-type]
        )


def _seen(half: FeedHalf, now_ms: int) -> list[SeenRow]:
    """Actions known by now, of the last 30 s."""
    shown = (half.code < len(ACTIONS)) & (half.visible_ms < now_ms) & (half.t_ms > now_ms - OBSERVATION_MS)
    return [
        SeenRow(
            int(half.t_ms[row]),
            ACTIONS[half.code[row]],
            1.0 if half.confidence[row] == UNKNOWN else half.confidence[row] / 100,
            _TEAMS.get(int(half.team[row])),
            *(None if place[row] == UNKNOWN else int(place[row]) for place in (half.x, half.y)),
        )
        for row in np.flatnonzero(shown)
    ]
