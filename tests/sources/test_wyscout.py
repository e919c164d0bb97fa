"""Reader of Wyscout match files: the tables' rows exactly, each rule by hand, and files that are wrong."""

import gzip
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.domain.feed import COLUMNS, DRIVE, FINER, UNKNOWN, Detail, FeedHalf, FeedRow
from playahead.io.errors import InputError
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.feeds import read_feed
from playahead.sources.wyscout import FAMILY_OF_ID, KIND_OF_ID
from tests.support.provider_files import LABELS, rows_of

DATA = Path(__file__).parents[3] / "shared" / "data"
SPLIT_OF_RAW_MATCH = {2500689: "train", 2565549: "train", 2500710: "val", 2499720: "test"}
LEAKED = {2500689: 16, 2565549: 23, 2500710: 16, 2499720: 11}
_EXTRA_COLUMNS = ("sub", "flags", "player", "role")

FAMILY = {
    **dict.fromkeys(("Air duel", "Ground attacking duel", "Ground defending duel", "Ground loose ball duel"), "Duel"),
    **dict.fromkeys(("Foul", "Protest"), "Foul"),
    **dict.fromkeys(("Corner", "Free Kick", "Free kick cross", "Free kick shot", "Goal kick"), "Free Kick"),
    **dict.fromkeys(("Penalty", "Throw in"), "Free Kick"),
    **dict.fromkeys(("Ball out of the field", "Whistle"), "Interruption"),
    **dict.fromkeys(("Acceleration", "Clearance", "Touch"), "Others on the ball"),
    **dict.fromkeys(("Cross", "Hand pass", "Head pass", "High pass", "Launch", "Simple pass", "Smart pass"), "Pass"),
    **dict.fromkeys(("Reflexes", "Save attempt"), "Save attempt"),
    "Goalkeeper leaving line": "Goalkeeper leaving line",
    "Shot": "Shot",
    "Offside": "Offside",
}
HOME, AWAY = 3804, 3771
TAGS = {"WON": 703, "INTERCEPTION": 1401, "MISSED": 1302, "SLIDING": 1601, "HIGH": 801, "HEADED": 403}
TAGS |= {"TAKE_ON": 503, "LOST": 701, "NEUTRAL": 702}
Event = dict[str, Any]


def read_match(path: Path) -> list[FeedHalf]:
    return read_feed(path, provider="Wyscout v2")


def event(second: float, kind: str, team: int = HOME, player: int = 1, *places_tags: Any, **changed: Any) -> Event:
    """One raw event of the first half: start, end, tags; ``changed`` sets fields by the provider's names."""
    start, end, *tags = (*places_tags, *[(50, 50), (50, 50)][len(places_tags[:2]) :])
    raw = {"eventName": FAMILY.get(kind, kind), "subEventName": kind if kind != "Offside" else "", "eventSec": second}
    raw |= {
        "teamId": team,
        "playerId": player,
        "matchId": 7,
        "matchPeriod": "1H",
        "tags": [{"id": tag} for tag in tags],
    }
    return raw | {"positions": [{"x": x, "y": y} for x, y in (start, end)]} | changed


@pytest.fixture
def read(tmp_path: Path) -> Callable[[object], list[FeedHalf]]:
    """Reads what would be the file's content."""

    def read_content(content: object) -> list[FeedHalf]:
        path = tmp_path / "match.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return read_match(path)

    return read_content


# --- the tables' rows -------------------------------------------------------------------------


@pytest.mark.parametrize(("match", "split"), SPLIT_OF_RAW_MATCH.items())
def test_real_matches_give_the_rows_of_the_compact_tables(match: int, split: str) -> None:
    raw, table = DATA / "wyscout_raw" / f"{match}.json", DATA / "wyscout_baa" / f"{split}.npz"
    if not (raw.is_file() and table.is_file()):
        pytest.skip(f"needs {raw} and {table}")
    assert_rows_of_the_table(raw, table, match)


def test_a_real_match_gives_the_rows_of_the_compact_table(real_match: Path, real_matches: Path, tmp_path: Path) -> None:
    (tmp_path / "match.json").write_bytes(gzip.decompress(real_match.read_bytes()))
    assert_rows_of_the_table(tmp_path / "match.json", real_matches / "test.npz", 2499720)


