"""Side and place of an action: from rows to targets, through the loss, to what people read."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from playahead.datasets.examples import FeedExamples, _as_seen, _where_it_happened
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import DensePredictions
from playahead.domain.actions import Action
from playahead.domain.feed import PASS, UNKNOWN, FeedHalf, FeedRow, Possession
from playahead.domain.records import Anticipation
from playahead.features.forms import Reading
from playahead.lab.simulation.plays import simulate_match
from playahead.variants.losses import where_loss
from playahead.variants.moment import RateLogits


def test_actions_are_seen_from_the_side_in_possession():
    rows = [FeedRow(1, 0, PASS, team=0, x=75, y=0), FeedRow(1, 1, PASS, team=1, x=50, y=50), FeedRow(1, 2, PASS)]
    where_A3 = _where_it_happened(FeedHalf.from_rows(1, 1, rows))
    np.testing.assert_array_equal(where_A3, [[0, 0.5, -1], [1, 0, 0], [np.nan] * 3])
    where_OE3 = np.repeat(where_A3[None], 3, axis=0)
    seen_OE3 = _as_seen(where_OE3, np.array([0, 1, -1]), is_mirrored=False)
    np.testing.assert_array_equal(seen_OE3[..., 0], [[1, 0, np.nan], [0, 1, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(seen_OE3[..., 1:], where_OE3[..., 1:])
    mirrored_OE3 = _as_seen(where_OE3, np.array([0, 1, -1]), is_mirrored=True)
    np.testing.assert_array_equal(mirrored_OE3[:, 0, 2], [1, 1, 1])


def test_targets_of_a_batch_are_those_of_the_rows():
    halves = [replace(half, y=np.where(half.y == UNKNOWN, UNKNOWN, 25).astype(np.uint8)) for half in simulate_match(0)]
    examples = FeedExamples(halves, 4, reading=Reading("now", hindsight=False))
    batch = examples.batch(np.arange(6), np.random.default_rng(0))
    where_X3 = batch.targets.where_OE3[batch.targets.example_X, batch.targets.event_X]
    assert 0.5 < where_X3[:, 0].nanmean() < 1, "the side in possession mostly acts next"
    across_X = where_X3[:, 2][~where_X3[:, 2].isnan()]
    assert set(across_X.tolist()) == {-0.5, 0.5}, "some sequences are mirrored, and their places with them"


def test_the_loss_asks_for_the_side_and_the_place_of_what_is_known():
    nan = float("nan")
    targets = SimpleNamespace(
        where_OE3=torch.tensor([[[1, 0.5, 0], [nan, nan, nan]], [[0, nan, nan], [nan, 0, 1]]]),
        class_OE=torch.tensor([[0, 1], [0, 2]]),
        weight_O=torch.tensor([1.0, 3.0]),
        example_X=torch.tensor([0, 0, 1, 1]),
        event_X=torch.tensor([0, 1, 0, 1]),
    )
    said_OC3 = torch.zeros(2, 10, 3)
    said_OC3[0, 0] = torch.tensor([2.0, 0.5, 0.0])
    output = SimpleNamespace(slots=RateLogits(torch.zeros(2, 32, 10), said_OC3))
    losses = where_loss(output, targets, None)
    assert losses["side"].item() == pytest.approx((np.log1p(np.exp(-2)) + 3 * np.log(2)) / 2, rel=1e-5)
    assert losses["place"].item() == pytest.approx(3 * 68 / 105 / 2, rel=2e-3)


@pytest.mark.parametrize(
    ("is_own", "side", "team"),
    [(0.9, 0, "Reds"), (0.9, 1, "Blues"), (0.2, 0, "Blues"), (0.2, 1, "Reds"), (0.9, -1, None)],
)
def test_an_anticipation_names_the_side_and_the_place(is_own, side, team):
    probability_ORC, where_OC3 = np.full((1, 32, 10), 1e-4, np.float32), np.zeros((1, 10, 3), np.float32)
    probability_ORC[0, 10, Action.SHOT.class_index] = 0.9
    where_OC3[0, Action.SHOT.class_index] = is_own, 0.8, -0.5
    possession = Possession(np.array([side]), ("Reds", "Blues"))
    ((shot,),) = Decoder().anticipations(DensePredictions(probability_ORC, where_OC3), 0.3, possession=possession)
    assert (shot.team, shot.x, shot.y) == (team, 90, 25)
    assert shot.where == ", ".join(filter(None, [team, "other half left"]))
    ((shot,),) = Decoder().anticipations(DensePredictions(probability_ORC, where_OC3), 0.3)
    assert (shot.team, shot.x, shot.where) == (None, None, "")


@pytest.mark.parametrize(("x", "y", "words"), [(10, 50, "own half centre"), (50, 90, "other half right")])
def test_places_in_words(x, y, words):
    assert Anticipation(Action.PASS, 0, 0.5, (0.5, *[0.0] * 9), x=x, y=y).where == words
