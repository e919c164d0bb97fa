"""Worse sources of the same matches: what they lose and invent; labels and the future stay out of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.examples import FeedExamples
from playahead.datasets.pasts import PASTS, Past, past_of, random_past
from playahead.datasets.spotters import CAREFUL, FAIR, GREEDY, STRONG, SpotterNoise
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import UNKNOWN
from playahead.features.feed import FEATURE_NAMES, prepare_track
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import simulate_half

RATES_PER_S = np.array([800, 700, 80, 60, 45, 25, 20, 90, 50, 20]) / 5400
LONG = simulate_half(5, match=3, minutes=120)


def columns(*names: str) -> list[int]:
    return [FEATURE_NAMES.index(name) for name in names]


@pytest.mark.parametrize("name", PASTS)
def test_labels_are_what_happened_whatever_is_seen(played_half, name):
    whole = FeedEvaluationSet([played_half])
    seen = whole.seen_as(past_of(name))
    for ours, theirs in zip(whole.following, seen.following, strict=True):
        np.testing.assert_array_equal(ours.class_OE, theirs.class_OE)
        np.testing.assert_array_equal(ours.time_OE, theirs.time_OE)
    windows, worse = next(iter(whole.batches())), next(iter(seen.batches()))
    assert windows.shape == worse.shape
    lost_nothing = name in ("full feed", "codes alone")  # windows hold nothing finer than codes
    assert lost_nothing == np.array_equal(windows, worse)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("no positions", ("position_known", "x", "goal_distance")),
        ("no teams", ("team_known", "side", "possession")),
        ("no tokens", ("arrived_10", "reports_10", "reports_13")),
        ("labels only", ("position_known", "team_known", "reports_12", "setpiece_4")),
        ("nothing seen", ("seen", "observed", "actions")),
    ],
)
def test_what_is_not_told_is_not_in_the_features(played_half, name, lost):
    track = prepare_track(past_of(name).observe(played_half))
    assert not track.windows(np.array([120_000, 125_000]))[..., columns(*lost)].any()


@pytest.mark.parametrize("noise", [CAREFUL, GREEDY], ids=["careful", "greedy"])
def test_a_spotter_finds_and_invents_as_many_as_it_should(noise: SpotterNoise):
    half = LONG.take(LONG.code < len(ACTIONS))
    seen = replace(noise, error_scale=0.0).spot(half, np.random.default_rng(0))
    true = {(int(t), int(code)) for t, code in zip(half.t_ms, half.code, strict=True)}
    is_true = np.array([pair in true for pair in zip(seen.t_ms.tolist(), seen.code.tolist(), strict=True)])
    for c in range(len(ACTIONS)):
        happened, spotted = (half.code == c).sum(), seen.code == c
        if happened > 200:
            assert (spotted & is_true).sum() / happened == pytest.approx(noise.recall_C[c], abs=0.07)
            assert (spotted & is_true).sum() / spotted.sum() == pytest.approx(noise.precision_C[c], abs=0.07)
    confidence = seen.confidence[is_true].mean() - seen.confidence[~is_true].mean()
    assert confidence > 15
    assert (seen.team == UNKNOWN).all()


@pytest.mark.parametrize("noise", [STRONG, FAIR], ids=["strong", "fair"])
def test_of_a_calibrated_spotters_rows_as_many_are_true_as_it_says(noise: SpotterNoise):
    half = LONG.take(LONG.code < len(ACTIONS))
    seen = replace(noise, error_scale=0.0).spot(half, np.random.default_rng(0))
    true = {(int(t), int(code)) for t, code in zip(half.t_ms, half.code, strict=True)}
    is_true = np.array([pair in true for pair in zip(seen.t_ms.tolist(), seen.code.tolist(), strict=True)])
    assert seen.confidence.min() == round(100 * noise.min_confidence)
    for low in range(0, 100, 20):
        among = (seen.confidence >= low) & (seen.confidence < low + 20)
        assert is_true[among].mean() == pytest.approx(seen.confidence[among].mean() / 100, abs=0.04)


def test_a_spotter_counts_as_many_actions_of_the_half_so_far_as_it_reports_in_it():
    half = LONG.take(LONG.code < len(ACTIONS))
    late = half.take(half.t_ms > 3_600_000).changed(tally=half.tally_until(3_600_000))
    counted = np.sum([FAIR.spot(late, np.random.default_rng(s)).tally.count_TK.sum() for s in range(20)]) / 20
    early = half.take(half.t_ms <= 3_600_000)
    reported = np.sum([len(FAIR.spot(early, np.random.default_rng(s))) for s in range(20)]) / 20
    assert counted == pytest.approx(reported, rel=0.1)


def test_a_spotter_reports_nothing_before_it_happens():
    noise = SpotterNoise((1.0,) * 10, (1.0,) * 10, error_scale=3.0)
    half = LONG.take(LONG.code < len(ACTIONS))
    seen = noise.spot(half, np.random.default_rng(1))
    assert len(seen) == len(half)
    for c in range(len(ACTIONS)):
        assert (np.sort(seen.t_ms[seen.code == c]) >= np.sort(half.t_ms[half.code == c])).all()
    shift_ms = np.sort(seen.t_ms) - np.sort(half.t_ms)
    assert shift_ms.mean() > 50


def test_what_a_spotter_makes_up_in_a_short_stretch_tells_nothing_of_it():
    """Stretches that end with a tackle and the same ones without it show as many false tackles."""
    tackle = ACTIONS.index(Action.TACKLE)
    calm = LONG.take((LONG.code < len(ACTIONS)) & (LONG.code != tackle) & (LONG.t_ms < 60_000))
    with_one = replace(calm, code=np.r_[calm.code[:-1], np.uint8(tackle)])
    never_found = SpotterNoise((0.01,) * 10, (0.0005,) * 10)
    usual_C = RATES_PER_S * 60
    told = [
        sum((never_found.spot(half, np.random.default_rng(seed), usual_C).code == tackle).sum() for seed in range(300))
        for half in (calm, with_one)
    ]
    expected = 300 * usual_C[tackle] * 0.01 * (1 / 0.0005 - 1)
    assert told == pytest.approx([expected, expected], rel=0.1)


def test_a_match_is_seen_the_same_way_every_time(played_half):
    first, again = (past_of("greedy spotter").observe(played_half) for _ in range(2))
    np.testing.assert_array_equal(first.t_ms, again.t_ms)
    other = past_of("greedy spotter").observe(replace(played_half, match=played_half.match + 1))
    assert not np.array_equal(first.t_ms, other.t_ms)
    late = past_of("5 s late").observe(played_half)
    np.testing.assert_array_equal(late.visible_ms, played_half.visible_ms + 5000)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), end_ms=st.integers(1_000, 200_000))
def test_any_source_gives_a_feed_with_features(seed, end_ms):
    half = simulate_half(seed % 7, minutes=3)
    seen = random_past(half, half, end_ms - 30_000, end_ms, RATES_PER_S, np.random.default_rng(seed))
    windows = prepare_track(seen).windows(np.array([end_ms]))
    assert np.isfinite(windows).all()
    assert np.abs(windows).max() <= 9


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_only_the_past_of_an_example_is_degraded(seed):
    """Degraded or not, the same draw has the same labels, and the same true presence."""
    half = simulate_half(3, minutes=8)
    plain, degraded = FeedExamples([half], 2), FeedExamples([half], 2, degraded=1.0)
    batch = degraded.batch(np.array([2]), np.random.default_rng(seed))
    end_ms = int(batch.names_B[0].split()[-2])
    following = plain._labels[0].following(np.array([end_ms, end_ms + 5_000]))
    np.testing.assert_array_equal(batch.targets.class_OE.numpy(), following.class_OE)
    true_BWNF = prepare_track(half).windows(np.array([end_ms, end_ms + 5_000]))
    np.testing.assert_array_equal(batch.targets.presence_BWNC[0].numpy(), true_BWNF[..., : len(ACTIONS)])


def test_a_degraded_set_asks_from_the_first_second_on():
    examples, rng = FeedExamples([simulate_half(3, minutes=8)], 2, degraded=1.0), np.random.default_rng(0)
    ends_ms = [int(examples.batch(np.array([0]), rng).names_B[0].split()[-2]) for _ in range(200)]
    assert 1_000 <= min(ends_ms) < 30_000


def test_an_unknown_past_is_named():
    with pytest.raises(InputError, match="past: 'foggy' is not one of full feed, no positions"):
        past_of("foggy")
    with pytest.raises(InputError, match=r"Past\.late_s: -1"):
        Past(late_s=-1)


def test_an_empty_half_can_be_seen_through_anything():
    empty = LONG.take(np.zeros(len(LONG), bool))
    assert not any(len(past.observe(empty)) for past in PASTS.values())
