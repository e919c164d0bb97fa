"""The losses by hand, and soft bins, Eq. (6)."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.slots import SlotLogits
from playahead.paper.targets import soft_bins, time_bin
from playahead.variants.config import CriterionConfig
from playahead.variants.losses import dense_loss, intensity_loss, segmentation_loss
from tests.training.test_matcher import logits, targets

ONES, CPU = np.ones(10, np.float32), torch.device("cpu")
PLAIN = CriterionConfig(positive_weight=1.0, label_smoothing=0.0, sigma_bins=0.0)


def silent(observations=1, slots=3, bins=20) -> SlotLogits:
    """Objectness 1/2, uniform classes and offsets."""
    return SlotLogits(
        torch.zeros(observations, slots), torch.zeros(observations, slots, 10), torch.zeros(observations, slots, bins)
    )


def losses(config, slots, wanted):
    return Criterion(config, ONES, CPU)(AnticipatorOutput(slots, None, None), [(1.0, wanted)])


def test_uninformed_slots_cost_the_logarithms():
    found = losses(PLAIN, silent(), targets([(4, 0.33)]))
    assert found["objectness"].item() == pytest.approx(3 * math.log(2))
    assert found["class"].item() == pytest.approx(math.log(10))
    assert found["offset"].item() == pytest.approx(math.log(20))
    assert found["total"].item() == pytest.approx(3 * math.log(2) + math.log(10) + math.log(20))


def test_an_empty_window_costs_objectness_only():
    found = losses(PLAIN, silent(), targets([]))
    assert found["class"].item() == found["offset"].item() == 0
    assert found["objectness"].item() == pytest.approx(3 * math.log(2))


def test_positive_weight_counts_on_matched_slots_only():
    found = losses(CriterionConfig(positive_weight=5.0), silent(), targets([(4, 0.33)]))
    assert found["objectness"].item() == pytest.approx((5 + 2) * math.log(2))


def test_an_example_that_counts_twice_costs_twice_in_every_loss():
    """As if it had been drawn twice (datasets/sampling.py); the sum over examples stays divided by their number."""
    slots = logits(3, observations=2)
    config = replace(PLAIN, intensity_weight=1.0)
    wanted = targets([(4, 0.33)], [(1, 0.5), (2, 0.7)])
    twice = replace(wanted, weight_O=torch.tensor([0.0, 2.0]))
    alone = SlotLogits(*(logit[1:] for logit in slots))
    found, single = losses(config, slots, twice), losses(config, alone, targets([(1, 0.5), (2, 0.7)]))
    assert {name: value.item() for name, value in found.items()} == pytest.approx(
        {name: value.item() for name, value in single.items()}
    )
    dense_ORC = torch.randn(2, 32, 10)
    assert dense_loss(dense_ORC, twice).item() == pytest.approx(
        dense_loss(dense_ORC[1:], targets([(1, 0.5), (2, 0.7)])).item()
    )


def test_losses_are_means_over_observations():
    one = losses(PLAIN, silent(), targets([(4, 0.33)]))["total"]
    four = losses(PLAIN, silent(observations=4), targets(*[[(4, 0.33)]] * 4))["total"]
    assert one.item() == pytest.approx(four.item())


def test_a_perfect_answer_costs_nothing():
    slots = SlotLogits(torch.full((1, 2), -40.0), torch.zeros(1, 2, 10), torch.zeros(1, 2, 20))
    slots.objectness_OK[0, 1] = 40
    slots.class_OKC[0, 1, 6] = 80
    slots.offset_OKT[0, 1, 10] = 80
    assert losses(PLAIN, slots, targets([(6, 0.52)]))["total"].item() == pytest.approx(0, abs=1e-5)


def test_soft_bins_follow_equation_six():
    soft = soft_bins(torch.tensor([2]), 5, sigma_bins=1.0)[0]
    raw = [math.exp(-((b - 2) ** 2) / 2) for b in range(5)]
    assert soft.tolist() == pytest.approx([value / sum(raw) for value in raw])


def test_sigma_zero_is_one_hot():
    assert soft_bins(torch.tensor([0, 4]), 5, 0.0).tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_time_bins_cover_the_whole_window():
    assert time_bin(torch.tensor([1e-6, 0.049, 0.051, 0.999, 1.0]), 20).tolist() == [0, 0, 1, 19, 19]


def test_intensity_likelihood_by_hand():
    """Total mass 3 x 1/2; at the event's bin and class 3 x 1/2 x 1/10 x 1/20."""
    expected = 1.5 - math.log(3 * 0.5 * 0.1 * 0.05 + 1e-6)
    assert intensity_loss(silent(), targets([(4, 0.33)])).item() == pytest.approx(expected, rel=1e-5)


