"""Which rows of a feed a provider's events become, whoever the provider is (Wyscout v2 has rules of its own).

A provider's reader says what each event is, in the words of ``Kind``; the rules here do the rest, the same for all:
what counts as a high pass, which drives are implied, which duels are tackles. They go through a half once, in time
order. Whatever the row tells only in hindsight becomes its delay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from playahead.domain.actions import Action
from playahead.domain.feed import DUEL, SAVE, STOPPAGE, TOUCH, UNKNOWN, FeedHalf
from playahead.domain.time import LONGEST_HALF_MS
from playahead.sources.notes import SourceNotes

Kind = Literal[
    "pass",
    "shot",
    "carry",
    "take on",
    "clearance",
    "block",
    "tackle",
    "aerial",
    "duel",
    "touch",
    "out",
    "save",
    "stoppage",
]
"""What an event is. ``tackle`` and ``aerial`` are won by the event's team."""

_PASS, _DRIVE, _HEADER = Action.PASS.class_index, Action.DRIVE.class_index, Action.HEADER.class_index
_HIGH_PASS, _THROW_IN, _CROSS = Action.HIGH_PASS.class_index, Action.THROW_IN.class_index, Action.CROSS.class_index
_SHOT, _OUT, _BLOCK = Action.SHOT.class_index, Action.OUT.class_index, Action.BLOCK.class_index
_TACKLE = Action.TACKLE.class_index

THROW_IN, GOAL_KICK, CORNER, FREE_KICK, DIRECT_SHOT = 1, 2, 3, 4, 5
"""Values of ``setpiece``."""

LONG_KICK_M = 32.0
LONG_CLEARANCE_M = 20.0
SHORT_CORNER_M = 15.0
SHORTEST_CARRY_MS = 400.0
LONGEST_CARRY_MS = 15_000.0
RECEPTION_MS, RECEPTION_MS_PER_M = 450.0, 50.0
TAKE_ON_AFTER_DRIVE_MS = 1500.0
DOUBLE_HEADER_MS = 1500.0
TACKLE_KEEPS_BALL_MS = 5000.0
AERIAL_CLEARANCE_MS = 4000.0

_ON_BALL = ("pass", "shot", "carry", "take on", "clearance", "touch", "save")
_PLAYED_ON = ("pass", "shot", "take on", "carry")
_ALWAYS = frozenset({_PASS, _DRIVE, _HIGH_PASS, _THROW_IN, _CROSS, _SHOT})


@dataclass(frozen=True)
class ProviderEvent:
    """One event, as every provider can tell it.

    Attributes:
        half: 1 to 4.
        time_ms: from the half's start.
        kind: what it is.
        team: 0, 1 or ``UNKNOWN``.
        player: who, in any spelling; None where it is not said.
        x, y: percent along and across the acting team's attack; NaN unknown.
        length_m: of a pass, carry or clearance; NaN unknown. It decides the class, and is no feature.
        lasts_ms: until the ball arrives, or the carry ends; NaN unknown.
        headed, high, crossed: of a pass, clearance or shot.
        setpiece: 0 open play, 1 to 5 as in ``FeedHalf``.
    """

    half: int
    time_ms: float
    kind: Kind
    team: int
    player: str | None = None
    x: float = float("nan")
    y: float = float("nan")
    length_m: float = float("nan")
    lasts_ms: float = float("nan")
    headed: bool = False
    high: bool = False
    crossed: bool = False
    setpiece: int = 0


@dataclass(frozen=True)
class _Row:
    time_ms: float
    code: int
    event: ProviderEvent
    delay_ms: float = 0.0


def halves_of(match: int, events: Sequence[ProviderEvent], knows_height: bool, notes: SourceNotes) -> list[FeedHalf]:
    """The halves that have rows, first half first.

    Args:
        match: id.
        events: of all halves, in any order.
        knows_height: the provider marks high passes; else long ones are.
        notes: told how many events are left out: given twice, before their half, or later than any half lasts.
    """
    once = {repr(event): event for event in events}.values()  # of equal fields; NaN is not equal to itself
    if len(once) < len(events):
        notes.left_out["events given twice"] += len(events) - len(once)
    ordered = sorted(
        (event for event in once if 0 <= event.time_ms <= LONGEST_HALF_MS),
        key=lambda event: (event.half, event.time_ms),
    )
    if len(ordered) < len(once):
        notes.left_out["events at an impossible time"] += len(once) - len(ordered)
    kinds = {event.kind for event in ordered}
    reports = set(_ALWAYS)
    reports |= {_HEADER} if kinds & {"aerial", "clearance"} or any(event.headed for event in ordered) else set()
    reports |= {code for kind, code in _CODE_OF_KIND.items() if kind in kinds}
    reports |= {DUEL} if "tackle" in kinds else set()  # a tackle that does not keep the ball
    halves = []
    for half in sorted({event.half for event in ordered}):
        rows = sorted(
            _rows([event for event in ordered if event.half == half], "carry" in kinds, knows_height),
            key=lambda row: row.time_ms,
        )
        if rows:
            halves.append(_feed_half(match, half, rows, frozenset(reports)))
    return halves


_CODE_OF_KIND = {
    **{"block": _BLOCK, "tackle": _TACKLE, "duel": DUEL, "aerial": DUEL},
    **{"out": _OUT, "save": SAVE, "stoppage": STOPPAGE, "touch": TOUCH},
}


