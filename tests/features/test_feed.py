"""Step features of a feed: what they say, and that they cannot see the future, nor more than 30 s of the past."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import Action
from playahead.domain.feed import DUEL, N_CODES, UNKNOWN, FeedHalf
from playahead.features.feed import (
    FEATURE_NAMES,
    N_FEATURES,
    mirror,
    prepare_track,
    swap_sides,
    window_features,
)

WINDOW_MS = 5_000


def feed(*rows: tuple[int, int, int, int, int], delay_ms: int = 0, **changed) -> FeedHalf:
    """Rows of (t_ms, code, team, x, y)."""
    columns = zip(*rows, strict=True)
    t_ms, code, team, x, y = (np.array(column, np.uint8 if n else np.int32) for n, column in enumerate(columns))
    nothing, delays = np.zeros(len(t_ms), np.uint8), np.full(len(t_ms), delay_ms, np.uint16)
    return replace(FeedHalf(1, 1, t_ms, code, team, x, y, nothing, delays), **changed)


def window(half: FeedHalf, end_ms: int = WINDOW_MS) -> np.ndarray:
    return window_features(prepare_track(half), np.array([end_ms]))[0]


def column(name: str) -> int:
    return FEATURE_NAMES.index(name)


@st.composite
def feeds(draw) -> FeedHalf:
    """Feeds that hold anything a feed may hold."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    words = {"code": range(N_CODES), "team": [0, 1, UNKNOWN], "confidence": [0, 70, 100, UNKNOWN]}
    words |= {"x": [0, 30, 50, 100, 255], "y": [0, 30, 50, 100, 255], "setpiece": [0, 1, 2, 3, 4, 5, 9, UNKNOWN]}
    rows = {name: rng.choice(values, n).astype(np.uint8) for name, values in words.items()}
    rows |= {
        "delay_ms": rng.choice([0, 400, 5000], n).astype(np.uint16),
        "late_ms": rng.choice([0, 3000], n).astype("u2"),
    }
    rows["t_ms"] = np.sort(rng.integers(0, 60_000, n)).astype(np.int32)
    reports, since_ms = frozenset(rng.choice(N_CODES, 9).tolist()), int(rng.choice([0, 20_000]))
    return FeedHalf(1, 1, **rows, reports=reports, clock_known=bool(rng.integers(2)), seen_from_ms=since_ms)


def shuffle_rest(half: FeedHalf, fixed: np.ndarray, seed: int) -> FeedHalf:
    """The half with everything but the times of the other rows changed."""
    rng = np.random.default_rng(seed)
    changed = {}
    for name, high in (("code", N_CODES), ("team", 2), ("x", 101), ("y", 101), ("setpiece", 6)):
        old = getattr(half, name)
        changed[name] = np.where(fixed, old, rng.integers(0, high, len(half))).astype(np.uint8)
    return replace(half, **changed)


@settings(max_examples=80, deadline=None)
@given(half=feeds(), end_ms=st.integers(0, 70_000), seed=st.integers(0, 2**16))
def test_rows_outside_the_window_and_places_of_delayed_ones_never_change_a_feature(half, end_ms, seed):
    """So an observation of six windows rests on exactly 30 s. A delayed row's place is the next action's."""
    seen = window(half, end_ms)
    for inside in (half.visible_ms < end_ms, half.visible_ms >= end_ms - WINDOW_MS):
        np.testing.assert_array_equal(seen, window(half.take(inside), end_ms))
        np.testing.assert_array_equal(seen, window(shuffle_rest(half, inside, seed), end_ms))
    rng = np.random.default_rng(seed)
    moved = {n: np.where(half.delay_ms > 0, rng.integers(0, 101, len(half)), getattr(half, n)) for n in ("x", "y")}
    elsewhere = replace(half, **{name: column.astype(np.uint8) for name, column in moved.items()})
    np.testing.assert_array_equal(seen, window(elsewhere, end_ms))


def test_the_ball_stays_where_it_was_last_seen():
    passed, drive = feed((1_000, 0, 0, 60, 20)), feed((2_000, Action.DRIVE.class_index, 0, 90, 90), delay_ms=400)
    both = FeedHalf(1, 1, **{name: np.r_[column, drive.columns[name]] for name, column in passed.columns.items()})
    features = window(both)
    assert features[-1, column("last_1")] == 1, "the drive itself is seen"
    assert (features[10:, column("x")] == features[9, column("x")]).all()
    assert (features[:, column("dx")] == 0).all()


@settings(max_examples=60, deadline=None)
@given(half=feeds(), end_ms=st.integers(0, 70_000))
def test_each_step_is_causal_finite_and_small(half, end_ms):
    """Cutting the feed at any step's end leaves that step and all before it as they were."""
    whole = window(half, end_ms)
    step_end_ms = end_ms - WINDOW_MS + 17 * WINDOW_MS / 33
    cut = half.take(half.visible_ms < step_end_ms)
    np.testing.assert_array_equal(whole[:17], window(cut, end_ms)[:17])
    assert (whole.shape, whole.dtype) == ((33, N_FEATURES), np.float32)
    assert np.abs(whole).max() <= 9