def assert_rows_of_the_table(raw: Path, table: Path, match: int) -> None:
    expected = [half for half in read_feed_table(table) if half.match == match]
    found = read_match(raw)
    assert [(half.match, half.half) for half in found] == [(match, 1), (match, 2)]
    for half, wanted in zip(found, expected, strict=True):
        for name in set(COLUMNS) - set(FINER):
            np.testing.assert_array_equal(getattr(half, name), getattr(wanted, name))


@pytest.mark.parametrize(("match", "split"), SPLIT_OF_RAW_MATCH.items())
def test_real_matches_have_the_finer_columns_of_the_extra_tables(match: int, split: str) -> None:
    """Equal but for what those tell of the future: details of implied drives, taken from the touch that follows."""
    raw, tables = DATA / "wyscout_raw" / f"{match}.json", (DATA / "wyscout_baa", DATA / "wyscout_extra")
    if not raw.is_file() or not all((folder / f"{split}.npz").is_file() for folder in tables):
        pytest.skip(f"needs {raw} and {tables[1]}")
    rows, extra = (np.load(folder / f"{split}.npz") for folder in tables)
    ours = {name: np.concatenate([getattr(half, name) for half in read_match(raw)]) for name in ("code", *FINER)}
    theirs = {name: extra[column][rows["match"] == match] for name, column in zip(FINER, _EXTRA_COLUMNS, strict=True)}
    is_told = ours["detail"] != UNKNOWN
    leaked = ~is_told & (theirs["detail"] > 0)
    assert (leaked.sum(), set(theirs["detail"][leaked].tolist())) == (LEAKED[match], {Detail.TOUCH})
    assert set(ours["code"][leaked].tolist()) == {DRIVE}
    for name in ("detail", "flags"):
        np.testing.assert_array_equal(ours[name][is_told], theirs[name][is_told])
    np.testing.assert_array_equal(ours["role"], theirs["role"])
    # Players are numbered in another order: one of theirs for each of ours.
    pairs = set(zip(ours["player"].tolist(), theirs["player"].tolist(), strict=True))
    assert len(pairs) == len(set(ours["player"].tolist())) == len(set(theirs["player"].tolist()))


# --- each rule, worked out by hand ------------------------------------------------------------
# A line of a rule: second, event, side and player, place (50,50 unless given) > end, tags | the rows that follow:
# millisecond, label, side, place, set piece, delay. Metres: 10 % along is 10.5 m, 10 % across 6.8 m. Reception: pass +
# 0.45 s + 0.05 s per metre.

