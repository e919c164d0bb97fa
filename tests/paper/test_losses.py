"""The paper's losses by hand (1.4 f-l, z), and soft bins, Eq. (6)."""

import math
from dataclasses import replace

import pytest
import torch

from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.config import LossConfig
from playahead.paper.losses import Criterion, PresenceLoss, build_losses
from playahead.paper.matcher import Matcher
from playahead.paper.slots import SlotLogits
from playahead.paper.targets import Targets, soft_bins, time_bin
from tests.support.paper import CPU, ONES, logits, silent, targets

PLAIN = LossConfig(positive_weight=1.0, label_smoothing=0.0, sigma_bins=0.0)


def criterion(config: LossConfig) -> Criterion:
    return Criterion(build_losses(config), Matcher(ONES), CPU)


def losses(config: LossConfig, slots: SlotLogits, events: Targets, presence_PNC=None) -> dict[str, torch.Tensor]:
    return criterion(config)(AnticipatorOutput(slots, presence_PNC), [(1.0, events)])


def test_uninformed_slots_cost_the_logarithms():
    named = losses(PLAIN, silent(), targets([(4, 0.33)]))
    assert named["objectness"].item() == pytest.approx(3 * math.log(2))
    assert named["class"].item() == pytest.approx(math.log(10))
    assert named["offset"].item() == pytest.approx(math.log(20))
    assert named["total"].item() == pytest.approx(3 * math.log(2) + math.log(10) + math.log(20))


def test_an_empty_window_costs_objectness_only():
    named = losses(PLAIN, silent(), targets([]))
    assert named["class"].item() == named["offset"].item() == 0
    assert named["objectness"].item() == pytest.approx(3 * math.log(2))


def test_positive_weight_counts_on_matched_slots_only():
    named = losses(LossConfig(positive_weight=5.0), silent(), targets([(4, 0.33)]))
    assert named["objectness"].item() == pytest.approx((5 + 2) * math.log(2))


def test_an_example_that_counts_twice_costs_twice_in_every_loss():
    """As if it had been drawn twice (paper/sampling.py); the sum over examples stays divided by their number."""
    slots, second = logits(3, examples=2), [(1, 0.5), (2, 0.7)]
    twice = replace(targets([(4, 0.33)], second), weight_O=torch.tensor([0.0, 2.0]))
    both, alone = losses(PLAIN, slots, twice), losses(PLAIN, SlotLogits(*(part[1:] for part in slots)), targets(second))
    assert both.keys() == alone.keys()
    assert [value.item() for value in both.values()] == pytest.approx([value.item() for value in alone.values()])


def test_losses_are_means_over_examples():
    one = losses(PLAIN, silent(), targets([(4, 0.33)]))["total"]
    four = losses(PLAIN, silent(examples=4), targets(*[[(4, 0.33)]] * 4))["total"]
    assert one.item() == pytest.approx(four.item())


def test_a_perfect_answer_costs_nothing():
    slots = silent(slots=2)._replace(objectness_OK=torch.tensor([[-40.0, 40.0]]))
    slots.class_OKC[0, 1, 6] = slots.offset_OKT[0, 1, 10] = 80
    assert losses(PLAIN, slots, targets([(6, 0.52)]))["total"].item() == pytest.approx(0, abs=1e-5)


def test_the_class_target_is_smoothed():
    """1.4 h: 0.1 of the target is spread evenly over the ten classes."""
    slots = logits(2, slots=1)
    smoothed_C = torch.full((10,), 0.01)
    smoothed_C[4] += 0.9
    expected = -(smoothed_C * slots.class_OKC[0, 0].log_softmax(dim=-1)).sum()
    assert losses(LossConfig(), slots, targets([(4, 0.33)]))["class"].item() == pytest.approx(expected.item())


def test_the_offset_target_is_soft():
    """1.4 i, j: the cross-entropy against Eq. (6) at the event's bin, sigma of one bin."""
    slots = logits(2, slots=1)
    expected = -(soft_bins(torch.tensor([6]), 20, 1.0) * slots.offset_OKT[0].log_softmax(dim=-1)).sum()
    assert losses(LossConfig(), slots, targets([(4, 0.33)]))["offset"].item() == pytest.approx(expected.item())


