"""Reader of Opta's event feed, as Opta (F24, XML) and Stats Perform (MA3, JSON or XML) ship it.

Type and qualifier numbers are Opta's; both files hold the same ones. The second file of a match (F7, MA1) is not
needed; given, it must be of the same match.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite, nan
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree.ElementTree import Element

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.domain.time import format_clock
from playahead.io.errors import InputError
from playahead.sources.jsonfile import as_list, number, read_json
from playahead.sources.match_clock import CLOCK_STARTS_MS
from playahead.sources.match_ids import match_id
from playahead.sources.notes import SourceNotes
from playahead.sources.opened import head_of
from playahead.sources.provider_events import (
    CORNER,
    DIRECT_SHOT,
    FREE_KICK,
    GOAL_KICK,
    THROW_IN,
    Kind,
    ProviderEvent,
    Unreadable,
    halves_of,
    read_each,
    two_teams,
)
from playahead.sources.xmlfile import read_xml

_PASS, _OFFSIDE_PASS, _FOUL, _TACKLE, _SAVE, _AERIAL, _TOUCH, _FIFTY_FIFTY = 1, 2, 4, 7, 10, 44, 61, 67
_START, _DELETED, _LATEST = 32, 43, 100
_PLAIN: dict[int, Kind] = {
    **{3: "take on", 5: "out", 6: "out", 8: "block", 74: "block", 12: "clearance", 13: "shot", 14: "shot", 15: "shot"},
    **{16: "shot", 41: "save", 54: "save", 11: "touch", 52: "touch", 49: "touch"},
}
"""Take on; out, corner awarded; interception, blocked pass; clearance; miss, post, attempt saved, goal; punch, smother;
claim, pick-up, recovery."""
_SETPIECES = {6: CORNER, 5: FREE_KICK, 26: FREE_KICK, 9: DIRECT_SHOT, 107: THROW_IN, 124: GOAL_KICK}
_CROSS, _HIGH, _HEADED, _OWN_GOAL, _BY_DEFENDER = 2, {155, 157}, {3, 15, 168}, 28, 94
_END_X, _END_Y, _GOAL_CLOCK = 140, 141, 375
_MA3_NAMES = {
    **{"type_id": "typeId", "period_id": "periodId", "min": "timeMin", "sec": "timeSec", "timestamp": "timeStamp"},
    **{"team_id": "contestantId", "player_id": "playerId"},
}
"""What MA3 calls the attributes of an F24 event."""
SLACK_MS = 2500.0
"""Time stamps agree to so much with the match clock (whole seconds) where they say when an event happened."""
MOST_DRIFTING = 0.05
"""Share of a half's events whose time stamps may contradict the clock before all of them are given up."""


def read_opta(path: Path, f7: Path | None, notes: SourceNotes) -> list[FeedHalf]:
    """The halves of a match in Opta's F24 format, extra time as halves 3 and 4.

    Args:
        path: the F24 file.
        f7: the match's F7 file, to check that both are of one match.
        notes: counts events that cannot be read, and those of a shoot-out; says where time stamps were given up.

    Raises:
        InputError: no such file, most of it unreadable, or the companion of another match.
    """
    games = read_xml(path).findall("Game")
    if len(games) != 1:
        what = f"holds {len(games)} <Game>" if games else "holds no <Game>"
        raise InputError(path, f"Opta: {what}", "give each match a file of its own" if games else "")
    game = games[0]
    sides = [game.get("home_team_id"), game.get("away_team_id")]
    file = _File(path, "Opta", game.get("id"), sides, [_from_f24(event) for event in game.iter("Event")])
    if f7 is not None:
        root = read_xml(f7)
        ids = [(document.get("uID") or "").lstrip("f") for document in root.iter("SoccerDocument")]
        teams = [(team.get("TeamRef") or "").lstrip("t") for team in root.iter("TeamData")]
        file.require_companion(f7, "F7 file", ids, teams)
    return file.halves(notes)