RULES = {
    "a received pass is a drive from 0.45 s + 0.05 s/m on": """
        10 Simple pass H1 30,50 | 10000 PASS H 30,50
        13 Simple pass H2 52,50 | 11500 DRIVE H 52,50 +400; 13000 PASS H 52,50
    """,
    "a first-touch pass is not": """
        10 Simple pass H1 30,50     | 10000 PASS H 30,50
        11.899 Simple pass H2 52,50 | 11899 PASS H 52,50
    """,
    "a carry of exactly 0.4 s counts": """
        0 Simple pass H1    | 0 PASS H
        0.85 Simple pass H2 | 450 DRIVE H +400; 850 PASS H
    """,
    "15 s after the pass is too late": """
        10 Simple pass H1 | 10000 PASS H
        25 Simple pass H2 | 25000 PASS H
    """,
    "no drive for a header, a clearance, a headed shot, the passer or the opponent": """
        10 Simple pass H1              | 10000 PASS H
        12 Head pass H2                | 12000 HEADER H
        14 Clearance H3                | 14000 PASS H
        16 Simple pass H4              | 16000 PASS H
        18 Shot H5 90,50>100,50 HEADED | 18000 SHOT H 90,50
        20 Simple pass H1              | 20000 PASS H
        22 Simple pass H1              | 22000 PASS H
        24 Simple pass A9              | 24000 PASS A
    """,
    "duels do not end the pass in flight, and an attacking duel receives it too": """
        10 Simple pass H1                 | 10000 PASS H
        11 Ground loose ball duel A9 LOST | 10450 DRIVE H 60,40 +400; 10450 DRIVE H 70,40 +400
        12 Ground attacking duel H2 60,40 | 12000 DUEL A 40,60
        12 Ground defending duel A9 40,60 |
        14 Simple pass H2 70,40           | 14000 PASS H 70,40
    """,
    "a foul ends the pass in flight": """
        10 Simple pass H1 | 10000 PASS H
        12 Foul A9        | 12000 STOPPAGE A
        14 Simple pass H2 | 14000 PASS H
    """,
    "placed kicks are long from 32 m on, clearances from 20 m, a low corner to x < 84 is a pass": """
        10 Free Kick H1 40,50>70,50   | 10000 PASS H 40,50 set4
        20 Free Kick H1 40,50>71,50   | 20000 HIGH PASS H 40,50 set4
        30 Goal kick H1 5,50>35,50    | 23000 OUT H 255,255 set9; 30000 PASS H 5,50 set2
        40 Clearance A9 10,50>29,50   | 40000 PASS A 10,50
        50 Clearance A9 10,50>30,50   | 50000 HIGH PASS A 10,50
        60 Ball out of the field A9   | 60000 OUT A
        61 Corner H1 100,0>83,20      | 61000 PASS H 100,0 set3
        70 Ball out of the field A9   | 70000 OUT A
        71 Corner H1 100,0>84,20      | 71000 CROSS H 100,0 set3
        80 Ball out of the field A9   | 80000 OUT A
        81 Corner H1 100,0>83,20 HIGH | 81000 CROSS H 100,0 set3
    """,
    "a clearance within 4 s of an aerial delivery is a header, duels between or not": """
        10 Cross H1                   | 10000 CROSS H
        12 Ground loose ball duel H2  |
        14 Clearance A9 10,50>60,50   | 14000 HEADER A 10,50
        20 High pass H1               | 20000 HIGH PASS H
        24.1 Clearance A9 10,50>60,50 | 24100 HIGH PASS A 10,50
        30 Launch H1                  | 30000 HIGH PASS H
        31 Touch H2                   | 30450 DRIVE H +400; 31000 TOUCH H
        32 Clearance A9 10,50>60,50   | 32000 HIGH PASS A 10,50
    """,
    "a won air duel is a header, unless a header of that side is beside it": """
        10 Air duel H1 WON   | 10000 HEADER H
        10 Air duel A9 LOST  |
        20 Air duel H1 WON   | 20000 DUEL H
        21.5 Head pass H1    | 21500 HEADER H
        30 Air duel H1 WON   | 30000 HEADER H
        31.5 Head pass A9    | 31500 HEADER A
        40 Air duel H1 WON   | 40000 HEADER H
        41 Air duel H1 WON   | 41000 DUEL H
        42.1 Air duel H1 WON | 42100 HEADER H
    """,
    "a block is 0.8 s before its stamp, but after the opponent's action": """
        10 Simple pass H1                      | 10000 PASS H
        11.5 Touch A9 40,50>40,50 INTERCEPTION | 10700 BALL PLAYER BLOCK A 40,50
        20 Simple pass H1                      | 20000 PASS H
        20.5 Touch A9 40,50>40,50 INTERCEPTION | 20100 BALL PLAYER BLOCK A 40,50
        30 Simple pass H1                      | 30000 PASS H
        34.1 Touch A9 40,50>40,50 INTERCEPTION | 34100 BALL PLAYER BLOCK A 40,50
        40 Simple pass H1                      | 40000 PASS H
        40.5 Touch H2 40,50>40,50 INTERCEPTION | 40500 BALL PLAYER BLOCK H 40,50
    """,
    "a tackle keeps the ball: the same man plays next within 5 s, or he slid and his side does": """
        10 Ground defending duel H1 WON         | 10000 PLAYER SUCCESSFUL TACKLE H
        15 Simple pass H1                       | 15000 PASS H
        20 Ground defending duel H1 WON         | 20000 DUEL H
        25.1 Simple pass H1                     | 25100 PASS H
        40 Ground defending duel H1 WON         | 40000 DUEL H
        41 Simple pass H2                       | 41000 PASS H
        60 Ground defending duel H1 WON SLIDING | 60000 PLAYER SUCCESSFUL TACKLE H
        61 Simple pass H2                       | 61000 PASS H
        80 Ground defending duel H1             | 80000 DUEL H
        81 Simple pass H1                       | 81000 PASS H
    """,
    "a touch that the same side continues 0.4 s later is a drive, once per second": """
        10 Touch H1         | 10000 DRIVE H +400
        10.4 Simple pass H1 | 10400 PASS H
        20 Touch H1         | 20000 TOUCH H
        20.3 Shot H1        | 20300 SHOT H
        30 Touch H1         | 30000 TOUCH H
        31 Simple pass A9   | 31000 PASS A
        40 Touch H1 MISSED  | 40000 TOUCH H
        41 Simple pass H2   | 41000 PASS H
        42 Touch H3         | 41450 DRIVE H +400; 42000 TOUCH H
        44 Shot H3          | 44000 SHOT H
    """,
    "taking a man on is a drive unless one was in the last 1.5 s; an acceleration always is": """
        10 Ground attacking duel H1 TAKE_ON   | 10000 DRIVE H
        11.5 Ground attacking duel H1 TAKE_ON |
        11.6 Ground attacking duel H1 TAKE_ON | 11600 DRIVE H
        12 Acceleration H1                    | 12000 DRIVE H
        20 Ground attacking duel H1           |
    """,
    "an OUT is put 3 s, at most half the pause, after the last event of a restart without one": """
        10 Simple pass H1 50,98            | 10000 PASS H 50,98
        14 Throw in A9 50,0                | 12000 OUT H 255,255 set9; 14000 THROW IN A 50,0 set1
        34 Throw in H1 50,100              | 17000 OUT A 255,255 set9; 34000 THROW IN H 50,100 set1
        37.9 Throw in H1 50,100            | 37900 THROW IN H 50,100 set1
        40 Ball out of the field H0 50,100 | 40000 OUT H 50,100
        41 Protest A9                      | 41000 STOPPAGE A
        60 Throw in A9 50,0                | 60000 THROW IN A 50,0 set1
    """,
    "the remaining names": """
        10 Smart pass H1                     | 10000 PASS H
        11 Goalkeeper leaving line A9        |
        12 Hand pass A9                      | 12000 PASS A
        14 Offside A8                        | 14000 STOPPAGE A
        20 Free kick cross H1                | 20000 CROSS H set4
        22 Shot A9                           | 22000 SHOT A
        23 Reflexes H1                       | 23000 SAVE H
        24 Save attempt H1                   | 24000 SAVE H
        30 Free kick shot H1                 | 30000 SHOT H set5
        40 Penalty H1                        | 40000 SHOT H set5
        50 Whistle H1                        | 50000 STOPPAGE H
        60 Ground loose ball duel H1 NEUTRAL |
    """,
}
EVENT = re.compile(r"([\d.]+) (.+?) ([HA])(\d+)(?: ([\d,]+))?(?:>([\d,]+))?((?: [A-Z_]+)*)")


