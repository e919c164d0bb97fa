"""Lines of a running match: what a feed or a spotter sends, checked one at a time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import LONGEST_DELAY_MS, PERIODS, UNKNOWN, FeedRow
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.sources import reading
from playahead.sources.spotting_files import code_of, setpiece_of, team_of

LONGEST_LINE = 65_536
_TOKENS = {name: len(ACTIONS) + place for place, name in enumerate(OBSERVED_TOKENS)}
_SETPIECES = {"open play": 0, "throw-in": 1, "goal kick": 2, "corner": 3, "free kick": 4, "penalty": 5}
_OF_A_ROW = frozenset({"half", "t_ms", "action", "team", "x", "y", "setpiece", "delay_ms", "confidence"})
EXAMPLE = 'one object a line, as {"t_ms": 61200, "action": "PASS"}'


@dataclass(frozen=True)
class Tick:
    """Nothing happened until this moment."""

    half: int
    now_ms: int


@dataclass(frozen=True)
class Reports:
    """The codes that the source reports at all: of any other, no row means nothing."""

    codes: frozenset[int]


Line = FeedRow | Tick | Reports


def parse_line(line: str, where: str) -> Line:
    """One line, such as ``{"half": 1, "t_ms": 61200, "action": "PASS", "team": "home", "x": 44, "y": 20}``.

    A row needs ``t_ms`` (from the half's start) and ``action`` (a label of the benchmark, or DUEL, SAVE, STOPPAGE,
    TOUCH). It may say ``half`` (1 if not given), ``team`` (home or away), ``x`` and ``y`` (0 to 100, in the acting
    team's attack), ``setpiece`` (as "corner"), ``confidence`` (0 to 1) and ``delay_ms`` (it could only be known so
    much later). ``{"half": 1, "now_ms": 65000}`` says that nothing else happened until then. ``{"reports": ["PASS",
    "DUEL"]}``, before the first row, names what the source reports at all; without it, the ten actions.

    Raises:
        InputError: ``where``, and what is wrong.
    """
    if len(line) > LONGEST_LINE:
        raise InputError(where, f"is longer than {LONGEST_LINE:,} characters", EXAMPLE)
    if "\0" in line:
        raise InputError(where, "holds zero bytes", "is it UTF-16? write UTF-8")
    try:
        entry = reading.as_object(reading.parse_json(line.encode("utf-8", "surrogatepass"), where), where)
    except InputError as reason:
        raise InputError(where, reason.what, EXAMPLE) from None
    return parse_entry(entry, where)


def parse_entry(entry: object, where: str) -> Line:
    """``parse_line`` of what is parsed already."""
    entry = reading.as_object(entry, where)
    if entry.keys() == {"reports"}:
        labels = reading.as_list(entry["reports"], f"{where}: reports")
        return Reports(frozenset(_code(label, where) for label in labels))
    half = _whole(entry, "half", *(PERIODS[0], PERIODS[-1]), where, 1)
    if "now_ms" in entry and entry.keys() <= {"half", "now_ms"}:
        return Tick(half, _whole(entry, "now_ms", 0, LONGEST_HALF_MS, where))
    if unknown := sorted(entry.keys() - _OF_A_ROW):
        raise InputError(where, f"{unknown[0][:40]!r} is not one of {', '.join(sorted(_OF_A_ROW))}", EXAMPLE)
    label = reading.field(entry, "action", where)
    code = _code(label, where)
    return FeedRow(
        half=half,
        t_ms=_whole(entry, "t_ms", 0, LONGEST_HALF_MS, where),
        code=code,
        team=_team(entry, where),
        x=_whole(entry, "x", 0, 100, where, UNKNOWN),
        y=_whole(entry, "y", 0, 100, where, UNKNOWN),
        setpiece=_setpiece(entry, where, setpiece_of(str(label))),
        delay_ms=_whole(entry, "delay_ms", 0, LONGEST_DELAY_MS, where, 0),
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


def _setpiece(entry: Mapping[str, object], where: str, otherwise: int) -> int:
    setpiece = entry.get("setpiece")
    if setpiece is None:
        return otherwise
    if not isinstance(setpiece, str) or setpiece not in _SETPIECES:
        raise InputError(where, f"setpiece {str(setpiece)[:40]!r} is not one of {', '.join(_SETPIECES)}")
    return _SETPIECES[setpiece]


def _whole(
    entry: Mapping[str, object], name: str, least: int, most: int, where: str, otherwise: int | None = None
) -> int:
    """A whole number in a range; ``otherwise`` where there is none (or null)."""
    value = entry.get(name)
    if value is None and otherwise is not None:
        return otherwise
    found = reading.number(value)
    if not math.isfinite(found) or not least <= round(found) <= most:
        raise InputError(where, f"{name} {str(value)[:40]!r} is not a number from {least} to {most:,}")
    return round(found)


def _percent(entry: Mapping[str, object], where: str) -> int:
    if entry.get("confidence") is None:
        return UNKNOWN
    found = reading.number(entry["confidence"])
    if not 0 <= found <= 1:
        raise InputError(where, f"confidence {str(entry['confidence'])[:40]!r} is not in [0, 1]")
    return round(100 * found)
