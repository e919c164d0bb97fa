"""Reader of Metrica's events, as tables (``..._RawEventsData.csv``) and as JSON: the same words in two forms.

Neither file says which way a team attacks: its goal kicks and shots do, half by half.
"""

import csv
import io
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playahead.domain.feed import HOME_AND_AWAY, PERIODS, FeedHalf, SetPiece
from playahead.domain.notices import Notices
from playahead.domain.pitch import distance_m
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.sources import reading
from playahead.sources.provider_events import Kind, ProviderEvent, Unreadable, halves_of, read_each, two_teams
from playahead.sources.reading import FeedFile, match_id, number, read_source, read_source_text

HEADER = "Team,Type,Subtype,Period,Start Frame,Start Time [s]"
_TEAMS = {"Home": 0, "Away": 1}
_SETPIECES = {
    **{"THROW IN": SetPiece.THROW_IN, "CORNER KICK": SetPiece.CORNER},
    **{"FREE KICK": SetPiece.FREE_KICK, "PENALTY": SetPiece.DIRECT_SHOT},
}
_SHOOT_OUT = 5
_KICKS = {"PASS", "SHOT", "BALL OUT", "BALL LOST"}
_TYPES = {*_KICKS, "CARRY", "RECOVERY", "CHALLENGE", "FAULT RECEIVED", "SET PIECE", "CARD"}
_PLACES = ("Start X", "Start Y", "End X", "End Y")
KICKED_AFTER_S = 0.5
"""A set piece is entered up to so long before the pass or shot that it is."""
SLACK_S = 60.0
"""Events and metadata of one match agree so well on when a half begins and ends."""

Entry = Mapping[str, str]