def event_of(text: str) -> Event:
    second, kind, side, player, start, end, tags = EVENT.fullmatch(text.strip()).groups()
    places = [tuple(map(int, place.split(","))) if place else (50, 50) for place in (start, end)]
    team = HOME if side == "H" else AWAY
    return event(float(second), kind, team, int(player), *places, *(TAGS[tag] for tag in tags.split()))


def text_of(row: FeedRow) -> str:
    text = f"{row.t_ms} {LABELS[row.code]} {'HA'[row.team]}"
    text += f" {row.x},{row.y}" if (row.x, row.y) != (50, 50) else ""
    return text + (f" set{row.setpiece}" if row.setpiece else "") + (f" +{row.delay_ms}" if row.delay_ms else "")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rule(read: Callable, rule: str) -> None:
    events, rows = zip(*(line.split("|") for line in rule.strip().splitlines()), strict=True)
    (half,) = read({"events": [event_of(text) for text in events]})
    assert list(map(text_of, half.rows)) == [text.strip() for text in ";".join(filter(str.strip, rows)).split(";")]


# --- what a file may look like ----------------------------------------------------------------


def test_a_bare_list_is_read_as_well(read: Callable) -> None:
    events = [event(1, "Simple pass")]
    assert read(events)[0].rows == read({"events": events, "teams": {}})[0].rows


