"""Rules from a provider's events to rows of a feed, the same for all providers (Wyscout v2 has rules of its own).

A provider's reader says what each event is, in the words of ``Kind``; the rules here do the rest: what counts as a high
pass, which drives are implied, which duels are tackles. They go through a half once, in time order. A row that is known
only in hindsight gets a delay.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isfinite, isnan, nan
from typing import Any, Literal, TypeVar

from playahead.domain import feed
from playahead.domain.feed import ESTIMATED_OUT, FLAGS, TEAM_1_AND_2, UNKNOWN, Detail, FeedHalf, FeedRow, SetPiece
from playahead.domain.notices import Notices
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError, RecordError
from playahead.sources.match_clock import late_starts

T = TypeVar("T")
Kind = (
    Literal["pass", "shot", "carry", "take on", "clearance", "block", "tackle", "aerial", "duel"]
    | Literal["touch", "out", "save", "stoppage"]
)
"""Kinds of event. ``tackle`` and ``aerial`` are won by the event's team."""

LONG_KICK_M = 32.0
LONG_CLEARANCE_M = 20.0
SHORT_CORNER_M = 15.0
SHORTEST_CARRY_MS = 400.0
LONGEST_CARRY_MS = 15_000.0
RECEPTION_MS, RECEPTION_MS_PER_M = 450.0, 50.0
TAKE_ON_AFTER_DRIVE_MS = 1500.0
MOST_FOREIGN = 0.1
FEW_CARRIES = 0.2
"""Carries for each pass up to which a provider writes only some of them, such as those that gain much ground."""
FEW_EVENTS = 20
"""So many events at an impossible time are left out, however few others a half has."""
RESTART_PAUSE_MS, OUT_AFTER_LAST_MS = 4000.0, 3000.0
DOUBLE_HEADER_MS = 1500.0
TACKLE_KEEPS_BALL_MS = 5000.0
AERIAL_CLEARANCE_MS = 4000.0

_ON_BALL = ("pass", "shot", "carry", "take on", "clearance", "touch", "save")
_PLAYS = (*_ON_BALL, "block", "tackle", "aerial", "duel")
_PLAYED_ON = ("pass", "shot", "take on")
_RESTARTS = (SetPiece.THROW_IN, SetPiece.GOAL_KICK, SetPiece.CORNER)  # after the ball went out
_ALWAYS = frozenset({feed.PASS, feed.DRIVE, feed.HIGH_PASS, feed.THROW_IN, feed.CROSS, feed.SHOT})
_CODE_OF_KIND = {
    **{"shot": feed.SHOT, "block": feed.BLOCK, "tackle": feed.TACKLE, "duel": feed.DUEL, "aerial": feed.DUEL},
    **{"out": feed.OUT, "save": feed.SAVE, "stoppage": feed.STOPPAGE, "touch": feed.TOUCH},
}
_DETAIL_OF_SETPIECE = {
    **{SetPiece.THROW_IN: Detail.THROW_IN, SetPiece.GOAL_KICK: Detail.GOAL_KICK},
    **{SetPiece.CORNER: Detail.CORNER, SetPiece.FREE_KICK: Detail.FREE_KICK},
}
_DETAIL_OF_KIND = {
    **{"shot": Detail.SHOT, "take on": Detail.GROUND_ATTACKING_DUEL, "clearance": Detail.CLEARANCE},
    **{"block": Detail.TOUCH, "tackle": Detail.GROUND_DEFENDING_DUEL, "aerial": Detail.AIR_DUEL},
    **{"touch": Detail.TOUCH, "out": Detail.BALL_OUT_OF_THE_FIELD, "save": Detail.SAVE_ATTEMPT},
}
"""Finer kinds of event; of a duel and a stoppage no provider's word says enough."""


@dataclass(frozen=True)
class ProviderEvent:
    """One event, in words that fit every provider.

    Attributes:
        half: 1 to 4.
        time_ms: time from the half's start.
        kind: kind of event.
        team: 0, 1 or ``UNKNOWN``.
        player: acting player, in any spelling; None if unknown.
        x, y: percent along and across the acting team's attack; NaN if unknown.
        length_m: length of a pass, carry or clearance; NaN if unknown. It decides the class, and is no feature.
        lasts_ms: time until the ball arrives, or the carry ends; NaN if unknown.
        headed, high, crossed: properties of a pass, clearance or shot.
        setpiece: a ``SetPiece``; 9 for an OUT whose time is estimated.
        number: number of the player within the match (``halves_of`` gives them).
    """

    half: int
    time_ms: float
    kind: Kind
    team: int
    player: str | None = None
    x: float = nan
    y: float = nan
    length_m: float = nan
    lasts_ms: float = nan
    headed: bool = False
    high: bool = False
    crossed: bool = False
    setpiece: int = 0
    number: int = UNKNOWN


