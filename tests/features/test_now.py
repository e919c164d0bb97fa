"""A feed at one moment: what the columns say, and that they see neither the future nor more than 30 s of the past."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.feed import DUEL, FLAGS, N_CODES, PASS, SHOT, TACKLE, TOUCH, UNKNOWN, Detail, FeedHalf, FeedRow
from playahead.features.now import MOMENT_NAMES, MOST_ROWS, ROW_NAMES, mirror, n_columns, prepare_moments
from tests.support.feeds import feeds

_ROW = FeedRow(1, 0, PASS, team=0, x=60, y=20, setpiece=0)


def half_of(*rows: dict, **about) -> FeedHalf:
    return FeedHalf.from_rows(1, 1, [replace(_ROW, **row) for row in rows], **about)


def described(half: FeedHalf, end_ms: int = 30_000, n_rows: int = MOST_ROWS) -> np.ndarray:
    return prepare_moments(half, n_rows).at(np.array([end_ms]))[0, 0]


def of_moment(half: FeedHalf, name: str, end_ms: int = 30_000) -> float:
    return described(half, end_ms)[MOMENT_NAMES.index(name)]


def of_row(half: FeedHalf, name: str, row: int = 0, end_ms: int = 30_000) -> float:
    return described(half, end_ms)[len(MOMENT_NAMES) + row * len(ROW_NAMES) + ROW_NAMES.index(name)]


@settings(max_examples=100, deadline=None)
@given(half=feeds(), end_ms=st.integers(0, 70_000))
def test_only_rows_visible_in_the_last_thirty_seconds_count(half, end_ms):
    """Cutting the future, or counting what lies 35 s back, changes nothing."""
    seen = described(half, end_ms)
    counted = replace(half.take(half.visible_ms >= end_ms - 35_000), tally=half.tally_until(end_ms - 35_000))
    for known in (half.take(half.visible_ms < end_ms), counted):
        np.testing.assert_array_equal(seen, described(known, end_ms))
    assert np.isfinite(seen).all()
    assert np.abs(seen).max() < 100


@settings(max_examples=40, deadline=None)
@given(half=feeds(), end_ms=st.integers(0, 70_000))
def test_a_shorter_description_is_the_beginning_of_a_longer_one(half, end_ms):
    np.testing.assert_array_equal(described(half, end_ms, 4), described(half, end_ms)[: n_columns(4)])


@settings(max_examples=40, deadline=None)
@given(half=feeds(), end_ms=st.integers(0, 70_000))
def test_mirror_is_the_mirrored_feed(half, end_ms):
    other = replace(half, y=np.where(half.y == UNKNOWN, UNKNOWN, 100 - half.y.astype(int)).astype(np.uint8))
    np.testing.assert_allclose(mirror(described(half, end_ms)), described(other, end_ms), atol=1e-6)


def test_what_a_side_did_so_far_is_counted_from_its_first_row_on():
    rows = [{"t_ms": 1_000, "team": 1, "code": SHOT}, {"t_ms": 2_000}, {"t_ms": 70_000}]
    half = half_of(*rows, {"t_ms": 80_000, "team": UNKNOWN})
    # After 60 s nobody is in possession: home comes first.
    for end_ms, *counts in ((60_000, 1, 1, 0), (75_000, 2, 1, 0), (90_000, 2, 1, 1)):
        per_row = 40 / (end_ms / 1000 + 120)
        names = (f"own_so_far_{PASS}", f"other_so_far_{SHOT}", f"unknown_so_far_{PASS}")
        assert [of_moment(half, name, end_ms) / per_row for name in names] == pytest.approx(counts), end_ms
    # The away team is: it comes first.
    away = replace(half, team=np.array([1, 0, 1, UNKNOWN], np.uint8))
    assert of_moment(away, f"own_so_far_{SHOT}", 75_000) > 0 == of_moment(away, f"other_so_far_{SHOT}", 75_000)
    # What came before the observation does not count.
    late = replace(half, seen_from_ms=1_500)
    assert of_moment(late, f"other_so_far_{SHOT}", 75_000) == 0
    assert of_moment(replace(late, tally=half.tally_until(1_200)), f"other_so_far_{SHOT}", 75_000) == 0


def test_the_latest_row_comes_first_and_says_what_it_knows():
    half = half_of(
        {"t_ms": 10_000, "player": 5},
        {"t_ms": 26_000, "player": 7, "role": 2, "detail": Detail.SMART_PASS, "flags": 1 << FLAGS.index("left foot")},
        {"t_ms": 28_000, "player": 7, "x": 80},
    )
    assert [of_row(half, name) for name in ("is_there", "code_0", "same_player_as_before", "x")] == [
        1,
        1,
        1,
        pytest.approx(0.6),
    ]
    assert of_row(half, "age") == pytest.approx(2 / 30)
    second = ("detail_smart_pass", "flag_left foot", "role_midfielder", "detail_known", "same_player_as_latest")
    assert [of_row(half, name, 1) for name in second] == [1] * 5
    assert (of_row(half, "same_player_as_latest", 2), of_row(half, "detail_known", 2)) == (0, 0)
    assert not any(of_row(half, name, 3) for name in ROW_NAMES)
    assert of_moment(half, "ball_x") == pytest.approx(0.6)
    assert of_moment(half, "ball_dx") == pytest.approx(0.4)


@pytest.mark.parametrize("team", [0, 1])
def test_places_are_turned_to_the_side_in_possession(team):
    half = half_of(
        {"t_ms": 20_000, "team": team, "x": 95, "y": 10},
        {"t_ms": 21_000, "team": 1 - team, "code": 10, "x": 5, "y": 90},
    )
    assert of_row(half, "x") == of_row(half, "x", 1) == pytest.approx(0.9)
    assert (of_row(half, "in_possession"), of_row(half, "in_possession", 1)) == (-1, 1)
    assert of_moment(half, "possession_known") == 1


def test_the_place_of_a_delayed_row_is_used_only_of_a_touch():
    """An implied drive has the place of the next action; a touch has its own."""
    drive = {"t_ms": 20_000, "code": 1, "delay_ms": 400, "x": 90}
    assert of_row(half_of(drive), "position_known") == 0
    assert of_row(half_of({**drive, "detail": Detail.TOUCH}), "x") == pytest.approx(0.8)


def test_counts_decay_and_doubtful_rows_count_less():
    half = half_of({"t_ms": 29_000}, {"t_ms": 29_000, "code": TOUCH, "confidence": 50, "team": 1})
    assert of_moment(half, "all_0_1") == pytest.approx(np.exp(-1))
    assert of_moment(half, f"all_{TOUCH}_1") == pytest.approx(np.exp(-1) / 2)
    assert of_moment(half, f"own_{TOUCH}_1") == pytest.approx(np.exp(-1) / 2)
    assert of_moment(half, "own_0_1") == 0, "the touch was the last to play the ball"


def test_confidences_tell_a_spotter_from_labels():
    ten, reports = frozenset(range(10)), f"reports_{TACKLE}"
    for confidence, says_tackles in ((UNKNOWN, 0), (80, 1)):
        half = half_of({"t_ms": 20_000, "confidence": confidence}, reports=ten)
        assert of_moment(half, reports) == says_tackles
        assert of_moment(replace(half, reports=ten | {DUEL}), reports) == 1


def test_an_empty_feed_says_only_what_time_it_is():
    half = half_of(clock_known=True)
    named = {name for name, value in zip(MOMENT_NAMES, described(half), strict=False) if value}
    assert named == {"clock", "clock_known", "observed", "watched", *(f"reports_{code}" for code in range(N_CODES))}
    assert not described(half)[len(MOMENT_NAMES) :].any()
