"""Reader of Wyscout match files: the tables' rows exactly, each rule by hand, and files that are wrong."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import FeedHalf
from playahead.io.errors import InputError
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.feeds import read_feed
from playahead.sources.wyscout import FAMILY_OF_ID, KIND_OF_ID
from playahead.sources.wyscout_rules import half_rows

DATA = Path(__file__).parents[3] / "shared" / "data"
SPLIT_OF_RAW_MATCH = {2500689: "train", 2565549: "train", 2500710: "val", 2499720: "test"}
COLUMNS = ("t_ms", "code", "team", "x", "y", "setpiece", "delay_ms")
LABELS = (*ACTIONS, *OBSERVED_TOKENS)

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
    "": "Offside",
}
HOME, AWAY = 3804, 3771
WON, INTERCEPTION, MISSED, SLIDING, HIGH, HEADED, TAKE_ON = 703, 1401, 1302, 1601, 801, 403, 503

Row = tuple[int, str, int, int, int, int, int]
Event = dict[str, Any]


def read_match(path: Path) -> list[FeedHalf]:
    return read_feed(path, provider="Wyscout v2")


def event(
    second: float,
    kind: str,
    team: int = HOME,
    player: int = 1,
    start: tuple[float, float] = (50, 50),
    end: tuple[float, float] = (50, 50),
    *tags: int,
    **changed: Any,
) -> Event:
    """One raw event of the first half; ``changed`` sets fields by the provider's names."""
    raw = {
        "eventName": FAMILY.get(kind, kind),
        "subEventName": kind,
        "teamId": team,
        "playerId": player,
        "matchId": 7,
        "matchPeriod": "1H",
        "eventSec": second,
        "positions": [{"x": start[0], "y": start[1]}, {"x": end[0], "y": end[1]}],
        "tags": [{"id": tag} for tag in tags],
    }
    return raw | changed


@pytest.fixture
def read(tmp_path: Path) -> Callable[[object], list[FeedHalf]]:
    """Reads what would be the file's content."""

    def read_content(content: object) -> list[FeedHalf]:
        path = tmp_path / "match.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return read_match(path)

    return read_content


def rows_of(half: FeedHalf) -> list[Row]:
    columns = [getattr(half, name).tolist() for name in COLUMNS]
    return [(t, str(LABELS[code]), *rest) for t, code, *rest in zip(*columns, strict=True)]


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
        assert rows_of(half) == rows_of(wanted)
        for name in COLUMNS:
            assert getattr(half, name).dtype == getattr(wanted, name).dtype


# --- each rule, worked out by hand ------------------------------------------------------------
# Metres: 10 % along is 10.5 m, 10 % across 6.8 m. Reception: pass + 0.45 s + 0.05 s per metre.

