"""Impect's events on small matches in their form."""

import gzip
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import SetPiece
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import choose_reader, read_feed
from tests.support.provider_files import impect_event as event, impect_pass as passed, rows_of, timeline

kloppy = pytest.importorskip("kloppy")

FILES = Path(kloppy.__file__).parent / "tests" / "files"

LINE_UP = {"id": 9, "squadHome": {"id": 2, "players": []}, "squadAway": {"id": 1, "players": []}}
START = [event(0, "KICK_OFF", **passed()), event(1, "RECEPTION", player=12)]


@pytest.fixture
def read(tmp_path):
    def read(*events: dict, companion: dict | None = None, notices: Notices | None = None):
        listed = [entry | {"index": n, "id": n + 1} for n, entry in enumerate(events)]
        (tmp_path / "events.json").write_text(json.dumps(listed))
        if companion is not None:
            (tmp_path / "lineups.json").write_text(json.dumps(companion))
        return read_feed(tmp_path / "events.json", notices, [tmp_path / "lineups.json"] if companion else [])

    return read


def of_both(*events: dict) -> list[dict]:
    return [*START, event(3, "LOOSE_BALL_REGAIN", 2), *events]


def test_a_small_match(read):
    events = [
        event(1.0001, "DRIBBLE", player=12, duration=2.0),
        event(3, "PASS", player=12, end=(40, 0), **passed()),
        event(5, "SHOT", player=13, start=(40, 0), shot={"targetPoint": None, "woodwork": None}),
        event(6, "GK_SAVE", 2, bodyPartExtended="HAND"),
        event(7, "OUT", 2),
        event(60, "CORNER", start=(52, 34), end=(47, 0), **passed()),
        event(61, "CLEARANCE", 2, bodyPartExtended="HEAD", **passed()),
        event(70, "THROW_IN", **passed()),
        event(72, "INTERCEPTION", 2),
        event(75, "GK_CATCH", 2, bodyPartExtended="HAND"),
        event(80, "FOUL", 2),
        event(90, "OFFSIDE"),
        event(95, "BLOCK", 2),
    ]
    (half,) = read(*START, *events)
    assert timeline(half, "team") == (
        "0 PASS 0; 1000 DRIVE 0; 3000 HIGH PASS 0; 5000 SHOT 0; 6000 SAVE 1; 7000 OUT 1; 60000 CROSS 0; "
        "61000 HEADER 1; 70000 THROW IN 0; 72000 BALL PLAYER BLOCK 1; 75000 TOUCH 1; 80000 STOPPAGE 1; "
        "90000 STOPPAGE 0; 95000 BALL PLAYER BLOCK 1"
    )
    assert half.rows[3].x == 88


def test_the_line_up_says_who_is_at_home_and_must_be_of_the_match(read):
    (half,) = read(*of_both(), companion=LINE_UP)
    assert timeline(half, "team") == "0 PASS 1; 3000 TOUCH 0"
    with pytest.raises(InputError, match="is the line-up of another match: its squads are 7 and 1"):
        read(*of_both(), companion=LINE_UP | {"squadHome": {"id": 7}})
    with pytest.raises(InputError, match="is the line-up of another match"):
        read(*of_both(), companion=LINE_UP | {"squadHome": {"id": []}})
    with pytest.raises(InputError, match="expected an object, found nothing"):
        read(*of_both(), companion=LINE_UP | {"squadHome": None})
    with pytest.raises(InputError, match="holds events of one team"):
        read(*START)


def test_halves_have_their_own_clock_and_added_time(read):
    late = event(2701, "PASS", **passed()) | {"gameTime": {"gameTime": "45:00.0000 (+00:01.0000)", "gameTimeInSec": 1}}
    later = event(2705, "PASS", 2, period=2, **passed())
    first, second = read(*of_both(late, later))
    assert timeline(first).endswith("2701000 PASS")
    assert timeline(second) == "5000 PASS"


def duel(kind: str = "GROUND_DUEL", fought: int = 21) -> dict:
    return {"duel": {"duelType": kind, "playerId": fought}}


def test_a_ground_duel_is_a_tackle_only_if_the_loser_had_the_ball(read):
    kept = [event(11, "GROUND_DUEL", **duel()), event(11.5, "PASS", **passed())]
    (half,) = read(*of_both(event(10, "DRIBBLE", 2, player=21, result="FAIL"), *kept))
    assert "11000 PLAYER SUCCESSFUL TACKLE 0; 11000 DUEL 1" in timeline(half, "team")
    (half,) = read(*of_both(event(10, "PASS", 2, player=21, **passed()), *kept))
    assert "11000 DUEL 0; 11000 TOUCH 0" in timeline(half, "team")
    (half,) = read(*of_both(event(10, "PASS", 2, **passed()), event(11, "LOOSE_BALL_REGAIN", **duel("AERIAL_DUEL"))))
    assert "11000 HEADER 0" in timeline(half, "team")


