"""Reader of Wyscout match files (event format of Pappalardo et al., CC BY 4.0): one JSON per match."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from playahead.domain.feed import TEAM_1_AND_2, UNKNOWN, FeedHalf
from playahead.io.errors import InputError
from playahead.sources.kloppy_events import is_wyscout_v3, read_wyscout_v3
from playahead.sources.match_clock import late_starts
from playahead.sources.provider_events import number_players, once
from playahead.sources.reading import LARGEST_ID, FeedFile, as_list, as_object, field, number, read_json
from playahead.sources.wyscout_rules import KIND_OF_ID, Position, WyscoutEvent, half_rows, is_known

HALF_OF_PERIOD = {"1H": 1, "2H": 2, "E1": 3, "E2": 4}
SHOOT_OUT = "P"

LONGEST_HALF_S = 7200.0
"""A later ``eventSec`` is a wrong unit, not a long half."""
POSITION_SLACK = 5.0
"""Percent by which a position may leave the pitch before it counts as a wrong unit."""
FAMILY_OF_ID = {
    **{1: "Duel", 2: "Foul", 3: "Free Kick", 4: "Goalkeeper leaving line", 5: "Interruption", 6: "Offside"},
    **{7: "Others on the ball", 8: "Pass", 9: "Save attempt", 10: "Shot"},
}
"""``eventName`` by ``eventId``: some exports give the number alone."""
_ROLE_OF_CODE = {"GKP": 0, "DEF": 1, "MID": 2, "FWD": 3}
"""Places in ``domain.feed.ROLES``."""


def read_wyscout(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match that have rows, first half first: exactly the rows of the Wyscout-BAA tables.

    Team 0 is the team of the match's first event. Extra time is read as halves 3 and 4. The penalty shoot-out, events
    given twice and events of an unknown name are left out and counted. The file is either the list of events or an
    object whose ``events`` is that list.
    """
    path, notices = file.path, file.notices
    root = read_json(path)
    if is_wyscout_v3(root):  # with so much before its events that nothing else showed it
        return read_wyscout_v3(file)
    listed = as_list(field(root, "events", str(path)) if isinstance(root, dict) else root, f"{path}: events")
    entries = list(_entries(listed, file))
    played = [entry for entry in entries if entry.half]
    notices.count("events of the shoot-out not read", len(entries) - len(played))
    if not played:
        raise InputError(path, f"no event in {', '.join(HALF_OF_PERIOD)}", "a shoot-out is not read")
    # eventSec counts from the half's start; in a file that somebody made it may go on at 45:00.
    late_ms = late_starts(((entry.half, entry.time_ms) for entry in played), notices)
    played = [replace(one, time_ms=max(one.time_ms - late_ms.get(one.half, 0), 0.0)) for one in played]
    played.sort(key=lambda entry: (entry.half, entry.time_ms))
    team_of_id, match = _teams_and_match(played)
    role_of_id = _roles(root)
    events: list[WyscoutEvent] = []
    for entry in played:
        try:
            events.append(entry.event(team_of_id, role_of_id))
        except InputError as reason:
            file.bad_row(reason)
    for event in events:
        if not is_known(event):
            notices.count(f"events with an unknown name ({event.kind or event.family}) not read")
    numbers = number_players(event.player or None for event in events)
    events = [replace(event, number=number) for event, number in zip(events, numbers, strict=True)]
    rows_of = {half: half_rows([event for event in events if event.half == half]) for half in HALF_OF_PERIOD.values()}
    teams = _names(root, list(team_of_id))
    return [FeedHalf.from_rows(match, half, rows, teams=teams) for half, rows in rows_of.items() if rows]