RULES: dict[str, tuple[list[Event], list[Row]]] = {
    "a received pass is a drive from 0.45 s + 0.05 s/m on": (
        # 20 % along = 21 m: received at 10 + 0.45 + 1.05 = 11.5 s, 1.5 s before the next action.
        [event(10, "Simple pass", HOME, 1, (30, 50), (50, 50)), event(13, "Simple pass", HOME, 2, (52, 50))],
        [
            (10_000, "PASS", 0, 30, 50, 0, 0),
            (11_500, "DRIVE", 0, 52, 50, 0, 400),
            (13_000, "PASS", 0, 52, 50, 0, 0),
        ],
    ),
    "a first-touch pass is not": (
        [event(10, "Simple pass", HOME, 1, (30, 50), (50, 50)), event(11.899, "Simple pass", HOME, 2, (52, 50))],
        [(10_000, "PASS", 0, 30, 50, 0, 0), (11_899, "PASS", 0, 52, 50, 0, 0)],
    ),
    "a carry of exactly 0.4 s counts": (
        # No metres: received at 0.45 s, played on at 0.85 s.
        [event(0, "Simple pass"), event(0.85, "Simple pass", HOME, 2)],
        [(0, "PASS", 0, 50, 50, 0, 0), (450, "DRIVE", 0, 50, 50, 0, 400), (850, "PASS", 0, 50, 50, 0, 0)],
    ),
    "15 s after the pass is too late": (
        [event(10, "Simple pass"), event(25, "Simple pass", HOME, 2)],
        [(10_000, "PASS", 0, 50, 50, 0, 0), (25_000, "PASS", 0, 50, 50, 0, 0)],
    ),
    "no drive for a header, a clearance, a headed shot, the passer or the opponent": (
        [
            event(10, "Simple pass"),
            event(12, "Head pass", HOME, 2),
            event(14, "Clearance", HOME, 3),
            event(16, "Simple pass", HOME, 4),
            event(18, "Shot", HOME, 5, (90, 50), (100, 50), HEADED),
            event(20, "Simple pass"),
            event(22, "Simple pass"),
            event(24, "Simple pass", AWAY, 9),
        ],
        [
            (10_000, "PASS", 0, 50, 50, 0, 0),
            (12_000, "HEADER", 0, 50, 50, 0, 0),
            (14_000, "PASS", 0, 50, 50, 0, 0),
            (16_000, "PASS", 0, 50, 50, 0, 0),
            (18_000, "SHOT", 0, 90, 50, 0, 0),
            (20_000, "PASS", 0, 50, 50, 0, 0),
            (22_000, "PASS", 0, 50, 50, 0, 0),
            (24_000, "PASS", 1, 50, 50, 0, 0),
        ],
    ),
    "duels do not end the pass in flight, and an attacking duel receives it too": (
        # Received at 10.45 s by whoever has the duel at 12 s and the pass at 14 s: two rows.
        [
            event(10, "Simple pass"),
            event(11, "Ground loose ball duel", AWAY, 9, (50, 50), (50, 50), 701),
            event(12, "Ground attacking duel", HOME, 2, (60, 40)),
            event(12, "Ground defending duel", AWAY, 9, (40, 60)),
            event(14, "Simple pass", HOME, 2, (70, 40)),
        ],
        [
            (10_000, "PASS", 0, 50, 50, 0, 0),
            (10_450, "DRIVE", 0, 60, 40, 0, 400),
            (10_450, "DRIVE", 0, 70, 40, 0, 400),
            (12_000, "DUEL", 1, 40, 60, 0, 0),
            (14_000, "PASS", 0, 70, 40, 0, 0),
        ],
    ),
    "a foul ends the pass in flight": (
        [event(10, "Simple pass"), event(12, "Foul", AWAY, 9), event(14, "Simple pass", HOME, 2)],
        [
            (10_000, "PASS", 0, 50, 50, 0, 0),
            (12_000, "STOPPAGE", 1, 50, 50, 0, 0),
            (14_000, "PASS", 0, 50, 50, 0, 0),
        ],
    ),
    "placed kicks are long from 32 m on, clearances from 20 m, a low corner to x < 84 is a pass": (
        [
            # 32 m is 30.47 % along; 20 m is 19.04 %.
            event(10, "Free Kick", HOME, 1, (40, 50), (70, 50)),
            event(20, "Free Kick", HOME, 1, (40, 50), (71, 50)),
            event(30, "Goal kick", HOME, 1, (5, 50), (35, 50)),
            event(40, "Clearance", AWAY, 9, (10, 50), (29, 50)),
            event(50, "Clearance", AWAY, 9, (10, 50), (30, 50)),
            event(60, "Ball out of the field", AWAY, 9),
            event(61, "Corner", HOME, 1, (100, 0), (83, 20)),
            event(70, "Ball out of the field", AWAY, 9),
            event(71, "Corner", HOME, 1, (100, 0), (84, 20)),
            event(80, "Ball out of the field", AWAY, 9),
            event(81, "Corner", HOME, 1, (100, 0), (83, 20), HIGH),
        ],
        [
            (10_000, "PASS", 0, 40, 50, 4, 0),
            (20_000, "HIGH PASS", 0, 40, 50, 4, 0),
            (23_000, "OUT", 0, 255, 255, 9, 0),
            (30_000, "PASS", 0, 5, 50, 2, 0),
            (40_000, "PASS", 1, 10, 50, 0, 0),
            (50_000, "HIGH PASS", 1, 10, 50, 0, 0),
            (60_000, "OUT", 1, 50, 50, 0, 0),
            (61_000, "PASS", 0, 100, 0, 3, 0),
            (70_000, "OUT", 1, 50, 50, 0, 0),
            (71_000, "CROSS", 0, 100, 0, 3, 0),
            (80_000, "OUT", 1, 50, 50, 0, 0),
            (81_000, "CROSS", 0, 100, 0, 3, 0),
        ],
    ),
    "a clearance within 4 s of an aerial delivery is a header, duels between or not": (
        [
            event(10, "Cross"),
            event(12, "Ground loose ball duel", HOME, 2),
            event(14, "Clearance", AWAY, 9, (10, 50), (60, 50)),
            event(20, "High pass"),
            event(24.1, "Clearance", AWAY, 9, (10, 50), (60, 50)),
            event(30, "Launch"),
            event(31, "Touch", HOME, 2),
            event(32, "Clearance", AWAY, 9, (10, 50), (60, 50)),
        ],
        [
            (10_000, "CROSS", 0, 50, 50, 0, 0),
            (14_000, "HEADER", 1, 10, 50, 0, 0),
            (20_000, "HIGH PASS", 0, 50, 50, 0, 0),
            (24_100, "HIGH PASS", 1, 10, 50, 0, 0),
            (30_000, "HIGH PASS", 0, 50, 50, 0, 0),
            (30_450, "DRIVE", 0, 50, 50, 0, 400),
            (31_000, "TOUCH", 0, 50, 50, 0, 0),
            (32_000, "HIGH PASS", 1, 10, 50, 0, 0),
        ],
    ),
    "a won air duel is a header, unless a header of that side is beside it": (
        [
            event(10, "Air duel", HOME, 1, (50, 50), (50, 50), WON),
            event(10, "Air duel", AWAY, 9, (50, 50), (50, 50), 701),
            event(20, "Air duel", HOME, 1, (50, 50), (50, 50), WON),
            event(21.5, "Head pass", HOME, 1),
            event(30, "Air duel", HOME, 1, (50, 50), (50, 50), WON),
            event(31.5, "Head pass", AWAY, 9),
            event(40, "Air duel", HOME, 1, (50, 50), (50, 50), WON),
            event(41, "Air duel", HOME, 1, (50, 50), (50, 50), WON),
            event(42.1, "Air duel", HOME, 1, (50, 50), (50, 50), WON),
        ],
        [
            (10_000, "HEADER", 0, 50, 50, 0, 0),
            (20_000, "DUEL", 0, 50, 50, 0, 0),
            (21_500, "HEADER", 0, 50, 50, 0, 0),
            (30_000, "HEADER", 0, 50, 50, 0, 0),
            (31_500, "HEADER", 1, 50, 50, 0, 0),
            (40_000, "HEADER", 0, 50, 50, 0, 0),
            (41_000, "DUEL", 0, 50, 50, 0, 0),
            (42_100, "HEADER", 0, 50, 50, 0, 0),
        ],
    ),
    "a block is 0.8 s before its stamp, but after the opponent's action": (
        [
            event(10, "Simple pass"),
            event(11.5, "Touch", AWAY, 9, (40, 50), (40, 50), INTERCEPTION),
            event(20, "Simple pass"),
            event(20.5, "Touch", AWAY, 9, (40, 50), (40, 50), INTERCEPTION),
            event(30, "Simple pass"),
            event(34.1, "Touch", AWAY, 9, (40, 50), (40, 50), INTERCEPTION),
            event(40, "Simple pass"),
            event(40.5, "Touch", HOME, 2, (40, 50), (40, 50), INTERCEPTION),
        ],
        [
            (10_000, "PASS", 0, 50, 50, 0, 0),
            (10_700, "BALL PLAYER BLOCK", 1, 40, 50, 0, 0),
            (20_000, "PASS", 0, 50, 50, 0, 0),
            (20_100, "BALL PLAYER BLOCK", 1, 40, 50, 0, 0),
            (30_000, "PASS", 0, 50, 50, 0, 0),
            (34_100, "BALL PLAYER BLOCK", 1, 40, 50, 0, 0),  # nothing of the last 4 s to block
            (40_000, "PASS", 0, 50, 50, 0, 0),
            (40_500, "BALL PLAYER BLOCK", 0, 40, 50, 0, 0),  # his own side's pass
        ],
    ),
    "a tackle keeps the ball: the same man plays next within 5 s, or he slid and his side does": (
        [
            event(10, "Ground defending duel", HOME, 1, (50, 50), (50, 50), WON),
            event(15, "Simple pass", HOME, 1),
            event(20, "Ground defending duel", HOME, 1, (50, 50), (50, 50), WON),
            event(25.1, "Simple pass", HOME, 1),
            event(40, "Ground defending duel", HOME, 1, (50, 50), (50, 50), WON),
            event(41, "Simple pass", HOME, 2),
            event(60, "Ground defending duel", HOME, 1, (50, 50), (50, 50), WON, SLIDING),
            event(61, "Simple pass", HOME, 2),
            event(80, "Ground defending duel", HOME, 1),
            event(81, "Simple pass", HOME, 1),
        ],
        [
            (10_000, "PLAYER SUCCESSFUL TACKLE", 0, 50, 50, 0, 0),
            (15_000, "PASS", 0, 50, 50, 0, 0),
            (20_000, "DUEL", 0, 50, 50, 0, 0),
            (25_100, "PASS", 0, 50, 50, 0, 0),
            (40_000, "DUEL", 0, 50, 50, 0, 0),
            (41_000, "PASS", 0, 50, 50, 0, 0),
            (60_000, "PLAYER SUCCESSFUL TACKLE", 0, 50, 50, 0, 0),
            (61_000, "PASS", 0, 50, 50, 0, 0),
            (80_000, "DUEL", 0, 50, 50, 0, 0),
            (81_000, "PASS", 0, 50, 50, 0, 0),
        ],
    ),
    "a touch that the same side continues 0.4 s later is a drive, once per second": (
        [
            event(10, "Touch", HOME, 1),
            event(10.4, "Simple pass", HOME, 1),
            event(20, "Touch", HOME, 1),
            event(20.3, "Shot", HOME, 1),
            event(30, "Touch", HOME, 1),
            event(31, "Simple pass", AWAY, 9),
            event(40, "Touch", HOME, 1, (50, 50), (50, 50), MISSED),
            event(41, "Simple pass", HOME, 2),
            # Received at 41.45 s: the touch of 42 s is that drive, not another.
            event(42, "Touch", HOME, 3),
            event(44, "Shot", HOME, 3),
        ],
        [
            (10_000, "DRIVE", 0, 50, 50, 0, 400),
            (10_400, "PASS", 0, 50, 50, 0, 0),
            (20_000, "TOUCH", 0, 50, 50, 0, 0),
            (20_300, "SHOT", 0, 50, 50, 0, 0),
            (30_000, "TOUCH", 0, 50, 50, 0, 0),
            (31_000, "PASS", 1, 50, 50, 0, 0),
            (40_000, "TOUCH", 0, 50, 50, 0, 0),
            (41_000, "PASS", 0, 50, 50, 0, 0),
            (41_450, "DRIVE", 0, 50, 50, 0, 400),
            (42_000, "TOUCH", 0, 50, 50, 0, 0),
            (44_000, "SHOT", 0, 50, 50, 0, 0),
        ],
    ),
    "taking a man on is a drive unless one was in the last 1.5 s; an acceleration always is": (
        [
            event(10, "Ground attacking duel", HOME, 1, (50, 50), (50, 50), TAKE_ON),
            event(11.5, "Ground attacking duel", HOME, 1, (50, 50), (50, 50), TAKE_ON),
            event(11.6, "Ground attacking duel", HOME, 1, (50, 50), (50, 50), TAKE_ON),
            event(12, "Acceleration", HOME, 1),
            event(20, "Ground attacking duel", HOME, 1),
        ],
        [
            (10_000, "DRIVE", 0, 50, 50, 0, 0),
            (11_600, "DRIVE", 0, 50, 50, 0, 0),
            (12_000, "DRIVE", 0, 50, 50, 0, 0),
        ],
    ),
    "an OUT is put 3 s, at most half the pause, after the last event of a restart without one": (
        [
            event(10, "Simple pass", HOME, 1, (50, 98)),
            event(14, "Throw in", AWAY, 9, (50, 0)),  # pause 4 s: its middle
            event(34, "Throw in", HOME, 1, (50, 100)),  # pause 20 s: 3 s into it
            event(37.9, "Throw in", HOME, 1, (50, 100)),  # pause under 4 s: none
            event(40, "Ball out of the field", HOME, 0, (50, 100)),
            event(41, "Protest", AWAY, 9),
            event(60, "Throw in", AWAY, 9, (50, 0)),  # it has one
        ],
        [
            (10_000, "PASS", 0, 50, 98, 0, 0),
            (12_000, "OUT", 0, 255, 255, 9, 0),
            (14_000, "THROW IN", 1, 50, 0, 1, 0),
            (17_000, "OUT", 1, 255, 255, 9, 0),
            (34_000, "THROW IN", 0, 50, 100, 1, 0),
            (37_900, "THROW IN", 0, 50, 100, 1, 0),
            (40_000, "OUT", 0, 50, 100, 0, 0),
            (41_000, "STOPPAGE", 1, 50, 50, 0, 0),
            (60_000, "THROW IN", 1, 50, 0, 1, 0),
        ],
    ),
    "the remaining names": (
        [
            event(10, "Smart pass"),
            event(11, "Goalkeeper leaving line", AWAY, 9),
            event(12, "Hand pass", AWAY, 9),
            event(14, "", AWAY, 8),
            event(20, "Free kick cross"),
            event(22, "Shot", AWAY, 9),
            event(23, "Reflexes", HOME, 1),
            event(24, "Save attempt", HOME, 1),
            event(30, "Free kick shot"),
            event(40, "Penalty"),
            event(50, "Whistle"),
            event(60, "Ground loose ball duel", HOME, 1, (50, 50), (50, 50), 702),
        ],
        [
            (10_000, "PASS", 0, 50, 50, 0, 0),
            (12_000, "PASS", 1, 50, 50, 0, 0),
            (14_000, "STOPPAGE", 1, 50, 50, 0, 0),
            (20_000, "CROSS", 0, 50, 50, 4, 0),
            (22_000, "SHOT", 1, 50, 50, 0, 0),
            (23_000, "SAVE", 0, 50, 50, 0, 0),
            (24_000, "SAVE", 0, 50, 50, 0, 0),
            (30_000, "SHOT", 0, 50, 50, 5, 0),
            (40_000, "SHOT", 0, 50, 50, 5, 0),
            (50_000, "STOPPAGE", 0, 50, 50, 0, 0),
        ],
    ),
}


