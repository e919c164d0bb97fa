"""Rules from the events of one Wyscout half to rows of a feed.

The rules are those of the Wyscout-BAA tables (``MAPPING.md`` beside them), and reproduce these
row by row. They go through the half once, in time order, with a memory of what came before; the
few that look ahead (tackle, won air duel, touch) say so. Three terms recur:

- *on-ball event*: a pass, restart, shot, touch, clearance, acceleration or save. Duels, fouls,
  interruptions, offsides and a goalkeeper leaving his line are not: "next" and "last" skip them.
- *pass in flight*: the last pass or restart, until somebody's next on-ball event, a tackle or a
  stoppage ends it. Attacking duels of its side may receive it, and do not end it.
- *unknown event*: one whose ``subEventName`` is not named here. It is left out before the rules run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile

from playahead.domain import feed
from playahead.domain.feed import ESTIMATED_OUT, UNKNOWN, Detail, FeedRow, SetPiece
from playahead.domain.pitch import distance_m
from playahead.sources import provider_events as shared

# Thresholds of MAPPING.md that other providers' events have no use for; those that it does not state were found by
# comparing rows with the tables.
SHORT_CORNER_X = 84.0
DOUBLE_HEADER_AFTER_MS = 1500.0
DOUBLE_HEADER_BEFORE_MS = 1000.0
BLOCK_ADVANCE_MS = 800.0
BLOCK_AFTER_OPPONENT_MS = 100.0
BLOCK_REACTION_MS = 4000.0
TOUCH_AFTER_DRIVE_MS = 1000.0

# Wyscout's tag ids and names, grouped as the rules need them. A kind is a ``subEventName``.

TAGS_OF_FLAGS = (403, 402, 401, 801, 1401, 1601, 901)
"""The tags behind ``domain.feed.FLAGS``; tags that only the future tells (accurate, won, goal) are none of them."""
HEAD_OR_BODY_TAG = 403
WON_TAG = 703
HIGH_BALL_TAG = 801
MISSED_BALL_TAG = 1302
INTERCEPTION_TAG = 1401
SLIDING_TACKLE_TAG = 1601
TAKE_ON_TAGS = frozenset({501, 502, 503, 504})
"""Free space right, left; take on left, right."""

KIND_OF_ID = {
    **{10: "Air duel", 11: "Ground attacking duel", 12: "Ground defending duel", 13: "Ground loose ball duel"},
    **{20: "Foul", 21: "Hand foul", 22: "Late card foul", 23: "Out of game foul", 24: "Protest", 25: "Simulation"},
    **{26: "Time lost foul", 27: "Violent Foul", 30: "Corner", 31: "Free Kick", 32: "Free kick cross"},
    **{33: "Free kick shot", 34: "Goal kick", 35: "Penalty", 36: "Throw in", 40: "Goalkeeper leaving line"},
    **{50: "Ball out of the field", 51: "Whistle", 70: "Acceleration", 71: "Clearance", 72: "Touch", 80: "Cross"},
    **{81: "Hand pass", 82: "Head pass", 83: "High pass", 84: "Launch", 85: "Simple pass", 86: "Smart pass"},
    **{90: "Reflexes", 91: "Save attempt", 100: "Shot"},
}
"""``subEventName`` by ``subEventId``."""
DETAIL_OF_KIND = {kind: Detail(number) for number, kind in KIND_OF_ID.items()}
SETPIECE_OF_KIND = {
    **{"Throw in": SetPiece.THROW_IN, "Goal kick": SetPiece.GOAL_KICK, "Corner": SetPiece.CORNER},
    **dict.fromkeys(("Free Kick", "Free kick cross"), SetPiece.FREE_KICK),
    **dict.fromkeys(("Penalty", "Free kick shot"), SetPiece.DIRECT_SHOT),
}
RESTARTS_AFTER_OUT = frozenset({"Throw in", "Goal kick", "Corner"})
OPEN_PASSES = frozenset({"Simple pass", "Smart pass", "Hand pass", "High pass", "Launch", "Head pass", "Cross"})
PASSES = OPEN_PASSES | RESTARTS_AFTER_OUT | {"Free Kick", "Free kick cross"}
CARRIED_TO = (OPEN_PASSES - {"Head pass"}) | {"Acceleration", "Touch", "Ground attacking duel"}
"""Events, beside a shot with the foot, that a carry may lead to."""
AERIAL_DELIVERIES = frozenset({"Cross", "Corner", "Free kick cross", "High pass", "Launch", "Throw in"})
SHOTS_AND_SAVES = frozenset({"Shot", "Free kick shot", "Penalty", "Reflexes", "Save attempt"})
ON_BALL_KINDS = PASSES | SHOTS_AND_SAVES | {"Acceleration", "Clearance", "Touch"}
STOPPAGE_FAMILIES = frozenset({"Foul", "Offside"})
SILENT_KINDS = frozenset({"Goalkeeper leaving line"})
"""Known events that never yield a row."""


@dataclass(frozen=True)
class Position:
    """A place in percent: ``x`` along, ``y`` across the acting team's attack, both 0 to 100."""

    x: float
    y: float


