"""Reader of PFF FC's event files (JSON), a list of rows.

A row is a game event (``gameEvents``: a player's possession, or the ball going out) and what happened in it
(``possessionEvents``: a pass, a challenge). A possession is a carry for as long as the player has the ball. Times are
seconds of the video; a half begins with its kick-off. Places are the ball's, in metres from the middle, as the main
camera sees them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Any

from playahead.domain.feed import HOME_AND_AWAY, PERIODS, TEAM_1_AND_2, UNKNOWN, FeedHalf, SetPiece
from playahead.domain.pitch import PITCH_M, distance_m
from playahead.io.errors import InputError
from playahead.sources import provider_events as shared
from playahead.sources.provider_events import Kind, ProviderEvent, ShootOut, Unreadable
from playahead.sources.reading import FeedFile, as_list, as_object, match_id, number, read_json

_KICK_OFFS = ("FIRSTKICKOFF", "SECONDKICKOFF", "THIRDKICKOFF", "FOURTHKICKOFF")
_POSSESSION, _BALL_OUT = "OTB", "OUT"
_PLAYED = {*_KICK_OFFS, _POSSESSION, _BALL_OUT, "FOUL"}
_SILENT = {"G", "END", "CLK", "ON", "OFF", "SUB", "PAU", "VID"}
_KICKS: dict[object, tuple[Kind, str]] = {
    **{"PA": ("pass", "passer"), "CR": ("pass", "crosser"), "SH": ("shot", "shooter"), "CL": ("clearance", "clearer")}
}
"""Kind, and how the field begins that names the player."""
_CARRY, _CHALLENGE, _REBOUND, _MISCONTROL = "BC", "CH", "RE", "TC"
_WITHIN = {*_KICKS, _CARRY, _CHALLENGE, _REBOUND, _MISCONTROL, "FO", "IT", None}
_SETPIECES = {
    **{"T": SetPiece.THROW_IN, "G": SetPiece.GOAL_KICK, "C": SetPiece.CORNER, "F": SetPiece.FREE_KICK},
    "P": SetPiece.DIRECT_SHOT,
}
_OPEN_PLAY, _TOUCH_LINE, _HEAD, _ABOVE_HEAD, _INFRINGEMENT = ("O", None), ("T", None), "HE", "A", "I"
_AERIAL, _FIFTY, _DRIBBLE = "A", "FIFTY", "D"
_STOPS: dict[object, tuple[Kind, str]] = {"B": ("block", "blocker"), "D": ("block", "defender")}
_SHOT_STOPS: dict[object, tuple[Kind, str]] = {
    **{"B": ("block", "blocker"), "C": ("block", "blocker"), "L": ("block", "glClearer")},
    **{"F": ("save", "keeper"), "S": ("save", "keeper")},
}
"""Outcomes of a pass or a cross, and of a shot, that an opponent stops; and who he is."""
_SHOOT_OUT = 5
AFTER_SHOT_MS, LONGEST_FLIGHT_MS = 400.0, 5000.0
"""A shot's block or save comes so much later; a pass's comes with the next row, at most so much later."""


@dataclass(frozen=True)
class _Row:
    """One row: its game event and what happened in it, its period, its time in the video."""

    raw: Mapping[str, Any]
    game: Mapping[str, Any]
    said: Mapping[str, Any]
    period: float
    video_ms: float

    @property
    def possession(self) -> str:
        given = self.raw.get("gameEventId")
        return repr(given) if given is not None else f"row {id(self)}"  # of nothing else

    @property
    def team(self) -> str | None:
        return _id(self.game.get("teamId"))

    @property
    def ball_m(self) -> tuple[float, float]:
        listed = self.raw.get("ball")
        ball = listed[0] if isinstance(listed, list) and listed else listed
        return (number(ball.get("x")), number(ball.get("y"))) if isinstance(ball, dict) else (nan, nan)

    def part(self, name: str) -> Mapping[str, Any]:
        """One of the row's objects; an empty one if it has none."""
        value = self.raw.get(name)
        return value if isinstance(value, dict) else {}

    def player(self, role: str) -> str | None:
        return _id(self.said.get(f"{role}PlayerId"))


