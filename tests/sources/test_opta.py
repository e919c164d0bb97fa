"""Opta's events: as F24 and MA3 files of the same small match, and by name in WhoScored's match centre."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest

from playahead.domain.actions import ACTIONS
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import (
    OPTA_AWAY as AWAY,
    OPTA_HOME as HOME,
    OPTA_PASS as PASS,
    OptaEvent as Event,
    opta_event as event,
    opta_pass as pass_,
    timeline,
)

FOUL, OUT, TACKLE, SAVE, GOAL, START, AERIAL = 4, 5, 7, 10, 16, 32, 44


def as_f24(events: Sequence[Event], folder: Path, match: str = "9001") -> list[Path]:
    names = {"typeId": "type_id", "periodId": "period_id", "timeMin": "min", "timeSec": "sec", "timeStamp": "timestamp"}
    names |= {"contestantId": "team_id", "playerId": "player_id"}

    def tag(name: str, **values: object) -> str:
        return f"<{name} " + " ".join(f"{k}={quoteattr(str(v))}" for k, v in values.items() if v is not None) + ">"

    lines = []
    for number, said in enumerate(events):
        values = {"id": f"n{number}"} | {names.get(k, k): v for k, v in said.items() if k != "qualifier"}
        inner = "".join(tag("Q", qualifier_id=q, value=v) + "</Q>" for q, v in said["qualifier"].items())
        lines.append(tag("Event", **values) + inner + "</Event>")
    game = tag("Game", id=match, home_team_id=HOME, away_team_id=AWAY)
    (folder / "f24.xml").write_text(f'<?xml version="1.0"?><Games>{game}' + "\n".join(lines) + "</Game></Games>")
    f7 = f'<SoccerFeed><SoccerDocument uID="f9001"><TeamData TeamRef="t{HOME}"/><TeamData TeamRef="t{AWAY}"/>'
    (folder / "f7.xml").write_text(f7 + "</SoccerDocument></SoccerFeed>")
    return [folder / "f24.xml", folder / "f7.xml"]


def as_ma3(events: Sequence[Event], folder: Path, match: str = "9001") -> list[Path]:
    teams = [{"id": HOME, "position": "home"}, {"id": AWAY, "position": "away"}]
    listed = [
        said
        | {"qualifier": [{"qualifierId": q, "value": str(v)} for q, v in said["qualifier"].items()]}
        | {"timeStamp": f"{said['timeStamp']}Z"}
        for said in events
    ]
    for name, info, live in (("ma3", match, {"event": listed}), ("ma1", "9001", {"lineUp": []})):
        root = {"matchInfo": {"id": info, "contestant": teams}, "liveData": live}
        (folder / f"{name}.json").write_text(json.dumps(root))
    return [folder / "ma3.json", folder / "ma1.json"]


Writer = Callable[[Sequence[Event], Path], list[Path]]
both = pytest.mark.parametrize("write", [as_f24, as_ma3])


KICK_OFF = event(START, 0, timeStamp="2024-03-10T15:00:00.000")


@both
def test_a_small_match(write: Writer, tmp_path):
    events = [
        KICK_OFF,
        pass_(5),
        pass_(10, player="p2", qualifier={140: 60.0, 141: 30.0, 155: ""}),
        event(AERIAL, 12, AWAY, outcome=1),
        event(AERIAL, 12, HOME, outcome=0),
        event(FOUL, 20, AWAY, outcome=0),
        event(FOUL, 20, HOME, outcome=1),
        event(SAVE, 30, AWAY, qualifier={94: ""}),
        event(43, 31),
        event(START, 0, period=2, timeStamp="2024-03-10T16:00:00.000"),
        event(PASS, 8, AWAY, 2, qualifier={140: 60.0, 141: 30.0, 107: ""}),
        event(PASS, 3, AWAY, 5),
    ]
    notices = Notices()
    path, companion = write(events, tmp_path)
    first, second = read_feed(path, notices, [companion])
    assert timeline(first, "team") == (
        "5100 PASS 0; 6075 DRIVE 0; 10100 HIGH PASS 0; 12100 HEADER 1; 20100 STOPPAGE 1; 30100 BALL PLAYER BLOCK 1"
    )
    assert (second.half, timeline(second, "team")) == (2, "8100 THROW IN 1")
    assert (int(first.x[0]), int(first.y[0])) == (50, 70), "Opta's y grows to the left, ours to the right"
    assert first.match == 9001
    assert notices.lines == ["1 events of the shoot-out not read"]


@both
def test_an_out_is_one_although_both_teams_write_it(write, tmp_path):
    outs = [event(OUT, 7, outcome=0), event(OUT, 7, AWAY), pass_(20), event(6, 22, AWAY)]
    (half,) = read_feed(write([KICK_OFF, pass_(5), *outs], tmp_path)[0])
    assert timeline(half.take(half.code == 7), "team") == "7100 OUT 0; 22100 OUT 1"


@both
@pytest.mark.parametrize("slower", [1.0, 1.6], ids=["the whistle entered late", "entered slower and slower"])
def test_the_match_clock_decides_where_time_stamps_say_when_an_event_was_entered(write, slower, tmp_path):
    events = [event(START, 0), *(pass_(second) for second in range(10, 2400, 30))]
    for said in events:
        entered = datetime(2024, 3, 10, 15, 30) + timedelta(seconds=(said["timeMin"] * 60 + said["timeSec"]) * slower)
        said["timeStamp"] = f"{entered.isoformat()[:19]}.500"
    events[0]["timeStamp"] = "2024-03-10T15:00:00.000"
    notices = Notices()
    (half,) = read_feed(write(events, tmp_path)[0], notices)
    assert np.abs(half.t_ms[half.code == 0] - np.arange(10_000, 2_400_000, 30_000)).max() <= 1000
    text = "off the match clock; all of its events are placed by the clock"
    assert sum(text in line for line in notices.lines) == (slower > 1)


@both
def test_one_time_stamp_that_contradicts_the_clock(write, tmp_path):
    events = [event(START, 0), *(pass_(second) for second in range(10, 2400, 30))]
    events[5]["timeStamp"] = "2024-03-10T19:00:00.000"
    notices = Notices()
    (half,) = read_feed(write(events, tmp_path)[0], notices)
    assert half.t_ms.max() < 2_400_000
    assert any("1 of its events are placed by the clock" in line for line in notices.lines)


@both
def test_a_goal_is_when_the_ball_was_shot_and_an_own_goal_is_no_shot(write, tmp_path):
    goal = event(GOAL, 65, qualifier={375: "1:04.250"})
    (half,) = read_feed(write([pass_(5), goal, event(GOAL, 90, qualifier={28: ""})], tmp_path)[0])
    assert half.t_ms[half.code == 6].tolist() == [64_250]


@both
def test_the_companion_is_not_needed_and_must_be_of_the_match(write, tmp_path):
    path, companion = write([pass_(5)], tmp_path)
    assert timeline(*read_feed(path)) == timeline(*read_feed(path, None, [companion]))
    path, companion = write([pass_(5)], tmp_path, "9002")
    with pytest.raises(InputError, match="file of another match: its id is 9001, the events' 9002"):
        read_feed(path, None, [companion])


@both
def test_an_odd_event_is_left_out_and_counted(write, tmp_path):
    notices = Notices()
    fine = [pass_(second) for second in range(5, 125, 5)]
    odd = [event(999, 50), event(PASS, 50, "555"), event(40, 50, qualifier={130: "77"}), event(PASS, 50, x="?")]
    path, _ = write([*fine, *odd], tmp_path)
    (half,) = read_feed(path, notices)
    assert notices.counts == {
        "events with an unknown type (999) not read": 1,
        "events with a third team (555) not read": 1,
    }
    assert (half.code == 0).sum() == len(fine) + 1
    path, _ = write([said | {"timeMin": None} for said in fine], tmp_path)
    with pytest.raises(InputError, match=r"24 events at an impossible time|none of its events"):
        read_feed(path, notices)


@both
def test_an_event_that_was_sent_again_counts_once(write, tmp_path):
    again = pass_(5, id=7) | {"timeStamp": "2024-03-10T15:00:05.107"}
    notices = Notices()
    (half,) = read_feed(write([KICK_OFF | {"id": 1}, pass_(5, id=7), again], tmp_path)[0], notices)
    assert timeline(half) == "5107 PASS"
    assert notices.counts == {"events given twice not read": 1}


def named(clock: str, kind: str, team: int = 13, *said: str, period: int = 1, won: bool = True, **more) -> dict:
    minute, second = map(int, clock.split(":"))
    entry = {"minute": minute, "second": second, "teamId": team, "playerId": 7, "x": 40.0, "y": 30.0}
    entry |= {"period": {"value": period}, "type": {"displayName": kind}}
    entry |= {"outcomeType": {"displayName": "Successful" if won else "Unsuccessful"}}
    return entry | {"qualifiers": [{"type": {"displayName": name}} for name in said]} | more


def read_whoscored(tmp_path, *events: dict, notices: Notices | None = None, **about):
    path = tmp_path / "match.json"
    path.write_text(json.dumps({"matchId": 1234, "matchCentreData": {"home": {}, "events": list(events)}} | about))
    return read_feed(path, notices)


PLAYED = [
    named("0:00", "Start"),
    named("0:03", "Pass", 13, endX=50.0, endY=30.0),
    named("0:08", "Pass", 13, "Chipped", playerId=8, endX=90.0, endY=30.0),
    named("0:12", "Aerial", 26, won=False),
    named("0:12", "Aerial", 13),
    named("0:30", "Foul", 13),
    named("0:30", "Foul", 26, won=False),
    named("0:50", "Pass", 13, "FreekickTaken", "Cross", endX=90.0, endY=50.0),
    named("0:52", "Save", 26, "OutfielderBlock"),
    named("1:02", "Pass", 13, "CornerTaken", "Cross", endX=90.0, endY=50.0),
    named("1:04", "Goal", 13, "Head"),
    named("46:10", "Pass", 26, "ThrowIn", endX=50.0, endY=0.0),
    named("45:02", "Tackle", 26, period=2),
    named("45:04", "Pass", 26, period=2, endX=45.0, endY=30.0),
]


def test_events_become_rows_of_their_half(tmp_path):
    notices = Notices()
    events = (*PLAYED, named("120:00", "Goal", period=5))
    first, second = read_whoscored(tmp_path, *events, notices=notices)
    assert first.match == 1234
    assert timeline(first, "team", "setpiece") == (
        "3000 PASS 0 0; 3975 DRIVE 0 0; 8000 HIGH PASS 0 0; 12000 HEADER 0 0; 30000 STOPPAGE 1 0; 50000 CROSS 0 4; "
        "52000 BALL PLAYER BLOCK 1 0; 62000 CROSS 0 3; 64000 SHOT 0 0; 2770000 THROW IN 1 1"
    )
    assert timeline(second) == "2000 PLAYER SUCCESSFUL TACKLE; 4000 PASS"
    assert (first.x[0], first.y[0]) == (40, 70)
    assert ACTIONS.index("OUT") not in first.reports
    assert notices.counts == {"events of the shoot-out not read": 1}


def test_a_bare_list_and_one_period_number_do_as_well(tmp_path):
    path = tmp_path / "events.json"
    path.write_text(json.dumps([{"expandedMinute": 0, **named("0:03", "Pass", 13, period=1)} | {"period": 1}]))
    assert len(read_feed(path)[0]) == 1


@pytest.mark.parametrize(
    ("events", "about", "said"),
    [
        ([named("0:03", "Card")], {}, "none of its events is one that becomes a row"),
        ([named("0:03", "Pass", team) for team in (1, 2, 3)], {}, "more than two teams: 1, 2, 3"),
        ([named("0:03", "Pass") | {"minute": "soon"}], {}, "event 0: WhoScored: minute 'soon', second 3 is no time"),
        ([], {"matchCentreData": {"events": {"0": 1}}}, "events: expected a list"),
        ([], {"matchCentreData": {"events": [3]}}, "event 0: expected an object"),
    ],
)
def test_what_whoscored_cannot_say_is_one_line(tmp_path, events, about, said):
    with pytest.raises(InputError, match=said) as refused:
        read_whoscored(tmp_path, *events, **about)
    assert "match.json" in str(refused.value)