def read_metrica_csv(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match."""
    text = read_source_text(file.path)
    table = csv.DictReader(io.StringIO(text))
    columns = [*HEADER.split(","), "End Time [s]", "From", *_PLACES]
    missing = [name for name in columns if name not in (table.fieldnames or ())]
    if missing:
        raise InputError(file.path, f"has no column {missing[0]!r}")
    entries: list[tuple[int, Entry]] = []
    for line, entry in enumerate(table, start=2):
        where = f"{file.path}: line {line}"
        try:
            entries += _checked(where, entry)
        except InputError as reason:
            file.bad_row(reason)
        if len(entries) > 1 and entries[-1][0] < entries[-2][0]:
            what = f"Metrica: Period goes back to {entries[-1][0]}, as if another match began"
            raise InputError(where, what, "give each match a file of its own")
    return _halves(match_id(text.encode()), entries, file.notices)  # the file names no match


def read_metrica_json(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match."""
    path, content = file.path, read_source(file.path)  # its checksum is the match's number: the file names no match
    listed = reading.list_in(reading.as_object(reading.parse_json(content, path), str(path)), "data", str(path))
    named = (raw.get("team") for raw in listed if isinstance(raw, dict))
    teams = two_teams(path, (team.get("id") for team in named if isinstance(team, dict)))
    sides = dict(zip(teams, _TEAMS, strict=False))
    entries = read_each(path, listed, lambda raw: _checked("event", _entry(raw, sides)), file.notices)
    if file.companion is not None:
        _require_same_match(file.companion, teams, entries)
    return _halves(match_id(content), entries, file.notices)


def _entry(raw: Any, sides: Mapping[object, str]) -> Entry:
    """An event of the JSON under the columns of the table."""
    if raw["team"]["id"] not in sides:
        raise Unreadable(f"a third team ({raw['team']['id']})")
    subtypes = raw["subtypes"] or []
    subtypes = [subtypes] if isinstance(subtypes, dict) else subtypes
    who = raw["from"] or {}
    values = {"Team": sides[raw["team"]["id"]], "Type": raw["type"]["name"], "Period": raw["period"]}
    values |= {"From": who.get("id"), "Subtype": "-".join(subtype["name"] for subtype in subtypes)}
    for end in ("Start", "End"):
        at = raw[end.lower()]
        values |= {f"{end} Time [s]": at["time"], f"{end} X": at.get("x"), f"{end} Y": at.get("y")}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _require_same_match(metadata: Path, teams: Sequence[object], entries: Sequence[tuple[int, Entry]]) -> None:
    """Refuse metadata of other teams, or whose halves are at other times than the events."""
    root = reading.read_xml(metadata)
    listed = {element.get("id") for element in root.iter("Team")}
    if not set(teams) <= listed:
        raise InputError(metadata, f"is of another match: its teams are {', '.join(sorted(map(str, listed)))}")
    facts = {element.findtext("Name"): number(element.findtext("Value")) for element in root.iter("ProviderParameter")}
    frame_rate = number(root.findtext(".//FrameRate"))
    for half, name in enumerate(("first_half", "second_half", "first_extra_half", "second_extra_half"), start=1):
        times_s = [_number(entry, "Start Time [s]") for period, entry in entries if period == half]
        start_s, end_s = (facts.get(f"{name}_{end}", math.nan) / frame_rate for end in ("start", "end"))
        if times_s and (abs(min(times_s) - start_s) > SLACK_S or max(times_s) - end_s > SLACK_S):
            what = f"its half {half} is from {start_s:.0f} to {end_s:.0f} s, the events' from {min(times_s):.0f}"
            raise InputError(metadata, f"is of another match: {what} to {max(times_s):.0f} s")


def _halves(match: int, entries: Sequence[tuple[int, Entry]], notices: Notices) -> list[FeedHalf]:
    periods = Counter(half for half, _ in entries)
    for half in periods.keys() - set(PERIODS):
        of = "of the shoot-out" if half == _SHOOT_OUT else f"of an unknown period ({half})"
        notices.count(f"events {of} not read", periods[half])
    for name in (entry["Type"] for _, entry in entries if entry["Type"] not in _TYPES):
        notices.count(f"events with an unknown type ({name}) not read")
    own = {half: [entry for period, entry in entries if period == half] for half in PERIODS if half in periods}
    events = [event for half in own for event in _half_events(half, own[half])]
    return halves_of(match, events, knows_height=False, notices=notices, teams=HOME_AND_AWAY)


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
    for name in _PLACES:
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
    start_s = min(_number(entry, "Start Time [s]") for entry in entries)
    home = _home_direction(entries)
    for entry, setpiece in zip(entries, _setpieces(entries), strict=True):
        subtype = entry["Subtype"]
        start_ms, end_ms = ((_number(entry, f"{name} Time [s]") - start_s) * 1000 for name in ("Start", "End"))
        x, y, end_x, end_y = (_number(entry, name) for name in _PLACES)
        length_m = distance_m(x, y, end_x, end_y, size=(1.0, 1.0))
        direction = home if entry["Team"] == "Home" else -home
        if direction < 0:
            x, y = 1 - x, 1 - y
        for kind in _kinds(entry["Type"], subtype, setpiece):
            yield ProviderEvent(
                half=half,
                time_ms=end_ms if kind == "out" else start_ms,
                kind=kind,
                team=_TEAMS[entry["Team"]],
                player=entry["From"] or None,
                x=x * 100 if direction and kind != "out" else math.nan,
                y=y * 100 if direction and kind != "out" else math.nan,
                length_m=length_m,
                lasts_ms=end_ms - start_ms,
                headed="HEAD" in subtype,
                crossed="CROSS" in subtype,
                setpiece=SetPiece.GOAL_KICK if "GOAL KICK" in subtype else setpiece,
            )


def _kinds(what: str, subtype: str, setpiece: int) -> Iterator[Kind]:
    """Kinds of an entry: none, one, or two (a pass that goes out)."""
    match what:
        case "PASS":
            yield "pass"
        case "SHOT":
            yield "shot"
        case "CARRY":
            yield "carry"
        case "BALL OUT":
            yield "clearance" if "CLEARANCE" in subtype else "pass"
            yield "out"
        case "BALL LOST" if "CLEARANCE" in subtype:
            yield "clearance"
        case "BALL LOST" if "INTERCEPTION" in subtype or "HEAD" in subtype:
            yield "pass"
        case "BALL LOST" if subtype in ("HAND BALL", "OFFSIDE"):
            yield "stoppage"
        case "BALL LOST" if setpiece:  # a throw-in or a kick that the other side got
            yield "pass"
        case "RECOVERY":
            yield {"THEFT": "tackle", "BLOCKED": "block", "SAVED": "save"}.get(subtype, "touch")  # type: ignore[misc]
        case "CHALLENGE" if subtype.endswith("WON"):
            yield "aerial" if "AERIAL" in subtype else "duel"
        case "FAULT RECEIVED":
            yield "stoppage"


def _setpieces(entries: Sequence[Entry]) -> Iterator[int]:
    """The set piece of each entry; it has an entry of its own, at the time of its pass or shot or just before."""
    taken: dict[tuple[str, float] | None, int] = {}
    places = [(entry["Team"], _number(entry, "Start Time [s]")) for entry in entries]
    kicks = [place for place, entry in zip(places, entries, strict=True) if entry["Type"] in _KICKS]
    for (team, at_s), entry in zip(places, entries, strict=True):
        setpiece = _SETPIECES.get(entry["Subtype"].removesuffix("-RETAKEN"), 0)
        if entry["Type"] == "SET PIECE" and setpiece:
            near = (kick for kick in kicks if kick[0] == team and 0 <= kick[1] - at_s <= KICKED_AFTER_S)
            taken[min(near, default=None)] = setpiece
    return (taken.get(place, 0) for place in places)


def _home_direction(entries: Sequence[Entry]) -> float:
    """The home side's attack along x: away from its goal kicks and towards its shots; negative is backwards, 0 unknown.

    The away side's, which goes the other way, count as well.
    """
    votes: dict[str, float] = defaultdict(float)
    for entry in entries:
        x = _number(entry, "Start X")
        if math.isnan(x):
            continue
        if entry["Type"] == "SHOT":
            votes[entry["Team"]] += x - 0.5
        elif "GOAL KICK" in entry["Subtype"]:
            votes[entry["Team"]] -= x - 0.5
    return votes["Home"] - votes["Away"]