def read_pff(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match, extra time as halves 3 and 4; the home side is team 0 where a row says which it is."""
    path, notices = file.path, file.notices
    listed = as_list(read_json(path), str(path))
    rows = shared.once(shared.read_each(path, listed, _parsed, notices), notices)
    matches = {str(row.raw.get("gameId")) for row in rows}
    if len(matches) > 1:
        raise InputError(path, f"holds {len(matches)} matches", "give each match a file of its own")
    match = _Match(path, sorted(rows, key=lambda row: (row.period, row.video_ms)))
    events = shared.read_each(path, range(len(rows)), match.events_of, notices)
    number_of = match_id(matches.pop() if matches else path.stem)
    return shared.halves_of(number_of, events, match.knows_height, notices, teams=match.names)


def _parsed(raw: object) -> list[_Row]:
    row = as_object(raw, "a row")
    game = as_object(row["gameEvents"], "a row")
    if game.get("gameEventType") in _SILENT:
        return []
    said = as_object(row.get("possessionEvents") or {}, "a row")
    period, video_ms = number(game.get("period")), number(row.get("eventTime")) * 1000
    for name, known in ((game.get("gameEventType"), _PLAYED), (said.get("possessionEventType"), _WITHIN)):
        if name not in known:
            raise Unreadable(f"an unknown type ({name})")
    if period not in (*PERIODS, _SHOOT_OUT):
        raise Unreadable(f"an unknown period ({game.get('period')})")
    if not isfinite(video_ms):
        raise Unreadable("no time")
    return [] if said.get("nonEvent") is True else [_Row(row, game, said, period, video_ms)]  # True: it was taken back


class _Match:
    """All rows in time order: reading one needs others."""

    def __init__(self, path: object, rows: Sequence[_Row]) -> None:
        self._rows = rows
        at_home = {row.team for row in rows if row.game.get("homeTeam") is True}
        teams = sorted(shared.two_teams(path, (row.team for row in rows)), key=lambda team: team not in at_home)
        self._teams = {team: place for place, team in enumerate(teams)}
        self._sides = dict(zip(HOME_AND_AWAY, (0, 1), strict=True)) if at_home else {}
        named = {row.team: str(row.game.get("teamName") or "") for row in rows}
        sides = HOME_AND_AWAY if at_home else TEAM_1_AND_2
        first, second = (named.get(team) or side for team, side in zip([*teams, "", ""][:2], sides, strict=True))
        self.names = (first, second)
        self.knows_height = any(row.said.get("highPointType") for row in rows)
        self._team_of_player = {
            player: self._teams[row.team]
            for row in rows
            if row.team in self._teams and (player := _id(row.game.get("playerId"))) is not None
        }
        # A half starts with its kick-off, a possession with its first row.
        self._starts_ms: dict[float, float] = {}
        for row in sorted(rows, key=lambda row: row.game.get("gameEventType") not in _KICK_OFFS):
            self._starts_ms.setdefault(row.period, row.video_ms)
        self._first = {row.possession: row for row in reversed(rows)}

    def events_of(self, index: int) -> Iterator[ProviderEvent]:
        """Events that a row tells: none, or some."""
        row = self._rows[index]
        if row.period == _SHOOT_OUT:
            raise ShootOut
        team = shared.team_number(row.team, self._teams)
        x, y = _place(row)
        event = ProviderEvent(
            half=int(row.period),
            time_ms=row.video_ms - self._starts_ms[row.period],
            kind="touch",
            team=team,
            player=_id(row.game.get("playerId")),
            x=x,
            y=y,
        )
        yield from self._carry(row, event)
        fouls, what = row.part("fouls"), row.said.get("possessionEventType")
        if fouls.get("foulType") == _INFRINGEMENT:
            culprit = _id(fouls.get("finalCulpritPlayerId"))
            yield _at(event, "stoppage", self._team_of(culprit), culprit)
        if row.game.get("gameEventType") == _BALL_OUT:
            if row.game.get("outType") in _TOUCH_LINE:
                yield _at(event, "out", self._last_team(index) if team == UNKNOWN else team)
        elif what in _KICKS:
            yield from self._kick(index, event)
        elif what == _CHALLENGE:
            yield self._challenge(row, event)
        elif what == _REBOUND:
            stops = team not in (UNKNOWN, self._last_team(index))
            is_save = row.said.get("keeperTouchType") is not None
            yield replace(event, kind="save" if is_save else "block" if stops else "touch")
        elif what == _MISCONTROL:
            yield event

    def _carry(self, row: _Row, event: ProviderEvent) -> Iterator[ProviderEvent]:
        """The carry from the start of a possession; if its length is not known, a row of a ball carry is one."""
        held_ms = number(row.raw.get("duration")) * 1000
        start_ms = number(row.raw.get("startTime")) * 1000 - self._starts_ms[row.period]
        is_known = held_ms >= 0 and isfinite(start_ms)
        if is_known and self._first[row.possession] is row and self._is_carried(row):
            yield replace(event, kind="carry", time_ms=start_ms, lasts_ms=held_ms)
        elif not is_known and row.said.get("possessionEventType") == _CARRY:
            yield replace(event, kind="carry")

    def _is_carried(self, row: _Row) -> bool:
        is_possession = row.game.get("gameEventType") == _POSSESSION and row.team is not None
        headed = row.part("initialTouch").get("initialBodyType") == _HEAD
        return is_possession and row.game.get("setpieceType") in _OPEN_PLAY and not headed

    def _kick(self, index: int, event: ProviderEvent) -> Iterator[ProviderEvent]:
        """A pass, shot or clearance, and the opponent who stops it."""
        row = self._rows[index]
        kind, role = _KICKS[row.said["possessionEventType"]]
        yield replace(
            event,
            kind=kind,
            player=row.player(role) or event.player,
            length_m=self._length_m(index),
            headed=row.said.get("bodyType") == _HEAD,
            high=kind != "shot" and row.said.get("highPointType") == _ABOVE_HEAD,
            crossed=row.said["possessionEventType"] == "CR",
            setpiece=_SETPIECES.get(str(row.game.get("setpieceType")), 0),
        )
        if kind == "shot" and (stop := _SHOT_STOPS.get(row.said.get("shotOutcomeType"))):
            yield _at(event, stop[0], _other(event.team), row.player(stop[1]), AFTER_SHOT_MS)
        outcome = row.said.get("passOutcomeType") or row.said.get("crossOutcomeType")
        after = self._rows[index + 1] if index + 1 < len(self._rows) else row
        wait_ms = after.video_ms - row.video_ms if after.period == row.period else nan
        # A ball that hits an opponent has a row of its own.
        has_row = after.said.get("possessionEventType") == _REBOUND
        if kind == "pass" and outcome in _STOPS and 0 < wait_ms <= LONGEST_FLIGHT_MS and not has_row:
            yield _at(event, "block", _other(event.team), row.player(_STOPS[outcome][1]), wait_ms)

    def _challenge(self, row: _Row, event: ProviderEvent) -> ProviderEvent:
        """A tackle or a header by a challenger who won the ball, a man taken on, else a duel."""
        winner, challenger = row.player("challengeWinner"), row.player("challenger")
        type_ = row.said.get("challengeType")
        if type_ in (_AERIAL, _FIFTY):  # for a ball that nobody has
            side = next((side for side in HOME_AND_AWAY if winner and row.player(f"{side}Duel") == winner), "")
            team = self._sides.get(side, self._team_of(winner))
            return _at(event, "aerial" if winner and type_ == _AERIAL else "duel", team, winner)
        if type_ == _DRIBBLE and winner and winner != challenger:
            return replace(event, kind="take on")
        x, y = 100 - event.x, 100 - event.y
        kind: Kind = "tackle" if winner and winner == challenger else "duel"
        return replace(event, kind=kind, team=_other(event.team), player=challenger, x=x, y=y)

    def _team_of(self, player: str | None) -> int:
        return UNKNOWN if player is None else self._team_of_player.get(player, UNKNOWN)

    def _last_team(self, index: int) -> int:
        """The team that had the ball last before a row."""
        before = (row for row in reversed(self._rows[:index]) if row.game.get("gameEventType") == _POSSESSION)
        return next((self._teams[row.team] for row in before if row.team in self._teams), UNKNOWN)

    def _length_m(self, index: int) -> float:
        """Metres from a kick to where the ball is in the next row that says so; NaN unknown."""
        row = self._rows[index]
        later = (after.ball_m for after in self._rows[index + 1 : index + 4] if after.period == row.period)
        return distance_m(*row.ball_m, *next((end for end in later if isfinite(end[0])), (nan, nan)), size=PITCH_M)


def _at(event: ProviderEvent, kind: Kind, team: int, player: str | None = None, later_ms: float = 0.0) -> ProviderEvent:
    """Action of somebody else that an event implies, where nobody says."""
    return ProviderEvent(event.half, event.time_ms + later_ms, kind, team, player)


def _id(value: object) -> str | None:
    """A team's or a player's id; some files write it as 12.0."""
    return str(value).removesuffix(".0") if value is not None else None


def _other(team: int) -> int:
    return 1 - team if team in (0, 1) else team


def _place(row: _Row) -> tuple[float, float]:
    """Percent along and across the attack of the team that has the ball; NaN if its direction is not known."""
    about = row.part("stadiumMetadata")
    turn = {"R": 1, "L": -1}.get(str(about.get("teamAttackingDirection")), nan)
    length_m, width_m = (number(about.get(f"pitch{side}")) for side in ("Length", "Width"))
    if not (length_m > 0 and width_m > 0):
        length_m, width_m = PITCH_M
    x_m, y_m = row.ball_m
    return 50 + 100 * turn * x_m / length_m, 50 - 100 * turn * y_m / width_m
