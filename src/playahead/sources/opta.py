"""Readers of Opta's events, as Opta (F24, XML), Stats Perform (MA3, JSON or XML) and WhoScored (JSON) ship them.

Type and qualifier numbers are Opta's. F24 and MA3 hold the same events; their second files (F7, MA1) are not needed.
WhoScored's match centre has them by name, at whole seconds of the match clock.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite, nan
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree.ElementTree import Element

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf, SetPiece
from playahead.domain.notices import Notices
from playahead.domain.pitch import distance_m
from playahead.domain.time import LONGEST_HALF_MS, format_clock
from playahead.io.errors import InputError
from playahead.sources import provider_events as shared, reading
from playahead.sources.match_clock import CLOCK_STARTS_MS
from playahead.sources.provider_events import Kind, ProviderEvent, ShootOut, Unreadable
from playahead.sources.reading import FeedFile, match_id, number, read_json, read_xml

_PASS, _OFFSIDE_PASS, _SAVE = 1, 2, 10
_START, _DELETED, _LATEST = 32, 43, 100
_PLAIN: dict[int, Kind] = {
    **{_PASS: "pass", 3: "take on", 5: "out", 6: "out", 8: "block", 74: "block", 12: "clearance"},
    **{13: "shot", 14: "shot", 15: "shot", 16: "shot", 41: "save", 54: "save", 11: "touch", 52: "touch", 49: "touch"},
}
"""Pass, take on; out, corner awarded; interception, blocked pass; clearance; miss, post, attempt saved, goal; punch,
smother; claim, pick-up, recovery."""
_WON: dict[int, Kind] = {7: "tackle", 44: "aerial", 67: "duel"}
_LOST: dict[int, Kind] = {4: "stoppage", 7: "duel", 61: "touch"}
"""By outcome: tackle, aerial, fifty-fifty; foul (the other team has an entry of it, too, as won), tackle, touch."""
_SETPIECES = {
    **{6: SetPiece.CORNER, 5: SetPiece.FREE_KICK, 26: SetPiece.FREE_KICK},
    **{9: SetPiece.DIRECT_SHOT, 107: SetPiece.THROW_IN, 124: SetPiece.GOAL_KICK},
}
_CROSS, _HIGH, _HEADED, _OWN_GOAL, _BY_DEFENDER = 2, {155, 157}, {3, 15, 168}, 28, 94
_END_X, _END_Y, _GOAL_CLOCK = 140, 141, 375
_MA3_NAMES = {
    **{"type_id": "typeId", "period_id": "periodId", "min": "timeMin", "sec": "timeSec", "timestamp": "timeStamp"},
    **{"team_id": "contestantId", "player_id": "playerId"},
}
"""MA3's names of the attributes of an F24 event."""
SLACK_MS = 2500.0
"""Time stamps agree to so much with the match clock (whole seconds) where they say when an event happened."""
MOST_DRIFTING = 0.05
"""Share of a half's events whose time stamps may contradict the clock before all of them are given up."""

_TYPE_OF_NAME = {
    **{"Pass": _PASS, "OffsidePass": _OFFSIDE_PASS, "TakeOn": 3, "Foul": 4, "Tackle": 7, "Interception": 8},
    **{"Save": _SAVE, "Claim": 11, "Clearance": 12, "MissedShots": 13, "ShotOnPost": 14, "SavedShot": 15, "Goal": 16},
    **{"Punch": 41, "Aerial": 44, "BallRecovery": 49, "KeeperPickup": 52, "Smother": 54, "BlockedPass": 74},
}
"""WhoScored's names of types that mean what they mean in Opta's files ..."""
_KIND_OF_NAME: dict[str, Kind] = {
    **{"Out": "out", "KeeperSweeper": "touch", "BallTouch": "touch", "OffsideGiven": "stoppage"},
}
"""... and those that mean something else; an Out is written once for each team."""
_SILENT_NAMES = {
    *("", "Start", "End", "Card", "SubstitutionOff", "SubstitutionOn", "FormationSet", "FormationChange", "Error"),
    *("CornerAwarded", "Dispossessed", "Challenge", "GoodSkill", "ShieldBallOpp", "PenaltyFaced", "ChanceMissed"),
    *("CrossNotClaimed", "OffsideProvoked", "Carry", "PlayerChangedPosition", "TeamSetUp", "CollectionEnd"),
}
_QUALIFIER_OF_NAME = {
    **{"Cross": _CROSS, "HeadPass": 3, "FreekickTaken": 5, "CornerTaken": 6, "Penalty": 9, "Head": 15, "Longball": 157},
    **{"DirectFreekick": 26, "IndirectFreekickTaken": 26, "OutfielderBlock": _BY_DEFENDER, "ThrowIn": 107},
    **{"GoalKick": 124, "Chipped": 155},
}
EARLY_MS = 60_000
"""A clock may show so much less than the minute at which its half begins."""