class Unreadable(Exception):
    """An event that cannot become a row; the text completes "events with ..."."""


class ShootOut(Exception):
    """An event of the penalty shoot-out, which is not read."""


def read_each(
    where: object, entries: Iterable[Any], events_of: Callable[[Any], Iterable[T]], notices: Notices
) -> list[T]:
    """Events of a file, entry by entry; an entry that cannot be read is left out and counted.

    Args:
        where: the file.
        entries: the provider's entries; an InputError if most cannot be read.
        events_of: function from an entry to its events; raises ``Unreadable``, ``ShootOut``, or what a missing field
            raises.
        notices: collector that counts what is left out, by reason.
    """
    read: list[T] = []
    left_out, total, in_shoot_out = Counter[str](), 0, 0
    for entry in entries:
        total += 1
        try:
            read += list(events_of(entry))
        except ShootOut:
            in_shoot_out += 1
        except Unreadable as reason:
            left_out[f"with {reason}"] += 1
        except InputError as reason:
            left_out[f"where {reason.what}"] += 1
        except KeyError as reason:
            left_out[f"without {reason}"] += 1
        except (IndexError, TypeError, ValueError, AttributeError, OverflowError):
            left_out["with a field of the wrong kind"] += 1
    if left_out.total() > total / 2:
        reason, count = left_out.most_common(1)[0]
        raise InputError(where, f"{left_out.total():,} of {total:,} events cannot be read ({count:,} events {reason})")
    for reason, count in {**left_out, "of the shoot-out": in_shoot_out}.items():
        notices.count(f"events {reason} not read", count)
    return read


def once(entries: Iterable[T], notices: Notices, key: Callable[[T], object] = repr) -> list[T]:
    """Entries without those that the file gives twice, which are counted; the last one of a key stays."""
    listed = list(entries)
    by_key = {key(entry): entry for entry in listed}
    notices.count("events given twice not read", len(listed) - len(by_key))
    return list(by_key.values())


def two_teams(where: object, named: Iterable[object]) -> list[Any]:
    """The teams of a match, in order of appearance, from the team of each event; an InputError for two matches."""
    count = Counter(team for team in named if team and isinstance(team, str | int))
    if sum(list(count.values())[2:]) > MOST_FOREIGN * count.total():
        raise InputError(where, f"holds events of {len(count)} teams", "give each match a file of its own")
    return list(count)[:2]


def number_players(players: Iterable[Hashable | None]) -> list[int]:
    """A number within the match for each event's player; ``UNKNOWN`` of None, and of more players than there can be."""
    number_of: dict[Hashable, int] = {}
    numbers = []
    for player in players:
        number = UNKNOWN if player is None else number_of.setdefault(player, len(number_of))
        numbers.append(min(number, UNKNOWN))
    return numbers


def team_number(team: object, teams: Mapping[Any, int]) -> int:
    """0 or 1; ``UNKNOWN`` of an event without a team. A third team is ``Unreadable``."""
    if team in (None, ""):
        return UNKNOWN
    if team not in teams:
        raise Unreadable(f"a third team ({team})")
    return teams[team]


