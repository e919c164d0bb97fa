"""An event feed: the rows of one half, whoever provided them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS, Action
from playahead.domain.records import ActionEvent
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import RecordError

N_CODES = len(ACTIONS) + len(OBSERVED_TOKENS)
"""Codes 0-9 are the ten actions, 10-13 the observation-only tokens."""
DUEL, SAVE, STOPPAGE, TOUCH = range(len(ACTIONS), N_CODES)

UNKNOWN = 255
"""Of a team, position, set piece or confidence: the source does not say."""
ESTIMATED_OUT = 9
"""``setpiece`` of an OUT whose time is a guess: observed, never anticipated nor scored."""
LONGEST_DELAY_MS = 65_535
N_SETPIECES = 6
"""0 open play, 1 throw-in, 2 goal kick, 3 corner, 4 free kick, 5 penalty or direct free kick."""
PERIODS = (1, 2, 3, 4)
"""The halves, and those of extra time."""
RANGES = {
    "match": (0, 2**31 - 1),
    "half": (PERIODS[0], PERIODS[-1]),
    "t_ms": (0, LONGEST_HALF_MS),
    "code": (0, N_CODES - 1),
    "team": (0, 1),
    "x": (0, 100),
    "y": (0, 100),
    "setpiece": (0, N_SETPIECES - 1),
    "delay_ms": (0, LONGEST_DELAY_MS),
    "late_ms": (0, LONGEST_DELAY_MS),
    "confidence": (0, 100),
    "reports": (1, 2**N_CODES - 1),
}
"""Least and most value of a row's columns (``reports``: of a table, a bit a code)."""
_BESIDES = {
    "team": (UNKNOWN,),
    "x": (UNKNOWN,),
    "y": (UNKNOWN,),
    "setpiece": (ESTIMATED_OUT, UNKNOWN),
    "confidence": (UNKNOWN,),
}
EVERY_CODE = frozenset(range(N_CODES))


