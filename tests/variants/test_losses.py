"""Other assignments, losses and optimisers by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import Muon

from playahead.paper.anticipator import AnticipatorOutput
from playahead.paper.matcher import SlotsOnHost
from playahead.paper.sampling import inverse_frequency
from playahead.paper.slots import SlotHeads, SlotLogits
from playahead.variants import losses as variant_losses
from playahead.variants.config import CriterionConfig, OptimConfig
from playahead.variants.losses import (
    InOrder,
    SegmentationLoss,
    VariantMatcher,
    build_criterion,
    build_optimizers,
    dense_loss,
    intensity_loss,
)
from playahead.variants.model import OnlyClasses, build
from playahead.variants.muon import Float32Muon, orthogonalised
from tests.support.paper import CPU, ONES, SMALL, assigned, logits, losses, pairs, silent, targets

PLAIN = CriterionConfig(positive_weight=1.0, label_smoothing=0.0, sigma_bins=0.0)
CLASSES = (0, 2, 3, 4, 5, 6, 7, 9)
OTHERS = [1, 8]


@pytest.mark.parametrize("frequency", ["divide", "none", "multiply"])
@pytest.mark.parametrize("class_weight", [1.0, 0.5])
def test_costs_with_the_class_weights_elsewhere(frequency, class_weight):
    """The slot of an event follows from its own column alone, so costs are compared and not assignments."""
    weight_C, slots = np.linspace(0.2, 5, 10), logits(7)
    config = CriterionConfig(frequency=frequency, class_weight=class_weight, offset_weight=0.7)
    host = (slots.class_OKC.log_softmax(-1).numpy(), ((slots.offset_OKT.argmax(-1) + 0.5) / 20).numpy())
    cost_OKE = VariantMatcher(config, weight_C).cost(SlotsOnHost(*host), np.array([[3, 8]]), np.array([[0.2, 0.9]]))
    for event, (action, time) in enumerate([(3, 0.2), (8, 0.9)]):
        plain_K = -class_weight * host[0][0, :, action] + 0.7 * abs(host[1][0] - time)
        factor = {"divide": 1 / weight_C[action], "none": 1.0, "multiply": weight_C[action]}[frequency]
        np.testing.assert_allclose(cost_OKE[0, :, event], plain_K * factor, rtol=1e-5)


def test_in_order_the_first_slot_answers_for_the_first_event():
    slots, events = logits(0, examples=3, slots=2), targets([(5, 0.1), (3, 0.5), (5, 0.9)], [], [(1, 0.4)])
    assignment = assigned(InOrder(ONES), slots, events)
    assert pairs(assignment, 0) == {(0, 0), (1, 1)}  # the third event is past the last slot
    assert pairs(assignment, 1) == set()
    assert pairs(assignment, 2) == {(0, 0)}


def test_assigning_by_time_alone():
    slots = silent(slots=2)
    slots.class_OKC[0, 0, 3] = slots.offset_OKT[0, 0, 1] = slots.offset_OKT[0, 1, 18] = 9
    by_time = VariantMatcher(CriterionConfig(class_weight=0), ONES)
    assert pairs(assigned(by_time, slots, targets([(3, 0.95)]))) == {(1, 0)}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"class_weight": 0.0, "offset_weight": 0.0}, "above 0: nothing to assign by"),
        ({"pairing": "sequential", "offset_weight": 2.0}, "for pairing=sequential, which looks at no cost"),
        ({"intensity_weight": -1.0}, "CriterionConfig.intensity_weight"),
    ],
)
def test_losses_that_cannot_work_are_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        CriterionConfig(**changes)


def test_intensity_likelihood_by_hand():
    """Total mass 3 x 1/2; at the event's bin and class 3 x 1/2 x 1/10 x 1/20."""
    expected = 1.5 - math.log(3 * 0.5 * 0.1 * 0.05 + 1e-6)
    named = intensity_loss(AnticipatorOutput(silent()), targets([(4, 0.33)]), None)
    assert named["intensity"].item() == pytest.approx(expected, rel=1e-5)


