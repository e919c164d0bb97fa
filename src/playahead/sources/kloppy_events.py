"""Any event dataset of kloppy -> halves of a feed, whoever provided it.

Which event is what, by kloppy's types and qualifiers, is here; which rows that gives is in ``provider_events``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.sources.match_ids import match_id
from playahead.sources.notes import SourceNotes
from playahead.sources.provider_events import (
    CORNER,
    DIRECT_SHOT,
    FREE_KICK,
    GOAL_KICK,
    THROW_IN,
    Kind,
    ProviderEvent,
    halves_of,
)

if TYPE_CHECKING:
    from kloppy.domain import EventDataset

_SETPIECES = {
    "THROW_IN": THROW_IN,
    "GOAL_KICK": GOAL_KICK,
    "CORNER_KICK": CORNER,
    "FREE_KICK": FREE_KICK,
    "PENALTY": DIRECT_SHOT,
}
_HIGH = {"HIGH_PASS", "LAUNCH", "CHIPPED_PASS"}
_HEADED = {"HEAD_PASS", "FLICK_ON"}
_HEADS = {"HEAD", "HEAD_OTHER"}
_SAVES = {"SAVE", "PUNCH", "SMOTHER", "REFLEX", "SAVE_ATTEMPT"}
_PLAIN: dict[str, Kind] = {
    "TAKE_ON": "take on",
    "CARRY": "carry",
    "CLEARANCE": "clearance",
    "INTERCEPTION": "block",
    "RECOVERY": "touch",
    "MISCONTROL": "touch",
    "BALL_OUT": "out",
    "FOUL_COMMITTED": "stoppage",
}
_BY_NAME: dict[str, Kind] = {
    "block": "block",
    "clearances": "clearance",
    "offside": "stoppage",
    "offsides": "stoppage",
    "injury stoppage": "stoppage",
    "game_interruption": "out",
}
"""Events that kloppy calls generic, by the provider's own name."""


def read_kloppy_dataset(dataset: "EventDataset", notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of one match.

    Args:
        dataset: as any ``load`` of kloppy's event providers returns it.
        notes: told what was not read.

    Raises:
        InputError: no event in it becomes a row.
    """
    from kloppy.exceptions import KloppyError

    notes = notes or SourceNotes()
    played = [event for event in dataset.events if event.period.id in PERIODS]
    if len(played) < len(dataset.events):
        notes.left_out["events of the shoot-out"] += len(dataset.events) - len(played)
    # kloppy turns no event of an unknown team: nobody's attack is its direction. Nor any of the shoot-out.
    turnable = dataset.filter(lambda event: event.team is not None and event.period.id in PERIODS)
    turned, are_turned = turnable, True
    try:
        turned = turnable.transform(to_orientation="ACTION_EXECUTING_TEAM", to_coordinate_system="kloppy")
    except KloppyError as reason:
        are_turned = False
        notes.doubts.append(f"places are unknown, because nothing says which way the teams attack ({reason})")
    events: list[Any] = [*turned.records, *(event for event in played if event.team is None)]
    teams = {str(team.team_id): number for number, team in enumerate(dataset.metadata.teams[:2])}
    pass_types = {name for event in events for name in _names(event, "PassQualifier")}
    found: list[ProviderEvent] = []
    for event in events:
        found += _events(event, teams, are_turned)
    halves = halves_of(_match_id(dataset), found, bool(pass_types & _HIGH), notes)
    if not halves:
        raise InputError(_provider(dataset), "none of its events is one that becomes a row")
    return halves


def _provider(dataset: "EventDataset") -> str:
    return str(getattr(dataset.metadata.provider, "value", dataset.metadata.provider))


def _match_id(dataset: "EventDataset") -> int:
    """The provider's id; of a dataset without one, a number that stands for its first events."""
    if dataset.metadata.game_id:
        return match_id(dataset.metadata.game_id)
    first = [(event.event_id, event.timestamp.total_seconds()) for event in dataset.events[:50]]
    return match_id(repr(first).encode())


def _events(event: Any, teams: dict[str, int], are_turned: bool) -> Iterator[ProviderEvent]:
    for kind in _kinds(event):
        body, passed = _names(event, "BodyPartQualifier"), _names(event, "PassQualifier")
        setpieces = [_SETPIECES.get(name, 0) for name in _names(event, "SetPieceQualifier")]
        setpiece = min(filter(None, setpieces), default=0)  # a few are called two things: the throw-in comes first
        place = event.coordinates if event.team and are_turned else None
        arrives = getattr(event, "receiver_coordinates", None)
        yield ProviderEvent(
            half=event.period.id,
            time_ms=event.timestamp.total_seconds() * 1000,
            kind=kind,
            team=teams.get(str(event.team.team_id), UNKNOWN) if event.team else UNKNOWN,
            player=str(event.player.player_id) if event.player else None,
            x=place.x * 100 if place else float("nan"),
            y=place.y * 100 if place else float("nan"),
            length_m=_length_m(event.coordinates, arrives) if are_turned else float("nan"),
            lasts_ms=_lasts_ms(event),
            headed=bool(body & _HEADS or passed & _HEADED),
            high=bool(passed & _HIGH),
            crossed="CROSS" in passed,
            setpiece=DIRECT_SHOT if kind == "shot" and setpiece == FREE_KICK else setpiece,
        )


def _kinds(event: Any) -> Iterator[Kind]:
    """What an event is: nothing, one thing, or two (a pass into offside)."""
    name, result = event.event_type.name, getattr(getattr(event, "result", None), "name", "")
    if name in _PLAIN:
        yield _PLAIN[name]
    elif name == "PASS":
        yield "pass"
        if result == "OFFSIDE":
            yield "stoppage"
    elif name == "SHOT" and result != "OWN_GOAL":
        yield "shot"
    elif name == "GOALKEEPER":
        yield "save" if _names(event, "GoalkeeperQualifier") & _SAVES else "touch"
    elif name == "DUEL":
        yield from _duel(_names(event, "DuelQualifier"), result)
    elif name == "GENERIC" and (known := _BY_NAME.get(str(event.event_name).lower())):
        yield known


def _duel(types: set[str], result: str) -> Iterator[Kind]:
    if "AERIAL" in types:
        if result == "WON":
            yield "aerial"
    elif "LOOSE_BALL" in types:
        if result == "WON":
            yield "duel"
    else:
        yield "tackle" if result == "WON" else "duel"


def _names(event: Any, qualifier: str) -> set[str]:
    """Values of one kind of qualifier."""
    found = getattr(event, "qualifiers", None) or []
    return {one.value.name for one in found if type(one).__name__ == qualifier}


def _length_m(start: Any, end: Any) -> float:
    if start is None or end is None:
        return float("nan")
    return float((((end.x - start.x) * PITCH_M[0]) ** 2 + ((end.y - start.y) * PITCH_M[1]) ** 2) ** 0.5)


def _lasts_ms(event: Any) -> float:
    until = getattr(event, "receive_timestamp", None) or getattr(event, "end_timestamp", None)
    return (until - event.timestamp).total_seconds() * 1000 if until is not None else float("nan")
