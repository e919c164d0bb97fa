"""An event feed: the rows of one half, whoever provided them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS, Action
from playahead.domain.records import ActionEvent
from playahead.domain.time import LONGEST_HALF_MS
from playahead.errors import RecordError

N_CODES = len(ACTIONS) + len(OBSERVED_TOKENS)
"""Codes 0-9 are the ten actions, 10-13 the observation-only tokens."""
DUEL, SAVE, STOPPAGE, TOUCH = range(len(ACTIONS), N_CODES)

UNKNOWN_POSITION = 255
ESTIMATED_OUT = 9
"""``setpiece`` of an OUT whose time is a guess: observed, never anticipated nor scored."""
LONGEST_DELAY_MS = 65_535
N_SETPIECES = 6
"""0 open play, 1 throw-in, 2 goal kick, 3 corner, 4 free kick, 5 penalty or direct free kick."""
RANGES = {
    "match": (0, 2**31 - 1),
    "half": (1, 2),
    "t_ms": (0, LONGEST_HALF_MS),
    "code": (0, N_CODES - 1),
    "team": (0, 1),
    "x": (0, 100),
    "y": (0, 100),
    "setpiece": (0, N_SETPIECES - 1),
    "delay_ms": (0, LONGEST_DELAY_MS),
}
"""Least and most value of a row's columns."""
_BESIDES = {"x": UNKNOWN_POSITION, "y": UNKNOWN_POSITION, "setpiece": ESTIMATED_OUT}


def holds(name: str, column: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which values a column of rows can hold."""
    least, most = RANGES[name]
    within = (column >= least) & (column <= most)
    return within | (column == _BESIDES[name]) if name in _BESIDES else within


@dataclass(frozen=True)
class FeedHalf:
    """Rows of one half in time order, as equally long arrays.

    Attributes:
        match: the provider's match id.
        half: 1 or 2.
        t_ms: int32, from the half's start.
        code: uint8, 0-9 the benchmark's actions, 10-13 DUEL, SAVE, STOPPAGE, TOUCH.
        team: uint8, 0 or 1, constant over the match.
        x, y: uint8, 0-100 along and across the acting team's attack; 255 unknown.
        setpiece: uint8, 0-5, or 9 for an OUT whose time is estimated.
        delay_ms: uint16, an observer sees the row only from ``t_ms + delay_ms`` on.
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

    def __post_init__(self) -> None:
        columns = {f.name: getattr(self, f.name) for f in fields(self)[2:]}
        for name, column in columns.items():
            if column.shape != self.t_ms.shape or column.ndim != 1:
                raise RecordError(f"column {name} has shape {column.shape}, t_ms {self.t_ms.shape}")
            if not np.issubdtype(column.dtype, np.integer):
                raise RecordError(f"column {name} holds {column.dtype}, not whole numbers")
            _require_rows(column >= 0, f"{name} is negative")
        _require(self.half in (1, 2), f"half {self.half} is not 1 or 2")
        _require_rows(holds("t_ms", self.t_ms), "t_ms is later than any half lasts (3 hours)")
        _require_rows(np.diff(self.t_ms, prepend=0) >= 0, "t_ms goes back in time")
        _require_rows(holds("delay_ms", self.delay_ms), f"delay_ms is over {LONGEST_DELAY_MS:,}")
        _require_rows(holds("code", self.code), f"code is not in 0..{N_CODES - 1}")
        _require_rows(holds("team", self.team), "team is not 0 or 1")
        for name in ("x", "y"):
            _require_rows(holds(name, columns[name]), "position is not in 0..100 or 255")
        _require_rows(holds("setpiece", self.setpiece), "setpiece is not in 0..5 or 9")

    def __len__(self) -> int:
        return len(self.t_ms)

    @property
    def is_target(self) -> NDArray[np.bool_]:
        """Rows that count as actions to anticipate."""
        return (self.code < len(ACTIONS)) & (self.setpiece != ESTIMATED_OUT)


_FIRST_SIDES = ("home", "left")


def feed_of_actions(actions: Sequence[ActionEvent], start_ms: int = 0) -> FeedHalf:
    """Actions in time order as a feed that knows no positions (home and left are team 0, so is an unknown side).

    ``start_ms`` is when in the half their clip starts.
    """
    code = np.array([event.action.class_index for event in actions], np.uint8)
    first = np.array([event.side is None or event.side in _FIRST_SIDES for event in actions], bool)
    unknown = np.full(len(actions), UNKNOWN_POSITION, np.uint8)
    return FeedHalf(
        match=0,
        half=1,
        t_ms=np.array([start_ms + event.position_ms for event in actions], np.int32),
        code=code,
        team=np.where(first, 0, 1).astype(np.uint8),
        x=unknown,
        y=unknown,
        setpiece=(code == Action.THROW_IN.class_index).astype(np.uint8),
        delay_ms=np.zeros(len(actions), np.uint16),
    )


def _require(fine: bool, reason: str) -> None:
    if not fine:
        raise RecordError(reason)


def _require_rows(fine: NDArray[np.bool_], reason: str) -> None:
    if not fine.all():
        raise RecordError(f"row {int(np.argmin(fine))}: {reason}")