@dataclass(frozen=True)
class _Entry:
    """One raw event: its place in the file, its fields, half (0 in the shoot-out), and time from the half's start."""

    where: str
    raw: Mapping[str, object]
    half: int
    time_ms: float

    def whole(self, name: str) -> int:
        value = field(self.raw, name, self.where)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_ID:
            raise InputError(self.where, f"{name} {_shown(value)} is not a whole number in 0..{LARGEST_ID}")
        return value

    def event(self, team_of_id: Mapping[int, int], role_of_id: Mapping[object, int]) -> WyscoutEvent:
        places = self.raw.get("positions")
        places = [] if places is None else as_list(places, f"{self.where}, positions")
        start, end, *_ = *(self._position(place) for place in places[:2]), None, None
        family, kind = self._name("eventName", FAMILY_OF_ID), self._name("subEventName", KIND_OF_ID)
        team, player = team_of_id[self.whole("teamId")], self.whole("playerId")
        role = role_of_id.get(player, UNKNOWN)
        return WyscoutEvent(self.half, family, kind, self.time_ms, team, player, self._tags(), start, end, role=role)

    def _name(self, name: str, of_id: Mapping[int, str]) -> str:
        """A name, or the number that stands for it."""
        value = field(self.raw, name, self.where)
        id_ = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if not isinstance(id_, int) or isinstance(id_, bool):
            return _text(self.raw, name, self.where)
        if id_ not in of_id:
            raise InputError(self.where, f"{name} {_shown(value)} is no event that Wyscout numbers")
        return of_id[id_]

    def _tags(self) -> frozenset[int]:
        where = f"{self.where}, tags"
        listed = as_list(field(self.raw, "tags", self.where), where)
        ids = [field(as_object(tag, where), "id", where) for tag in listed]
        for tag_id in ids:
            if not isinstance(tag_id, int) or isinstance(tag_id, bool):
                raise InputError(where, f"id {_shown(tag_id)} is not a whole number")
        return frozenset(ids)  # type: ignore[bad-return]

    def _position(self, place: object) -> Position | None:
        if place is None:
            return None
        where = f"{self.where}, positions"
        axes = as_object(place, where)
        percent: list[float] = []
        for name in ("x", "y"):
            value = field(axes, name, where)
            if not -POSITION_SLACK <= number(value) <= 100 + POSITION_SLACK:  # NaN compares false with everything
                raise InputError(where, f"{name} {_shown(value)} is not in 0..100", "percent of the pitch are needed")
            percent.append(min(max(number(value), 0.0), 100.0))
        return Position(*percent)


def _entries(listed: Sequence[object], file: FeedFile) -> Iterator[_Entry]:
    """Entries that can be placed in time, each once."""
    for index, raw in once(enumerate(listed), file.notices, key=lambda numbered: repr(numbered[1])):
        where = f"{file.path}: event {index}"
        try:
            entry = as_object(raw, where)
            period = _text(entry, "matchPeriod", where)
            if period not in HALF_OF_PERIOD and period != SHOOT_OUT:
                raise InputError(where, f"matchPeriod {period!r} is none of {', '.join((*HALF_OF_PERIOD, SHOOT_OUT))}")
            half = HALF_OF_PERIOD.get(period, 0)
            yield _Entry(where, entry, half, _time_ms(entry, where) if half else 0.0)
        except InputError as reason:
            file.bad_row(reason)


def _teams_and_match(entries: Sequence[_Entry]) -> tuple[dict[int, int], int]:
    team_of_id: dict[int, int] = {}
    for entry in entries:
        team_id = entry.whole("teamId")
        if team_of_id.setdefault(team_id, len(team_of_id)) > 1:
            first, second = list(team_of_id)[:2]
            raise InputError(entry.where, f"a third team: teamId {team_id} beside {first} and {second}")
    match = entries[0].whole("matchId")
    for entry in entries:
        if (other := entry.whole("matchId")) != match:
            raise InputError(entry.where, f"matchId {other} in a file of match {match}", "one file per match")
    return team_of_id, match


def _names(root: object, ids: Sequence[int]) -> tuple[str, str]:
    """Names of both teams, where the file lists its ``teams`` by id."""
    by_id = root.get("teams") if isinstance(root, dict) else None
    names: list[str] = []
    for team_id, otherwise in zip(ids, TEAM_1_AND_2, strict=False):
        entry = by_id.get(str(team_id)) if isinstance(by_id, dict) else None
        team = entry.get("team") if isinstance(entry, dict) else None
        name = team.get("name") if isinstance(team, dict) else None
        names.append(name if isinstance(name, str) and name else otherwise)
    return (names[0], names[1]) if len(names) == 2 else TEAM_1_AND_2


def _roles(root: object) -> dict[object, int]:
    """Roles by player, where the file lists its ``players`` by team; what is not as expected there tells nothing."""
    roles: dict[object, int] = {}
    by_team = root.get("players") if isinstance(root, dict) else None
    for listed in by_team.values() if isinstance(by_team, dict) else ():
        for entry in listed if isinstance(listed, list) else ():
            player = entry.get("player") if isinstance(entry, dict) else None
            role = player.get("role") if isinstance(player, dict) else None
            code = role.get("code3") if isinstance(role, dict) else None
            if isinstance(player, dict) and isinstance(player.get("wyId"), int) and isinstance(code, str):
                roles[player["wyId"]] = _ROLE_OF_CODE.get(code, UNKNOWN)
    return roles


def _text(raw: Mapping[str, object], name: str, where: str) -> str:
    value = field(raw, name, where)
    if not isinstance(value, str):
        raise InputError(where, f"{name} {_shown(value)} is not a text")
    return value


def _time_ms(raw: Mapping[str, object], where: str) -> float:
    value = field(raw, "eventSec", where)
    if isinstance(value, str) or not 0 <= number(value) <= LONGEST_HALF_S:  # NaN compares false with everything
        what = f"eventSec {_shown(value)} is not in 0..{LONGEST_HALF_S:.0f}"
        raise InputError(where, what, "seconds from the half's start are needed")
    return number(value) * 1000


def _shown(value: object) -> str:
    """A value for a one-line message, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}..."