@pytest.mark.parametrize(("events", "expected"), RULES.values(), ids=RULES.keys())
def test_rule(read: Callable, events: list[Event], expected: list[Row]) -> None:
    (half,) = read({"events": events})
    assert rows_of(half) == expected


# --- what a file may look like ----------------------------------------------------------------


def test_a_bare_list_is_read_as_well(read: Callable) -> None:
    events = [event(1, "Simple pass")]
    assert rows_of(read(events)[0]) == rows_of(read({"events": events, "teams": {}})[0])


def test_halves_and_extra_time_are_told_apart_and_the_shoot_out_is_passed_over(read: Callable) -> None:
    # The shoot-out's event would be refused in a half: it has no time and a third team.
    shootout = event(0, "Penalty", 999, matchPeriod="P", eventSec=None)
    extra = event(3, "Shot", AWAY, matchPeriod="E2")
    halves = read([extra, event(5, "Shot", AWAY, matchPeriod="2H"), shootout, event(9, "Simple pass")])
    assert [(half.match, half.half, rows_of(half)) for half in halves] == [
        (7, 1, [(9_000, "PASS", 0, 50, 50, 0, 0)]),
        (7, 2, [(5_000, "SHOT", 1, 50, 50, 0, 0)]),
        (7, 4, [(3_000, "SHOT", 1, 50, 50, 0, 0)]),
    ]