def read_stats_perform(path: Path, ma1: Path | None, notes: SourceNotes) -> list[FeedHalf]:
    """The halves of a match in Stats Perform's MA3 format (JSON or XML); arguments and errors as of ``read_opta``."""
    info, entries = _ma(path)
    sides = {str(team.get("position")): team.get("id") for team in info["contestant"]}
    file = _File(path, "Stats Perform", info.get("id"), [sides.get("home"), sides.get("away")], entries)
    if ma1 is not None:
        theirs, _ = _ma(ma1)
        file.require_companion(ma1, "MA1 file", [theirs.get("id")], [team.get("id") for team in theirs["contestant"]])
    return file.halves(notes)


def _ma(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """What an MA file says of its match, and its events (none in MA1)."""
    if head_of(path, 64).lstrip().startswith(b"<"):
        root = read_xml(path)
        info = root.find("matchInfo")
        teams = [dict(team.attrib) for team in root.iter("contestant")]
        found: dict[str, Any] = {} if info is None else dict(info.attrib)
        return found | {"contestant": teams}, [_from_ma3_xml(event) for event in root.iter("event")]
    root = read_json(path)
    if not isinstance(root, dict) or not isinstance(root.get("liveData"), dict):
        raise InputError(path, "Stats Perform: is no object with liveData")
    info = root.get("matchInfo") if isinstance(root.get("matchInfo"), dict) else {}
    listed = info.get("contestant")
    teams = [team for team in listed if isinstance(team, dict)] if isinstance(listed, list) else []
    return info | {"contestant": teams}, as_list(root["liveData"].get("event") or [], f"{path}: event")


def _from_ma3_xml(event: Element) -> dict[str, Any]:
    return {**event.attrib, "qualifier": [qualifier.attrib for qualifier in event.iter("qualifier")]}


def _from_f24(event: Element) -> dict[str, Any]:
    """An F24 event under the names that MA3 has for the same."""
    qualifiers = [{"qualifierId": q.get("qualifier_id"), "value": q.get("value")} for q in event.iter("Q")]
    return {_MA3_NAMES.get(name, name): value for name, value in event.attrib.items()} | {"qualifier": qualifiers}


@dataclass(frozen=True)
class _File:
    """One match's events, under MA3's names.

    Attributes:
        sides: the home and the away team, None where the file does not say.
    """

    path: Path
    provider: str
    id: object
    sides: Sequence[object]
    entries: Sequence[Any]

    @property
    def teams(self) -> list[object]:
        """Home and away; in order of appearance where the file does not say who plays at home."""
        if all(isinstance(side, str | int) for side in self.sides):
            return list(self.sides)
        return two_teams(self.path, (entry.get("contestantId") for entry in self.entries if isinstance(entry, dict)))

    def require_companion(self, path: Path, called: str, ids: Sequence[object], teams: Sequence[object]) -> None:
        """Refuse a second file that is of another match."""
        theirs = [found for found in ids if found]
        if self.id and theirs and self.id not in theirs:
            raise InputError(path, f"is the {called} of another match: its id is {theirs[0]}, the events' {self.id}")
        if not set(self.teams) <= set(teams):
            what = ", ".join(map(str, teams)) or "none"
            raise InputError(path, f"is the {called} of another match: its teams are {what}")

    def halves(self, notes: SourceNotes) -> list[FeedHalf]:
        """The rows of each half."""
        # An event that was sent again has its id again, perhaps with another time stamp: the last one counts.
        once = {str(entry["id"]): entry for entry in self.entries if isinstance(entry, dict) and entry.get("id")}
        entries = [*once.values(), *(e for e in self.entries if not isinstance(e, dict) or not e.get("id"))]
        if len(entries) < len(self.entries):
            notes.left_out["events given twice"] += len(self.entries) - len(entries)
        times = _Times([entry for entry in entries if isinstance(entry, dict)], notes)
        teams = {team: index for index, team in enumerate(self.teams)}
        events = read_each(self.path, entries, lambda entry: _events_of(entry, times, teams, notes), notes)
        said = self.id or self.path.stem
        halves = halves_of(match_id(said), events, True, notes)
        if not halves:
            raise InputError(self.path, f"{self.provider}: none of its events is one that becomes a row")
        return halves


def _events_of(
    entry: Mapping[str, Any], times: "_Times", teams: Mapping[object, int], notes: SourceNotes
) -> Iterator[ProviderEvent]:
    what, period = int(entry["typeId"]), int(entry["periodId"])
    qualifiers = {int(q["qualifierId"]): q.get("value") for q in entry.get("qualifier") or ()}
    kinds = list(_kinds(what, str(entry.get("outcome")) == "1", qualifiers))
    if not kinds:
        return
    if period not in PERIODS:
        if period == 5:
            notes.left_out["events of the shoot-out"] += 1
        return
    team = entry.get("contestantId")
    if team and team not in teams:
        raise Unreadable(f"a third team ({team})")
    x, y = number(entry.get("x")), number(entry.get("y"))
    end_x, end_y = number(qualifiers.get(_END_X)), number(qualifiers.get(_END_Y))
    along_m, across_m = (end_x - x) * PITCH_M[0] / 100, (end_y - y) * PITCH_M[1] / 100
    setpiece = next((piece for q, piece in _SETPIECES.items() if q in qualifiers), 0)
    event = ProviderEvent(
        half=period,
        time_ms=times.of(entry, qualifiers),
        kind=kinds[0],
        team=teams[team] if team else UNKNOWN,
        player=str(entry["playerId"]) if entry.get("playerId") else None,
        x=x,
        y=100 - y,
        length_m=(along_m**2 + across_m**2) ** 0.5,
        headed=bool(_HEADED & qualifiers.keys()),
        high=bool(_HIGH & qualifiers.keys()),
        crossed=_CROSS in qualifiers,
        setpiece=DIRECT_SHOT if kinds == ["shot"] and setpiece == FREE_KICK else setpiece,
    )
    for kind in kinds:
        yield replace(event, kind=kind)


def _kinds(what: int, won: bool, qualifiers: Mapping[int, object]) -> Iterator[Kind]:
    """Kinds of event that a type stands for: none, one, or two (a pass into offside)."""
    if what == _PASS:
        yield "pass"
    elif what == _OFFSIDE_PASS:
        yield "pass"
        yield "stoppage"
    elif what == _FOUL:  # the other team's entry of the same foul says 1
        if not won:
            yield "stoppage"
    elif what == _TACKLE:
        yield "tackle" if won else "duel"
    elif what == _AERIAL:
        if won:
            yield "aerial"
    elif what == _FIFTY_FIFTY:
        if won:
            yield "duel"
    elif what == _SAVE:
        yield "block" if _BY_DEFENDER in qualifiers else "save"
    elif what == _TOUCH:
        if not won:
            yield "touch"
    elif what in _PLAIN:
        if _OWN_GOAL not in qualifiers:
            yield _PLAIN[what]
    elif not 0 < what <= _LATEST:
        raise Unreadable(f"an unknown type ({what})")


class _Times:
    """When each event happened.

    Time stamps are finer than the match clock, but of some files they say when an event was *entered*. So the clock
    decides: a stamp that contradicts it is given up, and where many of a half do, all of them.

    Args:
        entries: of the whole match.
        notes: told what was given up.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]], notes: SourceNotes) -> None:
        self._start_ms: dict[int, float] = {}
        for half in PERIODS:
            own = [entry for entry in entries if _period_and_type(entry)[0] == half]
            # The stamp of the half's start as each event implies it: all agree to the second where stamps are right.
            implied = [_stamp_ms(entry) - _clock_ms(entry) for entry in own if _period_and_type(entry)[1] != _DELETED]
            implied = [start_ms for start_ms in implied if isfinite(start_ms)]
            if not implied:
                continue
            whistles = [_stamp_ms(entry) for entry in own if _period_and_type(entry)[1] == _START]
            start_ms = next(filter(isfinite, whistles), nan)
            if not abs(median(implied) - start_ms) <= SLACK_MS:  # no whistle, or one that was entered late itself
                start_ms = median(implied) - 500
            drifting_ms = [abs(value - start_ms) for value in implied if abs(value - start_ms) > SLACK_MS]
            if len(drifting_ms) <= MOST_DRIFTING * len(implied):
                self._start_ms[half] = start_ms
            if drifting_ms:
                which = f"{len(drifting_ms):,}" if half in self._start_ms else "all"
                what = f"half {half}: time stamps are up to {format_clock(round(max(drifting_ms)))} off the match clock"
                notes.doubts.append(f"{what}; {which} of its events are placed by the clock, to the second")

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


def _period_and_type(entry: Mapping[str, Any]) -> tuple[float, float]:
    return number(entry.get("periodId")), number(entry.get("typeId"))


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
