"""PFF FC's event files on small matches in their form."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.feed import SetPiece
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import choose_reader, read_feed
from tests.support.provider_files import pff_row as row, rows_of, timeline

START = [row(0, game="FIRSTKICKOFF"), row(0, "PA", setpieceType="K"), row(1, "IT", 2, duration=0.1)]


@pytest.fixture
def read(tmp_path):
    def read(*rows: object, notices: Notices | None = None):
        (tmp_path / "7.json").write_text(json.dumps(rows))
        return read_feed(tmp_path / "7.json", notices)

    return read


def said(half, *columns: str) -> str:
    """What follows the kick-off's pass."""
    first, _, rest = timeline(half, *columns).partition("; ")
    assert first.startswith("0 PASS")
    return rest


def test_a_small_match(read):
    rows = [
        row(5, "PA", ball=[{"x": 10.5, "y": 6.8}], startTime=103.0, duration=2.0),
        row(7, "SH", bodyType="HE", shotOutcomeType="S", keeperPlayerId=20),
        row(20, game="OUT", team=None, outType="T"),
        row(30, "CR", setpieceType="C"),
        row(31, "CL", 2, bodyType="HE"),
        row(40, "PA", setpieceType="T", highPointType="A"),
        row(41, "TC", 1),
        row(50, game="SUB", team=None),
        row(60, game="END", team=None),
    ]
    (half,) = read(*START, *rows)
    assert (half.match, half.teams) == (7, ("Reds", "Blues"))
    assert said(half, "team") == (
        "3000 DRIVE 0; 5000 PASS 0; 7000 SHOT 0; 7400 SAVE 1; 20000 OUT 0; 30000 CROSS 0; 31000 HEADER 1; "
        "40000 THROW IN 0; 41000 TOUCH 0"
    )
    assert [(row.x, row.y) for row in half.rows][2] == (60, 40)
    assert half.rows[1].delay_ms == 400, "a carry is known once it lasts"


def test_halves_start_with_their_kick_offs_and_teams_change_ends(read):
    rows = [row(0, game="SECONDKICKOFF", period=2), row(4, "PA", period=2, ball={"x": 10.5, "y": 6.8})]
    late = row(2600, "PA", duration=None, ball=[])
    first, second = read(*START, late, *rows)
    assert said(first).endswith("2600000 PASS")
    assert [(row.t_ms, row.x, row.y) for row in second.rows] == [(4000, 40, 60)]


@pytest.mark.parametrize(
    ("about", "label"),
    [
        ({}, "PASS"),
        ({"highPointType": "A"}, "HIGH PASS"),
        ({"highPointType": "G", "ball": [{"x": -50.0, "y": 0.0}]}, "PASS"),
        ({"ball": [{"x": -50.0, "y": 0.0}]}, "HIGH PASS"),
        ({"ball": [{"x": -50.0, "y": 0.0}], "setpieceType": "G", "highPointType": "G"}, "HIGH PASS"),
        ({"setpieceType": "F"}, "PASS"),
        ({"bodyType": "HE", "highPointType": "A"}, "HEADER"),
    ],
)
def test_what_a_pass_is(read, about, label):
    (half,) = read(*START, row(5, "PA", **about), row(6, "TC"))
    assert said(half).startswith(f"5000 {label}")


@pytest.mark.parametrize(
    ("about", "gives"),
    [
        ({"shotOutcomeType": "B", "blockerPlayerId": 21.0}, "5400 BALL PLAYER BLOCK 1"),
        ({"shotOutcomeType": "L", "glClearerPlayerId": 21}, "5400 BALL PLAYER BLOCK 1"),
        ({"shotOutcomeType": "F"}, "5400 SAVE 1"),
        ({"shotOutcomeType": "G"}, ""),
        ({"shotOutcomeType": "O"}, ""),
    ],
)
def test_what_stops_a_shot(read, about, gives):
    (half,) = read(*START, row(5, "SH", setpieceType="P", **about))
    assert said(half, "team") == "; ".join(filter(None, ["5000 SHOT 0", gives]))
    assert half.rows[1].setpiece == SetPiece.DIRECT_SHOT


