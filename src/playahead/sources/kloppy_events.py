"""Events by way of kloppy, an extra: any dataset that it has loaded, and Wyscout's files of version 3.

``read_through_kloppy`` reads a provider's list of events although some of them stop kloppy. Which event is what, by
kloppy's types and qualifiers, is here; which rows that gives is in ``provider_events``.
"""

import io
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from math import nan
from typing import TYPE_CHECKING, Any

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf, SetPiece
from playahead.domain.notices import Notices
from playahead.domain.pitch import distance_m
from playahead.io.errors import InputError, RecordError
from playahead.sources.provider_events import Kind, ProviderEvent, halves_of
from playahead.sources.reading import FeedFile, as_object, list_in, match_id, number, read_json

if TYPE_CHECKING:
    from kloppy.domain import EventDataset

_SETPIECES = {
    **{"THROW_IN": SetPiece.THROW_IN, "GOAL_KICK": SetPiece.GOAL_KICK, "CORNER_KICK": SetPiece.CORNER},
    **{"FREE_KICK": SetPiece.FREE_KICK, "PENALTY": SetPiece.DIRECT_SHOT},
}
_HIGH = {"HIGH_PASS", "LAUNCH", "CHIPPED_PASS"}
_HEADED = {"HEAD_PASS", "FLICK_ON"}
_HEADS = {"HEAD", "HEAD_OTHER"}
_SAVES = {"SAVE", "PUNCH", "SMOTHER", "REFLEX", "SAVE_ATTEMPT"}
_PLAIN: dict[str, Kind] = {
    **{"TAKE_ON": "take on", "CARRY": "carry", "CLEARANCE": "clearance", "INTERCEPTION": "block"},
    **{"RECOVERY": "touch", "MISCONTROL": "touch", "BALL_OUT": "out", "FOUL_COMMITTED": "stoppage"},
}
_BY_NAME: dict[str, Kind] = {
    **{"block": "block", "clearances": "clearance", "game_interruption": "out"},
    **{"offside": "stoppage", "offsides": "stoppage", "injury stoppage": "stoppage"},
}
"""Events that kloppy calls generic, by the provider's own name."""
_PERIODS, _SHOOT_OUT = ("1H", "2H", "1E", "2E"), "P"
_PRIMARY = {
    *("acceleration", "clearance", "corner", "duel", "fairplay", "free_kick", "game_interruption", "goal_kick"),
    *("goalkeeper_exit", "infraction", "interception", "offside", "own_goal", "pass", "penalty", "received_pass"),
    *("shot", "shot_against", "throw_in", "touch", "postmatch_penalty", "postmatch_penalty_faced"),
}
MOST_UNREADABLE = 20
"""Events that may be left out of a match before it is refused."""


def read_kloppy_dataset(dataset: "EventDataset", notices: Notices | None = None) -> list[FeedHalf]:
    """The halves of one match; none if none of its events is one that becomes a row.

    Args:
        dataset: dataset that any ``load`` of kloppy's event providers returns.
        notices: collector of what was not read.
    """
    from kloppy.exceptions import KloppyError

    notices = notices or Notices()
    played = [event for event in dataset.events if event.period.id in PERIODS]
    notices.count("events of the shoot-out not read", len(dataset.events) - len(played))
    # kloppy turns no event of an unknown team: nobody's attack is its direction. Nor any of the shoot-out.
    turnable = dataset.filter(lambda event: event.team is not None and event.period.id in PERIODS)
    turned, are_turned = turnable, True
    try:
        turned = turnable.transform(to_orientation="ACTION_EXECUTING_TEAM", to_coordinate_system="kloppy")
    except KloppyError as reason:
        are_turned = False
        notices.add(f"places are unknown, because nothing says which way the teams attack ({reason})")
    listed: list[Any] = [*turned.records, *(event for event in played if event.team is None)]
    teams = {str(team.team_id): number for number, team in enumerate(dataset.metadata.teams[:2])}
    knows_height = any(_names(event, "PassQualifier") & _HIGH for event in listed)
    events = [event for raw in listed for event in _events(raw, teams, are_turned)]
    # The first events stand for a match without an id.
    first = [(event.event_id, event.timestamp.total_seconds()) for event in dataset.events[:50]]
    return halves_of(match_id(dataset.metadata.game_id or repr(first).encode()), events, knows_height, notices)


