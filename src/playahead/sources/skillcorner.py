"""Reader of SkillCorner's dynamic events (CSV), made from tracking: receptions and releases to a tenth of a second.

A row is what a player did on or off the ball. Rows of possessions become events: the carry from the reception, then the
pass, shot or clearance at its end. A regain by an opponent is his tackle. Restarts have no rows: they are put before
the reception that follows them, by how long such a ball usually flies. Nothing says when the ball went out.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import nan

from playahead.domain.feed import HOME_AND_AWAY, PERIODS, FeedHalf, SetPiece
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.sources import provider_events as shared
from playahead.sources.match_clock import CLOCK_STARTS_MS
from playahead.sources.provider_events import Kind, ProviderEvent, Unreadable
from playahead.sources.reading import FeedFile, as_object, match_id, number, read_json, read_source_text

HEADER = b"event_id,index,match_id,frame_start"
_NEEDED = ("match_id", "time_start", "time_end", "period", "event_type", "team_id", "x_start", "y_start", "end_type")
_RESTARTS = {
    "throw_in": (SetPiece.THROW_IN, 1_000.0),
    "corner": (SetPiece.CORNER, 1_600.0),
    "goal_kick": (SetPiece.GOAL_KICK, 2_200.0),
    "free_kick": (SetPiece.FREE_KICK, 1_200.0),
}
"""Set piece, and how long its ball flies (a guess)."""
_KICKED: dict[str, Kind] = {"pass": "pass", "shot": "shot", "clearance": "clearance"}
_ENDS = {*_KICKED, "possession_loss", "foul_suffered", "unknown", ""}
_REGAINS: dict[str, Kind] = {"direct_regain": "tackle", "direct_disruption": "duel"}
_TRUE = "True"

Entry = Mapping[str, str]


def read_skillcorner(file: FeedFile) -> list[FeedHalf]:
    """The halves of one match; the home side is team 0 where the match's file says which it is."""
    path, notices = file.path, file.notices
    table = csv.DictReader(io.StringIO(read_source_text(path)))
    if missing := [name for name in _NEEDED if name not in (table.fieldnames or ())]:
        raise InputError(path, f"has no column {missing[0]!r}")
    entries = [entry for entry in table if entry["event_type"] in ("player_possession", "on_ball_engagement")]
    matches = {entry["match_id"] for entry in entries}
    if len(matches) > 1:
        raise InputError(path, f"holds {len(matches)} matches", "give each match a file of its own")
    match = matches.pop() if matches else path.stem
    listed = shared.two_teams(path, (entry["team_id"] for entry in entries))
    names = {entry["team_id"]: entry.get("team_shortname") or "" for entry in entries}
    if file.companion is not None:
        about = as_object(read_json(file.companion), str(file.companion))
        sides = [str(as_object(about.get(f"{side}_team"), str(file.companion)).get("id")) for side in HOME_AND_AWAY]
        if str(about.get("id")) != match or set(listed) - set(sides):
            raise InputError(file.companion, f"is of match {about.get('id')}, the events are of {match}")
        listed = sides
    teams = {team: place for place, team in enumerate(listed)}
    pairs = zip(entries, _arrivals_ms(entries), strict=True)
    events = shared.read_each(path, pairs, lambda pair: _events_of(pair[0], pair[1], teams), notices)
    first, second = (names.get(team) or side for team, side in zip([*listed, "", ""][:2], HOME_AND_AWAY, strict=True))
    return shared.halves_of(match_id(match), events, True, notices, knows_outs=False, teams=(first, second))


def _arrivals_ms(entries: Sequence[Entry]) -> list[float]:
    """For each row, when the next possession begins (clock of the match); NaN where none follows."""
    arrivals, next_ms = list[float](), nan
    for entry in reversed(entries):
        arrivals.append(next_ms)
        if entry["event_type"] == "player_possession":
            next_ms = _clock_ms(entry.get("time_start"))
    return arrivals[::-1]


def _events_of(entry: Entry, arrives_ms: float, teams: Mapping[str, int]) -> Iterator[ProviderEvent]:
    """Events of a row; the next possession begins at ``arrives_ms``."""
    period = number(entry["period"])
    if period not in PERIODS:
        raise Unreadable(f"an unknown period ({entry['period']})")
    kick_off_ms = CLOCK_STARTS_MS[int(period)]
    start_ms, end_ms = (_clock_ms(entry[f"time_{side}"]) - kick_off_ms for side in ("start", "end"))
    team, ended = shared.team_number(entry["team_id"], teams), entry["end_type"]
    others = 1 - team if team in (0, 1) else team
    (x, y), (end_x, end_y) = (_place(entry, side) for side in ("start", "end"))
    first = ProviderEvent(int(period), start_ms, "carry", team, entry.get("player_id") or None, x, y)
    last = replace(first, time_ms=end_ms, x=end_x, y=end_y)
    if entry["event_type"] == "on_ball_engagement":
        if ended in _REGAINS:
            yield replace(last, kind=_REGAINS[ended])
        return
    if ended not in _ENDS:
        raise Unreadable(f"an unknown end of a possession ({ended})")
    restart, _, side = (entry.get("game_interruption_before") or "").rpartition("_")
    if restart in _RESTARTS:
        setpiece, flight_ms = _RESTARTS[restart]
        at_ms, by = max(start_ms - flight_ms, 0.0), team if side == "for" else others
        yield ProviderEvent(first.half, at_ms, "pass", by, lasts_ms=flight_ms, setpiece=setpiece)
    headed = entry.get("is_header") == _TRUE
    if not headed:
        yield replace(first, lasts_ms=end_ms - start_ms)
    if ended in _KICKED:
        arrived = ended == "pass" and entry.get("pass_outcome") == "successful"
        yield replace(
            last,
            kind=_KICKED[ended],
            length_m=number(entry.get("pass_distance")),
            lasts_ms=arrives_ms - kick_off_ms - end_ms if arrived else nan,
            headed=headed,
            high=entry.get("high_pass") == _TRUE,
            crossed=ended == "pass" and _is_cross(entry),
        )
    if ended == "foul_suffered":
        yield replace(last, kind="stoppage", team=others)


def _is_cross(entry: Entry) -> bool:
    """From a wing of the last third to somebody in the penalty area."""
    is_wide = (entry.get("channel_end") or "").startswith("wide") and entry.get("third_end") == "attacking_third"
    return is_wide and _TRUE in (entry.get(f"player_targeted_penalty_area_{at}") for at in ("pass", "reception"))


def _place(entry: Entry, at: str) -> tuple[float, float]:
    """Percent along and across the attack: the file has metres from the middle, y to the left."""
    x_m, y_m = (number(entry.get(f"{axis}_{at}")) for axis in ("x", "y"))
    return 50 + 100 * x_m / PITCH_M[0], 50 - 100 * y_m / PITCH_M[1]


def _clock_ms(text: str | None) -> float:
    minutes, _, seconds = (text or "").partition(":")
    return (number(minutes) * 60 + number(seconds)) * 1000
