"""Small matches as each provider writes them, and the same plays in several providers' forms."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS, Action
from playahead.domain.feed import FeedHalf

LABELS = (*map(str, ACTIONS), *OBSERVED_TOKENS)


def rows_of(halves: Iterable[FeedHalf], *columns: str) -> list[tuple]:
    """(half, time, label, further columns) of every row."""
    rows = [(half.half, row) for half in halves for row in half.rows]
    return [(n, row.t_ms, LABELS[row.code], *(getattr(row, name) for name in columns)) for n, row in rows]


def timeline(half: FeedHalf, *columns: str) -> str:
    """The rows of a half on one line: ``0 PASS 1; 450 DRIVE 1``, time, label, and further columns."""
    return "; ".join(" ".join(map(str, row[1:])) for row in rows_of([half], *columns))


STATSBOMB_TEAMS = ({"id": 1, "name": "Reds"}, {"id": 2, "name": "Blues"}, {"id": 77, "name": "Greens"})
STATSBOMB_TYPES = {
    **{"Pass": 30, "Carry": 43, "Clearance": 9, "Foul Committed": 22, "Starting XI": 35, "Half Start": 18},
    **{"Half End": 34, "Tactical Shift": 36, "Tunnel Cam": 77, "Duel": 4, "Shot": 16},
}


def statsbomb_event(index: int, name: str, second: float, team: int = 0, period: int = 1, **details) -> dict:
    minutes, seconds = divmod(second, 60)
    raw = {"id": f"{index:012d}", "index": index, "period": period, "minute": int(minutes), "second": int(seconds)}
    raw |= {"timestamp": f"00:{int(minutes):02d}:{seconds:06.3f}", "type": {"id": STATSBOMB_TYPES[name], "name": name}}
    raw |= {"possession_team": STATSBOMB_TEAMS[team], "team": STATSBOMB_TEAMS[team], "location": [60.0, 40.0]}
    raw |= {"player": {"id": 10 * (team + 1), "name": "Somebody"}, "duration": 1.0, **details}
    return {name: value for name, value in raw.items() if value is not None}


def statsbomb_pass(kind: dict | None = None, height: int = 1, end: tuple[float, float] = (70.0, 40.0)) -> dict:
    details = {"length": 10.0, "angle": 0.0, "end_location": list(end), "height": {"id": height, "name": "?"}}
    return {"pass": details | (kind or {})}


def statsbomb_line_up(first_id: int = 1) -> list[dict]:
    names = [team["name"] for team in STATSBOMB_TEAMS[:2]]
    squad = [{"player_id": 10, "player_name": "Somebody", "jersey_number": 9}]
    return [{"team_id": first_id + n, "team_name": name, "lineup": squad} for n, name in enumerate(names)]


STATSBOMB = [
    *(statsbomb_event(n + 1, "Starting XI", 0, n, tactics={"lineup": []}, location=None) for n in range(2)),
    *(statsbomb_event(10 + period, "Half Start", 0, period=period, location=None) for period in (1, 2)),
    *(statsbomb_event(20 + period, "Half End", 2700, period=period, location=None) for period in (1, 2)),
    statsbomb_event(3, "Pass", 1.5, **statsbomb_pass()),
    statsbomb_event(4, "Carry", 2.5, carry={"end_location": [80.0, 40.0]}, duration=2.0),
    statsbomb_event(5, "Pass", 4.5, **statsbomb_pass(height=3, end=(110.0, 40.0))),
    statsbomb_event(6, "Clearance", 6.0, 1, clearance={}),
    statsbomb_event(7, "Pass", 20.0, **statsbomb_pass({"type": {"id": 67, "name": "Throw-in"}})),
    statsbomb_event(8, "Foul Committed", 22.0, 1),
    statsbomb_event(9, "Pass", 3.0, 1, period=2, **statsbomb_pass()),
]


def datafactory_entry(
    half: int, second: int, team: int = 1, player: int = 10, kind: int = 180, x: float = 0.0, **said
) -> dict:
    minute = second // 60 + {1: 0, 2: 45, 5: 120}[half]
    found = {"type": kind, "t": {"half": half, "m": minute, "s": second % 60}, "team": team, "plyrId": player}
    return found | {"coord": {"1": {"x": x, "y": 0.5}, "2": {"x": x + 0.2, "y": 0.5}}} | said


OPTA_PASS = 1
OPTA_HOME, OPTA_AWAY = "101", "102"
OptaEvent = dict[str, object]


def opta_event(kind: int, second: float, team: str = OPTA_HOME, period: int = 1, **said) -> OptaEvent:
    """An event at a second of its half; its time stamp is 100 ms into that second of the match clock."""
    minute = int(second // 60) + {1: 0, 2: 45, 5: 120}[period]
    stamp_s = 3600 * (period - 1) + second
    stamp = f"2024-03-10T{15 + int(stamp_s // 3600):02d}:{int(stamp_s % 3600 // 60):02d}:{int(stamp_s % 60):02d}.100"
    found = {"typeId": kind, "periodId": period, "timeMin": minute, "timeSec": int(second % 60), "contestantId": team}
    found |= {"playerId": f"p{team}", "outcome": 1, "x": 50.0, "y": 30.0, "timeStamp": stamp, "qualifier": {}}
    return found | said


def opta_pass(
    second: float, team: str = OPTA_HOME, player: str = "p1", to: tuple[float, float] = (60.0, 30.0), **said
) -> OptaEvent:
    return opta_event(OPTA_PASS, second, team, **{"playerId": player, "qualifier": {140: to[0], 141: to[1]}} | said)


SPORTEC_KICK_OFF = {1: "15:30:00", 2: "16:35:00"}


def sportec_event(
    second: float, inner: str, half: int = 1, x: float = 52.5, y: float = 34.0, zone: str = "+02:00"
) -> str:
    hours, minutes, seconds = (int(part) for part in SPORTEC_KICK_OFF[half].split(":"))
    whole = hours * 3600 + minutes * 60 + seconds + second
    time = f"{int(whole // 3600):02d}:{int(whole % 3600 // 60):02d}:{whole % 60:06.3f}"
    place = f'X-Position="{x}" Y-Position="{y}"'
    return f'<Event EventTime="2024-03-10T{time}{zone}" MatchId="M1" {place}>{inner}</Event>'


def sportec_play(team: str = "H", player: str = "h1", how: str = "Pass", **said: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in said.items())
    return f'<Play Team="{team}" Player="{player}" Evaluation="successful"{more}><{how}/></Play>'


def sportec_duel(kind: str, result: str, winner: str = "a1", role: str = "withoutBallControl") -> str:
    team = "A" if winner.startswith("a") else "H"
    won = f'Winner="{winner}" WinnerTeam="{team}" WinnerRole="{role}" WinnerResult="{result}"'
    return f'<TacklingGame Type="{kind}" {won}/>'


def sportec_kick_off(half: int, section: str = "", left: str = "H") -> str:
    name = section or ("firstHalf" if half == 1 else "secondHalf")
    return sportec_event(
        0, f'<KickOff GameSection="{name}" TeamLeft="{left}">{sportec_play(Height="flat")}</KickOff>', half
    )


def _decided(tag: str, team: str, at: str, play: str) -> str:
    return f'<{tag} Team="{team}" DecisionTimestamp="2024-03-10T{at}+02:00">{play}</{tag}>'


SPORTEC = [
    sportec_kick_off(1),
    *(
        sportec_event(second, inner)
        for second, inner in (
            (5, sportec_play("H", "h2", Height="high", Distance="long")),
            (7, sportec_duel("air", "ballcontactSucceeded")),
            (8, '<OtherBallAction Team="A" Player="a1"/>'),
            (15, sportec_play("A", "a2", how="Cross", Height="high")),
            (17, '<OtherBallAction Team="H" Player="h3"/>'),
            (20, sportec_play("A", "a2", Height="flat")),
            (21, '<OtherBallAction Team="H" Player="h3"/>'),
            (25, '<ShotAtGoal Team="H" Player="h4" TypeOfShot="head"><BlockedShot Player="a9"/></ShotAtGoal>'),
            (28, '<ShotAtGoal Team="H" Player="h4"><SavedShot GoalKeeper="a0"/></ShotAtGoal>'),
            (31, sportec_duel("ground", "ballClaimed")),
            (32, sportec_play("A", "a1", Height="flat")),
            (100, _decided("CornerKick", "H", "15:31:30", sportec_play(how="Cross"))),
            (120, '<Foul TeamFouler="A" Fouler="a1"/>'),
            (121, "<Delete/>"),
            (150, '<FinalWhistle GameSection="firstHalf"/>'),
        )
    ),
    sportec_event(50, _decided("ThrowIn", "A", "15:30:43", sportec_play("A", "a1", Height="high")), x=40, y=68.0),
    sportec_kick_off(2, left="A"),
    sportec_event(4, sportec_play("H", "h2", Height="flat"), 2, x=10, y=10),
]


@dataclass(frozen=True)
class Play:
    """A pass, throw-in or shot at a second of a half; x in percent of the acting team's attack."""

    half: int
    second: int
    action: Action
    team: int
    x: int