def test_dense_loss_by_hand():
    assert dense_loss(torch.zeros(2, 32, 10), targets([(1, 0.5)], [])).item() == pytest.approx(
        320 * math.log(2), rel=1e-6
    )


def test_focal_presence_by_hand():
    config = CriterionConfig(matched_weight=0.0, presence_weight=0.3)
    output = AnticipatorOutput(silent(), None, torch.zeros(1, 1, 33, 10))
    found = Criterion(config, ONES, CPU)(output, [(1.0, targets([]))])
    assert found["presence"].item() == pytest.approx(330 * 0.25 * math.log(2), rel=1e-5)
    assert found["total"].item() == pytest.approx(0.3 * found["presence"].item())


def test_every_loss_has_a_gradient():
    slots = logits(0, observations=2)
    for tensor in slots:
        tensor.requires_grad_()
    config = CriterionConfig(intensity_weight=1.0)
    losses(config, slots, targets([(1, 0.2)], [(3, 0.9)]))["total"].backward()
    assert all(tensor.grad is not None and tensor.grad.abs().sum() > 0 for tensor in slots)


def test_class_balance_weighs_the_class_loss_by_inverse_frequency():
    wanted = targets([(4, 0.33)])
    weight_C = ONES.copy()
    weight_C[4] = 7.0
    balanced = replace(PLAIN, class_balance=True)
    output = AnticipatorOutput(silent(), None, None)
    assert Criterion(balanced, weight_C, CPU)(output, [(1.0, wanted)])["class"].item() == pytest.approx(
        7 * math.log(10)
    )
    assert Criterion(PLAIN, weight_C, CPU)(output, [(1.0, wanted)])["class"].item() == pytest.approx(math.log(10))


def test_segmentation_widens_an_action_to_four_steps_on_either_side():
    presence_PNC = torch.zeros(1, 33, 10)
    presence_PNC[0, 10, 2] = 1.0
    sure_PNC = torch.zeros(1, 33, 10) - 30.0
    sure_PNC[0, 6:15, 2] = 30.0
    assert segmentation_loss(sure_PNC, presence_PNC, torch.ones(10)).item() == pytest.approx(0, abs=1e-5)
    sure_PNC[0, 5, 2] = 30.0  # one step too early
    assert segmentation_loss(sure_PNC, presence_PNC, torch.ones(10)).item() > 0.01


def test_segmentation_gives_a_shared_step_to_the_rarest_and_stands_a_window_without_actions():
    presence_PNC = torch.zeros(1, 33, 10)
    presence_PNC[0, 10, :2] = 1.0
    weight_C = torch.ones(10)
    weight_C[1] = 5.0
    says_PNC = torch.zeros(1, 33, 10) - 30.0
    says_PNC[0, 6:15, 1] = 30.0
    assert segmentation_loss(says_PNC, presence_PNC, weight_C).item() == pytest.approx(0, abs=1e-5)
    nothing = segmentation_loss(torch.zeros(2, 33, 10), torch.zeros(2, 33, 10), weight_C)
    assert nothing.item() == pytest.approx(math.log(11))