def test_halves_and_extra_time_are_told_apart_and_the_shoot_out_is_passed_over(read: Callable) -> None:
    # The shoot-out's event would be refused in a half: it has no time and a third team.
    shootout = event(0, "Penalty", 999, matchPeriod="P", eventSec=None)
    later = [event(3, "Shot", AWAY, matchPeriod="E2"), event(5, "Shot", AWAY, matchPeriod="2H")]
    halves = read([*later, shootout, event(9, "Simple pass")])
    assert {half.match for half in halves} == {7}
    assert rows_of(halves, "team") == [(1, 9_000, "PASS", 0), (2, 5_000, "SHOT", 1), (4, 3_000, "SHOT", 1)]


@pytest.mark.parametrize("written", [int, str])
def test_names_may_be_numbers(read: Callable, written: Callable) -> None:
    ids = {name: number for of_id in (KIND_OF_ID, FAMILY_OF_ID) for number, name in of_id.items()}
    kinds = ("Simple pass", "High pass", "Cross", "Air duel", "Throw in", "Penalty", "Protest", "Clearance")
    named = [event(2 * i, kind, HOME, i, (60, 20), (90, 60), TAGS["WON"]) for i, kind in enumerate(kinds)]
    names = ("eventName", "subEventName")
    assert read([raw | {n: written(ids[raw[n]]) for n in names} for raw in named])[0].rows == read(named)[0].rows


def test_a_half_without_rows_is_left_out(read: Callable) -> None:
    (half,) = read([event(5, "Goalkeeper leaving line"), event(5, "Shot", matchPeriod="2H")])
    assert half.half == 2


def test_events_of_an_unknown_name_change_nothing(read: Callable) -> None:
    known = [event(10, "Simple pass"), event(13, "Throw in", HOME, 2)]
    unknown = event(11, "Backheel", AWAY, eventName="Trick")
    assert read([known[0], unknown, known[1]])[0].rows == read(known)[0].rows


@pytest.mark.parametrize("positions", [None, [], [None, None]])
def test_missing_positions_are_unknown(read: Callable, positions: object) -> None:
    (half,) = read([event(10, "Free Kick", positions=positions), event(14, "Simple pass", HOME, 2)])
    # Without a length the kick is not long, and its reception has no time.
    assert list(map(text_of, half.rows)) == ["10000 PASS H 255,255 set4", "14000 PASS H"]


def test_positions_just_off_the_pitch_are_put_on_its_edge_and_may_be_text(read: Callable) -> None:
    (half,) = read([event(10, "Ball out of the field", positions=[{"x": "-1", "y": 101.5}])])
    assert list(map(text_of, half.rows)) == ["10000 OUT H 0,100"]


# --- files that are wrong ---------------------------------------------------------------------


def without(name: str) -> Event:
    raw = event(1, "Simple pass")
    del raw[name]
    return raw


