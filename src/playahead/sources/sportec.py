"""Reader of Sportec Solutions' event files (DFL), straight from their XML.

An event is a chain of elements: ``<ThrowIn><Play><Pass/></Play></ThrowIn>`` is a throw-in that was played as a pass.
The match information is not needed; given, it must be of the same match, and says who plays at home.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import nan
from pathlib import Path
from xml.etree.ElementTree import Element

from playahead.domain.feed import PERIODS, FeedHalf, SetPiece
from playahead.domain.pitch import PITCH_M, distance_m
from playahead.io.errors import InputError
from playahead.sources import provider_events as shared
from playahead.sources.provider_events import AERIAL_CLEARANCE_MS, Kind, ProviderEvent, ShootOut, Unreadable
from playahead.sources.reading import FeedFile, match_id, number, read_xml

_SECTIONS = {"firstHalf": 1, "secondHalf": 2, "firstHalfExtra": 3, "secondHalfExtra": 4}
_SHOOT_OUT = 5
_SETPIECES = {
    **{"ThrowIn": SetPiece.THROW_IN, "GoalKick": SetPiece.GOAL_KICK, "CornerKick": SetPiece.CORNER},
    **{"FreeKick": SetPiece.FREE_KICK, "Penalty": SetPiece.DIRECT_SHOT},
}
_FAIR_PLAY = "FairPlay"  # a kick, to the other side or out
_STOPPAGES, _TOUCHES, _KICK_OFFS = ("Foul", "Offside"), ("Play", "OtherBallAction"), ("KickOff", "KickoffWhistle")
_SILENT = {
    *("KickOff", "KickoffWhistle", "FinalWhistle", "Delete", "Substitution", "Caution", "CautionTeamofficial"),
    *("PlayerNotSentOff", "PenaltyReconsidered", "RefereeBall", "SpectacularPlay", "PenaltyNotAwarded"),
    *("Nutmeg", "Run", "PossessionLossBeforeGoal", "BallDeflection", "ChanceWithoutShot", "VideoAssistantAction"),
    *("OutSubstitution", "SendOff", "GoalDisallowed", "OwnGoal", "SitterPrevented", "PlayerSetting"),
    *("TacticalFormationChange", "GameInterruption", "GameContinuation"),
}
AFTER_SHOT_MS = 400.0
"""A block or a save is written with the shot that it stops; it comes so much later."""
HEADER_AFTER_DUEL_MS = 2200.0
"""An air duel is written when the ball comes, the winner's header when he plays it."""


@dataclass(frozen=True)
class _Event:
    """One event of the file: the tags of its chain, outermost first, and their attributes (the outer ones win)."""

    time: datetime
    tags: Sequence[str]
    about: Mapping[str, str]

    @property
    def is_pass(self) -> bool:
        return "Play" in self.tags or self.tags[0] == _FAIR_PLAY

    @property
    def is_high(self) -> bool:
        """A high ball over some distance; short ones are chips, flicks and headers."""
        return self.about.get("Height") == "high" and self.about.get("Distance") != "short"

    def ms_after(self, earlier: "_Event") -> float:
        return (self.time - earlier.time).total_seconds() * 1000