@pytest.mark.parametrize("outcome", [{"passOutcomeType": "D"}, {"passOutcomeType": "B"}, {"crossOutcomeType": "D"}])
def test_a_pass_that_is_stopped_is_a_block_when_the_next_row_begins(read, outcome):
    passed = row(5, "CR" if "crossOutcomeType" in outcome else "PA", **outcome)
    (half,) = read(*START, passed, row(6, "TC", 2))
    assert "6000 BALL PLAYER BLOCK 1; 6000 TOUCH 1" in said(half, "team")
    (half,) = read(*START, passed, row(6, "RE", 2))
    assert said(half, "team").endswith("000 BALL PLAYER BLOCK 1")
    assert said(half).count("BLOCK") == 1, "a rebound has a row of its own"
    (half,) = read(*START, passed, row(60, "TC", 2))
    assert "BLOCK" not in said(half)


def test_rebounds_are_blocks_saves_or_touches(read):
    (half,) = read(*START, row(5, "SH"), row(5.5, "RE", 2, keeperTouchType="P"), row(6, "RE", 1), row(6.5, "RE", 1))
    assert said(half, "team") == "5000 SHOT 0; 5500 SAVE 1; 6000 BALL PLAYER BLOCK 0; 6500 TOUCH 0"


def challenge(type_: str, winner: int | None = 20, team: int | None = 1, **about: object) -> dict:
    return row(5, "CH", team, challengeType=type_, challengerPlayerId=20, challengeWinnerPlayerId=winner, **about)


@pytest.mark.parametrize(
    ("duel", "gives"),
    [
        (challenge("T"), "5000 PLAYER SUCCESSFUL TACKLE 1 50"),
        (challenge("T", winner=10), "5000 DUEL 1 50"),
        (challenge("H", winner=None), "5000 DUEL 1 50"),
        (challenge("D", winner=10), "5000 DRIVE 0 50"),
        (challenge("D"), "5000 PLAYER SUCCESSFUL TACKLE 1 50"),
        (challenge("A", team=None, homeDuelPlayerId=99, awayDuelPlayerId=20), "5000 HEADER 1 255"),
        (challenge("A", winner=None, team=None), "5000 DUEL 255 255"),
        (challenge("FIFTY", winner=10, team=None), "5000 DUEL 0 255"),
    ],
)
def test_challenges(read, duel, gives):
    (half,) = read(*START, row(2, "PA", playerId=10), duel, row(7, "PA", 2))
    assert gives in said(half, "team", "x")


def test_a_foul_stops_play_and_an_advantage_does_not(read):
    foul = {"foulType": "I", "finalCulpritPlayerId": 20}
    rows = [row(5, "CH", fouls=foul), row(9, "CH", fouls=foul | {"foulType": "A"})]
    rows += [row(12, "FO", None, game="FOUL", fouls={"foulType": "I", "finalCulpritPlayerId": 77})]
    (half,) = read(*START, *rows)
    assert "5000 STOPPAGE 1" in said(half, "team")
    assert "12000 STOPPAGE 255" in said(half, "team")
    assert said(half).count("STOPPAGE") == 2


def test_carries_come_from_possessions_or_from_rows_of_their_own(read):
    held = {"startTime": 103.0, "duration": 3.0}
    one = [row(4, "BC", **held), row(6, "PA", **held)]
    same = [entry | {"gameEventId": 5} for entry in one]
    assert said(read(*START, *same)[0]) == "3000 DRIVE; 6000 PASS"
    headed = [entry | {"initialTouch": {"initialBodyType": "HE"}} for entry in same]
    assert said(read(*START, *headed)[0]) == "6000 PASS"
    unknown = [entry | {"duration": None} for entry in same]
    assert said(read(*START, *unknown)[0]) == "4000 DRIVE; 6000 PASS"
    assert said(read(*START, row(6, "PA", setpieceType="F", **held))[0]) == "6000 PASS"