@dataclass(frozen=True)
class WyscoutEvent:
    """One event of a half.

    Attributes:
        half: 1 to 4.
        family: ``eventName`` ("Pass", "Duel", ...).
        kind: ``subEventName`` ("Simple pass", ...); the provider leaves it empty for an offside.
        time_ms: time from the half's start, not rounded.
        team: 0 for the team that acts first in the match, 1 for the other.
        player: the provider's id; 0 if it does not know the player.
        number: number of that player within the match, or ``UNKNOWN``.
        role: place in ``domain.feed.ROLES``, or ``UNKNOWN``.
        tags: the provider's tag ids.
        start, end: None where the file gives no position.
    """

    half: int
    family: str
    kind: str
    time_ms: float
    team: int
    player: int
    tags: frozenset[int] = field(default_factory=frozenset)
    start: Position | None = None
    end: Position | None = None
    number: int = UNKNOWN
    role: int = UNKNOWN

    @property
    def length_m(self) -> float | None:
        """Metres from start to end; None where one of them is missing."""
        if self.start is None or self.end is None:
            return None
        return distance_m(self.start.x, self.start.y, self.end.x, self.end.y)


@dataclass
class _Moment:
    """An event between its past and its future.

    Attributes:
        events: events of the half; ``event`` is the one at ``index``.
        last: the last event, on-ball or not.
        last_on_ball: the last on-ball event or successful tackle.
        pass_in_flight: the last pass, while it may still be received.
        ball_is_out: the ball went out, and nobody has played it since.
        last_drive_ms: time of the latest DRIVE.
        last_header_ms: time of each team's latest HEADER.
    """

    events: Sequence[WyscoutEvent]
    index: int = 0
    last: WyscoutEvent | None = None
    last_on_ball: WyscoutEvent | None = None
    pass_in_flight: WyscoutEvent | None = None
    ball_is_out: bool = False
    last_drive_ms: float = float("-inf")
    last_header_ms: dict[int, float] = field(default_factory=dict)

    @property
    def event(self) -> WyscoutEvent:
        return self.events[self.index]

    @property
    def next_on_ball(self) -> WyscoutEvent | None:
        later = islice(self.events, self.index + 1, None)
        return next((event for event in later if event.kind in ON_BALL_KINDS), None)

    def move_on(self, code: int | None) -> None:
        """Take the event, whose row has this code, into the past."""
        event, on_ball = self.event, self.event.kind in ON_BALL_KINDS
        if event.kind in PASSES:
            self.pass_in_flight = event
        elif on_ball or code in (feed.TACKLE, feed.OUT, feed.STOPPAGE):
            self.pass_in_flight = None
        if on_ball or code == feed.TACKLE:
            self.last_on_ball = event
            self.ball_is_out = False
        if code == feed.OUT:
            self.ball_is_out = True
        if code == feed.DRIVE:
            self.last_drive_ms = max(self.last_drive_ms, event.time_ms)
        if code == feed.HEADER:
            self.last_header_ms[event.team] = event.time_ms
        self.last = event
        self.index += 1

    def followers(self, within_ms: float) -> Iterator[WyscoutEvent]:
        """Later events, of any kind, up to ``within_ms`` after this one."""
        until_ms = self.event.time_ms
        later = islice(self.events, self.index + 1, None)
        return takewhile(lambda event: event.time_ms - until_ms <= within_ms, later)

    def is_soon_after(self, earlier_ms: float, within_ms: float) -> bool:
        return 0 <= self.event.time_ms - earlier_ms <= within_ms


