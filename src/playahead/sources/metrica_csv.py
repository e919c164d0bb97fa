"""Reader of Metrica's event tables (``..._RawEventsData.csv``), as its sample data has them.

The file does not say which way a team attacks: its goal kicks and shots do, half by half.
"""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playahead.domain.feed import PERIODS, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.domain.time import LONGEST_HALF_MS
from playahead.errors import InputError
from playahead.sources.notes import SourceNotes
from playahead.sources.opened import read_source_text
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

HEADER = "Team,Type,Subtype,Period,Start Frame,Start Time [s]"
_TEAMS = {"Home": 0, "Away": 1}
_SETPIECES = {"THROW IN": THROW_IN, "CORNER KICK": CORNER, "FREE KICK": FREE_KICK, "PENALTY": DIRECT_SHOT}
_FORWARD, _BACKWARD = 1, -1

Entry = Mapping[str, str]


def read_metrica_csv(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of one match.

    Raises:
        InputError: a column is missing, or an entry cannot be: which line, and why.
    """
    notes = notes or SourceNotes()
    table = csv.DictReader(io.StringIO(read_source_text(path)))
    wanted = [*HEADER.split(","), "End Time [s]", "From", "Start X", "Start Y", "End X", "End Y"]
    missing = [name for name in wanted if name not in (table.fieldnames or ())]
    if missing:
        raise InputError(path, f"Metrica: has no column {missing[0]!r}")
    entries: list[tuple[int, Entry]] = []
    for number, entry in enumerate(table, start=2):
        try:
            entries += _checked(f"{path}: line {number}", entry)
        except InputError as reason:
            notes.bad_row(reason)
        if len(entries) > 1 and entries[-1][0] < entries[-2][0]:
            what = f"Metrica: Period goes back to {entries[-1][0]}, as if another match began"
            raise InputError(f"{path}: line {number}", what, "give each match a file of its own")
    left_out = [half for half, _ in entries if half not in PERIODS]
    if left_out:
        notes.left_out["events of the shoot-out"] += len(left_out)
    events: list[ProviderEvent] = []
    for half in PERIODS:
        events += _half_events(half, [entry for period, entry in entries if period == half])
    halves = halves_of(0, events, knows_height=False, notes=notes)
    if not halves:
        raise InputError(path, "Metrica: none of its events is one that becomes a row")
    return halves


def _checked(where: str, entry: Entry) -> Iterator[tuple[int, Entry]]:
    """The half and the entry, once every value that is read of it can be."""
    if any(value is None for value in entry.values()):
        raise InputError(where, "Metrica: is cut short")
    if entry["Team"] not in _TEAMS:
        raise InputError(where, f"Metrica: Team {entry['Team']!r} is not Home or Away")
    if not (entry["Period"].isascii() and entry["Period"].isdigit()):
        raise InputError(where, f"Metrica: Period {entry['Period']!r} is not a whole number")
    for name in ("Start Time [s]", "End Time [s]"):
        if not 0 <= _number(entry, name) <= 3 * LONGEST_HALF_MS / 1000:
            raise InputError(where, f"Metrica: {name} {entry[name]!r} is not a time in seconds")
    for name in ("Start X", "Start Y", "End X", "End Y"):
        value = _number(entry, name)
        if not math.isnan(value) and not -0.5 <= value <= 1.5:
            raise InputError(where, f"Metrica: {name} {entry[name]!r} is not a share of the pitch")
    yield int(entry["Period"]), entry


def _number(entry: Entry, name: str) -> float:
    try:
        return float(entry[name] or "nan")
    except ValueError:
        return math.inf


def _half_events(half: int, entries: Sequence[Entry]) -> Iterator[ProviderEvent]:
    if not entries:
        return
    start_s = min(_number(entry, "Start Time [s]") for entry in entries)
    direction = _directions(entries)
    for entry, setpiece in zip(entries, _setpieces(entries), strict=True):
        subtype = entry["Subtype"]
        start_ms, end_ms = ((_number(entry, f"{name} Time [s]") - start_s) * 1000 for name in ("Start", "End"))
        x, y, length_m = _place(entry, direction.get(entry["Team"], 0))
        for kind in _kinds(entry["Type"], subtype):
            yield ProviderEvent(
                half=half,
                time_ms=end_ms if kind == "out" else start_ms,
                kind=kind,
                team=_TEAMS[entry["Team"]],
                player=entry["From"] or None,
                x=math.nan if kind == "out" else x,
                y=math.nan if kind == "out" else y,
                length_m=length_m,
                lasts_ms=end_ms - start_ms,
                headed="HEAD" in subtype,
                crossed="CROSS" in subtype,
                setpiece=GOAL_KICK if "GOAL KICK" in subtype else setpiece,
            )


def _kinds(what: str, subtype: str) -> Iterator[Kind]:
    """What an entry is: nothing, one thing, or two (a pass that goes out)."""
    match what:
        case "PASS":
            yield "pass"
        case "SHOT":
            yield "shot"
        case "BALL OUT":
            yield "clearance" if "CLEARANCE" in subtype else "pass"
            yield "out"
        case "BALL LOST" if "CLEARANCE" in subtype:
            yield "clearance"
        case "BALL LOST" if "INTERCEPTION" in subtype or "HEAD" in subtype:
            yield "pass"
        case "BALL LOST" if subtype in ("HAND BALL", "OFFSIDE"):
            yield "stoppage"
        case "RECOVERY":
            yield {"THEFT": "tackle", "BLOCKED": "block", "SAVED": "save"}.get(subtype, "touch")  # type: ignore[misc]
        case "CHALLENGE" if subtype.endswith("WON"):
            yield "aerial" if "AERIAL" in subtype else "duel"
        case "FAULT RECEIVED":
            yield "stoppage"


def _setpieces(entries: Sequence[Entry]) -> Iterator[int]:
    """Of each entry: a set piece has an entry of its own, at the time of the pass or shot that it is."""
    kicks = {
        (entry["Team"], entry["Start Time [s]"]): _SETPIECES.get(entry["Subtype"].removesuffix("-RETAKEN"), 0)
        for entry in entries
        if entry["Type"] == "SET PIECE"
    }
    for entry in entries:
        found = kicks.get((entry["Team"], entry["Start Time [s]"]), 0)
        yield DIRECT_SHOT if found == FREE_KICK and entry["Type"] == "SHOT" else found


def _directions(entries: Sequence[Entry]) -> dict[str, int]:
    """Each team's attack along x: away from its goal kicks and towards its shots; unknown (absent) without either."""
    votes: dict[str, float] = defaultdict(float)
    for entry in entries:
        x = _number(entry, "Start X")
        if math.isnan(x):
            continue
        if entry["Type"] == "SHOT":
            votes[entry["Team"]] += x - 0.5
        elif "GOAL KICK" in entry["Subtype"]:
            votes[entry["Team"]] -= x - 0.5
    home = votes["Home"] - votes["Away"]
    if home == 0:
        return {}
    return {"Home": _FORWARD, "Away": _BACKWARD} if home > 0 else {"Home": _BACKWARD, "Away": _FORWARD}


def _place(entry: Entry, direction: int) -> tuple[float, float, float]:
    """Percent along and across the team's attack (NaN unknown), and the length in metres."""
    x, y, end_x, end_y = (_number(entry, name) for name in ("Start X", "Start Y", "End X", "End Y"))
    length_m = math.hypot((end_x - x) * PITCH_M[0], (end_y - y) * PITCH_M[1])
    if not direction:
        return math.nan, math.nan, length_m
    turned = (x, y) if direction == _FORWARD else (1 - x, 1 - y)
    return turned[0] * 100, turned[1] * 100, length_m
