"""Slicing, sampling and sequences."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from playahead.datasets.examples import FeedExamples
from playahead.datasets.slicing import example_ends_ms, frames_of_following, labels_of_half
from playahead.domain.actions import Action
from playahead.features.feed import N_FEATURES, prepare_track
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import simulate_half
from playahead.paper.sampling import example_weights, rare_factors
from playahead.sources.feed_tables import read_split


def test_observations_end_at_thirty_seconds_and_every_five(played_half):
    ends = example_ends_ms(played_half)
    assert ends[0] == 30_000
    assert set(np.diff(ends)) == {5_000}
    assert ends[-1] + 5_000 <= played_half.t_ms[-1] < ends[-1] + 10_000


def test_the_real_test_split_has_the_published_number_of_windows(wyscout_baa):
    assert sum(len(example_ends_ms(half)) for half in read_split(wyscout_baa, "test")) == 72_977


def test_every_action_is_in_exactly_one_future(played_half):
    ends = example_ends_ms(played_half)
    class_OE, time_OE, *_ = labels_of_half(played_half).following(ends)
    found = sorted(
        (int(end + round(float(t) * 5000)), int(c))
        for end, row, times in zip(ends, class_OE, time_OE, strict=True)
        for c, t in zip(row, times, strict=True)
        if c >= 0
    )
    inside = played_half.is_target & (played_half.t_ms > ends[0]) & (played_half.t_ms <= ends[-1] + 5_000)
    assert found == sorted(zip(played_half.t_ms[inside].tolist(), played_half.code[inside].tolist(), strict=True))


def test_two_actions_of_one_frame_and_the_last_frame(played_half):
    """30,100 and 30,150 ms share frame 0, the later stays; 35,000 ms is in the last, which is a quarter filled."""
    half = replace(
        played_half.take(np.arange(3)),
        t_ms=np.array([30_100, 30_150, 35_000], np.int32),
        code=np.array([Action.PASS.class_index, Action.CROSS.class_index, Action.SHOT.class_index], np.uint8),
        setpiece=np.zeros(3, np.uint8),
    )
    labels, visibility = frames_of_following(labels_of_half(half).following(np.array([30_000])))
    assert labels[0, [0, 31]].tolist() == [Action.CROSS.class_index + 1, Action.SHOT.class_index + 1]
    assert (labels[0] != 255).sum() == (visibility[0] == 1).sum() == 2


@pytest.mark.parametrize("observations", [1, 4])
def test_batches_have_the_stated_shapes(observations):
    windows = FeedExamples([simulate_half(0, minutes=6)], observations)
    batch = windows.batch(np.array([0, 1, 2]), np.random.default_rng(0))
    assert batch.features_BWNF.shape == (3, 5 + observations, 33, N_FEATURES)
    assert batch.targets.class_OE.shape[0] == 3 * observations
    assert batch.targets.presence_BWNC.shape == (3, 5 + observations, 33, 10)
    assert batch.features_BWNF.dtype == batch.targets.time_OE.dtype == torch.float32
    assert len(batch.names_B) == 3


@pytest.mark.parametrize("augment", [True, False])
def test_a_generator_decides_the_batch_and_without_augmentation_nothing_does(augment):
    """docs/paper.md 1.4 w: without, the windows at an anchor as they were recorded."""
    half = simulate_half(0, minutes=6)
    windows = FeedExamples([half], 2, augment=augment)
    first, again, other = (windows.batch(np.array([1]), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.features_BWNF, again.features_BWNF)
    assert torch.equal(first.features_BWNF, other.features_BWNF) != augment
    if augment:
        return
    ends_ms = 40_000 + np.arange(2) * 5_000
    np.testing.assert_array_equal(first.features_BWNF[0], prepare_track(half).windows(ends_ms))


def test_a_sequences_last_window_ends_where_its_future_begins():
    """What arrives in observation i + 1's last window is what observation i had to anticipate."""
    windows = FeedExamples([simulate_half(0, minutes=6)], 8)
    batch = windows.batch(np.array([0]), np.random.default_rng(3))
    arrived_WC = batch.targets.presence_BWNC[0].sum(dim=1)
    for observation in range(7):
        coming = batch.targets.class_OE[observation]
        expected = torch.zeros(10)
        expected[coming[coming >= 0]] = 1
        seen = (arrived_WC[6 + observation] > 0).float()
        assert (seen - expected).abs().sum() <= 1, "an action at the very edge may fall on either side"


def test_too_short_halves_are_refused():
    with pytest.raises(InputError, match="no half lasts the 35 s"):
        FeedExamples([simulate_half(0, minutes=0.5)], 1)
    with pytest.raises(InputError, match="below 1"):
        FeedExamples([simulate_half(0, minutes=6)], 0)


@pytest.mark.parametrize("examples", [4, 16])
def test_drawn_times_counted_is_the_factor_at_every_length_of_a_sequence(examples):
    """An example with a tackle counts four times as often as one with nothing rare, whatever it comes with."""
    drawn = FeedExamples([simulate_half(seed, minutes=12) for seed in range(3)], examples)
    weight_A = drawn.rare_weight_A
    times_A = weight_A / weight_A.sum()
    counted: dict[float, list[float]] = {}
    rng = np.random.default_rng(0)
    for anchor in range(len(drawn)):
        for _ in range(4):
            class_OE = drawn.batch(np.array([anchor]), rng).targets.class_OE.numpy()
            weight_O = example_weights(class_OE, weight_A[[anchor]])
            for factor, weight in zip(rare_factors(class_OE), weight_O, strict=True):
                counted.setdefault(float(factor), []).append(float(times_A[anchor] * weight))
    plain = np.mean(counted[1.0])
    assert {1.0, 2.0, 3.0} <= counted.keys()
    for factor, found in counted.items():
        assert np.mean(found) / plain == pytest.approx(factor, rel=1e-4)
