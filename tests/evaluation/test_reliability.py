"""Confidences beside what happened, on cases small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.evaluation.exact import TimedEvents
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import TOLERANCES_S
from playahead.evaluation.reliability import came_near, reliability, rows_of
from tests.support.tables import random_table, table_of


def events(*found: tuple[int, int, float], classes=tuple(range(10))) -> TimedEvents:
    """(clip, class, ms) each."""
    clip, class_index, time_ms = (np.array(column) for column in zip(*found, strict=True))
    return TimedEvents(clip, class_index, time_ms.astype(float), classes=classes)


def table(*rows: tuple[int, int, int, float], classes=tuple(range(10))) -> FrameTable:
    """(clip, frame, class, confidence) each."""
    return table_of((), rows, classes=classes)


def test_a_row_is_right_at_the_tolerances_whose_half_reaches_an_action():
    """Frame 0 is shown at 80 ms: an action 500 ms later is reached by +- 0.5 s, one 501 ms later only from 2 s on."""
    guess = table((0, 0, 3, 0.4))
    (row,) = reliability(events((0, 3, 580)), guess)
    assert (row.low, row.high, row.anticipations, row.stated) == (0.4, 0.5, 1, pytest.approx(0.4))
    assert row.happened == 1
    assert reliability(events((0, 3, 581)), guess)[0].happened == pytest.approx(5 / 6)
    assert reliability(events((0, 2, 580)), guess)[0].happened == 0, "of another class"


def test_the_last_frame_is_shown_within_the_five_seconds():
    assert reliability(events((0, 3, 4_500)), table((0, 31, 3, 0.4)))[0].happened == 1


def test_each_row_is_read_by_itself_and_once_counts_an_action_once():
    rows = table((0, 10, 0, 0.62), (0, 12, 0, 0.61))
    (row,) = reliability(events((0, 0, 1_680)), rows)
    assert (row.anticipations, row.happened, row.once) == (2, 1, 0.5)
    (row,) = reliability(events((0, 0, 1_680), (0, 0, 2_000)), rows)
    assert row.once == 1


def test_only_what_people_are_shown_counts():
    """Of a frame, the likeliest class; of no class that nobody annotated."""
    rows = table((0, 4, 1, 0.3), (0, 4, 2, 0.7), (0, 9, 5, 0.2), classes=(1, 2))
    (row,) = reliability(events((0, 1, 720), classes=(1, 2)), rows)
    assert (row.low, row.anticipations, row.happened) == (0.7, 1, 0)


def test_certainty_lies_in_the_last_tenth_and_nothing_gives_no_rows():
    assert reliability(events((0, 1, 720)), table((0, 4, 1, 1.0)))[0].high == 1.0
    assert reliability(events((0, 1, 720)), table()) == []
    nothing = TimedEvents(*(np.zeros(0, int) for _ in range(3)))
    assert reliability(nothing, table((0, 4, 1, 0.5)))[0].happened == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_near_is_what_trying_every_action_finds(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    found = TimedEvents(rng.integers(0, 6, n), rng.integers(0, 10, n), rng.uniform(0, 5_000, n))
    rows = rows_of(random_table(rng, 6).scores_NRV[:, :, 1:], found)
    for row, share in enumerate(came_near(found, rows)):
        mine = (found.clip == rows.clip[row]) & (found.class_index == rows.class_index[row])
        away = np.abs(np.rint(found.time_ms[mine]) - rows.time_ms[row]).min(initial=np.inf)
        assert share == pytest.approx(np.mean([away <= 500 * tolerance for tolerance in TOLERANCES_S]))