def half_rows(events: Sequence[WyscoutEvent]) -> list[FeedRow]:
    """Rows of one half in time order; rows of the same millisecond keep the order of their events.

    Args:
        events: events of one half by time; unknown ones are left out.
    """
    moment, rows = _Moment([event for event in events if is_known(event)]), list[FeedRow]()
    while moment.index < len(moment.events):
        rows += _estimated_out(moment)
        for drive in _reception_drive(moment):
            moment.last_drive_ms = max(moment.last_drive_ms, drive.t_ms)
            rows.append(drive)
        code = _code(moment)
        if code is not None:
            rows.append(_row(moment, code))
        moment.move_on(code)
    return sorted(rows, key=lambda row: row.t_ms)


def is_known(event: WyscoutEvent) -> bool:
    """True if the rules know an event's name."""
    return event.family in STOPPAGE_FAMILIES or event.kind in {*_PLAIN, *_JUDGED, *SILENT_KINDS}


def _row(moment: _Moment, code: int) -> FeedRow:
    event = moment.event
    t_ms = _block_ms(moment) if code == feed.BLOCK else event.time_ms
    # A touch is a drive only because the next action leaves time for one.
    delay_ms = round(shared.SHORTEST_CARRY_MS) if code == feed.DRIVE and event.kind == "Touch" else 0
    row = _row_of(event, t_ms, code, SETPIECE_OF_KIND.get(event.kind, 0), delay_ms)
    flags = sum(1 << bit for bit, tag in enumerate(TAGS_OF_FLAGS) if tag in event.tags)
    return replace(row, detail=DETAIL_OF_KIND.get(event.kind, UNKNOWN), flags=flags)


def _row_of(event: WyscoutEvent, time_ms: float, code: int, setpiece: int, delay_ms: int) -> FeedRow:
    x, y = (UNKNOWN, UNKNOWN) if event.start is None else (round(event.start.x), round(event.start.y))
    who = {"player": event.number, "role": event.role}
    return FeedRow(event.half, round(time_ms), code, event.team, x, y, setpiece, delay_ms, **who)


def _block_ms(moment: _Moment) -> float:
    """Time of a block: the provider stamps the ball's end, the block is 0.8 s before.

    It stays after the opponent's action that it answers; without one in the last 4 s, the stamp stays.
    """
    event, blocked = moment.event, moment.last_on_ball
    if blocked is None or blocked.team == event.team or not moment.is_soon_after(blocked.time_ms, BLOCK_REACTION_MS):
        return event.time_ms
    return max(event.time_ms - BLOCK_ADVANCE_MS, blocked.time_ms + BLOCK_AFTER_OPPONENT_MS)


def _estimated_out(moment: _Moment) -> Iterator[FeedRow]:
    """An OUT that the file does not have: before a restart that follows a pause of 4 s or more.

    It is put 3 s into the pause, at most in its middle, for the team of the last event.
    """
    event, last = moment.event, moment.last
    if event.kind not in RESTARTS_AFTER_OUT or last is None or moment.ball_is_out:
        return
    pause_ms = event.time_ms - last.time_ms
    if pause_ms >= shared.RESTART_PAUSE_MS:
        out_ms = last.time_ms + min(pause_ms / 2, shared.OUT_AFTER_LAST_MS)
        yield FeedRow(event.half, round(out_ms), feed.OUT, last.team, setpiece=ESTIMATED_OUT)


def _reception_drive(moment: _Moment) -> Iterator[FeedRow]:
    """The drive between the reception of the pass in flight and this event of the receiver's.

    The reception is estimated from the pass's length. Headers and clearances are played at first touch.
    """
    event, sent = moment.event, moment.pass_in_flight
    may_end_it = event.kind in CARRIED_TO or (event.kind == "Shot" and not _is_headed(event))
    if sent is None or sent.length_m is None or not may_end_it:
        return
    if event.team != sent.team or event.player == sent.player:
        return
    received_ms = sent.time_ms + shared.RECEPTION_MS + shared.RECEPTION_MS_PER_M * sent.length_m
    long_enough = event.time_ms - received_ms >= shared.SHORTEST_CARRY_MS
    if long_enough and event.time_ms - sent.time_ms < shared.LONGEST_CARRY_MS:
        yield _row_of(event, received_ms, feed.DRIVE, 0, round(shared.SHORTEST_CARRY_MS))


def _code(moment: _Moment) -> int | None:
    """Class or token of the event's own row; None where it yields none."""
    event = moment.event
    if event.family in STOPPAGE_FAMILIES:
        return feed.STOPPAGE
    if event.kind in _JUDGED:
        return _JUDGED[event.kind](moment)
    return _PLAIN.get(event.kind)


def _placed_kick(moment: _Moment) -> int:
    return feed.HIGH_PASS if (moment.event.length_m or 0) >= shared.LONG_KICK_M else feed.PASS