@dataclass(frozen=True)
class Form:
    """How a provider writes: an entry for each play, the file around them, its companion by name, what comes back."""

    provider: str
    name: str
    entries: Callable[[Sequence[Play]], list[dict]]
    written: Callable[[list[dict]], str]
    beside: Callable[[], dict[str, str]] = dict
    knows_teams: bool = True
    knows_places: bool = False


def of_statsbomb(found: Sequence[Play]) -> list[dict]:
    """Events; 120 yards long."""
    entries = []
    for number, play in enumerate(found, start=100):
        kind = {"type": {"id": 67, "name": "Throw-in"}} if play.action is Action.THROW_IN else None
        details = statsbomb_pass(kind, end=(1.2 * play.x, 45.0))
        if play.action is Action.SHOT:
            outcome, kind = {"id": 100, "name": "Saved"}, {"id": 87, "name": "Open Play"}
            details = {"shot": {"outcome": outcome, "type": kind, "end_location": [120.0, 40.0]}}
        name = "Shot" if play.action is Action.SHOT else "Pass"
        at = {"location": [1.2 * play.x, 40.0]}
        entries.append(statsbomb_event(number, name, play.second, play.team, play.half, **at, **details))
    return [*deepcopy(STATSBOMB[:6]), *entries]


METRICA_COLUMNS = (
    "Team,Type,Subtype,Period,Start Frame,Start Time [s],End Frame,End Time [s],From,To,Start X,Start Y,End X,End Y"
)