def read_sportec(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match, extra time as halves 3 and 4."""
    path, notices = file.path, file.notices
    elements = list(read_xml(path).iter("Event"))
    match_named = elements[0].get("MatchId", "") if elements else ""
    events = sorted(
        shared.once(shared.read_each(path, elements, _parsed, notices), notices), key=lambda event: event.time
    )
    match = _Match(path, events, *_sides_and_pitch(path, file.companion, match_named, events))
    listed = shared.read_each(path, range(len(events)), match.events_of, notices)
    return shared.halves_of(match_id(match_named or path.stem), listed, True, notices)


def _parsed(element: Element) -> list[_Event]:
    # The chain of first children, down to the innermost; outer attributes win.
    chain = [element]
    while len(chain[-1]):
        chain.append(chain[-1][0])
    if len(chain) == 1:
        raise Unreadable("nothing in them")
    about: dict[str, str] = {}
    for link in reversed(chain):
        about |= link.attrib
    time = datetime.fromisoformat(about["EventTime"])
    return [_Event(time if time.tzinfo else time.replace(tzinfo=UTC), [link.tag for link in chain[1:]], about)]


def _ms_between(first: str, second: str) -> float:
    """Between two times of one file; where one of them lacks its zone, both are the stadium's."""
    times = [datetime.fromisoformat(text) for text in (first, second)]
    if None in (times[0].tzinfo, times[1].tzinfo):
        times = [time.replace(tzinfo=None) for time in times]
    return (times[1] - times[0]).total_seconds() * 1000


def _sides_and_pitch(
    path: Path, information: Path | None, ours: str, events: Sequence[_Event]
) -> tuple[list[object], tuple[float, float]]:
    """The two teams, the home side first where the match information is at hand, and the pitch in metres."""
    names = ("Team", "WinnerTeam", "TeamFouler")
    playing = shared.two_teams(path, (event.about.get(name) for event in events for name in names))
    if information is None:
        return playing, PITCH_M
    info = read_xml(information)
    general, place = info.find(".//General"), info.find(".//Environment")
    about = {} if general is None else general.attrib
    theirs, other = about.get("MatchId", ""), "is the match information of another match"
    if ours and theirs and ours != theirs:
        raise InputError(information, f"{other}: {theirs}, the events are of {ours}")
    sides: list[object] = [about.get("HomeTeamId"), about.get("GuestTeamId")]
    if not set(playing) <= set(sides):
        raise InputError(information, f"{other}: its teams are {sides[0]} and {sides[1]}")
    size = [_number(None if place is None else place.get(name)) for name in ("PitchX", "PitchY")]
    return sides, (size[0], size[1]) if min(size) > 0 else PITCH_M


class _Match:
    """All events in time order: reading one needs others."""

    def __init__(
        self, path: Path, events: Sequence[_Event], sides: Sequence[object], pitch_m: tuple[float, float]
    ) -> None:
        self._events, self._pitch_m = events, pitch_m
        self._teams = {team: index for index, team in enumerate(sides)}
        self._start, self._left = _kick_offs(events)
        if 1 in self._left and 2 in self._start:  # teams change ends
            self._left.setdefault(2, next((side for side in sides if side != self._left[1]), None))
        if not self._start:
            raise InputError(path, "holds no kick-off of a half", "is it a whole match?")
        for before, half in pairwise(sorted(self._start)):
            if self._start[half] <= self._start[before]:
                raise InputError(path, f"half {half} kicks off before half {before}")

    def events_of(self, index: int) -> Iterator[ProviderEvent]:
        """The provider's event in common words: none, one or two."""
        event = self._events[index]
        kinds = list(self._kinds(index))
        if not kinds:
            return
        half = max((half for half, start in self._start.items() if start <= event.time), default=min(self._start))
        if half not in PERIODS:
            raise ShootOut
        setpiece = next((_SETPIECES[tag] for tag in event.tags if tag in _SETPIECES), 0)
        for kind, team, player, late_ms in kinds:
            x, y = (nan, nan) if late_ms else self._place(event, half, team)
            yield ProviderEvent(
                half=half,
                time_ms=(event.time - self._start[half]).total_seconds() * 1000 + late_ms,
                kind=kind,
                team=shared.team_number(team, self._teams),
                player=player,
                x=x,
                y=y,
                headed=event.about.get("TypeOfShot") == "head" or self._is_header(index),
                length_m=self._length_m(index),
                high=event.is_high,
                crossed="Cross" in event.tags,
                setpiece=setpiece if kind != "out" else 0,
            )

    def _kinds(self, index: int) -> Iterator[tuple[Kind, object, str | None, float]]:
        """Kind, team, player, and how much later than the event's own time, of each thing that an event says."""
        event = self._events[index]
        about, tags = event.about, event.tags
        team, player = about.get("Team"), about.get("Player")
        if event.is_pass or "ShotAtGoal" in tags:
            others = next((side for side in self._teams if side != team), None)
            if tags[0] in ("ThrowIn", "GoalKick", "CornerKick") and "DecisionTimestamp" in about:
                decided_ms = _ms_between(about["EventTime"], about["DecisionTimestamp"])
                yield "out", others, None, decided_ms  # who restarts did not put it out
            yield "pass" if event.is_pass else "shot", team, player, 0.0
            if "BlockedShot" in tags:
                yield "block", others, None, AFTER_SHOT_MS
            elif "SavedShot" in tags:
                yield "save", others, about.get("GoalKeeper"), AFTER_SHOT_MS
        elif tags[0] == "TacklingGame":
            yield self._duel(index), about.get("WinnerTeam"), about.get("Winner"), 0.0
        elif tags[0] == "OtherBallAction":
            cleared = about.get("DefensiveClearance") == "true" or self._is_header(index)
            stops = self._stopped_by(index)
            yield "clearance" if cleared else "touch" if stops is None else "block", team, player, 0.0
        elif tags[0] == "BallClaiming":
            yield "block" if about.get("Type") == "InterceptedBall" else "touch", team, player, 0.0
        elif tags[0] in _STOPPAGES:
            yield "stoppage", about.get("TeamFouler", team), about.get("Fouler", player), 0.0
        elif tags[0] not in _SILENT:
            raise Unreadable(f"an unknown type ({tags[0]})")

    def _duel(self, index: int) -> Kind:
        about = self._events[index].about
        if about.get("WinnerResult") == "dribbledAround":
            return "take on"
        if about.get("Type") == "air":  # the winner's header has a row of its own, if he plays the ball soon
            return "duel" if about.get("WinnerResult") == "fouled" or self._header_of(index) is not None else "aerial"
        took_it = about.get("WinnerRole") == "withoutBallControl" and about.get("WinnerResult") == "ballClaimed"
        return "tackle" if took_it else "duel"

    def _header_of(self, index: int) -> int | None:
        """The event in which the winner of an air duel heads the ball."""
        duel = self._events[index]
        for later, event in enumerate(self._events[index + 1 :], start=index + 1):
            if event.ms_after(duel) > HEADER_AFTER_DUEL_MS:
                return None
            if event.about.get("Player") == duel.about.get("Winner") and event.tags[0] in _TOUCHES:
                return later
        return None

    def _is_header(self, index: int) -> bool:
        """True if the winner of an air duel did it, or if it stops a high ball of the other side."""
        stopped = self._stopped_by(index)
        if stopped is not None:
            return stopped.is_high or "Cross" in stopped.tags
        duels = (i for i in self._before(index) if self._events[i].about.get("Type") == "air")
        return self._events[index].tags[0] in _TOUCHES and any(self._header_of(duel) == index for duel in duels)

    def _stopped_by(self, index: int) -> _Event | None:
        """The other side's pass that an uncontrolled action ends."""
        event = self._events[index]
        if event.tags[0] != "OtherBallAction":
            return None
        played = (self._events[i] for i in self._before(index))
        last = next((e for e in played if {*_TOUCHES, "ShotAtGoal"} & {*e.tags}), None)
        return last if last is not None and last.is_pass and last.about.get("Team") != event.about.get("Team") else None

    def _before(self, index: int) -> Iterator[int]:
        """Earlier events from which the ball may still be in the air, the last one first."""
        for earlier in range(index - 1, -1, -1):
            if self._events[index].ms_after(self._events[earlier]) > AERIAL_CLEARANCE_MS:
                return
            yield earlier

    def _length_m(self, index: int) -> float:
        """Metres from a pass to where the next event says that it takes place; NaN unknown."""
        event = self._events[index]
        following = next((e for e in self._events[index + 1 : index + 4] if "X-Position" in e.about), None)
        if not event.is_pass or following is None:
            return nan
        places = (_number(e.about.get(f"{axis}-Position")) for e in (event, following) for axis in "XY")
        return distance_m(*places, size=PITCH_M)

    def _place(self, event: _Event, half: int, team: object) -> tuple[float, float]:
        """Percent along and across the team's attack; NaN where the place or the direction is unknown."""
        x, y = _number(event.about.get("X-Position")), _number(event.about.get("Y-Position"))
        if half not in self._left or team is None:
            return nan, nan
        along, across = x / self._pitch_m[0] * 100, y / self._pitch_m[1] * 100
        # The file's y grows to the left of a team that attacks to the right; ours grows to its right.
        return (along, 100 - across) if team == self._left[half] else (100 - along, across)


def _kick_offs(events: Sequence[_Event]) -> tuple[dict[int, datetime], dict[int, object]]:
    """Start of each half, and the team that attacked to the right (it stands left) in it.

    Where kick-offs do not name their half, each one that follows the start or a final whistle begins the next.
    """
    start: dict[int, datetime] = {}
    left: dict[int, object] = {}
    names_halves = any("GameSection" in event.about for event in events if event.tags[0] in _KICK_OFFS)
    over = True
    for event in events:
        if event.tags[0] == "FinalWhistle":
            over = True
        elif event.tags[0] in _KICK_OFFS:
            section = event.about.get("GameSection", "")
            half = _SECTIONS.get(section, _SHOOT_OUT) if section else max(start, default=0) + over
            if section or over or not names_halves:  # else one after a goal
                start.setdefault(half, event.time)
                if half and event.about.get("TeamLeft"):
                    left.setdefault(half, event.about["TeamLeft"])
            over = False
    return start, left


def _number(text: str | None) -> float:
    return number(text.replace(",", ".")) if text else nan
