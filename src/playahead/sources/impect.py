"""Reader of Impect's events, which kloppy turns into its own.

kloppy wants the match's line-ups; one is made from the events, so that a player who is missing in the provider's does
no harm. The line-up file, if given, says who plays at home.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from playahead.domain.feed import HOME_AND_AWAY, PERIODS, FeedHalf
from playahead.domain.notices import Notices
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.sources.kloppy_events import as_file, read_through_kloppy
from playahead.sources.provider_events import two_teams
from playahead.sources.reading import FeedFile, as_list, as_object, list_in, number, read_json

if TYPE_CHECKING:
    from kloppy.domain import EventDataset

_KINDS = {
    *("PASS", "DRIBBLE", "SHOT", "RECEPTION", "LOOSE_BALL_REGAIN", "INTERCEPTION", "CLEARANCE", "GROUND_DUEL"),
    *("BLOCK", "KICK_OFF", "THROW_IN", "FREE_KICK", "PENALTY_KICK", "GOAL_KICK", "CORNER", "GK_CATCH", "GK_SAVE"),
    *("GOAL", "OWN_GOAL", "OUT", "OFFSIDE", "FOUL", "FINAL_WHISTLE", "REFEREE_INTERCEPTION", "NO_VIDEO"),
    *("YELLOW_CARD", "SECOND_YELLOW_CARD", "RED_CARD"),
}
_PASS_ACTIONS = {"LOW_PASS", "LOW_CROSS", "HIGH_CROSS", "DIAGONAL_PASS", "CHIPPED_PASS", "SHORT_AERIAL_PASS", "HEADER"}
_PENALTY, _CROSS = "PENALTY_KICK", "LOW_CROSS"
_SHOT_ACTIONS = {_PENALTY, "DIRECT_FREE_KICK"}
_SHOOT_OUT = 5
_LAST_THIRD_M, _AREA_M, _AREA_HALF_WIDTH_M = PITCH_M[0] / 6, PITCH_M[0] / 2 - 16.5, 20.16
"""Where the last third and the penalty area begin, from the middle of the pitch."""

Entry = Mapping[str, Any]


def read_impect(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match, extra time as halves 3 and 4; team 0 is at home if the line-up says who is."""
    path = file.path
    root = read_json(path)
    listed = list_in(root, "data", str(path)) if isinstance(root, dict) else as_list(root, str(path))
    entries = _of_play(listed, file.notices)
    teams = two_teams(path, (entry.get("squadId") for entry in entries))
    if file.companion is not None:
        line_up = as_object(read_json(file.companion), str(file.companion))
        squads = (as_object(line_up.get(f"squad{side.title()}"), str(file.companion)) for side in HOME_AND_AWAY)
        sides = [squad.get("id") for squad in squads]
        if any(team not in sides for team in teams):
            what = f"is the line-up of another match: its squads are {sides[0]} and {sides[1]}"
            raise InputError(file.companion, what)
        teams = sides
    if len(teams) < len(HOME_AND_AWAY):
        raise InputError(path, "holds events of one team", "is it a whole match?")
    made = {f"squad{side.title()}": _squad(team, entries) for side, team in zip(HOME_AND_AWAY, teams, strict=True)}

    def load(events: list[Any]) -> "EventDataset":
        from kloppy import impect

        return impect.load(event_data=as_file(events), lineup_data=as_file(made))

    has_actions = any(_word(entry, "action") in _PASS_ACTIONS for entry in entries)
    pairs = zip(({}, *entries), entries, strict=False)
    return read_through_kloppy(file, "Impect", [_as_kloppy_takes(*pair, has_actions) for pair in pairs], load)


def _of_play(listed: list[object], notices: Notices) -> list[Entry]:
    """Entries in the order of the match, without those that stop kloppy."""
    played = []
    for entry in listed:
        if not isinstance(entry, dict):
            notices.count("events with a field of the wrong kind not read")
        elif entry.get("periodId") == _SHOOT_OUT:
            notices.count("events of the shoot-out not read")
        elif entry.get("periodId") not in PERIODS:
            notices.count(f"events with an unknown period ({str(entry.get('periodId'))[:40]}) not read")
        elif (kind := _word(entry, "actionType")) not in _KINDS:
            notices.count(f"events with an unknown type ({kind[:40]}) not read")
        else:
            played.append(entry)
    return sorted(played, key=lambda entry: (entry["periodId"], number(entry.get("index"))))


def _word(entry: Entry, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _squad(team: object, entries: Sequence[Entry]) -> dict[str, object]:
    """A line-up: everybody who acts for the team, and everybody whom the other one fights."""
    named = (("player", "id") if entry.get("squadId") == team else ("duel", "playerId") for entry in entries)
    found = ((entry.get(who) or {}, key) for entry, (who, key) in zip(entries, named, strict=True))
    ids = {str(one.get(key)) for one, key in found if isinstance(one, dict)}
    players = [{"id": player, "shirtNumber": 0} for player in sorted(ids)]
    return {"id": team, "players": players, "startingPositions": [], "substitutions": [], "startingFormation": "4-4-2"}


def _as_kloppy_takes(before: Entry, entry: Entry, has_actions: bool) -> Entry:
    """The entry that follows ``before``, with an ``action`` that kloppy knows, or none.

    A penalty is a shot. A ground duel is a tackle if its loser had the ball, else one for a loose ball. Some files
    name no actions: there, a pass from a wing of the last third into the penalty area is a cross.
    """
    kind, action = entry["actionType"], _word(entry, "action")
    lost_the_ball = _word(before, "actionType") == "DRIBBLE" and before.get("squadId") != entry.get("squadId")
    if kind == _PENALTY and entry.get("shot"):
        kind, action = "SHOT", _PENALTY
    elif kind == "GROUND_DUEL" and not lost_the_ball:
        kind = "LOOSE_BALL_REGAIN"
    elif kind == "PASS" and not has_actions and _enters_area(entry):
        action = _CROSS
    known = {"PASS": _PASS_ACTIONS, "SHOT": _SHOT_ACTIONS}.get(kind, set())
    return {**entry, "actionType": kind, "action": action if action in known else None}


def _enters_area(entry: Entry) -> bool:
    places = []
    for end in ("start", "end"):
        place = entry.get(end)
        spot = place.get("adjCoordinates") if isinstance(place, dict) else None
        places += [number(spot.get(axis)) if isinstance(spot, dict) else nan for axis in "xy"]
    x, y, end_x, end_y = places
    from_wing = x > _LAST_THIRD_M and abs(y) > _AREA_HALF_WIDTH_M
    return from_wing and end_x > _AREA_M and abs(end_y) < _AREA_HALF_WIDTH_M