REQUIRED = ("eventName", "subEventName", "teamId", "playerId", "matchId", "matchPeriod", "eventSec", "tags")
WRONG_EVENTS: dict[str, tuple[object, str]] = {
    **{f"no {name}": (without(name), f"has no '{name}'") for name in REQUIRED},
    "not an object": ("pass", "expected an object, found str"),
    "NaN": (event(math.nan, "Shot"), "eventSec nan is not in 0..7200"),
    "negative": (event(-0.5, "Shot"), "eventSec -0.5"),
    "milliseconds": (event(61_000, "Shot"), "eventSec 61000"),
    "time is a text": (event(1, "Shot", eventSec="1"), "eventSec '1'"),
    "period": (event(1, "Shot", matchPeriod="H1"), "matchPeriod 'H1' is none of 1H, 2H, E1, E2, P"),
    "period is a list": (event(1, "Shot", matchPeriod=["1H"]), "matchPeriod ['1H'] is not a text"),
    "number of no event": (event(1, "Shot", subEventName=999), "subEventName 999 is no event that Wyscout numbers"),
    "name is null": (event(1, "Shot", subEventName=None), "subEventName None is not a text"),
    "team is a text": (event(1, "Shot", teamId="3804"), "teamId '3804' is not a whole number"),
    "player is 1.5": (event(1, "Shot", playerId=1.5), "playerId 1.5"),
    "third team": (event(1, "Shot", 5), "a third team: teamId 5 beside 3804 and 3771"),
    "second match": (event(1, "Shot", matchId=8), "matchId 8 in a file of match 7"),
    "tags are a number": (event(1, "Shot", tags=1801), "tags: expected a list, found int"),
    "tag is a number": (event(1, "Shot", tags=[1801]), "tags: expected an object, found int"),
    "tag without id": (event(1, "Shot", tags=[{}]), "tags: has no 'id'"),
    "positions are an object": (event(1, "Shot", positions={"x": 1}), "positions: expected a list, found dict"),
    "position is NaN": (event(1, "Shot", positions=[{"x": math.nan, "y": 0}]), "positions: x nan is not in 0..100"),
    "position is a text": (event(1, "Shot", positions=[{"x": "a" * 99, "y": 1}]), "x 'aaaaa"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG_EVENTS.values(), ids=WRONG_EVENTS.keys())
def test_a_wrong_event_is_named(read: Callable, wrong: object, message: str) -> None:
    with pytest.raises(InputError) as error:
        read([event(0, "Simple pass"), event(0, "Simple pass", AWAY), wrong])
    assert "match.json: event 2" in error.value.where
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert len(error.value.what) < 120


WRONG_FILES = {
    "empty": ("", "not JSON"),
    "truncated": (json.dumps({"events": [event(1, "Shot")]})[:-20], "not JSON"),
    "thousands of digits": ("[" + "1" * 5000 + "]", "not JSON"),
    "nested": ("[" * 100_000, "not JSON"),
    "number": ("3", "expected a list, found int"),
    "no events": ('{"teams": {}}', "has no 'events'"),
    "events are null": ('{"events": null}', "expected a list, found nothing"),
    "no event": ("[]", "no event in 1H, 2H, E1, E2"),
    "shoot-out only": (json.dumps([event(1, "Shot", matchPeriod="P")]), "no event in 1H, 2H, E1, E2"),
    "only unknown names": (json.dumps([event(1, "Backheel")]), "none of its events"),
}


@pytest.mark.parametrize(("text", "message"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_a_wrong_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "match.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_match(path)
    assert str(path) in error.value.where


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_match(tmp_path / "none.json")
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_match(tmp_path)


# --- whatever comes in ------------------------------------------------------------------------

percent = st.one_of(st.integers(0, 100), st.floats(-5, 105))
some_event = st.builds(
    event,
    # Few distinct times, so that ties and every threshold are met.
    st.one_of(st.integers(0, 80).map(lambda tenths: tenths / 10), st.floats(0, 7200)),
    st.sampled_from((*FAMILY, "Backheel")),
    st.sampled_from((HOME, AWAY)),
    st.integers(0, 3),
    st.tuples(percent, percent),
    st.tuples(percent, percent),
    st.sampled_from(list(TAGS.values())),
    matchPeriod=st.sampled_from(("1H", "2H", "E1", "P")),
)
any_file = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@any_file
@given(events=st.lists(some_event, min_size=1, max_size=40))
def test_any_events_in_any_order_become_a_feed(read: Callable, events: list[Event]) -> None:
    try:
        halves = read(events)
    except InputError as refusal:
        assert "none of its events" in refusal.what or "no event in 1H" in refusal.what
        return
    assert all({row.delay_ms for row in half.rows} <= {0, 400} for half in halves)
    again = read(sorted(events, key=lambda raw: (raw["matchPeriod"], raw["eventSec"])))
    assert [half.rows for half in again] == [half.rows for half in halves]