def test_the_likelihood_reaches_every_logit_without_matched_losses():
    slots = logits(0, examples=2)
    for part in slots:
        part.requires_grad_()
    config = CriterionConfig(intensity_weight=1.0, matched_weight=0.0)
    named = losses(config, slots, targets([(1, 0.2)], [(3, 0.9)]))
    assert named.keys() == {"intensity", "total"}
    named["total"].backward()
    assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in slots)


def test_dense_loss_by_hand():
    named = dense_loss(AnticipatorOutput(torch.zeros(2, 32, 10)), targets([(1, 0.5)], []), None)
    assert named["dense"].item() == pytest.approx(320 * math.log(2), rel=1e-6)


def test_an_example_that_counts_twice_costs_twice():
    """As in the paper's losses (tests/paper/test_losses.py)."""
    second = [(1, 0.5), (2, 0.7)]
    twice = replace(targets([(4, 0.33)], second), weight_O=torch.tensor([0.0, 2.0]))
    slots, dense_ORC = logits(3, examples=2), torch.randn(2, 32, 10)
    alone = SlotLogits(*(part[1:] for part in slots))
    for loss, both, single in ((intensity_loss, slots, alone), (dense_loss, dense_ORC, dense_ORC[1:])):
        (ours,) = loss(AnticipatorOutput(both), twice, None).values()
        (theirs,) = loss(AnticipatorOutput(single), targets(second), None).values()
        assert ours.item() == pytest.approx(theirs.item())


def test_class_balance_weighs_the_class_loss_by_inverse_frequency():
    weight_C = ONES.copy()
    weight_C[4] = 7.0
    for balanced, factor in ((True, 7), (False, 1)):
        config = replace(PLAIN, class_balance=balanced)
        named = losses(config, silent(), targets([(4, 0.33)]), class_weight_C=weight_C)
        assert named["class"].item() == pytest.approx(factor * math.log(10))


def test_segmentation_widens_an_action_to_four_steps_on_either_side():
    presence_PNC = torch.zeros(1, 33, 10)
    presence_PNC[0, 10, 2] = 1.0
    sure_PNC = torch.full((1, 33, 10), -30.0)
    sure_PNC[0, 6:15, 2] = 30.0
    loss = SegmentationLoss(torch.ones(10))
    assert loss.presence(sure_PNC, presence_PNC).item() == pytest.approx(0, abs=1e-5)
    sure_PNC[0, 5, 2] = 30.0  # one step too early
    assert loss.presence(sure_PNC, presence_PNC).item() > 0.01


def test_segmentation_gives_a_shared_step_to_the_rarest_and_stands_a_window_without_actions():
    presence_PNC, weight_C = torch.zeros(1, 33, 10), torch.ones(10)
    presence_PNC[0, 10, :2] = 1.0
    weight_C[1] = 5.0
    rarest_PNC = torch.full((1, 33, 10), -30.0)
    rarest_PNC[0, 6:15, 1] = 30.0
    loss = SegmentationLoss(weight_C)
    assert loss.presence(rarest_PNC, presence_PNC).item() == pytest.approx(0, abs=1e-5)
    nothing = loss.presence(torch.zeros(2, 33, 10), torch.zeros(2, 33, 10))
    assert nothing.item() == pytest.approx(math.log(11))


@pytest.mark.parametrize("balanced", [False, True])
def test_losses_do_not_see_classes_that_are_not_annotated(balanced):
    """Whatever their logits say, losses are the same, and no gradient reaches them."""
    config = CriterionConfig(intensity_weight=1.0, class_balance=balanced, observation="segmentation")
    weight_C = inverse_frequency(np.array([9, 0, 1, 1, 1, 1, 1, 1, 0, 1]), CLASSES)
    criterion = build_criterion(config, "slots", weight_C, CPU, CLASSES)
    slots, events, found = logits(5), targets([(4, 0.33), (0, 0.7)]), []
    presence_PNC = torch.zeros(1, 33, 10, requires_grad=True)
    for moved in (0.0, 7.0):
        class_OKC = slots.class_OKC.clone()
        class_OKC[..., OTHERS] += moved
        class_OKC.requires_grad_()
        only = OnlyClasses(torch.nn.Identity(), CLASSES)
        output = AnticipatorOutput(only(slots._replace(class_OKC=class_OKC)), only(presence_PNC))
        named = criterion(output, [(1.0, events)])
        named["total"].backward()
        assert class_OKC.grad is not None
        assert presence_PNC.grad is not None
        assert not class_OKC.grad[..., OTHERS].any()
        assert not presence_PNC.grad[..., OTHERS].any()
        found.append({name: value.item() for name, value in named.items()})
    assert found[0] == found[1]