def _events(event: Any, teams: dict[str, int], are_turned: bool) -> Iterator[ProviderEvent]:
    for kind in _kinds(event):
        body, passed = _names(event, "BodyPartQualifier"), _names(event, "PassQualifier")
        setpieces = [_SETPIECES.get(name, 0) for name in _names(event, "SetPieceQualifier")]
        start, end = event.coordinates if are_turned else None, getattr(event, "receiver_coordinates", None)
        place = start if event.team else None
        until = getattr(event, "receive_timestamp", None) or getattr(event, "end_timestamp", None)
        yield ProviderEvent(
            half=event.period.id,
            time_ms=event.timestamp.total_seconds() * 1000,
            kind=kind,
            team=teams.get(str(event.team.team_id), UNKNOWN) if event.team else UNKNOWN,
            player=str(event.player.player_id) if event.player else None,
            x=place.x * 100 if place else nan,
            y=place.y * 100 if place else nan,
            length_m=distance_m(start.x, start.y, end.x, end.y, size=(1.0, 1.0)) if start and end else nan,
            lasts_ms=(until - event.timestamp).total_seconds() * 1000 if until is not None else nan,
            headed=bool(body & _HEADS or passed & _HEADED),
            high=bool(passed & _HIGH),
            crossed="CROSS" in passed,
            setpiece=min(filter(None, setpieces), default=0),  # some are called two things: the throw-in comes first
        )


def _kinds(event: Any) -> Iterator[Kind]:
    """Kinds of an event: none, one, or two (a pass into offside)."""
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
        types = _names(event, "DuelQualifier")
        if result == "WON":
            yield "aerial" if "AERIAL" in types else "duel" if "LOOSE_BALL" in types else "tackle"
        elif not types & {"AERIAL", "LOOSE_BALL"}:
            yield "duel"
    elif name == "GENERIC" and (known := _BY_NAME.get(str(event.event_name).lower())):
        yield known


def _names(event: Any, qualifier: str) -> set[str]:
    """Values of one kind of qualifier."""
    qualifiers = getattr(event, "qualifiers", None) or []
    return {one.value.name for one in qualifiers if type(one).__name__ == qualifier}