def read_opta(file: FeedFile) -> list[FeedHalf]:
    """The halves of a match in Opta's F24 format, extra time as halves 3 and 4."""
    games = read_xml(file.path).findall("Game")
    if len(games) != 1:
        what = f"holds {len(games)} <Game>" if games else "holds no <Game>"
        raise InputError(file.path, what, "give each match a file of its own" if games else "")
    game = games[0]
    sides = [game.get("home_team_id"), game.get("away_team_id")]
    theirs: _Theirs | None = None
    if file.companion is not None:
        root = read_xml(file.companion)
        ids = [(document.get("uID") or "").lstrip("f") for document in root.iter("SoccerDocument")]
        theirs = "F7 file", ids, [(team.get("TeamRef") or "").lstrip("t") for team in root.iter("TeamData")]
    return _halves(file, game.get("id"), sides, [_from_f24(event) for event in game.iter("Event")], theirs)


def read_stats_perform(file: FeedFile) -> list[FeedHalf]:
    """The halves of a match in Stats Perform's MA3 format (JSON or XML)."""
    info, entries = _ma(file.path)
    sides = {str(team.get("position")): team.get("id") for team in info["contestant"]}
    theirs: _Theirs | None = None
    if file.companion is not None:
        about, _ = _ma(file.companion)
        theirs = "MA1 file", [about.get("id")], [team.get("id") for team in about["contestant"]]
    return _halves(file, info.get("id"), [sides.get("home"), sides.get("away")], entries, theirs)