def _rows(events: Sequence[ProviderEvent], has_carries: bool, knows_height: bool) -> Iterator[_Row]:
    last_drive_ms = float("-inf")
    for index, event in enumerate(events):
        if not has_carries:
            for drive in _implied_drive(events, index):
                last_drive_ms = max(last_drive_ms, drive.time_ms)
                yield drive
        if event.kind == "carry":
            if event.lasts_ms >= SHORTEST_CARRY_MS:
                last_drive_ms = event.time_ms
                yield _Row(event.time_ms, _DRIVE, event, SHORTEST_CARRY_MS)
        elif event.kind == "take on":
            if event.time_ms - last_drive_ms > TAKE_ON_AFTER_DRIVE_MS:
                last_drive_ms = event.time_ms
                yield _Row(event.time_ms, _DRIVE, event)
        else:
            yield _Row(event.time_ms, _code(events, index, knows_height), event)


def _code(events: Sequence[ProviderEvent], index: int, knows_height: bool) -> int:
    event = events[index]
    match event.kind:
        case "pass":
            return _pass(event, knows_height)
        case "shot":
            return _SHOT
        case "clearance":
            return _clearance(events, index)
        case "aerial":
            return DUEL if _is_same_header(events, index) else _HEADER
        case "tackle":
            return _TACKLE if _keeps_ball(events, index) else DUEL
        case kind:
            return _CODE_OF_KIND[kind]


def _pass(event: ProviderEvent, knows_height: bool) -> int:
    if event.setpiece == THROW_IN:
        return _THROW_IN
    if event.headed:
        return _HEADER
    if event.setpiece == CORNER:
        return _PASS if event.length_m < SHORT_CORNER_M else _CROSS
    if event.crossed:
        return _CROSS
    is_long = event.length_m >= LONG_KICK_M and (event.setpiece or not knows_height)
    return _HIGH_PASS if event.high or is_long else _PASS


def _clearance(events: Sequence[ProviderEvent], index: int) -> int:
    """Headed where it is said, or where the ball came through the air; else by length."""
    event = events[index]
    last = next((e for e in reversed(events[:index]) if e.kind in _ON_BALL), None)
    came_high = last is not None and (last.high or last.crossed or last.setpiece in (THROW_IN, CORNER))
    soon = last is not None and event.time_ms - last.time_ms <= AERIAL_CLEARANCE_MS
    if event.headed or (came_high and soon):
        return _HEADER
    return _PASS if event.length_m < LONG_CLEARANCE_M else _HIGH_PASS


def _is_same_header(events: Sequence[ProviderEvent], index: int) -> bool:
    """Whether the winner of an aerial duel has a headed event of his own beside it (looks 1.5 s ahead)."""
    event = events[index]
    near = _around(events, index, DOUBLE_HEADER_MS)
    return any(other.team == event.team and (other.headed or other.kind == "clearance") for other in near)


def _around(events: Sequence[ProviderEvent], index: int, within_ms: float) -> Iterator[ProviderEvent]:
    for step in (-1, 1):
        other = index + step
        while 0 <= other < len(events) and abs(events[other].time_ms - events[index].time_ms) <= within_ms:
            yield events[other]
            other += step


def _keeps_ball(events: Sequence[ProviderEvent], index: int) -> bool:
    """Whether the tackler's side plays the ball next (looks 5 s ahead)."""
    event = events[index]
    following = next((e for e in events[index + 1 :] if e.kind in _ON_BALL), None)
    if following is None or following.time_ms - event.time_ms > TACKLE_KEEPS_BALL_MS:
        return False
    return following.team == event.team


def _implied_drive(events: Sequence[ProviderEvent], index: int) -> Iterator[_Row]:
    """The carry between the reception of the last pass and this event of the receiver's, where none are recorded."""
    event = events[index]
    if event.kind not in _PLAYED_ON or event.headed or event.setpiece or not index:
        return
    sent = next((e for e in reversed(events[:index]) if e.kind in (*_ON_BALL, "stoppage", "out")), None)
    if sent is None or sent.kind != "pass" or sent.team != event.team or sent.team == UNKNOWN:
        return
    if sent.player is not None and sent.player == event.player:
        return
    flight_ms = sent.lasts_ms if sent.lasts_ms > 0 else RECEPTION_MS + RECEPTION_MS_PER_M * sent.length_m
    received_ms = sent.time_ms + flight_ms
    if event.time_ms - received_ms >= SHORTEST_CARRY_MS and event.time_ms - sent.time_ms < LONGEST_CARRY_MS:
        yield _Row(received_ms, _DRIVE, event, SHORTEST_CARRY_MS)


def _feed_half(match: int, half: int, rows: Sequence[_Row], reports: frozenset[int]) -> FeedHalf:
    return FeedHalf(
        match=match,
        half=half,
        t_ms=np.array([round(row.time_ms) for row in rows], np.int32),
        code=np.array([row.code for row in rows], np.uint8),
        team=np.array([row.event.team for row in rows], np.uint8),
        x=np.array([_percent(row.event.x) for row in rows], np.uint8),
        y=np.array([_percent(row.event.y) for row in rows], np.uint8),
        setpiece=np.array([row.event.setpiece if row.code != _DRIVE else 0 for row in rows], np.uint8),
        delay_ms=np.array([round(row.delay_ms) for row in rows], np.uint16),
        reports=reports,
    )


def _percent(value: float) -> int:
    return UNKNOWN if np.isnan(value) else round(min(max(value, 0.0), 100.0))
