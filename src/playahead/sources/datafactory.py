"""Reader of DataFactory's match files. Times are whole seconds of the match clock; none says that the ball went out."""

from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

from playahead.domain.feed import HOME_AND_AWAY, PERIODS, FeedHalf, SetPiece
from playahead.domain.pitch import distance_m
from playahead.sources import provider_events as shared
from playahead.sources.match_clock import CLOCK_STARTS_MS
from playahead.sources.provider_events import Kind, ProviderEvent, ShootOut, Unreadable
from playahead.sources.reading import FeedFile, as_object, field, match_id, number, read_json

_KINDS: dict[str, Kind] = {
    **{"correctPasses": "pass", "incorrectPasses": "pass", "throwIn": "pass", "cornerKicks": "pass"},
    **{"shots": "shot", "clearances": "clearance", "stealings": "touch", "fouls": "stoppage", "offsides": "stoppage"},
}
_SILENT = {"status", "goals", "goalkick", "substitutions", "redCards", "yellowCards", "nutmegs", "sombreroFlick"}
_SHOOT_OUT = "penaltyShootout"
_RESTARTS = {46: SetPiece.THROW_IN, 28: SetPiece.CORNER}
_OWN_GOAL, _FREE_KICK_GOAL, _HEADED_GOAL, _PENALTIES = 10, 12, 11, {13, 43, 44, 45}
_NOT_PLAYED = {"status", "goals", "redCards", "yellowCards", "substitutions", _SHOOT_OUT}


def read_datafactory(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match, extra time as halves 3 and 4; the home side is team 0."""
    path, notices = file.path, file.notices
    root = as_object(read_json(path), str(path))
    match = as_object(field(root, "match", str(path)), f"{path}: match")
    teams = {str(match.get(f"{side}TeamId")): team for team, side in enumerate(("home", "away"))}
    listed = [
        (name, key, entry)
        for name, entries in as_object(field(root, "incidences", str(path)), f"{path}: incidences").items()
        for key, entry in as_object(entries, f"{path}: {name}").items()
    ]
    before, pairs = None, []
    for one in sorted(listed, key=_order):
        if one[0] not in _SILENT:
            pairs.append((one, before))
        if one[0] not in _NOT_PLAYED:
            before = one
    events = shared.read_each(path, pairs, lambda pair: _events_of(pair[0], pair[1], teams), notices)
    return shared.halves_of(match_id(match.get("matchId", path.stem)), events, False, notices, False, HOME_AND_AWAY)


def _order(listed: tuple[str, str, Any]) -> tuple[float, float, float, str]:
    """Half, match clock, id; what has no time comes first and is left out later."""
    entry = listed[2] if isinstance(listed[2], dict) else {}
    time = entry.get("t") if isinstance(entry.get("t"), dict) else {}
    half, minute, second = (number(time.get(name) or 0) for name in ("half", "m", "s"))
    return half, minute, second, listed[1]


def _events_of(
    listed: tuple[str, str, Mapping[str, Any]],
    before: tuple[str, str, Mapping[str, Any]] | None,
    teams: Mapping[str, int],
) -> Iterator[ProviderEvent]:
    """Events of an entry that follows ``before``, the last entry that was played."""
    name, _, entry = listed
    half = int(entry["t"]["half"])
    if name == _SHOOT_OUT or half not in PERIODS:
        raise ShootOut
    team = shared.team_number(None if entry.get("team") is None else str(entry["team"]), teams)
    if entry["t"].get("s") is None:
        raise Unreadable("no second")
    if name not in _KINDS:
        raise Unreadable(f"an unknown type ({name})")
    kind, type_id = _KINDS[name], entry.get("type")
    if type_id == _OWN_GOAL:
        return
    start, end = ((entry.get("coord") or {}).get(key) or {} for key in ("1", "2"))
    x, y, end_x, end_y = (number(place.get(axis)) for place in (start, end) for axis in ("x", "y"))
    side = {0: 1, 1: -1}.get(team, nan) * (1 if half % 2 else -1)  # the home side attacks along x in the first half
    setpiece = _RESTARTS.get(type_id, 0)  # type: ignore[arg-type]
    if before is not None and not setpiece and number(before[2]["t"]["half"]) == half:
        others = before[2].get("team") != entry.get("team")
        if before[0] == "goalkick" and not others:
            setpiece = SetPiece.GOAL_KICK
        elif before[0] in ("fouls", "offsides") and others:
            setpiece = SetPiece.FREE_KICK
    if kind == "shot" and type_id in (_FREE_KICK_GOAL, *_PENALTIES):
        setpiece = SetPiece.DIRECT_SHOT
    yield ProviderEvent(
        half=half,
        time_ms=(number(entry["t"]["m"]) * 60 + number(entry["t"]["s"])) * 1000 - CLOCK_STARTS_MS[half],
        kind=kind,
        team=team,
        player=str(entry["plyrId"]) if entry.get("plyrId") is not None else None,
        x=50 + 50 * side * x,
        y=50 + 50 * side * y,
        length_m=distance_m(x, y, end_x, end_y, size=(2.0, 2.0)),
        headed=type_id == _HEADED_GOAL,
        setpiece=setpiece,
    )