@pytest.mark.parametrize(
    ("action", "start", "end", "label"),
    [
        (None, (40, -30), (45, 0), "CROSS"),
        (None, (40, 0), (45, 0), "PASS"),
        (None, (10, 30), (45, 0), "HIGH PASS"),
        (None, (40, -30), (30, 0), "PASS"),
        ("LOW_PASS", (40, -30), (45, 0), "PASS"),
        ("HIGH_CROSS", (40, -30), (45, 0), "CROSS"),
        ("CHIPPED_PASS", (0, 0), (5, 0), "HIGH PASS"),
        ("MOON_PASS", (-40, 0), (5, 0), "HIGH PASS"),
    ],
)
def test_what_a_pass_is(read, action, start, end, label):
    (half,) = read(*of_both(event(5, "PASS", action=action, start=start, end=end, **passed())))
    assert timeline(half).endswith(f"5000 {label}")


def test_a_penalty_is_a_shot_and_a_shoot_out_is_counted(read):
    shot = {"shot": {"targetPoint": None, "woodwork": None}}
    notices = Notices()
    penalties = [event(9, "PENALTY_KICK", **shot), event(1, "PENALTY_KICK", period=5, **shot)]
    (half,) = read(*of_both(*penalties), notices=notices)
    assert half.rows[-1].setpiece == SetPiece.DIRECT_SHOT
    assert notices.counts == {"events of the shoot-out not read": 1}


def test_what_cannot_be_read_is_counted(read):
    notices = Notices()
    nan = event(12, "PASS", start=(float("nan"), 1), **passed())
    odd = [event(6, "TELEPORT"), event(7, "PASS"), event(8, "PASS", bodyPartExtended="TAIL", **passed())]
    odd += [event(9, "PASS", period=9, **passed()), event(10, "PASS", 77, **passed()), {"periodId": 1}, nan]
    fine = [event(20 + n, "PASS", 2, **passed()) for n in range(9)]
    (half,) = read(*of_both(*odd, *fine), notices=notices)
    assert timeline(half).startswith("0 PASS; 3000 TOUCH")
    assert sum(notices.counts.values()) == 6
    assert notices.counts["events with an unknown type (TELEPORT) not read"] == 1


def test_damage_and_a_missing_kloppy_give_one_line(tmp_path, monkeypatch):
    text = json.dumps(of_both())
    path = tmp_path / "events.json"
    path.write_bytes(gzip.compress(text.encode()))
    assert choose_reader(path).provider == "Impect"
    for damaged in (text[:-5], text[: len(text) // 2]):
        path.write_text(damaged)
        with pytest.raises(InputError, match="not JSON"):
            read_feed(path)
    path.write_text(json.dumps({"data": [*of_both(), 7, None]}))
    notices = Notices()
    assert read_feed(path, notices)
    assert notices.counts["events with a field of the wrong kind not read"] == 2
    monkeypatch.setitem(sys.modules, "kloppy", None)
    with pytest.raises(InputError, match=r"is a match of Impect, which needs kloppy \(pip install"):
        read_feed(path)


@pytest.mark.skipif(not (FILES / "impect_events.json").is_file(), reason="kloppy without its test files")
def test_rows_of_each_class_in_a_whole_match():
    notices = Notices()
    halves = read_feed(FILES / "impect_events.json", notices, [FILES / "impect_lineups.json"])
    code = np.concatenate([half.code for half in halves])
    assert np.bincount(code)[: len(ACTIONS)].tolist() == [859, 723, 97, 148, 32, 28, 22, 61, 78, 21]
    assert notices.lines == []


KINDS = st.sampled_from(["PASS", "SHOT", "THROW_IN"])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2600), KINDS, st.sampled_from([1, 2])), unique_by=lambda p: p[0], min_size=1))
def test_plays_come_back_at_their_times_in_any_order(tmp_path_factory, plays):
    folder = tmp_path_factory.mktemp("any")
    about = {"shot": {"targetPoint": None, "woodwork": None}}
    found = [event(second, kind, team, **(about if kind == "SHOT" else passed())) for second, kind, team in plays]
    listed = [entry | {"index": second, "id": second} for entry, (second, _, _) in zip(found, plays, strict=True)]
    ends = [
        event(at, "GK_CATCH", team) | {"index": 9999 + team, "id": 9999 + team} for at, team in ((2690, 1), (2691, 2))
    ]
    (folder / "events.json").write_text(json.dumps([*ends, *listed]))
    rows = [row[1:] for row in rows_of(read_feed(Path(folder / "events.json"))) if row[2] not in ("TOUCH", "DRIVE")]
    assert [(time_ms, label.replace(" ", "_")) for time_ms, label in rows] == [
        (1000 * s, k) for s, k, _ in sorted(plays)
    ]
    assert all(before <= after for (before, _), (after, _) in pairwise(rows))
