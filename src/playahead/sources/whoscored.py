"""Reader of WhoScored's match centre (JSON): Opta's events by name, at whole seconds of the match clock."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.sources import jsonfile
from playahead.sources.match_clock import CLOCK_STARTS_MS
from playahead.sources.match_ids import match_id, match_id_of_file
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

_TYPES: dict[Kind, tuple[str, ...]] = {
    "pass": ("Pass", "OffsidePass"),
    "shot": ("MissedShots", "SavedShot", "ShotOnPost", "Goal"),
    "take on": ("TakeOn",),
    "clearance": ("Clearance",),
    "block": ("Interception", "BlockedPass"),
    "save": ("Save", "Punch", "Smother"),
    "touch": ("Claim", "KeeperPickup", "KeeperSweeper", "BallRecovery", "BallTouch"),
    "out": ("Out",),
    "stoppage": ("Foul", "OffsideGiven"),
    "tackle": ("Tackle",),
    "aerial": ("Aerial",),
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _TYPES.items() for name in names}
_SILENT = {
    *("", "Start", "End", "Card", "SubstitutionOff", "SubstitutionOn", "FormationSet", "FormationChange", "Error"),
    *("CornerAwarded", "Dispossessed", "Challenge", "GoodSkill", "ShieldBallOpp", "PenaltyFaced", "ChanceMissed"),
    *("CrossNotClaimed", "OffsideProvoked", "Carry", "PlayerChangedPosition", "TeamSetUp", "CollectionEnd"),
}
_OF_BOTH_TEAMS = {"Out": False, "Foul": False, "Aerial": True}
"""Events that each team has one of: which outcome is that of the team that acted."""
_SETPIECES = {
    "ThrowIn": THROW_IN,
    "GoalKick": GOAL_KICK,
    "CornerTaken": CORNER,
    **dict.fromkeys(("FreekickTaken", "IndirectFreekickTaken"), FREE_KICK),
    **dict.fromkeys(("Penalty", "DirectFreekick"), DIRECT_SHOT),
}
_HIGH = {"Longball", "Chipped"}
EARLY_MS = 60_000
_HEADED = {"Head", "HeadPass"}


def read_whoscored(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of one match.

    Raises:
        InputError: no events, or one that cannot be: which, and why.
    """
    notes = notes or SourceNotes()
    root = jsonfile.read_json(path)
    about = root if isinstance(root, dict) else {"events": root}
    centre = about.get("matchCentreData", about)
    listed = centre.get("events") if isinstance(centre, dict) else centre
    entries = [
        (f"{path}: event {index}", jsonfile.as_object(raw, f"{path}: event {index}"))
        for index, raw in enumerate(jsonfile.as_list(listed, f"{path}: events"))
    ]
    played: list[tuple[int, int, dict[str, object]]] = []
    for where, entry in entries:
        half = int(_value(entry.get("period")))
        if half in PERIODS:
            try:
                played.append((half, _clock_ms(entry, where), entry))
            except InputError as reason:
                notes.bad_row(reason)
        elif half == 5:
            notes.left_out["events of the shoot-out"] += 1
    named = (str(e["teamId"]) for _, _, e in played if e.get("teamId") is not None)
    teams = {team: number for number, team in enumerate(dict.fromkeys(named))}
    for name in (_name(entry.get("type")) for _, _, entry in played):
        if name not in _KINDS and name not in _SILENT:
            notes.left_out[f"events with an unknown type ({name})"] += 1
    if len(teams) > 2:
        raise InputError(path, f"WhoScored: more than two teams: {', '.join(teams)}")
    events = [
        event
        for half, clock_ms, entry in played
        for event in _events(half, _from_start_ms(half, clock_ms), entry, teams)
    ]
    named = about.get("matchId")
    match = match_id(named) if isinstance(named, int | str) else match_id_of_file(path)
    halves = halves_of(match, events, knows_height=True, notes=notes)
    if not halves:
        raise InputError(path, "WhoScored: none of its events is one that becomes a row")
    return halves


def _from_start_ms(half: int, clock_ms: int) -> int:
    """From the half's start, which the clock may show a little early; far before it, a time of another half."""
    time_ms = clock_ms - CLOCK_STARTS_MS[half]
    return max(time_ms, 0) if time_ms > -EARLY_MS else time_ms


def _clock_ms(entry: Mapping[str, object], where: str) -> int:
    """What the match clock shows; some events have no second."""
    minute, second = entry.get("minute"), entry.get("second") or 0
    time_ms = 1000 * (60 * jsonfile.number(minute) + jsonfile.number(second))
    if not 0 <= time_ms <= LONGEST_HALF_MS:
        raise InputError(where, f"WhoScored: minute {minute!r}, second {second!r} is no time of a match")
    return round(time_ms)


def _events(half: int, time_ms: int, entry: Mapping[str, object], teams: Mapping[str, int]) -> Iterator[ProviderEvent]:
    name, won = _name(entry.get("type")), _name(entry.get("outcomeType")) == "Successful"
    kind = _KINDS.get(name)
    if kind is None or entry.get("isOwnGoal") is True or _OF_BOTH_TEAMS.get(name, won) != won:
        return
    if kind == "tackle" and not won:
        kind = "duel"
    listed = entry.get("qualifiers")
    said = {_name(one.get("type")) for one in listed if isinstance(one, dict)} if isinstance(listed, list) else set()
    if name == "Save" and "OutfielderBlock" in said:
        kind = "block"
    setpiece = next((value for called, value in _SETPIECES.items() if called in said), 0)
    x, y, end_x, end_y = (jsonfile.number(entry.get(place)) for place in ("x", "y", "endX", "endY"))
    player = entry.get("playerId")
    yield ProviderEvent(
        half=half,
        time_ms=time_ms,
        kind=kind,
        team=teams.get(str(entry.get("teamId")), UNKNOWN),
        player=None if player is None else str(player),
        x=x,
        y=100 - y,  # Opta's y grows to the left of the attack
        length_m=(((end_x - x) * PITCH_M[0]) ** 2 + ((end_y - y) * PITCH_M[1]) ** 2) ** 0.5 / 100,
        headed=bool(said & _HEADED),
        high=bool(said & _HIGH),
        crossed="Cross" in said,
        setpiece=DIRECT_SHOT if kind == "shot" and setpiece == FREE_KICK else setpiece,
    )
    if name == "OffsidePass":
        yield ProviderEvent(half, time_ms, "stoppage", teams.get(str(entry.get("teamId")), UNKNOWN))


def _name(value: object) -> str:
    return str(value.get("displayName", "")) if isinstance(value, dict) else ""


def _value(value: object) -> float:
    """A period's number, bare or in an object; 0 for what is none."""
    found = jsonfile.number(value.get("value") if isinstance(value, dict) else value)
    return found if 0 <= found < 100 else 0
