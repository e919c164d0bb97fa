"""Greedy peaks on intensities small enough to think through, and properties on any."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.decoding.marginal import (
    PEAKS_PER_CLASS,
    PLACE_WEIGHTS,
    decode_marginal,
    greedy_peaks,
    near_probabilities,
    take_out,
)
from playahead.decoding.predictions import DensePredictions, SlotPredictions, bins_to_frames

REACHES = (3, 6, 9, 12, 15, 31)


def row(**at: float) -> np.ndarray:
    intensity = np.zeros((1, 32), np.float32)
    for frame, mass in at.items():
        intensity[0, int(frame[1:])] = mass
    return intensity


def test_confidence_is_the_mean_chance_over_the_tolerances():
    """Mass 0.4 in frame 0, 0.3 in frame 8: a guess at frame 3 reaches the first at @1s (3 frames), both from @2s on."""
    found = greedy_peaks(row(f0=0.4, f8=0.3).T)
    expected = (5 * (1 - np.exp(-0.7)) + (1 - np.exp(-0.4))) / 6
    assert found.max() == pytest.approx(expected, rel=1e-5)


def test_what_is_explained_is_taken_out():
    """Of mass 1 within reach, exp(-1) is left: at the peak for all tolerances, 9 frames off for four of six."""
    left = take_out(row(f16=1.0, f25=1.0).T, np.array([16]), np.ones((6, 1), np.float32))[:, 0]
    assert left[16] == pytest.approx(np.exp(-1), rel=1e-5)
    assert left[25] == pytest.approx((2 + 4 * np.exp(-1)) / 6, rel=1e-5)


def one_class(row_R: np.ndarray) -> np.ndarray:
    intensity = np.zeros((1, 32, 10), np.float32)
    intensity[0, :, 4] = row_R
    return intensity


def test_a_confidence_is_the_probability_of_any_such_action_near():
    """Two sure actions far apart: each row has its own within reach, and from @11s on the other's, too."""
    intensity = one_class(row(f2=0.6, f29=0.6)[0])
    scores = decode_marginal(intensity)
    near = near_probabilities(intensity, scores)[0, :, 5]
    first, second = np.flatnonzero(near)
    assert (first, second) == (scores[0, :, 5].nonzero()[0][0], scores[0, :, 5].nonzero()[0][-1])
    alone, both = 1 - np.exp(-0.6), 1 - np.exp(-1.2)
    assert near[[first, second]] == pytest.approx((5 * alone + both) / 6, rel=1e-4)


def test_a_row_whose_action_is_mostly_a_surer_rows_is_not_shown():
    """One action that lies anywhere in 1.3 s is picked twice; people are told of it once."""
    intensity = one_class(row(**{f"f{frame}": 0.12 for frame in range(10, 18)})[0])
    scores = decode_marginal(intensity)
    assert (scores > 0).sum() == 2
    assert (near_probabilities(intensity, scores) > 0).sum() == 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.001, 3))
def test_confidences_of_any_intensity(seed, scale):
    """No surer than the action near it, no less sure than its own; an example's never depend on its neighbours'."""
    intensity = (np.random.default_rng(seed).random((4, 32, 10)) ** 4 * scale).astype(np.float32)
    scores = decode_marginal(intensity)
    near = near_probabilities(intensity, scores)
    shown = near > 0
    assert (scores[shown] > 0).all()
    assert (near[shown] >= scores[shown] * (1 - 1e-4)).all()
    assert (scores[shown] * 1.5 >= near[shown] * (1 - 1e-4)).all()
    assert near.max() <= 1
    alone = [near_probabilities(intensity[n : n + 1], scores[n : n + 1]) for n in range(4)]
    np.testing.assert_array_equal(np.concatenate(alone), near)
    surest = scores[:, :, 1:].max(axis=1)
    assert (near[:, :, 1:].max(axis=1) >= surest * (1 - 1e-4)).all(), "a class's surest row is always shown"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.001, 3))
def test_properties_of_any_intensity(seed, scale):
    intensity = (np.random.default_rng(seed).random((4, 32, 10)) ** 4 * scale).astype(np.float32)
    intensity[3] = 0
    kept = intensity.copy()
    scores = decode_marginal(intensity)
    np.testing.assert_array_equal(intensity, kept, err_msg="the input is left alone")
    assert scores.shape == (4, 32, 11)
    assert not scores[:, :, 0].any(), "no background score"
    assert not scores[3].any(), "nothing expected, nothing anticipated"
    assert 0 <= scores.min() <= scores.max() <= 1
    assert (scores[:, :, 1:] > 0).sum(axis=1).max() <= PEAKS_PER_CLASS


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_first_guess_is_the_best_single_one(seed):
    """Against trying every frame: the best place by the weights, with its mean chance as confidence."""
    intensity = (np.random.default_rng(seed).random((1, 32)) ** 6).astype(np.float32)
    probability_RH = np.array(
        [[1 - np.exp(-intensity[0, max(f - h, 0) : f + h + 1].sum()) for h in REACHES] for f in range(32)]
    )
    place = int((probability_RH @ PLACE_WEIGHTS).argmax())
    assert greedy_peaks(intensity.T)[place, 0] == pytest.approx(probability_RH[place].mean(), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(n_bins=st.integers(1, 64))
def test_bins_become_frames_without_loss(n_bins):
    share = bins_to_frames(n_bins)
    assert share.shape == (n_bins, 32)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-5)


def test_slots_and_probabilities_become_intensities():
    predictions = SlotPredictions(
        np.array([[0.5, 0.25]], np.float32),
        np.eye(10, dtype=np.float32)[[3, 3]][None],
        np.eye(20, dtype=np.float32)[[0, 19]][None],
    )
    intensity = predictions.intensity()
    assert intensity.shape == (1, 32, 10)
    np.testing.assert_allclose(intensity[0, :, 3].sum(), 0.75, rtol=1e-5)
    np.testing.assert_allclose(intensity[0, 0, 3], 0.5 * 160 / 250, rtol=1e-5)
    rates = DensePredictions(np.array([0.0, 0.5, 1.0], np.float32).reshape(1, 3, 1)).intensity().ravel()
    assert rates[:2] == pytest.approx([0, np.log(2)], rel=1e-5)
    assert np.isfinite(rates[2])
