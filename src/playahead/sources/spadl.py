"""SPADL actions (socceraction) -> halves of a feed, from any table whose columns can be asked for by name."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.errors import InputError
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

TYPES = (
    *("pass", "cross", "throw_in", "freekick_crossed", "freekick_short", "corner_crossed", "corner_short", "take_on"),
    *("foul", "tackle", "interception", "shot", "shot_penalty", "shot_freekick", "keeper_save", "keeper_claim"),
    *("keeper_punch", "keeper_pick_up", "clearance", "bad_touch", "non_action", "dribble", "goalkick"),
)
"""SPADL's action types in the order of ``type_id``."""
_HEAD, _HEAD_OR_OTHER, _SUCCESS, _OFFSIDE = 1, 3, 1, 2
_NEEDED = ("game_id", "period_id", "time_seconds", "team_id", "player_id", "start_x", "start_y", "end_x", "end_y")
_TYPES: dict[Kind, tuple[str, ...]] = {
    "pass": (
        "pass",
        "cross",
        "throw_in",
        "freekick_crossed",
        "freekick_short",
        "corner_crossed",
        "corner_short",
        "goalkick",
    ),
    "shot": ("shot", "shot_penalty", "shot_freekick"),
    "save": ("keeper_save", "keeper_punch"),
    "touch": ("keeper_claim", "keeper_pick_up", "bad_touch"),
    "take on": ("take_on",),
    "carry": ("dribble",),
    "clearance": ("clearance",),
    "block": ("interception",),
    "stoppage": ("foul",),
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _TYPES.items() for name in names}
_SETPIECES = {
    **{"throw_in": THROW_IN, "goalkick": GOAL_KICK, "corner_crossed": CORNER, "corner_short": CORNER},
    **{"freekick_crossed": FREE_KICK, "freekick_short": FREE_KICK},
    **{"shot_penalty": DIRECT_SHOT, "shot_freekick": DIRECT_SHOT},
}


def read_spadl(actions: Any, home_team_id: object = None, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of one match.

    SPADL does not say when the ball goes out, nor how high a pass is: OUT is not reported, and long passes are high.

    Args:
        actions: a pandas or polars DataFrame, or a mapping of arrays, with SPADL's columns (ids or names of type,
            result and body part), in metres on a pitch of 105 x 68.
        home_team_id: who attacks from left to right throughout, as socceraction's converters leave it; None if every
            action was turned to its team's attack (``play_left_to_right``).
        notes: told what was not read.

    Raises:
        InputError: a column is missing or holds what it cannot, several matches, or more than two teams.
    """
    notes = notes or SourceNotes()
    table = _columns(actions)
    teams = {team: number for number, team in enumerate(dict.fromkeys(table["team_id"].tolist()))}
    if len(teams) > 2:
        raise InputError("SPADL", f"more than two teams: {', '.join(str(team) for team in teams)}")
    if len(set(table["game_id"].tolist())) > 1:
        raise InputError("SPADL", "more than one match", "give one game_id at a time")
    played = np.isin(table["period_id"], PERIODS)
    if not played.all():
        notes.left_out["actions of the shoot-out"] += int((~played).sum())
    events = list(_events({name: column[played] for name, column in table.items()}, teams, home_team_id))
    halves = halves_of(_match(table["game_id"]), events, knows_height=False, notes=notes)
    if not halves:
        raise InputError("SPADL", "none of the actions is one that becomes a row")
    return halves


def _columns(actions: Any) -> dict[str, NDArray]:
    """What is needed of the table, types and results as numbers, in time order."""
    table = {name: _column(actions, name) for name in _NEEDED}
    table["type"] = _coded(actions, "type", TYPES)
    table["result"] = _coded(actions, "result", ("fail", "success", "offside", "owngoal", "yellow_card", "red_card"))
    body = ("foot", "head", "other", "head/other", "foot_left", "foot_right")
    table["bodypart"] = _coded(actions, "bodypart", body)
    for name in ("period_id", "time_seconds", "start_x", "start_y", "end_x", "end_y"):
        try:
            table[name] = table[name].astype(np.float64)
        except (TypeError, ValueError):
            raise InputError("SPADL", f"column {name} does not hold numbers") from None
    order = np.lexsort((table["time_seconds"], table["period_id"]))
    return {name: column[order] for name, column in table.items()}


def _column(actions: Any, name: str) -> NDArray:
    try:
        return np.asarray(actions[name])
    except Exception:  # each kind of table has an error of its own
        raise InputError("SPADL", f"no column {name!r}") from None


def _coded(actions: Any, name: str, known: tuple[str, ...]) -> NDArray[np.intp]:
    """``type_id`` or ``type_name`` as ids; -1 for a name that is not SPADL's."""
    try:
        ids = np.asarray(actions[f"{name}_id"])
    except Exception:  # as above
        names = _column(actions, f"{name}_name")
        return np.array([known.index(str(one)) if str(one) in known else -1 for one in names], np.intp)
    if not np.issubdtype(ids.dtype, np.integer):
        raise InputError("SPADL", f"column {name}_id does not hold whole numbers")
    return ids.astype(np.intp)


def _match(game_id: NDArray) -> int:
    first = game_id[0] if len(game_id) else 0
    return int(first) if str(first).isdigit() and int(first) < 2**31 else 0


def _events(table: Mapping[str, NDArray], teams: Mapping[object, int], home: object) -> Iterator[ProviderEvent]:
    until_s = np.r_[table["time_seconds"][1:], np.nan]
    for i, type_id in enumerate(table["type"]):
        name = TYPES[type_id] if 0 <= type_id < len(TYPES) else ""
        success = table["result"][i] == _SUCCESS
        kind = ("tackle" if success else "duel") if name == "tackle" else _KINDS.get(name)
        if kind is None:
            continue
        x, y, end_x, end_y = (float(table[column][i]) for column in ("start_x", "start_y", "end_x", "end_y"))
        team = table["team_id"][i]
        if home is not None and team != home:
            x, y = PITCH_M[0] - x, PITCH_M[1] - y
        event = ProviderEvent(
            half=int(table["period_id"][i]),
            time_ms=float(table["time_seconds"][i]) * 1000,
            kind=kind,
            team=teams.get(team, UNKNOWN),
            player=str(table["player_id"][i]),
            x=100 * x / PITCH_M[0],
            y=100 * (1 - y / PITCH_M[1]),  # SPADL's y grows to the left of the attack
            length_m=float(np.hypot(end_x - table["start_x"][i], end_y - table["start_y"][i])),
            lasts_ms=float(until_s[i] - table["time_seconds"][i]) * 1000 if kind == "carry" else float("nan"),
            headed=table["bodypart"][i] in (_HEAD, _HEAD_OR_OTHER),
            crossed=name in ("cross", "freekick_crossed"),
            setpiece=_SETPIECES.get(name, 0),
        )
        yield event
        if kind == "pass" and table["result"][i] == _OFFSIDE:
            yield ProviderEvent(event.half, event.time_ms, "stoppage", event.team)