def halves_of(
    match: int,
    events: Sequence[ProviderEvent],
    knows_height: bool,
    notices: Notices,
    knows_outs: bool = True,
    teams: tuple[str, str] = TEAM_1_AND_2,
) -> list[FeedHalf]:
    """The halves that have rows, first half first.

    Args:
        match: id.
        events: events of all halves, in any order.
        knows_height: the provider marks high passes; else long ones are.
        knows_outs: the provider records when the ball goes out; else that is estimated from pauses before restarts.
        notices: collector. It counts events given twice, before their half, or later than any half lasts, and names
            halves whose clock starts late, and those without a place.
        teams: names of teams 0 and 1.

    Raises:
        RecordError: most events of a half lie outside it, so that the others are not where they say either.
    """
    # Each event once (by repr: NaN is not equal to itself), its time from the half's own start, in time order.
    distinct = once(events, notices)
    numbers = number_players(event.player for event in distinct)
    distinct = [replace(event, number=number) for event, number in zip(distinct, numbers, strict=True)]
    late_ms = late_starts(((event.half, event.time_ms) for event in distinct if isfinite(event.time_ms)), notices)
    timed = [
        replace(event, time_ms=max(event.time_ms - late_ms[event.half], 0.0)) if event.half in late_ms else event
        for event in distinct
    ]
    inside = [event for event in timed if 0 <= event.time_ms <= LONGEST_HALF_MS]
    n_all, n_inside = (Counter(event.half for event in some) for some in (timed, inside))
    for half, n in sorted(n_all.items()):
        if n - n_inside[half] > max(n / 2, FEW_EVENTS):
            what = f"half {half}: {n - n_inside[half]:,} of {n:,} events lie before its start or hours after it"
            raise RecordError(f"{what}: are its times in another unit, or those of another half?")
    ordered = sorted(inside, key=lambda event: (event.half, event.time_ms))
    notices.count("events at an impossible time not read", len(timed) - len(ordered))
    # One OUT a pause; where the provider writes none, one before each restart.
    ordered = list(_one_out_a_pause(_without_borrowed_receptions(ordered)))
    if not knows_outs:
        ordered = list(_with_estimated_outs(ordered))
    # Carries are implied unless the provider writes them all; a half is gone through once.
    kinds = Counter(event.kind for event in ordered)
    knows_carries = kinds["carry"] > FEW_CARRIES * kinds["pass"]
    rows_of: dict[int, list[FeedRow]] = {}
    for half, own in groupby(ordered, key=lambda event: event.half):
        timed_rows = _rows(list(own), knows_carries, knows_height)
        rows_of[half] = [row for _, row in sorted(timed_rows, key=lambda timed_row: timed_row[0])]
    # The codes that these rules make of the provider's kinds: of any other, no row means nothing.
    reports = _ALWAYS | {code for kind, code in _CODE_OF_KIND.items() if kind in kinds}
    reports |= {feed.DUEL} if "tackle" in kinds else set()  # a tackle that does not keep the ball
    if "aerial" in kinds or any(row.code == feed.HEADER for rows in rows_of.values() for row in rows):
        reports |= {feed.HEADER}
    for half, rows in rows_of.items():
        if rows and all(row.x == UNKNOWN for row in rows):
            notices.add(f"half {half}: no place is known")
    return [
        FeedHalf.from_rows(match, half, rows, reports=reports, teams=teams) for half, rows in rows_of.items() if rows
    ]


def _without_borrowed_receptions(events: Sequence[ProviderEvent]) -> list[ProviderEvent]:
    """Passes whose reception is none lose it.

    A reception lies after its pass, and soon. And where most receptions are to the millisecond the time of the next
    event, the source only copies that time: it does not know when the ball arrived.
    """
    passes = [(i, event) for i, event in enumerate(events) if event.kind == "pass" and event.lasts_ms > 0]
    copied = 0
    for i, event in passes:
        next_ms = [later.time_ms for later in events[i + 1 : i + 3] if later.half == event.half]
        copied += any(abs(time_ms - event.time_ms - event.lasts_ms) < 0.5 for time_ms in next_ms)
    longest_ms = 0.0 if copied > len(passes) / 2 else LONGEST_CARRY_MS
    return [
        replace(event, lasts_ms=nan) if event.kind == "pass" and not 0 < event.lasts_ms <= longest_ms else event
        for event in events
    ]


def _one_out_a_pause(events: Sequence[ProviderEvent]) -> Iterator[ProviderEvent]:
    """One OUT until somebody plays the ball again: some providers write one for each team.

    Of several, the one of the team that played last is taken.
    """
    last, pending = UNKNOWN, list[ProviderEvent]()
    for event in (*events, None):
        if pending and (event is None or event.half != pending[0].half or event.kind in _PLAYS):
            yield next((out for out in pending if out.team == last), pending[0])
            pending = []
        if event is not None and event.kind == "out":
            pending.append(event)
        elif event is not None:
            last = event.team if event.kind in _PLAYS else last
            yield event


def _with_estimated_outs(events: Sequence[ProviderEvent]) -> Iterator[ProviderEvent]:
    """An OUT before each restart that follows a pause, where the provider records none.

    It is put 3 s into the pause, at most in its middle, for the team of the last event, and marked as a guess.
    """
    last: ProviderEvent | None = None
    for event in events:
        if event.setpiece in _RESTARTS and last is not None and last.half == event.half:
            pause_ms = event.time_ms - last.time_ms
            if pause_ms >= RESTART_PAUSE_MS:
                out_ms = last.time_ms + min(pause_ms / 2, OUT_AFTER_LAST_MS)
                yield ProviderEvent(event.half, out_ms, "out", last.team, setpiece=ESTIMATED_OUT)
        yield event
        last = event


def _rows(events: Sequence[ProviderEvent], knows_carries: bool, knows_height: bool) -> Iterator[tuple[float, FeedRow]]:
    """Rows, each with its time before rounding, by which they are put in order."""
    last_drive_ms = float("-inf")
    for index, event in enumerate(events):
        if not knows_carries:
            for drive in _implied_drive(events, index):
                last_drive_ms = max(last_drive_ms, drive[0])
                yield drive
        if event.kind in ("carry", "take on"):
            is_carry, since_ms = event.kind == "carry", event.time_ms - last_drive_ms
            # A carry of unknown length is one; a man is taken on in the drive that there is.
            if not event.lasts_ms < SHORTEST_CARRY_MS if is_carry else since_ms > TAKE_ON_AFTER_DRIVE_MS:
                last_drive_ms = event.time_ms
                yield _row(event.time_ms, feed.DRIVE, event, SHORTEST_CARRY_MS if is_carry else 0.0)
        else:
            yield _row(event.time_ms, _code(events, index, knows_height), event)


