"""The words: actions, times, records that refuse bad values."""

import math

import pytest
from hypothesis import given, strategies as st

from playahead.domain.actions import ACTIONS, Action, parse_action
from playahead.domain.feed import COLUMNS, FeedHalf, FeedRow, SetPiece
from playahead.domain.grid import GRID
from playahead.domain.notices import Notices
from playahead.domain.records import ActionEvent, Anticipation, Clip
from playahead.domain.time import format_clock, format_duration, parse_clock, parse_game_time, whole_ms
from playahead.io.errors import InputError, RecordError


def test_benchmark_order():
    order = "PASS, DRIVE, HEADER, HIGH PASS, THROW IN, CROSS, SHOT, OUT, BALL PLAYER BLOCK, PLAYER SUCCESSFUL TACKLE"
    assert ", ".join(ACTIONS) == order
    assert [a.class_index for a in ACTIONS] == list(range(10))


@pytest.mark.parametrize(
    ("label", "action"),
    [
        *[("PASS", Action.PASS), ("high_pass", Action.HIGH_PASS), (" Throw  in ", Action.THROW_IN)],
        *[("block", Action.BLOCK), ("FREE KICK", None), ("goal", None)],
    ],
)
def test_labels_in_any_spelling_some_of_them_dropped(label, action):
    assert parse_action(label) is action


@pytest.mark.parametrize("label", ["", "PAS", "CORNER", "None"])
def test_unknown_labels_are_refused(label):
    with pytest.raises(RecordError, match="unknown label"):
        parse_action(label)


def test_the_papers_grid():
    assert (GRID.snippet_span_frames, GRID.n_snippets, GRID.window_ms, GRID.observation_ms) == (29, 33, 5000, 30000)


@pytest.mark.parametrize("value", [1.5, "1.5", True, None, "", "abc", math.nan, [1]])
def test_positions_that_are_not_whole_milliseconds(value):
    with pytest.raises(RecordError, match="not a whole number"):
        whole_ms(value)


@pytest.mark.parametrize(("value", "ms"), [(31240, 31240), ("31240", 31240), ("0", 0)])
def test_positions_as_strings_or_integers(value, ms):
    assert whole_ms(value) == ms


def test_game_time():
    assert parse_game_time("2 - 12:34") == (2, 754_000)
    for wrong in ("6 - 00:00", "0 - 00:00", "1 - 00:60", "12:34", "1-"):
        with pytest.raises(RecordError):
            parse_game_time(wrong)


@pytest.mark.parametrize(
    ("text", "ms"), [("12:30", 750_000), ("1:02:03.5", 3_723_500), ("90", 90_000), ("0:30", 30_000)]
)
def test_clock(text, ms):
    assert parse_clock(text) == ms
    for wrong in ("", "a", "1:2:3:4", "-3"):
        with pytest.raises(RecordError):
            parse_clock(wrong)


@given(st.integers(0, 10**7))
def test_clock_shows_what_it_reads(ms):
    assert abs(parse_clock(format_clock(ms)) - ms) <= 50


def test_durations():
    assert [format_duration(s) for s in (3, 75, 3_780)] == ["3 s", "1 min 15 s", "1 h 03 min"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((-1, Action.PASS), "negative"),
        ((1.0, Action.PASS), "not a whole number"),
        ((1, "PASS"), "not an Action"),
        ((1, Action.PASS, "both"), "team"),
    ],
)
def test_events_refuse_bad_values(values, reason):
    with pytest.raises(RecordError, match=reason):
        ActionEvent(*values)


def test_clips_refuse_events_outside_their_window():
    with pytest.raises(RecordError, match=r"anticipation 0: position 29999 ms is outside 30000\.\.35000"):
        Clip("clip_1", "clip_1/224p.mp4", (), (ActionEvent(29_999, Action.PASS),))
    with pytest.raises(RecordError, match="observation 0"):
        Clip("clip_1", "clip_1/224p.mp4", (ActionEvent(30_001, Action.PASS),), None)


GOOD = {"action": Action.PASS, "offset_ms": 100, "confidence": 0.5, "class_confidence": (0.05,) * 10}


@pytest.mark.parametrize(
    "change",
    [
        {"offset_ms": 5001},
        {"offset_ms": -1},
        {"offset_ms": 1.5},
        {"confidence": math.nan},
        {"confidence": 1.01},
        {"class_confidence": (0.1,) * 9},
        {"class_confidence": (math.inf,) * 10},
        {"action": "PASS"},
    ],
)
def test_anticipations_refuse_bad_values(change):
    Anticipation(**GOOD)
    with pytest.raises(RecordError):
        Anticipation(**{**GOOD, **change})


def test_errors_say_where_what_and_what_to_do():
    assert str(InputError("a.json", "is broken", "mend it")) == "a.json: is broken (mend it)"
    assert str(InputError("a.json", "is broken")) == "a.json: is broken"


def test_notices_are_counted_named_and_taken_once():
    notices = Notices(most=5)
    notices.count("bad rows dropped", example="row 1")
    for row in range(2, 6):
        notices.count("bad rows dropped", example=f"row {row}")
    notices.count("events of the shoot-out not read", 0)
    notices.add("a leak")
    notices.add("a leak")
    notices.add_all(f"clock {half}" for half in range(5))
    named = ["5 bad rows dropped: row 1; row 2; row 3 and 2 more", "a leak", "clock 0", "clock 1", "clock 2"]
    assert notices.lines == [*named, "and 2 more notices like these"]
    notices.add("one too many")
    assert notices.take() == [named[0], "1 more notices", *named[1:], "and 2 more notices like these"]
    assert notices.lines == []


def test_rows_become_columns_and_rows_again():
    rows = [FeedRow(2, 5, 0, setpiece=SetPiece.CORNER), FeedRow(2, 7, 13, 1, 20, 30, 255, 400, 10, 80)]
    half = FeedHalf.from_rows(3, 2, rows, reports=frozenset({0, 13}))
    assert half.rows == rows
    assert {name: column.dtype for name, column in half.columns.items()} == COLUMNS
    assert not len(FeedHalf.from_rows(3, 1, []))
    for wrong in (rows[::-1], [FeedRow(2, 5, 14)], [FeedRow(2, -5, 1)], [FeedRow(2, 5, 1, x=101)]):
        with pytest.raises(RecordError, match=r"^row \d: "):
            FeedHalf.from_rows(3, 2, wrong)
