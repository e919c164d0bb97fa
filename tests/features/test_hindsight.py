"""What only the future tells is taken out of a feed, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain import feed
from playahead.domain.feed import ESTIMATED_OUT, UNKNOWN, Detail, FeedHalf, FeedRow
from playahead.features.hindsight import seen_live
from playahead.features.now import prepare_moments
from tests.support.feeds import feeds

_ROW = FeedRow(1, 0, feed.PASS, team=0, x=60, y=20, setpiece=0, player=3, role=1)


def seen(*rows: dict) -> list[FeedRow]:
    return seen_live(FeedHalf.from_rows(1, 1, [replace(_ROW, **row) for row in rows])).rows


@settings(max_examples=150, deadline=None)
@given(half=feeds(), before_ms=st.integers(0, 70_000), passes_ms=st.integers(1, 40_000))
def test_what_is_shown_of_a_moment_rests_on_what_was_visible_by_then(half, before_ms, passes_ms):
    """Cut the future; at an earlier moment, count and drop rows as a session does: a model sees the same."""
    ends = np.array([before_ms + passes_ms])
    whole = prepare_moments(seen_live(half)).at(ends)
    known = half.take(half.visible_ms < ends[0])
    np.testing.assert_array_equal(whole, prepare_moments(seen_live(known)).at(ends))
    tally = seen_live(half.take(half.visible_ms < before_ms)).tally_until(before_ms - 30_000)
    rest = replace(half.take(half.visible_ms >= before_ms - 40_000), tally=tally)
    np.testing.assert_array_equal(whole, prepare_moments(seen_live(rest)).at(ends))


def test_a_touch_is_judged_by_who_has_played_on_after_four_tenths():
    touch = {"t_ms": 1_000, "detail": Detail.TOUCH}
    for written in ({"code": feed.TOUCH}, {"code": feed.DRIVE, "delay_ms": 400}):
        kept, _ = seen({**touch, **written}, {"t_ms": 1_500, "team": 1})
        lost, _ = seen({**touch, **written}, {"t_ms": 1_300, "team": 1})
        assert [(row.code, row.delay_ms) for row in (kept, lost)] == [(feed.DRIVE, 400), (feed.TOUCH, 400)]
    duel, _ = seen({**touch, "code": feed.TOUCH}, {"t_ms": 1_300, "code": feed.DUEL})
    assert duel.code == feed.DRIVE, "a duel does not play the ball"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"code": feed.TACKLE, "detail": Detail.GROUND_DEFENDING_DUEL}, feed.DUEL),
        ({"code": feed.TACKLE}, feed.DUEL),
        ({"code": feed.DUEL, "detail": Detail.AIR_DUEL}, feed.HEADER),
        ({"code": feed.PASS, "detail": Detail.CLEARANCE}, feed.HIGH_PASS),
        ({"code": feed.HEADER, "detail": Detail.CLEARANCE}, feed.HEADER),
        ({"code": feed.HIGH_PASS, "detail": Detail.GOAL_KICK}, feed.PASS),
        ({"code": feed.PASS, "detail": Detail.CORNER}, feed.CROSS),
        ({"code": feed.HIGH_PASS, "detail": Detail.HIGH_PASS}, feed.HIGH_PASS),
        ({"code": feed.BLOCK, "detail": Detail.TOUCH}, feed.BLOCK),
        ({"code": feed.DRIVE, "delay_ms": 400}, feed.DRIVE),
    ],
)
def test_classes_that_the_end_decides_are_merged(row, code):
    (shown,) = seen(row)
    assert shown.code == code


@pytest.mark.parametrize("winner", [0, 1])
def test_a_loose_ball_says_where_and_not_who_wins_it(winner):
    place = {"x": 70, "y": 10} if winner == 0 else {"x": 30, "y": 90}
    duel = {"t_ms": 3_000, "code": feed.DUEL, "detail": Detail.GROUND_LOOSE_BALL_DUEL, "team": winner, **place}
    _, shown = seen({"t_ms": 1_000, "team": 0}, duel)
    assert (shown.team, shown.x, shown.y, shown.player, shown.role) == (0, 70, 10, UNKNOWN, UNKNOWN)
    (alone,) = seen(duel)
    assert (alone.team, alone.x, alone.y) == (UNKNOWN, UNKNOWN, UNKNOWN), "nobody had played in the 5 s before"


def test_an_estimated_out_is_told_three_seconds_into_the_pause():
    """It stands in the middle of a pause of four seconds, which nobody knew to be over then."""
    out = {"t_ms": 12_000, "code": feed.OUT, "setpiece": ESTIMATED_OUT, "x": UNKNOWN, "y": UNKNOWN}
    _, shown, _ = seen({"t_ms": 10_000}, out, {"t_ms": 14_000, "setpiece": 1, "code": feed.THROW_IN})
    assert shown.t_ms + shown.delay_ms == 13_000


def test_rows_without_details_stay_but_for_tackles(played_half):
    shown = seen_live(played_half)
    is_tackle = played_half.code == feed.TACKLE
    np.testing.assert_array_equal(shown.code, np.where(is_tackle, feed.DUEL, played_half.code))
    for name in ("t_ms", "team", "x", "y", "delay_ms"):
        np.testing.assert_array_equal(getattr(shown, name), getattr(played_half, name))
    assert feed.TACKLE not in shown.reports
    ten = replace(played_half, reports=frozenset(range(10)))
    np.testing.assert_array_equal(seen_live(ten).code, ten.code)
    assert seen_live(ten).reports == ten.reports, "a source of the ten actions alone has seen what it says"
