"""Lines of a running match: what a feed or a spotter sends, checked one at a time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import RANGES, UNKNOWN, FeedRow
from playahead.io.errors import InputError
from playahead.sources.reading import as_list, as_object, field, parse_json
from playahead.sources.spotting_files import code_of, setpiece_of, team_of

LONGEST_LINE = 65_536
_TOKENS = {name: len(ACTIONS) + place for place, name in enumerate(OBSERVED_TOKENS)}
_SETPIECES = ("open play", "throw-in", "goal kick", "corner", "free kick", "penalty")  # in the order of SetPiece
_NUMBERS = {name: RANGES[name] for name in ("half", "t_ms", "x", "y", "delay_ms")} | {"now_ms": RANGES["t_ms"]}
_OF_A_ROW = frozenset({"half", "t_ms", "action", "team", "x", "y", "setpiece", "delay_ms", "confidence"})
EXAMPLE = 'one object a line, as {"t_ms": 61200, "action": "PASS"}'

ROW_SCHEMA = {
    "type": "object",
    "description": "An event; or with now_ms alone, the time until which nothing else happened.",
    "additionalProperties": False,
    "properties": {
        **{
            name: {"type": ["number", "null"], "minimum": low, "maximum": high}
            for name, (low, high) in _NUMBERS.items()
        },
        "action": {"type": ["string", "null"], "maxLength": 40},
        "team": {"enum": ["home", "away", None]},
        "setpiece": {"enum": [*_SETPIECES, None]},
        "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    },
}
"""JSON schema of what ``parse_entry`` takes, ``reports`` aside."""


@dataclass(frozen=True)
class Tick:
    """A moment until which nothing else happened."""

    half: int
    now_ms: int


@dataclass(frozen=True)
class Reports:
    """The codes that the source reports at all; the absence of any other code means nothing."""

    codes: frozenset[int]


Line = FeedRow | Tick | Reports


def parse_line(line: str, where: str) -> Line:
    """One line, such as ``{"half": 1, "t_ms": 61200, "action": "PASS", "team": "home", "x": 44, "y": 20}``.

    A row needs ``t_ms`` (from the half's start) and ``action`` (a label of the benchmark, or DUEL, SAVE, STOPPAGE,
    TOUCH). It may give ``half`` (else 1), ``team`` (home or away), ``x`` and ``y`` (0 to 100, in the acting team's
    attack), ``setpiece`` (as "corner"), ``confidence`` (0 to 1) and ``delay_ms`` (it could only be known so much
    later). ``{"half": 1, "now_ms": 65000}`` says that nothing else happened until then. ``{"reports": ["PASS",
    "DUEL"]}``, before the first row, names what the source reports at all; without it, the ten actions. Numbers are
    JSON numbers, not text.

    Raises:
        InputError: ``where``, and what is wrong.
    """
    if len(line) > LONGEST_LINE:
        raise InputError(where, f"is longer than {LONGEST_LINE:,} characters", EXAMPLE)
    if "\0" in line:
        raise InputError(where, "holds zero bytes", "is it UTF-16? write UTF-8")
    try:
        entry = as_object(parse_json(line.encode("utf-8", "surrogatepass"), where), where)
    except InputError as reason:
        raise InputError(where, reason.what, EXAMPLE) from None
    return parse_entry(entry, where)


def parse_entry(entry: object, where: str) -> Line:
    """``parse_line`` of what is parsed already."""
    entry = as_object(entry, where)
    if entry.keys() == {"reports"}:
        return Reports(frozenset(_code(label, where) for label in as_list(entry["reports"], f"{where}: reports")))
    half = _whole(entry, "half", where, 1)
    if "now_ms" in entry and entry.keys() <= {"half", "now_ms"}:
        return Tick(half, _whole(entry, "now_ms", where))
    if unknown := sorted(entry.keys() - _OF_A_ROW):
        raise InputError(where, f"{unknown[0][:40]!r} is not one of {', '.join(sorted(_OF_A_ROW))}", EXAMPLE)
    label = field(entry, "action", where)
    return FeedRow(
        half=half,
        code=_code(label, where),
        t_ms=_whole(entry, "t_ms", where),
        team=_team(entry, where),
        x=_whole(entry, "x", where, UNKNOWN),
        y=_whole(entry, "y", where, UNKNOWN),
        setpiece=_setpiece(entry, where, setpiece_of(str(label))),
        delay_ms=_whole(entry, "delay_ms", where, 0),
        confidence=_percent(entry, where),
    )


def _code(label: object, where: str) -> int:
    code = _TOKENS.get(label, code_of(label)) if isinstance(label, str) else None
    if code is None:
        known = ", ".join((*ACTIONS, *OBSERVED_TOKENS))
        raise InputError(where, f"action {str(label)[:40]!r} is not one of {known}")
    return code


def _team(entry: Mapping[str, object], where: str) -> int:
    if entry.get("team") is None:
        return UNKNOWN
    team = team_of(entry["team"])
    if team == UNKNOWN:
        raise InputError(where, f"team {str(entry['team'])[:40]!r} is not home or away", "leave it out if unknown")
    return team


def _setpiece(entry: Mapping[str, object], where: str, default: int) -> int:
    setpiece = entry.get("setpiece")
    if setpiece is None:
        return default
    if not isinstance(setpiece, str) or setpiece not in _SETPIECES:
        raise InputError(where, f"setpiece {str(setpiece)[:40]!r} is not one of {', '.join(_SETPIECES)}")
    return _SETPIECES.index(setpiece)


def _whole(entry: Mapping[str, object], name: str, where: str, default: int | None = None) -> int:
    """A number in its range, rounded; the default where there is none (or null)."""
    value = entry.get(name)
    if value is None and default is not None:
        return default
    low, high = _NUMBERS[name]
    if not _is_number(value) or not low <= round(value) <= high:
        raise InputError(where, f"{name} {str(value)[:40]!r} is not a number from {low} to {high:,}")
    return round(value)


def _percent(entry: Mapping[str, object], where: str) -> int:
    confidence = entry.get("confidence")
    if confidence is None:
        return UNKNOWN
    if not _is_number(confidence) or not 0 <= confidence <= 1:
        raise InputError(where, f"confidence {str(confidence)[:40]!r} is not in [0, 1]")
    return round(100 * confidence)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