def test_an_uninformed_class_costs_the_logarithm_of_those_there_are():
    """Also with label smoothing, which would otherwise ask for a share of what is never there."""
    only, events = OnlyClasses(torch.nn.Identity(), CLASSES), [(1.0, targets([(4, 0.33)]))]
    slots = build_criterion(CriterionConfig(), "slots", ONES, CPU, CLASSES)(AnticipatorOutput(only(silent())), events)
    assert slots["class"].item() == pytest.approx(math.log(len(CLASSES)))
    frames = AnticipatorOutput(only(torch.zeros(1, 32, 10)))
    dense = build_criterion(CriterionConfig(), "dense", ONES, CPU, CLASSES)(frames, events)
    assert dense["dense"].item() == pytest.approx(32 * len(CLASSES) * math.log(2))


def test_a_head_of_fewer_classes_never_predicts_the_others():
    torch.manual_seed(0)
    class_OKC = OnlyClasses(SlotHeads(SMALL), CLASSES)(torch.randn(2, 5, 16)).class_OKC.softmax(dim=-1)
    assert not class_OKC[..., OTHERS].any()
    assert class_OKC[..., list(CLASSES)].all()


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_every_parameter_has_one_optimiser(kind):
    model = build(SMALL)
    optimizers = build_optimizers(model, OptimConfig(kind=kind))
    held = [p for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]]
    assert sorted(map(id, held)) == sorted(map(id, model.parameters()))


def test_embeddings_and_positions_are_left_to_adamw():
    model = build(SMALL)
    muon, _ = build_optimizers(model, OptimConfig(kind="muon"))
    orthogonal = {id(parameter) for group in muon.param_groups for parameter in group["params"]}
    assert id(model.memory.gru.weight_hh_l0) in orthogonal
    assert not orthogonal & {id(model.decoder.embedding_KD), id(model.encoder.position_ND)}


def test_muon_in_float32_steps_as_pytorchs_does():
    torch.manual_seed(0)
    ours, theirs = ([nn.Parameter(torch.ones(*shape)) for shape in ((6, 40), (30, 8))] for _ in range(2))
    settings = {"lr": 0.01, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
    optimizers = Float32Muon(ours, **settings), Muon(theirs, **settings)
    for _ in range(4):
        for our, their in zip(ours, theirs, strict=True):
            our.grad = torch.randn(our.shape)
            their.grad = our.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for our, their in zip(ours, theirs, strict=True):
        assert (our - their).norm() < 0.02 * (their - 1).norm()  # bfloat16 has eight bits
    assert optimizers[0].state_dict()["state"].keys() == optimizers[1].state_dict()["state"].keys()
    for our, their in zip(ours, theirs, strict=True):
        assert torch.equal(optimizers[0].state[our]["momentum_buffer"], optimizers[1].state[their]["momentum_buffer"])


@pytest.mark.parametrize("shape", [(6, 40), (30, 8), (5, 5)])
def test_what_is_orthogonalised_has_singular_values_near_one(shape):
    torch.manual_seed(1)
    found = orthogonalised(torch.randn(shape), (3.4445, -4.775, 2.0315), 5, 1e-7)
    assert found.shape == shape
    singular = torch.linalg.svdvals(found)
    assert singular.min() > 0.6
    assert singular.max() < 1.3


def test_muon_is_in_float32_only_where_bfloat16_is_emulated(monkeypatch):
    for emulates, kind in ((True, Float32Muon), (False, Muon)):
        monkeypatch.setattr(variant_losses, "emulates_bfloat16", lambda device, emulates=emulates: emulates)
        muon, _ = build_optimizers(build(SMALL), OptimConfig(kind="muon"))
        assert type(muon) is kind
