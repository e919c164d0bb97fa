"""1.4 b, m-p: class weights, rare classes, MixUp."""

import numpy as np
import pytest
import torch

from playahead.domain.actions import Action
from playahead.paper.sampling import RARE_FACTORS, example_weights, inverse_frequency, mix, rare_factors
from tests.support.paper import targets

PASS, CROSS, TACKLE = (action.class_index for action in (Action.PASS, Action.CROSS, Action.TACKLE))


def test_inverse_frequency_is_mean_over_count():
    assert inverse_frequency(np.array([1, 3, 0]), range(3)).tolist() == pytest.approx([5 / 3, 5 / 9, 5 / 3])


def test_inverse_frequency_is_of_the_annotated():
    weight_C = inverse_frequency(np.array([30, 0, 10, 10, 10, 10, 10, 10, 0, 30]), (0, 2, 3, 4, 5, 6, 7, 9))
    assert weight_C[[0, 2]].tolist() == pytest.approx([0.5, 1.5])


def test_rare_classes_and_their_factors():
    rare = {"TACKLE": 4, "SHOT": 3, "BLOCK": 3, "CROSS": 2, "THROW_IN": 2}
    assert {getattr(Action, name): factor for name, factor in rare.items()} == dict(RARE_FACTORS)


def test_rare_classes_weigh_more():
    assert rare_factors(np.array([[PASS, PASS], [CROSS, TACKLE], [-1, -1]])).tolist() == [1, 4, 1]
    assert rare_factors(np.zeros((2, 0), int)).tolist() == [1, 1]


def test_examples_count_alike_where_they_are_drawn_one_by_one():
    class_OE = np.array([[PASS], [TACKLE]])
    assert example_weights(class_OE, rare_factors(class_OE)).tolist() == [1, 1]


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_drawn_times_weighed_is_the_factor_at_every_length_of_a_sequence(length):
    class_OE = np.random.default_rng(0).integers(-1, 10, (12, 2))
    drawn_B = rare_factors(class_OE).reshape(-1, length).mean(axis=1)
    counted_O = np.repeat(drawn_B, length) * example_weights(class_OE, drawn_B)
    np.testing.assert_allclose(counted_O, rare_factors(class_OE), rtol=1e-6)


def test_mixup_mixes_inputs_and_keeps_both_futures():
    features_BWNF = torch.randn(3, 7, 33, 4)
    events = targets(*([(c, 0.5)] for c in range(6)))
    events.presence_BWNC.copy_(torch.rand(6, 6, 33, 10))
    events = type(events).of(events.class_OE, events.time_OE, events.presence_BWNC[:3], torch.arange(6.0))
    mixed = mix(features_BWNF, events, 0.2, np.random.default_rng(0))
    (share, ours), (rest, theirs) = mixed.parts
    assert share + rest == pytest.approx(1)
    assert ours is events
    partners = [next(i for i in range(3) if torch.equal(row, events.presence_BWNC[i])) for row in theirs.presence_BWNC]
    assert partners != [0, 1, 2]
    torch.testing.assert_close(mixed.features_BWNF, share * features_BWNF + rest * features_BWNF[partners])
    rows = [row for partner in partners for row in (2 * partner, 2 * partner + 1)]
    assert theirs.class_OE[:, 0].tolist() == theirs.weight_O.tolist() == rows


def test_mixup_can_be_off():
    features_BWNF, events = torch.randn(2, 6, 33, 4), targets([], [])
    mixed = mix(features_BWNF, events, 0.0, np.random.default_rng(0))
    assert mixed.features_BWNF is features_BWNF
    assert mixed.parts == ((1.0, events),)


def test_mixup_draws_its_share_from_beta():
    """1.4 o, p: one share for the whole batch."""
    features_BWNF, events = torch.zeros(2, 6, 1, 1), targets([], [])
    draws = (mix(features_BWNF, events, 0.2, np.random.default_rng(seed)) for seed in range(3000))
    shares = np.array([mixed.parts[0][0] for mixed in draws])
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
    assert shares.var() == pytest.approx(0.25 / 1.4, abs=0.01)  # of Beta(0.2, 0.2)