@pytest.mark.parametrize("written", [int, str])
def test_names_may_be_numbers(read: Callable, written: Callable) -> None:
    numbers = {name: number for number, name in KIND_OF_ID.items()}
    families = {name: number for number, name in FAMILY_OF_ID.items()}
    kinds = ("Simple pass", "High pass", "Cross", "Air duel", "Throw in", "Penalty", "Foul", "Clearance")
    named = [event(2 * i, kind, HOME, i, (60, 20), (90, 60), WON) for i, kind in enumerate(kinds)]
    numbered = [
        raw | {"eventName": written(families[raw["eventName"]]), "subEventName": written(numbers[raw["subEventName"]])}
        for raw in named
    ]
    assert rows_of(read(numbered)[0]) == rows_of(read(named)[0])


def test_a_half_without_rows_is_left_out(read: Callable) -> None:
    (half,) = read([event(5, "Goalkeeper leaving line"), event(5, "Shot", matchPeriod="2H")])
    assert half.half == 2


def test_events_of_an_unknown_name_change_nothing(read: Callable) -> None:
    known = [event(10, "Simple pass"), event(13, "Throw in", HOME, 2)]
    unknown = event(11, "Backheel", AWAY, eventName="Trick")
    assert rows_of(read([known[0], unknown, known[1]])[0]) == rows_of(read(known)[0])