def holds(name: str, column: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which values a column of rows can hold."""
    least, most = RANGES[name]
    return ((column >= least) & (column <= most)) | np.isin(column, _BESIDES.get(name, ()))


@dataclass(frozen=True)
class FeedHalf:
    """Rows of one half in time order, as equally long arrays.

    Whatever a source does not say is ``UNKNOWN``, never a default that could be true.

    Attributes:
        match: the provider's match id.
        half: 1 or 2; 3 or 4 of extra time.
        t_ms: int32, from the half's start.
        code: uint8, 0-9 the benchmark's actions, 10-13 DUEL, SAVE, STOPPAGE, TOUCH.
        team: uint8, 0 or 1, constant over the match.
        x, y: uint8, 0-100 along and across the acting team's attack.
        setpiece: uint8, 0-5, or 9 for an OUT whose time is estimated.
        delay_ms: uint16, what the row tells can be known only from ``t_ms + delay_ms`` on (an inference from what
            came later).
        late_ms: uint16, it arrives so much later still (a slow feed); 0 if not given.
        confidence: uint8, percent; unknown if not given.
        reports: codes that the source reports at all: of any other, no row means nothing.
        clock_known: ``t_ms`` counts from the half's start and not from the start of some clip.
        seen_from_ms: what happened before was not observed.
    """

    match: int
    half: int
    t_ms: NDArray[np.int32]
    code: NDArray[np.uint8]
    team: NDArray[np.uint8]
    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    setpiece: NDArray[np.uint8]
    delay_ms: NDArray[np.uint16]
    late_ms: NDArray[np.uint16] = None  # type: ignore[assignment]
    confidence: NDArray[np.uint8] = None  # type: ignore[assignment]
    reports: frozenset[int] = EVERY_CODE
    clock_known: bool = True
    seen_from_ms: int = 0

    def __post_init__(self) -> None:
        for name, value, kind in (("late_ms", 0, np.uint16), ("confidence", UNKNOWN, np.uint8)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(len(self.t_ms), value, kind))
        columns = self.columns
        for name, column in columns.items():
            if column.shape != self.t_ms.shape or column.ndim != 1:
                raise RecordError(f"column {name} has shape {column.shape}, t_ms {self.t_ms.shape}")
            if not np.issubdtype(column.dtype, np.integer):
                raise RecordError(f"column {name} holds {column.dtype}, not whole numbers")
            _require_rows(column >= 0, f"{name} is negative")
        _require(self.half in PERIODS, f"half {self.half} is not in {PERIODS[0]}..{PERIODS[-1]}")
        _require(self.reports <= EVERY_CODE, f"reports {sorted(self.reports)}: a code is not in 0..{N_CODES - 1}")
        _require_rows(holds("t_ms", self.t_ms), "t_ms is later than any half lasts (3 hours)")
        _require_rows(np.diff(self.t_ms, prepend=0) >= 0, "t_ms goes back in time")
        _require_rows(holds("code", self.code), f"code is not in 0..{N_CODES - 1}")
        _require_rows(holds("team", self.team), f"team is not 0, 1 or {UNKNOWN}")
        for name in ("x", "y"):
            _require_rows(holds(name, columns[name]), f"position is not in 0..100 or {UNKNOWN}")
        _require_rows(holds("setpiece", self.setpiece), f"setpiece is not in 0..5, {ESTIMATED_OUT} or {UNKNOWN}")
        _require_rows(holds("confidence", self.confidence), f"confidence is not in 0..100 or {UNKNOWN}")
        for name in ("delay_ms", "late_ms"):
            _require_rows(holds(name, columns[name]), f"{name} is over {LONGEST_DELAY_MS:,}")

    def __len__(self) -> int:
        return len(self.t_ms)

    @property
    def columns(self) -> dict[str, NDArray[np.integer]]:
        """What there is of every row, by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    @property
    def is_target(self) -> NDArray[np.bool_]:
        """Rows that count as actions to anticipate."""
        return (self.code < len(ACTIONS)) & (self.setpiece != ESTIMATED_OUT)

    @property
    def only_estimated(self) -> frozenset[int]:
        """Classes of which every row is a guess: observed, but never to be scored."""
        guessed = self.code[self.setpiece == ESTIMATED_OUT].tolist()
        return frozenset(guessed) - frozenset(self.code[self.is_target].tolist())

    @property
    def visible_ms(self) -> NDArray[np.int64]:
        """When an observer sees each row."""
        return self.t_ms.astype(np.int64) + self.delay_ms + self.late_ms

    def take(self, rows: NDArray | slice) -> "FeedHalf":
        """The same half with these rows alone (indices in time order, a mask or a slice)."""
        return replace(self, **{name: column[rows] for name, column in self.columns.items()})


COLUMNS = ("t_ms", "code", "team", "x", "y", "setpiece", "delay_ms", "late_ms", "confidence")


_TEAM_OF_SIDE = {"home": 0, "left": 0, "away": 1, "right": 1, None: UNKNOWN}


def feed_of_actions(actions: Sequence[ActionEvent], clock_known: bool = True) -> FeedHalf:
    """Actions in time order as a feed that knows no more of them (home and left are team 0).

    Args:
        actions: of a half, or of a clip.
        clock_known: False of a clip, which may come from any time of a half.
    """
    code = np.array([event.action.class_index for event in actions], np.uint8)
    unknown = np.full(len(actions), UNKNOWN, np.uint8)
    return FeedHalf(
        match=0,
        half=1,
        t_ms=np.array([event.position_ms for event in actions], np.int32),
        code=code,
        team=np.array([_TEAM_OF_SIDE[event.side] for event in actions], np.uint8),
        x=unknown,
        y=unknown,
        setpiece=setpiece_of(code),
        delay_ms=np.zeros(len(actions), np.uint16),
        reports=frozenset(range(len(ACTIONS))),
        clock_known=clock_known,
    )


def setpiece_of(code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The set piece that a code alone tells: a throw-in is one, all else is unknown."""
    return np.where(code == Action.THROW_IN.class_index, 1, UNKNOWN).astype(np.uint8)


def _require(fine: bool, reason: str) -> None:
    if not fine:
        raise RecordError(reason)


def _require_rows(fine: NDArray[np.bool_], reason: str) -> None:
    if not fine.all():
        raise RecordError(f"row {int(np.argmin(fine))}: {reason}")
