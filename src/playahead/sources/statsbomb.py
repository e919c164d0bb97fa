"""Reader of StatsBomb's event files. The line-up is not needed; given, it must be of the same match.

Names of types and outcomes are StatsBomb's; what decides nothing here (formations, cards, 360 data) is not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import Any

from playahead.domain.feed import HOME_AND_AWAY, PERIODS, FeedHalf, SetPiece
from playahead.domain.pitch import distance_m
from playahead.io.errors import InputError
from playahead.sources import provider_events as shared
from playahead.sources.provider_events import Kind, ProviderEvent, ShootOut, Unreadable
from playahead.sources.reading import FeedFile, as_list, match_id, number, parse_json, read_json, read_source

_YARDS = (120.0, 80.0)
"""Length and width of StatsBomb's pitch."""
_PASS, _SHOT, _DUEL, _FIFTY_FIFTY, _KEEPER, _RECEIPT = 30, 16, 4, 33, 23, 42
_PLAIN: dict[int, Kind] = {
    **{43: "carry", 14: "take on", 9: "clearance", 6: "block", 10: "block"},
    **{2: "touch", 38: "touch", 8: "stoppage", 22: "stoppage", 40: "stoppage"},
}
"""Carry, dribble, clearance, block, interception; recovery, miscontrol, offside, foul committed, injury stoppage."""
_SILENT = {3, 5, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29, 34, 35, 36, 37, 39, 41}
_SETPIECES = {
    **{61: SetPiece.CORNER, 62: SetPiece.FREE_KICK, 63: SetPiece.GOAL_KICK},
    **{67: SetPiece.THROW_IN, 88: SetPiece.DIRECT_SHOT},
}
_INTERCEPTION, _OTHER_PASSES = 64, {65, 66}  # kick-off, recovery
_GROUND, _LOW, _HIGH = 1, 2, 3
_HEAD = 37
_TACKLE, _AERIAL_LOST = 11, 10
_WON = {4, 15, 16, 17}
_WON_FIFTY_FIFTY = {3, 4}
_SAVES = {28, 29, 30, 31, 33, 34, 109, 110, 113, 114}
_SHOOT_OUT = 5
_CATCH, _SWEEPER, _WATCHING = 25, 27, {26, 32}
_SWEEPER_CLAIMS, _FEET_AND_HEAD = 47, {37, 38, 40}
_OUT, _OFFSIDE, _OFF_TARGET = 75, 76, 98
_ENDED_OUT = {14, 17}
"""Outcomes of a duel or an interception that end with the ball out."""

Raw = Mapping[str, Any]