def test_outs_are_of_the_side_that_had_the_ball_and_goals_and_whistles_are_none(read):
    rows = [row(5, "PA", 2), row(6, game="OUT", team=None, outType="T")]
    rows += [row(20, "PA", 1), *(row(30 + n, game="OUT", team=None, outType=why) for n, why in enumerate("WHA"))]
    (half,) = read(*START, *rows)
    assert said(half, "team") == "5000 PASS 1; 6000 OUT 1; 20000 PASS 0"


def test_what_did_not_happen_is_left_out_and_what_cannot_be_read_is_counted(read):
    notices = Notices()
    taken_back = row(5, "SH") | {"possessionEvents": {"possessionEventType": "SH", "nonEvent": True}}
    odd = [
        row(6, "XX"),
        row(7, "PA", game="MOON"),
        row(8, "PA", period=9),
        row(9, "PA") | {"eventTime": float("nan")},
        7,
    ]
    odd += [row(1, "SH", period=5), {"gameId": 7}]
    fine = [row(10 + n, "PA", n % 2 + 1) for n in range(9)]
    (half,) = read(*START, taken_back, *odd, *fine, notices=notices)
    assert "SHOT" not in timeline(half)
    assert notices.counts == {
        "events with an unknown type (XX) not read": 1,
        "events with an unknown type (MOON) not read": 1,
        "events with an unknown period (9) not read": 1,
        "events with no time not read": 1,
        "events where expected an object, found int not read": 1,
        "events without 'gameEvents' not read": 1,
        "events of the shoot-out not read": 1,
    }


def test_places_and_sides_may_be_unknown(read):
    rows = [entry | {"stadiumMetadata": []} for entry in (*START, row(5, "PA", 2))]
    for entry in rows:
        del entry["gameEvents"]["homeTeam"]
    (half,) = read(*rows)
    assert half.teams == ("Reds", "Blues")
    assert all(row.x == 255 for row in half.rows)
    with pytest.raises(InputError, match="holds 2 matches"):
        read(*START, row(5, "PA") | {"gameId": 8})


def test_packed_and_damaged_files(tmp_path):
    path, text = tmp_path / "match.json", json.dumps(START)
    path.write_bytes(gzip.compress(text.encode()))
    assert choose_reader(path).provider == "PFF"
    assert read_feed(path)
    for damaged, what in ((text[:-5], "not JSON"), (text[1:-1], "not JSON"), (f'{{"a": {text}}}', "expected a list")):
        path.write_text(damaged)
        with pytest.raises(InputError, match=what) as refused:
            read_feed(path)
        assert "\n" not in str(refused.value)
    path.write_text(json.dumps([entry | {"eventTime": "soon"} for entry in START]))
    with pytest.raises(InputError, match=r"PFF: 3 of 3 events cannot be read \(3 events with no time\)"):
        read_feed(path)


KINDS = {"PA": "PASS", "CR": "CROSS", "SH": "SHOT", "TC": "TOUCH"}
plays = st.lists(
    st.tuples(st.integers(1, 2600), st.sampled_from([*KINDS]), st.sampled_from([1, 2])), unique_by=lambda p: p[0]
)


@settings(max_examples=25, deadline=None)
@given(plays, st.randoms())
def test_plays_come_back_at_their_times_in_any_order_once(tmp_path_factory, found, random):
    rows = [*START[:2], *(row(second, what, team) for second, what, team in found)]
    rows += random.sample(rows, 2)
    random.shuffle(rows)
    path = Path(tmp_path_factory.mktemp("any") / "events.json")
    path.write_text(json.dumps(rows))
    back = [row[1:] for row in rows_of(read_feed(path), "team") if row[2] != "DRIVE"]
    home_first = [(1000 * second, KINDS[what], team - 1) for second, what, team in sorted(found)]
    assert back == [(0, "PASS", 0), *home_first]
