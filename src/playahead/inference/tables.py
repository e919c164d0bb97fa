"""Anticipations as rows of the tables that football analysts have: SPADL's columns, and those of kloppy's ``to_df``.

Nothing is said that is not known: no player, no end of a pass, no result.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.pitch import PITCH_M
from playahead.domain.records import Anticipation
from playahead.domain.time import format_clock

Table = Literal["anticipations", "spadl", "kloppy"]
Row = Mapping[str, object]

_SPADL = {
    **dict.fromkeys((Action.PASS, Action.HEADER, Action.HIGH_PASS), "pass"),
    **{Action.DRIVE: "dribble", Action.CROSS: "cross", Action.THROW_IN: "throw_in", Action.SHOT: "shot"},
    **{Action.OUT: "non_action", Action.BLOCK: "interception", Action.TACKLE: "tackle"},
}
_KLOPPY = {
    **dict.fromkeys((Action.PASS, Action.HEADER, Action.HIGH_PASS, Action.CROSS, Action.THROW_IN), "PASS"),
    **{Action.DRIVE: "CARRY", Action.SHOT: "SHOT", Action.OUT: "BALL_OUT", Action.BLOCK: "INTERCEPTION"},
    Action.TACKLE: "DUEL",
}
_KLOPPY_QUALIFIERS = {
    Action.HEADER: {"body_part_type": "HEAD"},
    Action.HIGH_PASS: {"pass_type": "HIGH_PASS"},
    Action.CROSS: {"pass_type": "CROSS"},
    Action.THROW_IN: {"set_piece_type": "THROW_IN"},
    Action.TACKLE: {"duel_type": "GROUND", "result": "WON"},
}

_QUALIFIERS = ("result", "body_part_type", "pass_type", "set_piece_type", "duel_type")


def _anticipation(one: Anticipation, number: int) -> Row:  # noqa: ARG001
    clocks = {"clock": format_clock(one.observed_until_ms), "expected_at": format_clock(one.time_ms)}
    return {**one.as_json(), **clocks}


def _spadl(one: Anticipation, number: int) -> Row:
    """Metres on 105 x 68, every action towards the right (``play_left_to_right``); y grows to the attack's left."""
    body = {Action.HEADER: "head", Action.THROW_IN: "other"}
    return {
        "game_id": one.match,
        "action_id": number,
        "period_id": one.half,
        "time_seconds": one.time_ms / 1000,
        "team_id": one.team,
        "player_id": None,
        "start_x": None if one.x is None else round(one.x / 100 * PITCH_M[0], 2),
        "start_y": None if one.y is None else round((1 - one.y / 100) * PITCH_M[1], 2),
        "end_x": None,
        "end_y": None,
        "type_name": _SPADL[one.action],
        "result_name": None,
        "bodypart_name": body.get(one.action),
        **_certainty(one),
    }


def _kloppy(one: Anticipation, number: int) -> Row:
    """kloppy's own coordinates: 0 to 1, towards the right, y downwards."""
    qualifiers = _KLOPPY_QUALIFIERS.get(one.action, {})
    return {
        "event_id": f"{one.match}-{one.half}-{number}",
        "event_type": _KLOPPY[one.action],
        "period_id": one.half,
        "timestamp": _timestamp(one.time_ms),
        "end_timestamp": None,
        "ball_state": "dead" if one.action is Action.OUT else "alive",
        "team_id": one.team,
        "player_id": None,
        "coordinates_x": None if one.x is None else one.x / 100,
        "coordinates_y": None if one.y is None else one.y / 100,
        **{name: qualifiers.get(name) for name in _QUALIFIERS},
        **_certainty(one),
    }


def _certainty(one: Anticipation) -> Row:
    """Columns that no event has, as it has not happened."""
    return {
        "action": str(one.action),
        "confidence": one.confidence,
        "times_usual": one.times_usual,
        "observed_until_seconds": one.observed_until_ms / 1000,
    }


def _timestamp(time_ms: int) -> str:
    """``0 days 00:12:31.400000``, as pandas writes a timedelta and reads it."""
    return f"0 days {time_ms // 3_600_000:02d}:{time_ms // 60_000 % 60:02d}:{time_ms / 1000 % 60:09.6f}"


ROWS: Mapping[Table, Callable[[Anticipation, int], Row]] = {
    "anticipations": _anticipation,
    "spadl": _spadl,
    "kloppy": _kloppy,
}
"""A row of each table, of an anticipation and its number."""
_ANY = Anticipation(Action.PASS, 0, 0.0, (0.0,) * len(ACTIONS))


def columns_of(table: Table) -> list[str]:
    """Names of a table's columns."""
    return [*ROWS[table](_ANY, 0)]