def read_statsbomb(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match, extra time as halves 3 and 4."""
    path, notices = file.path, file.notices
    content = read_source(path)  # its checksum is the match's number: the file names no match
    entries = [entry for entry in as_list(parse_json(content, path), str(path)) if isinstance(entry, dict)]
    entries.sort(key=lambda entry: index if isfinite(index := number(entry.get("index"))) else 0.0)
    # The file begins with the line-up of the home side.
    teams = {
        team: number for number, team in enumerate(shared.two_teams(path, (_id(entry, "team") for entry in entries)))
    }
    if file.companion is not None:
        listed = as_list(read_json(file.companion), str(file.companion))
        squads = {squad.get("team_id") for squad in listed if isinstance(squad, dict)}
        if not set(teams) <= squads:
            ours, theirs = (", ".join(sorted(map(str, ids))) for ids in (teams, squads))
            what = f"is the line-up of another match: teams {theirs}; the events' are {ours}"
            raise InputError(file.companion, what)
    # Places are given to a yard (the middle of a cell is meant) or to a tenth; shots may differ from the rest.
    cells = {is_shot: _cell(e for e in entries if (_id(e, "type") == _SHOT) == is_shot) for is_shot in (0, 1)}
    events = shared.read_each(path, entries, lambda raw: _events_of(raw, teams, cells), notices)
    names = {_id(entry, "team"): _name(entry, "team") for entry in entries if _id(entry, "team") in teams}
    home, away = (str(names.get(team) or side) for team, side in zip([*teams, None, None], HOME_AND_AWAY, strict=False))
    match = match_id(path.stem if path.stem.isdigit() else content)
    return shared.halves_of(match, events, True, notices, teams=(home, away))


def _events_of(raw: Raw, teams: Mapping[object, int], cells: Mapping[int, float]) -> Iterator[ProviderEvent]:
    """Events of an entry: an aerial duel that was won in it, its own kind, the ball going out after it."""
    kinds = list(_kinds(raw))
    if not kinds:
        return
    period = number(raw["period"])
    if period == _SHOOT_OUT:
        raise ShootOut
    if period not in PERIODS:
        raise Unreadable(f"an unknown period ({raw['period']})")
    what, details = raw["type"]["id"], _details(raw)
    start, end = raw.get("location"), details.get("end_location")
    (x, y), (end_x, end_y) = _place(start), _place(end)
    kicked = ProviderEvent(
        half=int(period),
        time_ms=_time_ms(raw),
        kind=kinds[0],
        team=shared.team_number(raw["team"]["id"] if raw.get("team") else None, teams),
        player=str(raw["player"]["id"]) if raw.get("player") else None,
        lasts_ms=number(raw.get("duration")) * 1000,
        length_m=distance_m(x, y, end_x, end_y, size=_YARDS),
        headed=_id(details, "body_part") == _HEAD,
        high=_id(details, "height") == _HIGH,
        crossed=bool(details.get("cross")),
        setpiece=_SETPIECES.get(_id(details, "type"), 0) if what in (_PASS, _SHOT) else 0,
    )
    besides = replace(kicked, headed=False, high=False, crossed=False, setpiece=0)
    for kind in kinds:
        at_its_end = kind == "out" and what in (_PASS, _SHOT)
        flight_ms = kicked.lasts_ms if at_its_end and kicked.lasts_ms > 0 else 0.0
        half_cell = cells[what == _SHOT] / 2
        along, across = (end_x, end_y) if at_its_end else (x, y)
        yield replace(
            kicked if kind in ("pass", "shot", "clearance") else besides,
            kind=kind,
            time_ms=kicked.time_ms + flight_ms,
            x=(along - half_cell) / _YARDS[0] * 100,
            y=(across - half_cell) / _YARDS[1] * 100,
        )


def _place(location: Sequence[object] | None) -> tuple[float, float]:
    """Yards along and across the acting team's attack; NaN unknown."""
    x, y = (number(value) for value in location[:2]) if location else (nan, nan)
    return x, y


def _kinds(raw: Raw) -> Iterator[Kind]:
    """Kinds of event that an entry stands for, in order; none of an entry without a row."""
    what, details = raw["type"]["id"], _details(raw)
    outcome = _id(details, "outcome")
    if details.get("aerial_won"):
        yield "aerial"
    if what == _RECEIPT:  # a ball that goes out before it arrives is told of the pass, too
        return
    if what in _SILENT:
        pass
    elif what == _PASS:
        if (kind := _id(details, "type")) not in (None, _INTERCEPTION, *_OTHER_PASSES, *_SETPIECES):
            raise Unreadable(f"an unknown type of pass ({_name(details, 'type')})")
        if _id(details, "height") not in (None, _GROUND, _LOW, _HIGH):
            raise Unreadable(f"an unknown height of a pass ({_name(details, 'height')})")
        if kind == _INTERCEPTION:
            yield "block"
        yield "pass"
        if outcome == _OFFSIDE:
            yield "stoppage"
    elif what == _SHOT:
        yield "shot"
    elif what == _DUEL:
        if _id(details, "type") not in (_TACKLE, _AERIAL_LOST):
            raise Unreadable(f"an unknown type of duel ({_name(details, 'type')})")
        if _id(details, "type") == _TACKLE:
            yield "tackle" if outcome in _WON else "duel"
    elif what == _FIFTY_FIFTY:
        if outcome in _WON_FIFTY_FIFTY:
            yield "duel"
    elif what == _KEEPER:
        yield from _keeper(details)
    elif what in _PLAIN:
        if not details.get("recovery_failure"):
            yield _PLAIN[what]
    else:
        raise Unreadable(f"an unknown type ({_name(raw, 'type')})")
    ended_out = {_PASS: {_OUT}, _SHOT: {_OFF_TARGET}}.get(what, _ENDED_OUT if what != _KEEPER else set())
    if raw.get("out") or outcome in ended_out or (what == _KEEPER and "Out" in str(_name(details, "outcome"))):
        yield "out"


def _keeper(details: Raw) -> Iterator[Kind]:
    what = _id(details, "type")
    if what in _SAVES:
        yield "save"
    elif what == _CATCH:
        yield "touch"
    elif what == _SWEEPER:
        if _id(details, "outcome") == _SWEEPER_CLAIMS:
            yield "touch"
        else:
            yield "clearance" if _id(details, "body_part") in _FEET_AND_HEAD else "save"
    elif what not in _WATCHING:
        raise Unreadable(f"an unknown type of goalkeeping ({_name(details, 'type')})")


def _details(raw: Raw) -> Raw:
    """The part of an entry that goes with its type."""
    name = {_KEEPER: "goalkeeper", _FIFTY_FIFTY: "50_50"}.get(raw["type"]["id"])
    details = raw.get(name or str(raw["type"].get("name", "")).lower().replace(" ", "_"))
    return details if isinstance(details, dict) else {}


def _id(entry: Raw, name: str) -> Any:
    value = entry.get(name)
    return value.get("id") if isinstance(value, dict) else None


def _name(entry: Raw, name: str) -> object:
    value = entry.get(name)
    return value.get("name", value.get("id")) if isinstance(value, dict) else value


def _time_ms(raw: Raw) -> float:
    hours, minutes, seconds = str(raw["timestamp"]).split(":")
    return (int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000


def _cell(entries: Iterator[Raw]) -> float:
    """Yards that a place is given to: 1 if all of them are whole, else 0.1."""
    places = [number(v) for e in entries if isinstance(e.get("location"), list) for v in e["location"][:2]]
    return 1.0 if all(value.is_integer() for value in places if isfinite(value)) else 0.1