def _ma(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Facts about the match in an MA file, and its events (none in MA1)."""
    if reading.head_of(path, 64).lstrip().startswith(b"<"):
        root = read_xml(path)
        info = root.find("matchInfo")
        facts: dict[str, Any] = {} if info is None else dict(info.attrib)
        events = [{**e.attrib, "qualifier": [q.attrib for q in e.iter("qualifier")]} for e in root.iter("event")]
        return facts | {"contestant": [dict(team.attrib) for team in root.iter("contestant")]}, events
    root = read_json(path)
    if not isinstance(root, dict) or not isinstance(root.get("liveData"), dict):
        raise InputError(path, "is no object with liveData")
    info = root.get("matchInfo") if isinstance(root.get("matchInfo"), dict) else {}
    listed = info.get("contestant")
    teams = [team for team in listed if isinstance(team, dict)] if isinstance(listed, list) else []
    return info | {"contestant": teams}, reading.as_list(root["liveData"].get("event") or [], f"{path}: event")


def _from_f24(event: Element) -> dict[str, Any]:
    """An F24 event under the names that MA3 has for the same."""
    qualifiers = [{"qualifierId": q.get("qualifier_id"), "value": q.get("value")} for q in event.iter("Q")]
    return {_MA3_NAMES.get(name, name): value for name, value in event.attrib.items()} | {"qualifier": qualifiers}


_Theirs = tuple[str, Sequence[object], Sequence[object]]
"""What a companion is called, its ids of matches, and its teams."""


def _halves(
    file: FeedFile, match: object, sides: Sequence[object], entries: Sequence[Any], theirs: _Theirs | None
) -> list[FeedHalf]:
    """The halves of a match whose entries have MA3's names; sides are None where the file does not say who is home."""
    path, notices = file.path, file.notices
    if not all(isinstance(side, str | int) for side in sides):
        sides = shared.two_teams(path, (entry.get("contestantId") for entry in entries if isinstance(entry, dict)))
    if theirs is not None:
        called, ids, teams = theirs
        named = [one for one in ids if one]
        if match and named and match not in named:
            what = f"is the {called} of another match: its id is {named[0]}, the events' {match}"
            raise InputError(file.companion, what)
        if not set(sides) <= set(teams):
            what = ", ".join(map(str, teams)) or "none"
            raise InputError(file.companion, f"is the {called} of another match: its teams are {what}")
    # An event that was sent again has its id again, perhaps with another time stamp: the last one counts.
    entries = shared.once(entries, notices, lambda e: str(e["id"]) if isinstance(e, dict) and e.get("id") else id(e))
    times = _Times([entry for entry in entries if isinstance(entry, dict)], notices)
    numbers = {team: index for index, team in enumerate(sides)}
    events = shared.read_each(path, entries, lambda entry: _events_of(entry, times, numbers), notices)
    return shared.halves_of(match_id(match or path.stem), events, True, notices)


def _events_of(entry: Mapping[str, Any], times: "_Times", teams: Mapping[object, int]) -> Iterator[ProviderEvent]:
    what, period = int(entry["typeId"]), int(entry["periodId"])
    qualifiers = {int(q["qualifierId"]): q.get("value") for q in entry.get("qualifier") or ()}
    kinds = _kinds(what, str(entry.get("outcome")) == "1", qualifiers)
    if not kinds:
        return
    if period == 5:
        raise ShootOut
    if period not in PERIODS:
        return
    team, player = shared.team_number(entry.get("contestantId"), teams), entry.get("playerId")
    places = [entry.get("x"), entry.get("y"), qualifiers.get(_END_X), qualifiers.get(_END_Y)]
    event = ProviderEvent(period, times.of(entry, qualifiers), kinds[0], team, str(player) if player else None)
    event = _event(event, places, qualifiers)
    for kind in kinds:
        yield replace(event, kind=kind)


def _event(event: ProviderEvent, places: Sequence[object], qualifiers: Collection[int]) -> ProviderEvent:
    """An event with what its places (x, y, and where it ends) and its qualifiers say."""
    x, y, end_x, end_y = map(number, places)
    return replace(
        event,
        x=x,
        y=100 - y,  # Opta's y grows to the left of the attack
        length_m=distance_m(x, y, end_x, end_y),
        headed=not _HEADED.isdisjoint(qualifiers),
        high=not _HIGH.isdisjoint(qualifiers),
        crossed=_CROSS in qualifiers,
        setpiece=next((piece for q, piece in _SETPIECES.items() if q in qualifiers), 0),
    )


def _kinds(what: int, won: bool, qualifiers: Collection[int]) -> list[Kind]:
    """Kinds of event that a type stands for: none, one, or two (a pass into offside)."""
    if what == _OFFSIDE_PASS:
        return ["pass", "stoppage"]
    if what == _SAVE:
        return ["block" if _BY_DEFENDER in qualifiers else "save"]
    if what in _PLAIN:
        return [_PLAIN[what]] if _OWN_GOAL not in qualifiers or what == _PASS else []
    if not 0 < what <= _LATEST:
        raise Unreadable(f"an unknown type ({what})")
    kind = (_WON if won else _LOST).get(what)
    return [kind] if kind else []


class _Times:
    """Times of the events.

    Time stamps are finer than the match clock, but of some files they say when an event was *entered*. So the clock
    decides: a stamp that contradicts it is given up, and where many of a half do, all of them.

    Args:
        entries: events of the whole match.
        notices: collector; it names what was given up.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]], notices: Notices) -> None:
        self._start_ms: dict[int, float] = {}
        for half in PERIODS:
            own = [(number(e.get("typeId")), e) for e in entries if number(e.get("periodId")) == half]
            # The stamp of the half's start as each event implies it: all agree to the second where stamps are right.
            implied = [_stamp_ms(entry) - _clock_ms(entry) for what, entry in own if what != _DELETED]
            implied = [start_ms for start_ms in implied if isfinite(start_ms)]
            if not implied:
                continue
            whistles = [_stamp_ms(entry) for what, entry in own if what == _START]
            start_ms = next(filter(isfinite, whistles), nan)
            if not abs(median(implied) - start_ms) <= SLACK_MS:  # no whistle, or one that was entered late itself
                start_ms = median(implied) - 500
            drifting_ms = [abs(value - start_ms) for value in implied if abs(value - start_ms) > SLACK_MS]
            if len(drifting_ms) <= MOST_DRIFTING * len(implied):
                self._start_ms[half] = start_ms
            if drifting_ms:
                which = f"{len(drifting_ms):,}" if half in self._start_ms else "all"
                what = f"half {half}: time stamps are up to {format_clock(round(max(drifting_ms)))} off the match clock"
                notices.add(f"{what}; {which} of its events are placed by the clock, to the second")

    def of(self, entry: Mapping[str, Any], qualifiers: Mapping[int, object]) -> float:
        """Milliseconds from the half's start; of a goal, those of the shot."""
        clock_ms, start_ms = _clock_ms(entry), self._start_ms.get(int(entry["periodId"]))
        minutes, _, seconds = str(qualifiers.get(_GOAL_CLOCK, "")).partition(":")
        shot_ms = number(minutes) * 60_000 - CLOCK_STARTS_MS[int(entry["periodId"])] + number(seconds) * 1000
        if abs(shot_ms - clock_ms) <= SLACK_MS:
            return shot_ms
        if start_ms is None:
            return clock_ms
        time_ms = _stamp_ms(entry) - start_ms
        return time_ms if abs(time_ms - clock_ms) <= SLACK_MS else clock_ms


def _clock_ms(entry: Mapping[str, Any]) -> float:
    shown_ms = (number(entry.get("timeMin")) * 60 + number(entry.get("timeSec"))) * 1000
    return shown_ms - CLOCK_STARTS_MS[int(entry["periodId"])]


def _stamp_ms(entry: Mapping[str, Any]) -> float:
    """The time stamp in milliseconds of its own zone; NaN if there is none."""
    try:
        whole, _, fraction = str(entry.get("timeStamp")).removesuffix("Z").partition(".")
        fraction_ms = int(fraction[:3] or 0)  # .5 is five milliseconds
        return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp() * 1000 + fraction_ms
    except ValueError:
        return nan


def read_whoscored(file: FeedFile) -> list[FeedHalf]:
    """The halves of a match in WhoScored's match centre."""
    path, notices = file.path, file.notices
    root = read_json(path)
    about = root if isinstance(root, dict) else {"events": root}
    centre = about.get("matchCentreData", about)
    listed = reading.as_list(centre.get("events") if isinstance(centre, dict) else centre, f"{path}: events")
    played: list[tuple[int, int, Mapping[str, object]]] = []
    for index, raw in enumerate(listed):
        where = f"{path}: event {index}"
        entry = reading.as_object(raw, where)
        period = entry.get("period")
        half = number(period.get("value") if isinstance(period, dict) else period)
        if half in PERIODS:
            try:
                played.append((int(half), _since_start_ms(entry, int(half), where), entry))
            except InputError as reason:
                file.bad_row(reason)
        notices.count("events of the shoot-out not read", half == 5)
    named = (str(entry["teamId"]) for _, _, entry in played if entry.get("teamId") is not None)
    teams = {team: number for number, team in enumerate(dict.fromkeys(named))}
    for name in (_name(entry.get("type")) for _, _, entry in played):
        if not any(name in known for known in (_TYPE_OF_NAME, _KIND_OF_NAME, _SILENT_NAMES)):
            notices.count(f"events with an unknown type ({name}) not read")
    if len(teams) > 2:
        raise InputError(path, f"more than two teams: {', '.join(teams)}")
    events = [event for half, time_ms, entry in played for event in _named_events(half, time_ms, entry, teams)]
    named_id = about.get("matchId")
    match = match_id(named_id) if isinstance(named_id, int | str) else reading.match_id_of_file(path)
    return shared.halves_of(match, events, True, notices)


def _since_start_ms(entry: Mapping[str, object], half: int, where: str) -> int:
    """Time from the half's start, which the clock may show a little early; some events have no second."""
    minute, second = entry.get("minute"), entry.get("second") or 0
    clock_ms = 1000 * (60 * number(minute) + number(second))
    if not 0 <= clock_ms <= LONGEST_HALF_MS:
        raise InputError(where, f"WhoScored: minute {minute!r}, second {second!r} is no time of a match")
    time_ms = round(clock_ms) - CLOCK_STARTS_MS[half]
    return max(time_ms, 0) if time_ms > -EARLY_MS else time_ms  # far before it, the time is of another half


def _named_events(
    half: int, time_ms: int, entry: Mapping[str, object], teams: Mapping[str, int]
) -> Iterator[ProviderEvent]:
    name, won = _name(entry.get("type")), _name(entry.get("outcomeType")) == "Successful"
    listed = entry.get("qualifiers")
    names = {_name(one.get("type")) for one in listed if isinstance(one, dict)} if isinstance(listed, list) else set()
    qualifiers = {_QUALIFIER_OF_NAME[one] for one in names & _QUALIFIER_OF_NAME.keys()}
    kinds = [_KIND_OF_NAME[name]] if name in _KIND_OF_NAME else []
    if name in _TYPE_OF_NAME:
        kinds = _kinds(_TYPE_OF_NAME[name], won, qualifiers)
    if not kinds or entry.get("isOwnGoal") is True or (name == "Out" and won):
        return
    team, player = teams.get(str(entry.get("teamId")), UNKNOWN), entry.get("playerId")
    places = [entry.get(place) for place in ("x", "y", "endX", "endY")]
    event = ProviderEvent(half, time_ms, kinds[0], team, None if player is None else str(player))
    yield _event(event, places, qualifiers)
    if len(kinds) > 1:  # a pass into offside
        yield ProviderEvent(half, time_ms, kinds[1], team)


def _name(value: object) -> str:
    return str(value.get("displayName", "")) if isinstance(value, dict) else ""
