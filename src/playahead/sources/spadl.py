"""SPADL actions (socceraction) -> halves of a feed, from any table whose columns can be asked for by name.

Atomic SPADL is read as well: its actions have a place and a way (x, y, dx, dy) and no result; receptions, cards and
goals are rows of their own there, and the ball going out is one.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

TYPES = (
    *("pass", "cross", "throw_in", "freekick_crossed", "freekick_short", "corner_crossed", "corner_short", "take_on"),
    *("foul", "tackle", "interception", "shot", "shot_penalty", "shot_freekick", "keeper_save", "keeper_claim"),
    *("keeper_punch", "keeper_pick_up", "clearance", "bad_touch", "non_action", "dribble", "goalkick"),
)
"""SPADL's action types in the order of ``type_id``."""
ATOMIC_TYPES = (
    *TYPES,
    *("receival", "", "out", "offside", "goal", "owngoal", "yellow_card", "red_card", "corner", "freekick"),
)
"""Those of atomic SPADL; 24 is called an interception, too, but says only that the other team has the ball next."""
_HEAD, _HEAD_OR_OTHER, _SUCCESS, _OFFSIDE = 1, 3, 1, 2
_SHOOT_OUT = 5
_NEEDED = ("game_id", "period_id", "time_seconds", "team_id", "player_id")
_PLACES = ("start_x", "start_y", "end_x", "end_y")
_ATOMIC_PLACES = ("x", "y", "dx", "dy")
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
        "corner",
        "freekick",
    ),
    "shot": ("shot", "shot_penalty", "shot_freekick"),
    "save": ("keeper_save", "keeper_punch"),
    "touch": ("keeper_claim", "keeper_pick_up", "bad_touch"),
    "take on": ("take_on",),
    "carry": ("dribble",),
    "clearance": ("clearance",),
    "block": ("interception",),
    "out": ("out",),
    "stoppage": ("foul", "offside"),
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _TYPES.items() for name in names}
_SETPIECES = {
    **{"throw_in": THROW_IN, "goalkick": GOAL_KICK, "corner_crossed": CORNER, "corner_short": CORNER},
    **{"corner": CORNER, "freekick": FREE_KICK, "freekick_crossed": FREE_KICK, "freekick_short": FREE_KICK},
    **{"shot_penalty": DIRECT_SHOT, "shot_freekick": DIRECT_SHOT},
}


