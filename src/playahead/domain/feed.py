"""Rows of an event feed: one (``FeedRow``), and those of a half as columns (``FeedHalf``), whoever provided them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS, Action
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.records import ActionEvent
from playahead.domain.time import LONGEST_HALF_MS, format_clock
from playahead.io.errors import RecordError

N_CODES = len(ACTIONS) + len(OBSERVED_TOKENS)
"""Codes 0-9 are the ten actions, 10-13 the observation-only tokens."""
PASS, DRIVE, HEADER, HIGH_PASS, THROW_IN, CROSS, SHOT, OUT, BLOCK, TACKLE, DUEL, SAVE, STOPPAGE, TOUCH = range(N_CODES)

PLAYS_BALL = ~np.isin(np.arange(N_CODES), (DUEL, STOPPAGE, OUT))
"""Whether a row of each code means that its team has played the ball."""

UNKNOWN = 255
"""Team, position, set piece, confidence, detail, flags, player or role that the source does not give."""
ESTIMATED_OUT = 9
"""``setpiece`` of an OUT whose time is estimated: observed, never anticipated nor scored."""
LONGEST_DELAY_MS = 65_535


class SetPiece(IntEnum):
    """Values of ``setpiece``; a direct shot is a penalty or a free kick shot at goal."""

    OPEN_PLAY, THROW_IN, GOAL_KICK, CORNER, FREE_KICK, DIRECT_SHOT = range(6)


N_SETPIECES = len(SetPiece)


class Detail(IntEnum):
    """Values of ``detail``: finer kinds of event, with Wyscout's numbers (``subEventId``)."""

    AIR_DUEL, GROUND_ATTACKING_DUEL, GROUND_DEFENDING_DUEL, GROUND_LOOSE_BALL_DUEL = 10, 11, 12, 13
    FOUL, HAND_FOUL, LATE_CARD_FOUL, OUT_OF_GAME_FOUL, PROTEST, SIMULATION, TIME_LOST_FOUL, VIOLENT_FOUL = range(20, 28)
    CORNER, FREE_KICK, FREE_KICK_CROSS, FREE_KICK_SHOT, GOAL_KICK, PENALTY, THROW_IN = range(30, 37)
    GOALKEEPER_LEAVING_LINE = 40
    BALL_OUT_OF_THE_FIELD, WHISTLE = 50, 51
    ACCELERATION, CLEARANCE, TOUCH = 70, 71, 72
    CROSS, HAND_PASS, HEAD_PASS, HIGH_PASS, LAUNCH, SIMPLE_PASS, SMART_PASS = range(80, 87)
    REFLEXES, SAVE_ATTEMPT = 90, 91
    SHOT = 100


FLAGS = ("head", "right foot", "left foot", "high", "interception", "sliding tackle", "through")
"""Bits of ``flags``, lowest first: what a viewer sees of an event as it happens, never how it ended."""
ROLES = ("goalkeeper", "defender", "midfielder", "forward")
"""Values of ``role``."""
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
    "detail": (min(Detail), max(Detail)),
    "flags": (0, 2 ** len(FLAGS) - 1),
    "player": (0, UNKNOWN - 1),
    "role": (0, len(ROLES) - 1),
    "reports": (1, 2**N_CODES - 1),
}
"""Smallest and largest value of a column (``reports``: column of a table, one bit for each code)."""
_BESIDES = {
    **dict.fromkeys(("team", "x", "y", "confidence", "detail", "flags", "player", "role"), (UNKNOWN,)),
    "setpiece": (ESTIMATED_OUT, UNKNOWN),
}
TEAM_1_AND_2, HOME_AND_AWAY = ("team 1", "team 2"), ("home", "away")
"""Names of teams of which a source tells nothing, and the usual ones."""
EVERY_CODE = frozenset(range(N_CODES))