def test_an_action_shows_in_its_step_and_stays_known():
    features = window(feed((1_000, Action.PASS.class_index, 0, 60, 20), confidence=np.array([40], np.uint8)))
    arrived = features[:, column("arrived_0")]
    assert arrived.nonzero()[0].tolist() == [6], "1000 ms lies in step 6 of 151.5 ms"
    assert arrived[6] == features[-1, column("confidence")] == pytest.approx(0.4), "doubtful rows count less"
    assert features[:6, column("seen")].sum() == 0
    assert (features[6:, column("last_0")] == 1).all()
    assert features[-1, column("age")] == pytest.approx(4.0 / 5)
    delayed = window(feed((1_000, Action.DRIVE.class_index, 0, 60, 20), delay_ms=400))
    assert delayed[:, column("arrived_1")].nonzero()[0].tolist() == [9]


def test_what_the_source_and_the_observation_do_not_hold_is_named():
    rows = (1_000, 0, 0, 60, 20), (3_000, 1, 0, 70, 20)
    features = window(feed(*rows, seen_from_ms=2_000, clock_known=False, reports=frozenset({0, 3})))
    assert not features[:, column("arrived_0")].any(), "it came before the observation"
    assert features[:, column("observed")].nonzero()[0][0] == 13, "2000 ms lies in step 13"
    assert features[-1, column("last_1")] == 1
    assert not features[:, [column("clock"), column("clock_known")]].any()
    reports = features[:, column("reports_0") : column("reports_0") + N_CODES]
    assert (reports.nonzero()[1].reshape(33, 2) == [0, 3]).all()
    assert not window(feed(*rows), 0)[:, column("observed")].any(), "before kick-off"


@pytest.mark.parametrize("team", [0, 1])
def test_positions_are_turned_to_the_side_in_possession(team):
    """Near the goal under attack is x near 1 for both sides; a duel of the other side does not turn the pitch."""
    pass_row = (1_000, Action.PASS.class_index, team, 95, 10)
    duel_row = (2_000, DUEL, 1 - team, 5, 90)
    features = window(feed(pass_row, duel_row))
    for name, value in (("x", 0.9), ("y", -0.8), ("actor_in_possession", -1.0)):
        assert features[-1, column(name)] == pytest.approx(value)
    assert features[-1, column("side")] == (1 if team == 0 else -1)


def test_mirror_and_swap_are_the_mirrored_and_swapped_feed(played_half):
    ends = np.arange(30_000, 200_000, 5_000)
    plain = window_features(prepare_track(played_half), ends)
    mirrored = replace(played_half, y=(100 - played_half.y).astype(np.uint8))
    swapped = replace(played_half, team=1 - played_half.team)
    np.testing.assert_allclose(mirror(plain), window_features(prepare_track(mirrored), ends), atol=1e-6)
    np.testing.assert_allclose(swap_sides(plain), window_features(prepare_track(swapped), ends), atol=1e-6)


def test_an_empty_feed_says_only_what_time_it_is():
    half = feed((1_000, 0, 0, 50, 50)).take(np.zeros(1, bool))
    features = window(half, 30_000)
    always = {"gap", "age", "clock", "observed", "clock_known", *(f"reports_{code}" for code in range(N_CODES))}
    assert set(np.flatnonzero(features.any(axis=0))) == {column(name) for name in always}
    assert features[-1, column("clock")] == pytest.approx(30 / 2700 - 0.5)


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"team": UNKNOWN}, ("team_known", "side", "actor_in_possession", "possession")),
        ({"x": UNKNOWN}, ("position_known", "x", "y", "off_centre", "goal_distance", "dx", "dy", "speed")),
        ({"setpiece": UNKNOWN}, ("setpiece_known", "setpiece_1")),
        ({"confidence": UNKNOWN}, ("confidence_known", "confidence")),
    ],
)
def test_what_a_source_does_not_say_is_told_apart(change, unknown):
    """Everything else stays as it was, and the first of these columns says that it is not known."""
    rows = feed((1_000, 0, 0, 60, 20), (2_000, Action.THROW_IN.class_index, 0, 80, 0))
    half = replace(rows, setpiece=np.array([0, 1], np.uint8), confidence=np.full(2, 100, np.uint8))
    known = window(half)
    without = window(replace(half, **{name: np.full(2, value, np.uint8) for name, value in change.items()}))
    assert known[-1, column(unknown[0])] == 1
    assert not without[:, [column(name) for name in unknown]].any()
    changed = set(np.flatnonzero((known != without).any(axis=0)))
    assert changed <= {column(name) for name in unknown}


def test_a_late_row_shows_when_it_arrives_and_says_how_late():
    features = window(feed((1_000, 0, 0, 60, 20), late_ms=np.array([2_500], np.uint16)))
    assert features[:, column("seen")].nonzero()[0][0] == 23, "3500 ms lies in step 23"
    assert features[-1, column("lateness")] == pytest.approx(0.25)
    assert features[-1, column("position_known")] == 1, "a late row is no inference"