def test_soft_bins_follow_equation_six():
    soft_T = soft_bins(torch.tensor([2]), 5, sigma_bins=1.5)[0]
    raw = [math.exp(-((b - 2) ** 2) / (2 * 1.5**2)) for b in range(5)]
    assert soft_T.tolist() == pytest.approx([value / sum(raw) for value in raw])


def test_sigma_zero_is_one_hot():
    assert soft_bins(torch.tensor([0, 4]), 5, 0.0).tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_time_bins_cover_the_whole_window():
    assert time_bin(torch.tensor([1e-6, 0.049, 0.051, 0.999, 1.0]), 20).tolist() == [0, 0, 1, 19, 19]


def test_focal_presence_by_hand():
    named = losses(LossConfig(), silent(), targets([]), torch.zeros(1, 33, 10))
    assert named["presence"].item() == pytest.approx(330 * 0.25 * math.log(2), rel=1e-5)
    assert (named["total"] - named["objectness"]).item() == pytest.approx(0.3 * named["presence"].item())


def test_the_focal_loss_is_the_formula():
    """1.4 k, z: (1 - p_t)^2 times the binary cross-entropy, summed over steps and classes, averaged over windows."""
    torch.manual_seed(0)
    presence_PNC, events = torch.randn(2, 33, 10), targets([], [])
    events.presence_BWNC[0, 5, 3, 2] = 1.0
    named = PresenceLoss(2.0)(AnticipatorOutput(silent(), presence_PNC), events, None)
    p = presence_PNC.double().sigmoid()
    p_t = torch.where(events.presence_BWNC[:, -1] == 1, p, 1 - p)
    assert named["presence"].item() == pytest.approx((-((1 - p_t) ** 2) * p_t.log()).sum().item() / 2, rel=1e-4)


def test_without_an_observation_head_there_is_no_presence_loss():
    assert "presence" not in losses(LossConfig(), silent(), targets([]))


def test_mixup_weighs_the_losses_of_both_sources():
    """1.4 o: matched separately, L = share * L_a + (1 - share) * L_b, every loss of it."""
    output = AnticipatorOutput(logits(3, examples=2), torch.zeros(2, 33, 10))
    ours, theirs = targets([(4, 0.33)], [(1, 0.9)]), targets([(2, 0.5), (3, 0.7)], [])
    mixed, alone, other = (
        criterion(LossConfig())(output, parts)
        for parts in ([(0.3, ours), (0.7, theirs)], [(1.0, ours)], [(1.0, theirs)])
    )
    assert mixed.keys() == alone.keys() == {"objectness", "class", "offset", "presence", "total"}
    for name, value in mixed.items():
        assert value.item() == pytest.approx(0.3 * alone[name].item() + 0.7 * other[name].item(), rel=1e-5)


def test_a_criterion_is_the_weighted_sum_of_any_losses():
    """Composition: what a loss is called and weighs is all that the criterion knows of it."""
    one, two = (lambda *_, n=n, v=v: {n: torch.tensor(v)} for n, v in (("one", 1.0), ("two", 2.0)))
    none = lambda *_: {}  # noqa: E731
    named = Criterion([(3.0, one), (0.5, two), (9.0, none)], None, CPU)(
        AnticipatorOutput(silent()), [(0.25, targets([])), (0.75, targets([]))]
    )
    assert {name: value.item() for name, value in named.items()} == {"one": 1.0, "two": 2.0, "total": 4.0}


def test_every_logit_has_a_gradient():
    slots, presence_PNC = logits(0, examples=2), torch.zeros(2, 33, 10, requires_grad=True)
    for part in slots:
        part.requires_grad_()
    losses(LossConfig(), slots, targets([(1, 0.2)], [(3, 0.9)]), presence_PNC)["total"].backward()
    assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in (*slots, presence_PNC))