def _corner(moment: _Moment) -> int:
    event = moment.event
    into_the_box = event.end is not None and event.end.x >= SHORT_CORNER_X
    return feed.CROSS if into_the_box or HIGH_BALL_TAG in event.tags else feed.PASS


def _clearance(moment: _Moment) -> int:
    """A header where the ball came through the air, a kick otherwise."""
    last = moment.last_on_ball
    came_ms = last.time_ms if last is not None and last.kind in AERIAL_DELIVERIES else float("-inf")
    if moment.is_soon_after(came_ms, shared.AERIAL_CLEARANCE_MS):
        return feed.HEADER
    return feed.HIGH_PASS if (moment.event.length_m or 0) >= shared.LONG_CLEARANCE_M else feed.PASS


def _air_duel(moment: _Moment) -> int | None:
    """The winner heads the ball, unless a row beside it is the same header (looks 1.5 s ahead)."""
    event = moment.event
    if WON_TAG not in event.tags:
        return None
    last_header_ms = moment.last_header_ms.get(event.team, float("-inf"))
    if moment.is_soon_after(last_header_ms, DOUBLE_HEADER_BEFORE_MS):
        return feed.DUEL
    own = (later for later in moment.followers(DOUBLE_HEADER_AFTER_MS) if later.team == event.team)
    return feed.DUEL if any(_is_headed(later) for later in own) else feed.HEADER


def _is_headed(event: WyscoutEvent) -> bool:
    return event.kind in ("Head pass", "Clearance") or (event.kind == "Shot" and HEAD_OR_BODY_TAG in event.tags)


def _defending_duel(moment: _Moment) -> int:
    """A tackle where the duel is won and the ball stays with the winner (looks 5 s ahead)."""
    event, next_on_ball = moment.event, moment.next_on_ball
    if WON_TAG not in event.tags or next_on_ball is None:
        return feed.DUEL
    if next_on_ball.time_ms - event.time_ms > shared.TACKLE_KEEPS_BALL_MS:
        return feed.DUEL
    slid = SLIDING_TACKLE_TAG in event.tags and next_on_ball.team == event.team
    return feed.TACKLE if slid or next_on_ball.player == event.player else feed.DUEL


def _attacking_duel(moment: _Moment) -> int | None:
    """A drive where the attacker takes his man on, unless a drive has a row shortly before."""
    just_drove = moment.is_soon_after(moment.last_drive_ms, shared.TAKE_ON_AFTER_DRIVE_MS)
    return feed.DRIVE if TAKE_ON_TAGS & moment.event.tags and not just_drove else None


def _touch(moment: _Moment) -> int:
    """A block, a drive that the same side continues (looks at its next on-ball event), or a mere touch."""
    event, next_on_ball = moment.event, moment.next_on_ball
    if INTERCEPTION_TAG in event.tags:
        return feed.BLOCK
    if MISSED_BALL_TAG in event.tags or next_on_ball is None or next_on_ball.team != event.team:
        return feed.TOUCH
    goes_on = next_on_ball.time_ms - event.time_ms >= shared.SHORTEST_CARRY_MS
    just_drove = moment.is_soon_after(moment.last_drive_ms, TOUCH_AFTER_DRIVE_MS)
    return feed.DRIVE if goes_on and not just_drove else feed.TOUCH


_PLAIN = {
    **dict.fromkeys(("Simple pass", "Smart pass", "Hand pass"), feed.PASS),
    **dict.fromkeys(("High pass", "Launch"), feed.HIGH_PASS),
    **dict.fromkeys(("Cross", "Free kick cross"), feed.CROSS),
    **dict.fromkeys(("Shot", "Free kick shot", "Penalty"), feed.SHOT),
    **dict.fromkeys(("Reflexes", "Save attempt"), feed.SAVE),
    **{"Head pass": feed.HEADER, "Throw in": feed.THROW_IN, "Ball out of the field": feed.OUT},
    **{"Acceleration": feed.DRIVE, "Whistle": feed.STOPPAGE},
}
_JUDGED: dict[str, Callable[[_Moment], int | None]] = {
    **dict.fromkeys(("Free Kick", "Goal kick"), _placed_kick),
    "Corner": _corner,
    "Clearance": _clearance,
    "Air duel": _air_duel,
    "Ground loose ball duel": lambda moment: feed.DUEL if WON_TAG in moment.event.tags else None,
    "Ground defending duel": _defending_duel,
    "Ground attacking duel": _attacking_duel,
    "Touch": _touch,
}