@pytest.mark.parametrize("positions", [None, [], [None, None]])
def test_missing_positions_are_unknown(read: Callable, positions: object) -> None:
    events = [event(10, "Free Kick", positions=positions), event(14, "Simple pass", HOME, 2)]
    (half,) = read(events)
    # Without a length the kick is not long, and its reception has no time.
    assert rows_of(half) == [(10_000, "PASS", 0, 255, 255, 4, 0), (14_000, "PASS", 0, 50, 50, 0, 0)]


def test_positions_just_off_the_pitch_are_put_on_its_edge(read: Callable) -> None:
    (half,) = read([event(10, "Ball out of the field", start=(-1, 101.5))])
    assert rows_of(half) == [(10_000, "OUT", 0, 0, 100, 0, 0)]


# --- files that are wrong ---------------------------------------------------------------------


def without(name: str) -> Event:
    raw = event(1, "Simple pass")
    del raw[name]
    return raw


REQUIRED = ("eventName", "subEventName", "teamId", "playerId", "matchId", "matchPeriod", "eventSec", "tags")
WRONG_EVENTS: dict[str, tuple[object, str]] = {
    **{f"no {name}": (without(name), f"has no '{name}'") for name in REQUIRED},
    "not an object": ("pass", "expected an object, found str"),
    "null": (None, "expected an object, found nothing"),
    "NaN": (event(math.nan, "Shot"), "eventSec nan is not in 0..7200"),
    "infinite": (event(math.inf, "Shot"), "eventSec inf"),
    "negative": (event(-0.5, "Shot"), "eventSec -0.5"),
    "milliseconds": (event(61_000, "Shot"), "eventSec 61000"),
    "time is a text": (event(1, "Shot", eventSec="1"), "eventSec '1'"),
    "time is true": (event(1, "Shot", eventSec=True), "eventSec True"),
    "period": (event(1, "Shot", matchPeriod="H1"), "matchPeriod 'H1' is none of 1H, 2H, E1, E2, P"),
    "period is a list": (event(1, "Shot", matchPeriod=["1H"]), "matchPeriod ['1H'] is not a text"),
    "number of no event": (event(1, "Shot", subEventName=999), "subEventName 999 is no event that Wyscout numbers"),
    "name is null": (event(1, "Shot", subEventName=None), "subEventName None is not a text"),
    "team is a text": (event(1, "Shot", teamId="3804"), "teamId '3804' is not a whole number"),
    "team is true": (event(1, "Shot", teamId=True), "teamId True"),
    "player is 1.5": (event(1, "Shot", playerId=1.5), "playerId 1.5"),
    "match too large": (event(1, "Shot", matchId=2**31), "matchId 2147483648"),
    "third team": (event(1, "Shot", 5), "a third team: teamId 5 beside 3804 and 3771"),
    "second match": (event(1, "Shot", matchId=8), "matchId 8 in a file of match 7"),
    "tags are a number": (event(1, "Shot", tags=1801), "tags: expected a list, found int"),
    "tag is a number": (event(1, "Shot", tags=[1801]), "tags: expected an object, found int"),
    "tag without id": (event(1, "Shot", tags=[{}]), "tags: has no 'id'"),
    "tag id is a text": (event(1, "Shot", tags=[{"id": "x"}]), "tags: id 'x'"),
    "positions are an object": (event(1, "Shot", positions={"x": 1}), "positions: expected a list, found dict"),
    "position without y": (event(1, "Shot", positions=[{"x": 1}]), "positions: has no 'y'"),
    "position is NaN": (event(1, "Shot", start=(math.nan, 0)), "positions: x nan is not in 0..100"),
    "position in pixels": (event(1, "Shot", end=(0, 720)), "positions: y 720"),
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


def test_missing_file_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_match(tmp_path / "none.json")
    (tmp_path / "match.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not text"):
        read_match(tmp_path / "match.json")
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
    st.sampled_from((WON, INTERCEPTION, MISSED, SLIDING, HIGH, HEADED, TAKE_ON)),
    matchPeriod=st.sampled_from(("1H", "2H", "E1", "P")),
)
junk = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([{}]))
spoilt_event = st.builds(
    lambda raw, name, value: raw | {name: value}, some_event, st.sampled_from((*REQUIRED, "positions")), junk
)
any_file = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def read_or_refusal(read: Callable, content: object) -> tuple[list[FeedHalf], InputError | None]:
    """Halves, or the one kind of error that a reader may raise."""
    try:
        return read(content), None
    except InputError as refusal:
        return [], refusal


@any_file
@given(events=st.lists(some_event, min_size=1, max_size=40))
def test_any_events_in_any_order_become_a_feed(read: Callable, events: list[Event]) -> None:
    halves, refusal = read_or_refusal(read, events)
    if refusal is not None:
        assert "none of its events" in refusal.what or "no event in 1H" in refusal.what
        return
    for half in halves:  # FeedHalf checks every column when it is built
        assert len(half)
        assert (np.diff(half.t_ms) >= 0).all()
        assert set(np.unique(half.delay_ms)) <= {0, 400}
    again = read(sorted(events, key=lambda raw: (raw["matchPeriod"], raw["eventSec"])))
    assert [rows_of(half) for half in again] == [rows_of(half) for half in halves]


@any_file
@given(events=st.lists(st.one_of(some_event, spoilt_event, junk), max_size=8))
def test_garbage_is_read_or_refused(read: Callable, events: list[object]) -> None:
    halves, refusal = read_or_refusal(read, events)
    assert halves or (refusal is not None and "match.json" in refusal.where)


def test_no_events_no_rows() -> None:
    assert half_rows([]) == []