def _row(time_ms: float, code: int, event: ProviderEvent, delay_ms: float = 0.0) -> tuple[float, FeedRow]:
    x, y = (UNKNOWN if isnan(value) else round(min(max(value, 0.0), 100.0)) for value in (event.x, event.y))
    setpiece = event.setpiece if code != feed.DRIVE else SetPiece.OPEN_PLAY
    if event.kind == "shot" and setpiece == SetPiece.FREE_KICK:
        setpiece = SetPiece.DIRECT_SHOT
    # Of a row that follows from what came later, nothing but the player is told.
    finer = {"player": event.number}
    if not delay_ms and setpiece != ESTIMATED_OUT:
        finer |= {"detail": _detail(event), "flags": _flags(event)}
    return time_ms, FeedRow(event.half, round(time_ms), code, event.team, x, y, setpiece, round(delay_ms), **finer)


def _detail(event: ProviderEvent) -> int:
    if event.kind == "pass" and event.setpiece in _DETAIL_OF_SETPIECE:
        return _DETAIL_OF_SETPIECE[event.setpiece]
    if event.kind == "pass":
        kinds = {Detail.HEAD_PASS: event.headed, Detail.CROSS: event.crossed, Detail.HIGH_PASS: event.high}
        return next((detail for detail, is_one in kinds.items() if is_one), Detail.SIMPLE_PASS)
    return _DETAIL_OF_KIND.get(event.kind, UNKNOWN)


def _flags(event: ProviderEvent) -> int:
    return (1 << FLAGS.index("head")) * event.headed + (1 << FLAGS.index("high")) * event.high


def _code(events: Sequence[ProviderEvent], index: int, knows_height: bool) -> int:
    event = events[index]
    match event.kind:
        case "pass":
            return _pass(event, knows_height)
        case "clearance":
            return _clearance(events, index)
        case "aerial":
            return feed.DUEL if _is_same_header(events, index) else feed.HEADER
        case "tackle" if _keeps_ball(events, index):
            return feed.TACKLE
        case "tackle":
            return feed.DUEL
        case kind:
            return _CODE_OF_KIND[kind]


def _pass(event: ProviderEvent, knows_height: bool) -> int:
    if event.setpiece == SetPiece.THROW_IN:
        return feed.THROW_IN
    if event.headed:
        return feed.HEADER
    if event.setpiece == SetPiece.CORNER:
        return feed.PASS if event.length_m < SHORT_CORNER_M and not event.crossed else feed.CROSS
    if event.crossed:
        return feed.CROSS
    is_long = event.length_m >= LONG_KICK_M and (event.setpiece or not knows_height)
    return feed.HIGH_PASS if event.high or is_long else feed.PASS


def _clearance(events: Sequence[ProviderEvent], index: int) -> int:
    """Headed where it is said, or where the ball came through the air; else by length."""
    event = events[index]
    last = next((e for e in reversed(events[:index]) if e.kind in _ON_BALL), None)
    if last is not None and event.time_ms - last.time_ms <= AERIAL_CLEARANCE_MS:
        came_high = last.high or last.crossed or last.setpiece in (SetPiece.THROW_IN, SetPiece.CORNER)
    else:
        came_high = False
    if event.headed or came_high:
        return feed.HEADER
    return feed.PASS if event.length_m < LONG_CLEARANCE_M else feed.HIGH_PASS


def _is_same_header(events: Sequence[ProviderEvent], index: int) -> bool:
    """True if the winner of an aerial duel has a headed event of his own beside it (looks 1.5 s ahead)."""
    event = events[index]
    beside = [e for e in events if e is not event and abs(e.time_ms - event.time_ms) <= DOUBLE_HEADER_MS]
    return any(other.team == event.team and (other.headed or other.kind == "clearance") for other in beside)


def _keeps_ball(events: Sequence[ProviderEvent], index: int) -> bool:
    """True if the tackler's side plays the ball next (looks 5 s ahead)."""
    event = events[index]
    following = next((e for e in events[index + 1 :] if e.kind in _ON_BALL), event)
    soon = following is not event and following.time_ms - event.time_ms <= TACKLE_KEEPS_BALL_MS
    return soon and following.team == event.team


def _implied_drive(events: Sequence[ProviderEvent], index: int) -> Iterator[tuple[float, FeedRow]]:
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
        yield _row(received_ms, feed.DRIVE, event, SHORTEST_CARRY_MS)