def read_wyscout_v3(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match in Wyscout's format of version 3, extra time as halves 3 and 4."""
    path, notices = file.path, file.notices
    root = as_object(read_json(path), str(path))
    events = _of_periods_in_order(list_in(root, "events", str(path)), notices)

    def load(events: list[Any]) -> "EventDataset":
        from kloppy import wyscout

        return wyscout.load(event_data=as_file(root | {"events": events}), data_version="V3")

    return read_through_kloppy(file, "Wyscout v3", [_to_the_millisecond(event) for event in events], load)


def read_through_kloppy(
    file: FeedFile, provider: str, events: list[Any], load: Callable[[list[Any]], "EventDataset"]
) -> list[FeedHalf]:
    """The halves of one match that kloppy loads; an event that it stumbles over is left out and counted.

    Args:
        file: the match.
        provider: name for messages.
        events: the provider's events, in the order of the match.
        load: function from events to kloppy's dataset. It gives kloppy bytes (``as_file``) and never a name, which
            kloppy would fetch if it looked like an address.

    Raises:
        InputError: kloppy is missing, or refuses more than ``MOST_UNREADABLE`` events.
    """
    path, notices = file.path, file.notices
    if find_spec("kloppy") is None:
        what, fix = f"is a match of {provider}, which needs kloppy", "pip install 'playahead[kloppy]'"
        raise InputError(path, what, fix)
    # kloppy's own warnings become notices, the same one once.
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            dataset = _load_tolerantly(events, load, notices)
    except Exception as reason:  # kloppy raises whatever its parser does
        what = f"cannot be read as a match of {provider} ({type(reason).__name__}: {_line(reason)})"
        raise InputError(path, what, "is it whole?") from None
    texts = Counter(_line(one.message) for one in warned if type(one.message).__module__.startswith("kloppy"))
    times = ((text, f" ({count:,} times)" if count > 1 else "") for text, count in texts.items())
    notices.add_all(f"kloppy: {text}{often}" for text, often in times)
    try:
        return read_kloppy_dataset(dataset, notices)
    except (InputError, RecordError) as reason:
        raise InputError(path, f"{provider}: {reason}") from None


def as_file(document: object) -> io.BytesIO:
    """JSON as kloppy's loaders take it."""
    return io.BytesIO(json.dumps(document).encode())


def _of_periods_in_order(events: list[Any], notices: Notices) -> list[Any]:
    """Events in the order of the match, without those of the shoot-out, which kloppy reads after extra time alone.

    An event of a type that Wyscout does not have is one that kloppy passes over in silence: it is counted.
    """
    played = [event for event in events if not (isinstance(event, dict) and event.get("matchPeriod") == _SHOOT_OUT)]
    notices.count("events of the shoot-out not read", len(events) - len(played))
    for primary in map(_primary, played):
        if isinstance(primary, str) and primary not in _PRIMARY:
            notices.count(f"events with an unknown type ({primary[:40]}) not read")
    try:
        return sorted(played, key=lambda e: (_PERIODS.index(e["matchPeriod"]), e["minute"], e["second"]))
    except (KeyError, TypeError, ValueError):  # kloppy says what is wrong with them
        return played


def _primary(event: Any) -> object:
    what = event.get("type") if isinstance(event, dict) else None
    return what.get("primary") if isinstance(what, dict) else None


def is_wyscout_v3(root: object) -> bool:
    """True if the events of a match are those of version 3, wherever in the file they stand."""
    listed = root.get("events") if isinstance(root, dict) else None
    return isinstance(listed, list) and bool(listed) and isinstance(_primary(listed[0]), str)


def _to_the_millisecond(event: Any) -> Any:
    """kloppy reads ``minute`` and ``second``, which are whole; ``matchTimestamp`` (00:45:08.841) is finer."""
    if not isinstance(event, dict) or not isinstance(event.get("second"), int):
        return event
    seconds = number(f"0.{str(event.get('matchTimestamp', '')).partition('.')[2]}")
    return event | {"second": event["second"] + seconds} if 0 < seconds < 1 else event


def _load_tolerantly(
    events: list[Any], load: Callable[[list[Any]], "EventDataset"], notices: Notices
) -> "EventDataset":
    """The dataset without the events that kloppy refuses.

    kloppy reads events in order and stops at the first that it does not know: the shortest beginning of the list that
    it refuses ends with that one.
    """
    fine = 0
    for left_out in range(MOST_UNREADABLE + 1):
        reason = _refusal(events, load)
        if reason is None:
            break
        low, high = fine, len(events)  # a beginning of `low` events is read, one of `high` is refused
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _refusal(events[:middle], load) else (middle, high)
        if left_out == MOST_UNREADABLE or high != low + 1 or (low and _refusal(events[:low], load)):
            raise reason
        notices.count(f"events that kloppy does not read ({_line(reason)})")
        fine = low
        del events[low]
    return load(events)


def _refusal(events: list[Any], load: Callable[[list[Any]], "EventDataset"]) -> Exception | None:
    try:
        load(events)
    except Exception as reason:
        return reason
    return None


def _line(reason: object) -> str:
    text = " ".join(str(reason).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
