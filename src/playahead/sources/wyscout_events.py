"""Events of one Wyscout match file, checked: nothing past this module sees the provider's JSON."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.sources import jsonfile, wyscout_names as names
from playahead.sources.match_clock import clock_starts, started_late
from playahead.sources.notes import SourceNotes

HALF_OF_PERIOD = {"1H": 1, "2H": 2, "E1": 3, "E2": 4}
SHOOT_OUT = "P"

LONGEST_HALF_S = 7200.0
"""A later ``eventSec`` is a wrong unit, not a long half."""
POSITION_SLACK = 5.0
"""Percent by which a position may leave the pitch before it counts as a wrong unit."""
LARGEST_ID = 2**31 - 1
"""Ids are stored as int32 in compact feed tables."""


@dataclass(frozen=True)
class Position:
    """A place in percent: ``x`` along, ``y`` across the acting team's attack, both 0 to 100."""

    x: float
    y: float

    def distance_m(self, other: "Position") -> float:
        """Metres between two places on a pitch of 105 m x 68 m."""
        along_m = (other.x - self.x) * PITCH_M[0] / 100
        across_m = (other.y - self.y) * PITCH_M[1] / 100
        return math.hypot(along_m, across_m)


@dataclass(frozen=True)
class WyscoutEvent:
    """One event of a half, or of one of extra time.

    Attributes:
        half: 1 to 4.
        family: ``eventName`` ("Pass", "Duel", ...).
        kind: ``subEventName`` ("Simple pass", ...); the provider leaves it empty for an offside.
        time_ms: from the half's start, not rounded.
        team: 0 for the team that acts first in the match, 1 for the other.
        player: the provider's id; 0 where it does not know him.
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

    @property
    def length_m(self) -> float | None:
        """Metres from start to end; None where one of them is missing."""
        if self.start is None or self.end is None:
            return None
        return self.start.distance_m(self.end)


def read_wyscout_events(path: Path, notes: SourceNotes) -> tuple[int, list[WyscoutEvent]]:
    """The match id, and the events of all halves by half and time (ties keep the file's order).

    The file is either the list of events or an object whose ``events`` is that list.

    Raises:
        InputError: not such a file, an event that lacks a field or gives it a wrong type or value,
            a third team, a second match, or no event but of the shoot-out.
    """
    root = jsonfile.read_json(path)
    if isinstance(root, dict):
        root = jsonfile.field(root, "events", str(path))
    entries = list(_entries(jsonfile.as_list(root, f"{path}: events"), path, notes))
    played = [entry for entry in entries if entry.half]
    if len(played) < len(entries):
        notes.left_out["events of the shoot-out"] += len(entries) - len(played)
    if not played:
        raise InputError(path, f"no event in {', '.join(HALF_OF_PERIOD)}", "a shoot-out is not read")
    _count_from_half_start(played, notes)
    played.sort(key=lambda entry: (entry.half, entry.time_ms))
    team_of_id = _number_teams(played)
    return _single_match(played), list(_events(played, team_of_id, notes))


def _count_from_half_start(played: "Sequence[_Entry]", notes: SourceNotes) -> None:
    """``eventSec`` counts from the half's start; in a file that somebody made it may go on at 45:00."""
    times_ms: dict[int, list[float]] = {}
    for entry in played:
        times_ms.setdefault(entry.half, []).append(entry.time_ms)
    starts_ms = clock_starts(times_ms)
    notes.doubts += [started_late(half, start_ms) for half, start_ms in sorted(starts_ms.items()) if start_ms]
    for entry in played:
        entry.time_ms = max(entry.time_ms - starts_ms[entry.half], 0.0)


def _entries(listed: Sequence[object], path: Path, notes: SourceNotes) -> Iterator["_Entry"]:
    """Entries that can be placed in time; an event that the file gives twice counts once."""
    seen: set[str] = set()
    for index, raw in enumerate(listed):
        where = f"{path}: event {index}"
        try:
            entry = jsonfile.as_object(raw, where)
            text = repr(entry)
            if text in seen:
                notes.left_out["events given twice"] += 1
                continue
            seen.add(text)
            yield _Entry(where, entry)
        except InputError as reason:
            notes.bad_row(reason)


def _events(entries: Sequence["_Entry"], team_of_id: dict[int, int], notes: SourceNotes) -> Iterator[WyscoutEvent]:
    for entry in entries:
        try:
            yield entry.event(team_of_id)
        except InputError as reason:
            notes.bad_row(reason)


def _number_teams(entries: "Sequence[_Entry]") -> dict[int, int]:
    team_of_id: dict[int, int] = {}
    for entry in entries:
        team_id = entry.whole("teamId")
        if team_of_id.setdefault(team_id, len(team_of_id)) > 1:
            first, second = list(team_of_id)[:2]
            raise InputError(entry.where, f"a third team: teamId {team_id} beside {first} and {second}")
    return team_of_id


def _single_match(entries: "Sequence[_Entry]") -> int:
    match = entries[0].whole("matchId")
    for entry in entries:
        if entry.whole("matchId") != match:
            what = f"matchId {entry.whole('matchId')} in a file of match {match}"
            raise InputError(entry.where, what, "one file per match")
    return match


class _Entry:
    """One raw event and where it stands, read field by field.

    Attributes:
        half: 1 to 4; 0 of the shoot-out, of which nothing else is read.
        time_ms: from the half's start.
    """

    def __init__(self, where: str, raw: dict[str, object]) -> None:
        self.where, self._raw = where, raw
        period = self.text("matchPeriod")
        if period not in HALF_OF_PERIOD and period != SHOOT_OUT:
            known = ", ".join((*HALF_OF_PERIOD, SHOOT_OUT))
            raise InputError(where, f"matchPeriod {period!r} is none of {known}")
        self.half = HALF_OF_PERIOD.get(period, 0)
        self.time_ms = self._time_ms() if self.half else 0.0

    def event(self, team_of_id: dict[int, int]) -> WyscoutEvent:
        """The checked event."""
        start, end = self._positions()
        return WyscoutEvent(
            half=self.half,
            family=self._name("eventName", names.FAMILY_OF_ID),
            kind=self._name("subEventName", names.KIND_OF_ID),
            time_ms=self.time_ms,
            team=team_of_id[self.whole("teamId")],
            player=self.whole("playerId"),
            tags=self._tags(),
            start=start,
            end=end,
        )

    def text(self, name: str) -> str:
        value = jsonfile.field(self._raw, name, self.where)
        if not isinstance(value, str):
            raise InputError(self.where, f"{name} {_shown(value)} is not a text")
        return value

    def _name(self, field: str, of_id: Mapping[int, str]) -> str:
        """A name, or the number that stands for it."""
        value = jsonfile.field(self._raw, field, self.where)
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if not isinstance(number, int) or isinstance(number, bool):
            return self.text(field)
        if number not in of_id:
            raise InputError(self.where, f"{field} {_shown(value)} is no event that Wyscout numbers")
        return of_id[number]

    def whole(self, name: str) -> int:
        value = jsonfile.field(self._raw, name, self.where)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_ID:
            raise InputError(self.where, f"{name} {_shown(value)} is not a whole number in 0..{LARGEST_ID}")
        return value

    def _time_ms(self) -> float:
        value = jsonfile.field(self._raw, "eventSec", self.where)
        # Written so that NaN, which compares false with everything, is refused.
        if not _is_number(value) or not 0 <= value <= LONGEST_HALF_S:
            what = f"eventSec {_shown(value)} is not in 0..{LONGEST_HALF_S:.0f}"
            raise InputError(self.where, what, "seconds from the half's start are needed")
        return float(value) * 1000

    def _tags(self) -> frozenset[int]:
        tags = jsonfile.as_list(jsonfile.field(self._raw, "tags", self.where), f"{self.where}, tags")
        ids = []
        for tag in tags:
            where = f"{self.where}, tags"
            tag_id = jsonfile.field(jsonfile.as_object(tag, where), "id", where)
            if not isinstance(tag_id, int) or isinstance(tag_id, bool):
                raise InputError(where, f"id {_shown(tag_id)} is not a whole number")
            ids.append(tag_id)
        return frozenset(ids)

    def _positions(self) -> tuple[Position | None, Position | None]:
        raw = self._raw.get("positions")
        places = [] if raw is None else jsonfile.as_list(raw, f"{self.where}, positions")
        start, end, *_ = *(self._position(place) for place in places[:2]), None, None
        return start, end

    def _position(self, place: object) -> Position | None:
        if place is None:
            return None
        where = f"{self.where}, positions"
        axes = jsonfile.as_object(place, where)
        percent: list[float] = []
        for name in ("x", "y"):
            value = _as_number(jsonfile.field(axes, name, where))
            if not _is_number(value) or not -POSITION_SLACK <= value <= 100 + POSITION_SLACK:
                what = f"{name} {_shown(value)} is not in 0..100"
                raise InputError(where, what, "percent of the pitch are needed")
            percent.append(float(min(max(value, 0), 100)))
        return Position(*percent)


def _as_number(value: object) -> object:
    """Some exports write numbers as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """A value for a one-line message, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}..."