def of_metrica(found: Sequence[Play]) -> list[dict]:
    """Entries; a half begins with its first, the second half's clock goes on."""
    entries = []
    for half in sorted({play.half for play in found}):
        offset = 2700 * (half - 1)
        entries.append(metrica_entry("SET PIECE", "KICK OFF", half, offset, 0, 50))
        for play in (play for play in found if play.half == half):
            at = (half, offset + play.second, play.team, play.x)
            if play.action is Action.THROW_IN:
                entries.append(metrica_entry("SET PIECE", "THROW IN", *at))
            entries.append(metrica_entry("SHOT" if play.action is Action.SHOT else "PASS", "", *at))
    return entries


def metrica_entry(kind: str, subtype: str, half: int, second: int, team: int, x: int) -> dict:
    values = ["Away" if team else "Home", kind, subtype, half, 0, second, 0, second, "Player1", "", x / 100, 0.5]
    return dict(zip(METRICA_COLUMNS.split(","), [*values, x / 100, 0.5], strict=True))


def metrica_csv(entries: list[dict]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, METRICA_COLUMNS.split(","), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(entries)
    return out.getvalue()


def of_spotting(found: Sequence[Play]) -> list[dict]:
    return [
        {"gameTime": f"{play.half} - {play.second // 60:02d}:{play.second % 60:02d}", "label": str(play.action)}
        | {"position": str(play.second * 1000), "team": ("home", "away")[play.team], "confidence": "0.5"}
        for play in found
    ]


def of_osl(found: Sequence[Play]) -> list[dict]:
    """An item has one clock: both halves of a play are items of their own."""
    items = []
    for half in sorted({play.half for play in found}):
        own = [(str(play.action), play.second * 1000) for play in found if play.half == half]
        events = [{"head": "action", "label": label, "position_ms": time_ms} for label, time_ms in own]
        items.append({"id": f"half {half}", "inputs": [{"type": "video", "path": f"{half}.mp4"}], "events": events})
    return items


def _line_up_file() -> dict[str, str]:
    return {"lineup.json": json.dumps(statsbomb_line_up())}


FORMS = [
    Form("StatsBomb", "events.json", of_statsbomb, json.dumps, _line_up_file, knows_places=True),
    Form("Metrica (CSV)", "events.csv", of_metrica, metrica_csv),
    Form("SoccerNet spotting", "Labels-ball.json", of_spotting, lambda found: json.dumps({"annotations": found})),
    Form("OSL JSON", "osl.json", of_osl, lambda found: json.dumps({"data": found}), knows_teams=False),
]


def save_form(folder: Path, form: Form, text: str) -> Path:
    for name, content in form.beside().items():
        (folder / name).write_text(content)
    (folder / form.name).write_text(text)
    return folder / form.name


def rows_in_form(halves: Sequence[FeedHalf], form: Form) -> list[tuple]:
    """What can be compared; a drive is implied where none is recorded, and nobody wrote one here."""
    numbers = [half.half if form.provider != "OSL JSON" else place for place, half in enumerate(halves, start=1)]
    rows = [(number, row) for number, half in zip(numbers, halves, strict=True) for row in half.rows]
    actions = [(number, row.t_ms, LABELS[row.code], row.team) for number, row in rows if row.code < len(ACTIONS)]
    return [row for row in actions if row[2] != "DRIVE"]


METRICA = [
    metrica_entry(*entry)
    for entry in (
        ("SET PIECE", "KICK OFF", 1, 14, 0, 50),
        ("PASS", "", 1, 14, 0, 50),
        ("SHOT", "HEAD-ON TARGET-SAVED", 1, 20, 0, 90),
        ("RECOVERY", "SAVED", 1, 21, 1, 90),
        ("CHALLENGE", "AERIAL-WON", 1, 30, 1, 60),
        ("RECOVERY", "THEFT", 1, 40, 0, 60),
        ("PASS", "", 1, 41, 0, 60),
        ("BALL OUT", "CLEARANCE", 1, 60, 1, 60),
        ("SET PIECE", "THROW IN", 1, 70, 0, 60),
        ("PASS", "", 1, 70, 0, 60),
        ("PASS", "", 2, 2803, 1, 50),
    )
]


def metrica_json(entries: Sequence[dict]) -> list[dict]:
    ids = {"Home": "FIFATMA", "Away": "FIFATMB"}
    return [
        {
            "team": {"id": ids[entry["Team"]]},
            "type": {"name": entry["Type"], "id": 1},
            "subtypes": [{"name": name} for name in entry["Subtype"].split("-")] if entry["Subtype"] else None,
            "period": entry["Period"],
            "from": {"id": entry["From"]},
            **{
                end.lower(): {"time": entry[f"{end} Time [s]"], "x": entry[f"{end} X"], "y": entry[f"{end} Y"]}
                for end in ("Start", "End")
            },
        }
        for entry in entries
    ]


def impect_event(second: float, kind: str, team: int = 1, period: int = 1, player: int = 0, **said: object) -> dict:
    """An event at a second of its half, in metres from the middle; index and id are given with the list."""
    clock_s = second + 2700 * (period - 1)
    clock = {"gameTime": f"{int(clock_s // 60):02d}:{clock_s % 60:07.4f}", "gameTimeInSec": second}
    start, end = (said.pop(name, at) for name, at in (("start", (0, 0)), ("end", (10, 0))))
    places = {name: {"adjCoordinates": {"x": x, "y": y}} for name, (x, y) in (("start", start), ("end", end))}
    found = {"index": int(second), "id": int(second), "gameTime": clock, "periodId": period, "squadId": team}
    found |= {"player": {"id": player or 10 * team}, "actionType": kind, "action": None, "result": "SUCCESS"}
    found |= dict.fromkeys(("duel", "shot", "pass", "pressure", "currentAttackingSquadId", "duration"))
    return found | {"bodyPartExtended": "FOOT"} | places | said


def impect_pass(receiver: int = 12) -> dict:
    return {"pass": {"distance": 10.0, "angle": 0.0, "receiver": {"playerId": receiver, "type": "TEAMMATE"}}}


def pff_row(
    second: float, what: str | None = None, team: int | None = 1, period: int = 1, game: str = "OTB", **said: object
) -> dict:
    """A row at a second of its half; the half kicks off at 100 s of the video, the second one at 4000 s."""
    video_s = second + {1: 100.0, 2: 4000.0}.get(period, 8000.0)
    about = {"gameEventType": game, "period": period, "teamId": team, "homeTeam": team == 1, "setpieceType": "O"}
    about |= {"teamName": {1: "Reds", 2: "Blues"}.get(team or 0), "playerId": 10 * team if team else None}
    about |= {name: said.pop(name) for name in ("setpieceType", "outType", "playerId", "homeTeam") if name in said}
    row = {name: said.pop(name) for name in ("startTime", "duration", "fouls", "initialTouch", "ball") if name in said}
    found = {"gameId": 7, "gameEventId": int(10 * video_s), "eventTime": video_s, "startTime": video_s, "duration": 0.0}
    found |= {"gameEvents": about, "possessionEvents": {"possessionEventType": what, "nonEvent": False} | said}
    found |= {"ball": [{"x": 0.0, "y": 0.0, "z": 0.0}], "fouls": {"foulType": None}}
    direction = "R" if (team == 1) == (period == 1) else "L"
    found |= {"stadiumMetadata": {"teamAttackingDirection": direction, "pitchLength": 105.0, "pitchWidth": 68.0}}
    return found | row