def read_spadl(actions: Any, home_team_id: object = None, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of one match.

    SPADL does not say when the ball goes out (atomic SPADL does), nor how high a pass is: OUT is not reported, and long
    passes are high.

    Args:
        actions: a pandas or polars DataFrame, or a mapping of arrays, with SPADL's or atomic SPADL's columns (ids or
            names of type, result and body part), in metres on a pitch of 105 x 68.
        home_team_id: who attacks from left to right throughout, as socceraction's converters leave it; None if every
            action was turned to its team's attack (``play_left_to_right``).
        notes: told what was not read.

    Raises:
        InputError: a column is missing or holds what it cannot, several matches, or more than two teams.
    """
    table = spadl_columns(actions)
    turned = set() if home_team_id is None else set(table["team_id"].tolist()) - {home_team_id}
    return halves_of_spadl(table, turned, set(), notes or SourceNotes())


def halves_of_spadl(
    table: Mapping[str, NDArray], turned: Set[object], placeless: Set[object], notes: SourceNotes
) -> list[FeedHalf]:
    """The halves of one match.

    Args:
        table: of ``spadl_columns``.
        turned: teams whose places are given the other way round, as they attack from right to left.
        placeless: teams whose attack nobody knows, so that their places are unknown.
        notes: told what was not read.

    Raises:
        InputError: several matches, more than two teams, or no action that becomes a row.
    """
    named = (team for team in dict.fromkeys(table["team_id"].tolist()) if is_named(team))
    teams = {team: number for number, team in enumerate(named)}
    if len(teams) > 2:
        raise InputError("SPADL", f"more than two teams: {', '.join(str(team) for team in teams)}")
    if len(set(table["game_id"].tolist())) > 1:
        raise InputError("SPADL", "more than one match", "give one game_id at a time")
    played = np.isin(table["period_id"], PERIODS)
    shoot_out = table["period_id"] == _SHOOT_OUT
    if shoot_out.any():
        notes.left_out["actions of the shoot-out"] += int(shoot_out.sum())
    if not (played | shoot_out).all():
        notes.left_out["actions of an unknown period"] += int((~(played | shoot_out)).sum())
    unknown = int((table["type"] == -1).sum())
    if unknown:
        notes.left_out["actions of an unknown type"] += unknown
    table = {name: column[played] for name, column in table.items()}
    events = list(_events(table, teams, turned, placeless))
    match = match_id(table["game_id"][0]) if len(table["game_id"]) else 0
    halves = halves_of(match, events, knows_height=False, notes=notes)
    if not halves:
        raise InputError("SPADL", "none of the actions is one that becomes a row")
    return halves


def spadl_columns(actions: Any) -> dict[str, NDArray]:
    """What is needed of a table, types and results as numbers, places as of SPADL, in time order.

    Raises:
        InputError: a column is missing or holds what it cannot.
    """
    table = {name: _column(actions, name) for name in _NEEDED}
    is_atomic = all(_has(actions, name) for name in _ATOMIC_PLACES) and not _has(actions, "start_x")
    table |= {
        name: _column(actions, source)
        for name, source in zip(_PLACES, _ATOMIC_PLACES if is_atomic else _PLACES, strict=True)
    }
    for name in ("period_id", "time_seconds", *_PLACES):
        try:
            table[name] = table[name].astype(np.float64)
        except (TypeError, ValueError):
            raise InputError("SPADL", f"column {name} does not hold numbers") from None
    if is_atomic:
        table["end_x"] += table["start_x"]
        table["end_y"] += table["start_y"]
    table["type"] = _coded(actions, "type", ATOMIC_TYPES if is_atomic else TYPES)
    if is_atomic:  # says no result: a tackle counts as won, and what follows says whether it keeps the ball
        table["result"] = np.full(len(table["type"]), _SUCCESS)
    else:
        table["result"] = _coded(
            actions, "result", ("fail", "success", "offside", "owngoal", "yellow_card", "red_card")
        )
    body = ("foot", "head", "other", "head/other", "foot_left", "foot_right")
    table["bodypart"] = _coded(actions, "bodypart", body)
    order = np.lexsort((table["time_seconds"], table["period_id"]))
    return {name: column[order] for name, column in table.items()}


def _has(actions: Any, name: str) -> bool:
    try:
        actions[name]
    except Exception:  # each kind of table has an error of its own
        return False
    return True


def _column(actions: Any, name: str) -> NDArray:
    try:
        return np.asarray(actions[name])
    except Exception:  # each kind of table has an error of its own
        raise InputError("SPADL", f"no column {name!r}") from None


def _coded(actions: Any, name: str, known: tuple[str, ...]) -> NDArray[np.intp]:
    """``type_id`` or ``type_name`` as ids; -1 for what is not SPADL's."""
    try:
        ids = np.asarray(actions[f"{name}_id"])
    except Exception:  # as above
        names = _column(actions, f"{name}_name")
        return np.array([known.index(str(one)) if str(one) in known else -1 for one in names], np.intp)
    if not np.issubdtype(ids.dtype, np.integer):
        raise InputError("SPADL", f"column {name}_id does not hold whole numbers")
    return np.where((ids >= 0) & (ids < len(known)), ids, -1).astype(np.intp)


def _events(
    table: Mapping[str, NDArray], teams: Mapping[object, int], turned: Set[object], placeless: Set[object]
) -> Iterator[ProviderEvent]:
    until_s = np.r_[table["time_seconds"][1:], np.nan]
    for i, type_id in enumerate(table["type"]):
        name = ATOMIC_TYPES[type_id] if type_id >= 0 else ""
        success = table["result"][i] == _SUCCESS
        kind = ("tackle" if success else "duel") if name == "tackle" else _KINDS.get(name)
        if kind is None:
            continue
        x, y, end_x, end_y = (float(table[column][i]) for column in _PLACES)
        length_m = float(np.hypot(end_x - x, end_y - y))
        team = table["team_id"][i]
        if team in turned:
            x, y = PITCH_M[0] - x, PITCH_M[1] - y
        elif team in placeless:
            x, y = float("nan"), float("nan")
        event = ProviderEvent(
            half=int(table["period_id"][i]),
            time_ms=float(table["time_seconds"][i]) * 1000,
            kind=kind,
            team=teams.get(team, UNKNOWN),
            player=_player(table["player_id"][i]),
            x=100 * x / PITCH_M[0],
            y=100 * (1 - y / PITCH_M[1]),  # SPADL's y grows to the left of the attack
            length_m=length_m,
            lasts_ms=float(until_s[i] - table["time_seconds"][i]) * 1000 if kind == "carry" else float("nan"),
            headed=table["bodypart"][i] in (_HEAD, _HEAD_OR_OTHER),
            crossed=name in ("cross", "freekick_crossed"),
            setpiece=_SETPIECES.get(name, 0),
        )
        yield event
        if kind == "pass" and table["result"][i] == _OFFSIDE:
            yield ProviderEvent(event.half, event.time_ms, "stoppage", event.team)


def _player(player_id: object) -> str | None:
    return str(player_id) if is_named(player_id) else None


def is_named(value: object) -> bool:
    """Whether a cell that holds an id is not empty."""
    return value not in (None, "", "nan") and value == value  # NaN is not equal to itself