COLUMNS = {
    **{"t_ms": np.int32, "code": np.uint8, "team": np.uint8, "x": np.uint8, "y": np.uint8, "setpiece": np.uint8},
    **{"delay_ms": np.uint16, "late_ms": np.uint16, "confidence": np.uint8},
    **{"detail": np.uint8, "flags": np.uint8, "player": np.uint8, "role": np.uint8},
}
"""Columns of a half, and how each is stored."""
DEFAULTS = {name: 0 if name in ("delay_ms", "late_ms") else UNKNOWN for name in COLUMNS}
"""What a column holds of a row of which the source does not say it."""
FINER = ("detail", "flags", "player", "role")
"""Columns that tell more than the codes; few sources have them."""


_BYTES: dict[str, NDArray[np.bool_]] = {}
"""``holds`` of every byte, which a session looks up many times a second."""


def holds(name: str, column: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Mask of the values that a column of rows can hold."""
    if column.dtype == np.uint8 and name in _BYTES:
        return _BYTES[name][column]
    smallest, largest = RANGES[name]
    return ((column >= smallest) & (column <= largest)) | np.isin(column, _BESIDES.get(name, ()))


_BYTES |= {name: holds(name, np.arange(256)) for name, kind in COLUMNS.items() if kind is np.uint8}


@dataclass(frozen=True, order=True, slots=True)
class FeedRow:
    """One row; whatever the source does not say is ``UNKNOWN``. The attributes are those of ``FeedHalf``."""

    half: int
    t_ms: int
    code: int
    team: int = UNKNOWN
    x: int = UNKNOWN
    y: int = UNKNOWN
    setpiece: int = UNKNOWN
    delay_ms: int = 0
    late_ms: int = 0
    confidence: int = UNKNOWN
    detail: int = UNKNOWN
    flags: int = UNKNOWN
    player: int = UNKNOWN
    role: int = UNKNOWN


_values_of = attrgetter(*COLUMNS)


def require_possible(row: FeedRow) -> None:
    """Check a row by itself.

    Raises:
        RecordError: no feed can hold it.
    """
    for name in ("half", *COLUMNS):
        value, (smallest, largest) = getattr(row, name), RANGES[name]
        if not smallest <= value <= largest and value not in _BESIDES.get(name, ()):
            raise RecordError(f"{name} {value} is not in {smallest}..{largest}")


class Possession(NamedTuple):
    """Who has the ball at some times.

    Attributes:
        side_O: 0 or 1, -1 unknown.
        teams: names of both sides.
    """

    side_O: NDArray[np.intp]
    teams: tuple[str, str]


@dataclass(frozen=True)
class Tally:
    """Numbers of the rows that became visible before some moment of a half.

    Attributes:
        until_ms: time of that moment, from the half's start.
        count_TK: rows of each code, of team 0, team 1 and those whose team is unknown, int64.
    """

    until_ms: int
    count_TK: NDArray[np.int64]


NOTHING_COUNTED = Tally(2 * LONGEST_HALF_MS, np.zeros((3, N_CODES), np.int64))
"""As if all rows were counted, and there were none: what hides from a model how often each side has done what."""


@dataclass(frozen=True)
class FeedHalf:
    """Rows of one half in time order, as equally long arrays.

    Whatever a source does not say is ``UNKNOWN``, never a default that could be true. Columns that are not given hold
    what a ``FeedRow`` says by default; all are checked, then stored as ``COLUMNS`` says.

    Attributes:
        match: the provider's match id.
        half: 1 or 2; 3 or 4 in extra time.
        t_ms: int32, time from the half's start.
        code: uint8, 0-9 the benchmark's actions, 10-13 DUEL, SAVE, STOPPAGE, TOUCH.
        team: uint8, 0 or 1, constant over the match.
        x, y: uint8, 0-100 along and across the acting team's attack.
        setpiece: uint8, a ``SetPiece``, or 9 for an OUT whose time is estimated.
        delay_ms: uint16, time after ``t_ms`` from which on the row can be known (it follows from what came later).
        late_ms: uint16, further time until the row arrives (a slow feed).
        confidence: uint8, percent.
        detail: uint8, a ``Detail``.
        flags: uint8, a bit for each of ``FLAGS``.
        player: uint8, who acted: numbers within the match.
        role: uint8, place in ``ROLES`` of the player's role.
        reports: codes that the source reports at all; the absence of any other code means nothing.
        clock_known: ``t_ms`` counts from the half's start and not from the start of some clip.
        seen_from_ms: start of the observation; what happened before was not observed.
        teams: names of teams 0 and 1; "team 1" and "team 2" where a source tells nothing of them.
        tally: rows that were counted, as they are no longer all there (a running half keeps those of its last 40 s).
    """

    match: int
    half: int
    t_ms: NDArray[np.int32]
    code: NDArray[np.uint8]
    team: NDArray[np.uint8] = None  # type: ignore[assignment]
    x: NDArray[np.uint8] = None  # type: ignore[assignment]
    y: NDArray[np.uint8] = None  # type: ignore[assignment]
    setpiece: NDArray[np.uint8] = None  # type: ignore[assignment]
    delay_ms: NDArray[np.uint16] = None  # type: ignore[assignment]
    late_ms: NDArray[np.uint16] = None  # type: ignore[assignment]
    confidence: NDArray[np.uint8] = None  # type: ignore[assignment]
    detail: NDArray[np.uint8] = None  # type: ignore[assignment]
    flags: NDArray[np.uint8] = None  # type: ignore[assignment]
    player: NDArray[np.uint8] = None  # type: ignore[assignment]
    role: NDArray[np.uint8] = None  # type: ignore[assignment]
    reports: frozenset[int] = EVERY_CODE
    clock_known: bool = True
    seen_from_ms: int = 0
    teams: tuple[str, str] = TEAM_1_AND_2
    tally: Tally | None = None

    def __post_init__(self) -> None:
        # Columns that were not given: no delay, everything else unknown.
        for name, kind in COLUMNS.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(len(self.t_ms), DEFAULTS[name], kind))
        # Check before converting, so that nothing wraps around.
        columns = self.columns
        for name, column in columns.items():
            if column.shape != self.t_ms.shape or column.ndim != 1:
                raise RecordError(f"column {name} has shape {column.shape}, t_ms {self.t_ms.shape}")
            if column.dtype.kind not in "iu":
                raise RecordError(f"column {name} holds {column.dtype}, not whole numbers")
            if column.dtype.kind == "i":
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
        for name in ("confidence", *FINER):
            smallest, largest = RANGES[name]
            _require_rows(holds(name, columns[name]), f"{name} is not in {smallest}..{largest} or {UNKNOWN}")
        for name in ("delay_ms", "late_ms"):
            _require_rows(holds(name, columns[name]), f"{name} is over {LONGEST_DELAY_MS:,}")
        for name, kind in COLUMNS.items():
            object.__setattr__(self, name, columns[name].astype(kind, copy=False))

    @classmethod
    def from_rows(cls, match: int, half: int, rows: Sequence[FeedRow], **about: Any) -> "FeedHalf":
        """Rows of one half as columns.

        Args:
            match: id.
            half: 1 to 4.
            rows: rows of the half in time order.
            about: further attributes (``reports``, ``clock_known``, ``seen_from_ms``).

        Raises:
            RecordError: a row that no feed can hold, or one that goes back in time.
        """
        table = np.array([_values_of(row) for row in rows], np.int64).reshape(len(rows), len(COLUMNS))
        return cls(match, half, *np.ascontiguousarray(table.T), **about)

    def __len__(self) -> int:
        return len(self.t_ms)

    def __repr__(self) -> str:
        until = format_clock(int(self.t_ms[-1])) if len(self) else "no time"
        return f"FeedHalf(match {self.match}, half {self.half}: {len(self):,} rows until {until})"

    @property
    def columns(self) -> dict[str, NDArray[np.integer]]:
        """The columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    @property
    def is_target(self) -> NDArray[np.bool_]:
        """Rows that count as actions to anticipate."""
        return (self.code < len(ACTIONS)) & (self.setpiece != ESTIMATED_OUT)

    @property
    def only_estimated(self) -> frozenset[int]:
        """Classes whose every row is estimated: observed, but never to be scored."""
        estimated = self.code[self.setpiece == ESTIMATED_OUT].tolist()
        return frozenset(estimated) - frozenset(self.code[self.is_target].tolist())

    @property
    def visible_ms(self) -> NDArray[np.int64]:
        """Time at which an observer sees each row."""
        return self.t_ms.astype(np.int64) + self.delay_ms + self.late_ms

    @property
    def lasts_s(self) -> float:
        """Seconds from the first row to the last."""
        return (int(self.t_ms[-1]) - int(self.t_ms[0])) / 1000 if len(self) else 0.0

    def seen_ms(self, until_ms: int) -> int:
        """Observed part of the 30 s before a time."""
        return until_ms - max(until_ms - OBSERVATION_MS, min(self.seen_from_ms, until_ms), 0)

    @property
    def counted(self) -> Tally:
        """``tally``, or one of nothing if there is none since the observation began."""
        if self.tally is not None and self.tally.until_ms >= self.seen_from_ms:
            return self.tally
        return Tally(self.seen_from_ms, np.zeros((3, N_CODES), np.int64))

    def tally_until(self, until_ms: int) -> Tally:
        """Count the rows that became visible before a time, those of ``tally`` among them."""
        counted, visible_ms = self.counted, self.visible_ms
        rows = (visible_ms >= counted.until_ms) & (visible_ms < until_ms)
        count_TK = np.bincount(tally_places(self.team[rows], self.code[rows]), minlength=3 * N_CODES)
        return Tally(max(until_ms, counted.until_ms), counted.count_TK + count_TK.reshape(3, N_CODES))

    def take(self, rows: NDArray | slice) -> "FeedHalf":
        """The same half with these rows alone (indices in time order, a mask or a slice)."""
        return self.changed(**{name: column[rows] for name, column in self.columns.items()})

    def changed(self, **attributes: Any) -> "FeedHalf":
        """The same half with other attributes, made of ones that were checked: they are not checked again."""
        if attributes.keys() - self.__dict__.keys():
            raise TypeError(f"a half has no {', '.join(attributes.keys() - self.__dict__.keys())}")
        half = object.__new__(FeedHalf)
        half.__dict__.update(self.__dict__, **attributes)
        return half

    @property
    def rows(self) -> list[FeedRow]:
        """The rows one by one, in time order."""
        table = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [FeedRow(self.half, *values) for values in table]


def tally_places(team: NDArray[np.integer], code: NDArray[np.integer]) -> NDArray[np.intp]:
    """Place of each row in a flat ``Tally.count_TK``."""
    return np.minimum(team, 2) * np.intp(N_CODES) + code


_TEAM_OF_SIDE = {"home": 0, "left": 0, "away": 1, "right": 1, None: UNKNOWN}


def feed_of_actions(actions: Sequence[ActionEvent], clock_known: bool = True) -> FeedHalf:
    """Actions in time order as a feed that knows no more of them (home and left are team 0).

    Args:
        actions: actions of a half, or of a clip.
        clock_known: False for a clip, which may come from any time of a half.
    """
    rows = []
    for event in actions:
        setpiece = SetPiece.THROW_IN if event.action is Action.THROW_IN else UNKNOWN
        team = _TEAM_OF_SIDE[event.side]
        rows.append(FeedRow(1, event.position_ms, event.action.class_index, team, setpiece=setpiece))
    about = {"reports": frozenset(range(len(ACTIONS))), "clock_known": clock_known, "teams": HOME_AND_AWAY}
    return FeedHalf.from_rows(0, 1, rows, **about)


def setpiece_of(code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Set pieces that follow from codes alone: a throw-in is one, all else is unknown."""
    return np.where(code == Action.THROW_IN.class_index, SetPiece.THROW_IN, UNKNOWN).astype(np.uint8)


def _require(fine: bool, reason: str) -> None:
    if not fine:
        raise RecordError(reason)


def _require_rows(fine: NDArray[np.bool_], reason: str) -> None:
    if not fine.all():
        raise RecordError(f"row {int(np.argmin(fine))}: {reason}")
