"""Eq. (5), by hand and against every possible assignment."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.paper.matcher import Matcher, slots_on_host
from playahead.paper.slots import SlotLogits
from tests.support.paper import ONES, assigned, logits, pairs, silent, targets


def test_each_event_goes_to_the_slot_that_says_so():
    slots = silent(slots=2)
    slots.class_OKC[0, 0, 3] = slots.class_OKC[0, 1, 5] = 9
    assert pairs(assigned(Matcher(ONES), slots, targets([(5, 0.5), (3, 0.5)]))) == {(0, 1), (1, 0)}


def test_time_decides_between_equal_classes():
    slots = silent(slots=2)
    slots.offset_OKT[0, 0, 18] = slots.offset_OKT[0, 1, 1] = 9
    assert pairs(assigned(Matcher(ONES), slots, targets([(2, 0.05), (2, 0.95)]))) == {(1, 0), (0, 1)}


def test_without_lambda_off_the_class_decides_alone():
    slots = silent(slots=2)
    slots.class_OKC[0, 0, 3] = slots.offset_OKT[0, 0, 1] = slots.offset_OKT[0, 1, 18] = 9
    assert pairs(assigned(Matcher(ONES, offset_weight=0), slots, targets([(3, 0.95)]))) == {(0, 0)}


def cost(slots: SlotLogits, slot: int, event: tuple[int, float], offset_weight: float, weight_C: np.ndarray) -> float:
    """Eq. (5) once more, one pair at a time."""
    action, time = event
    p = slots.class_OKC[0, slot].double().softmax(-1)[action].item()
    offset = (int(slots.offset_OKT[0, slot].argmax()) + 0.5) / slots.offset_OKT.shape[-1]
    return (-np.log(p) + offset_weight * abs(offset - time)) / weight_C[action]


def test_every_cost_is_equation_five():
    weight_C, slots, events = np.linspace(0.2, 5, 10), logits(7), [(3, 0.2), (8, 0.9)]
    class_OE, time_OE = np.array([[c for c, _ in events]]), np.array([[t for _, t in events]])
    cost_KE = Matcher(weight_C, 0.7).cost(slots_on_host(slots), class_OE, time_OE)[0]
    by_hand = [[cost(slots, slot, event, 0.7, weight_C) for event in events] for slot in range(4)]
    np.testing.assert_allclose(cost_KE, by_hand, rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**20), n_events=st.integers(1, 3))
def test_no_assignment_is_cheaper(seed, n_events):
    rng = np.random.default_rng(seed)
    slots, weight_C, offset_weight = logits(seed), rng.uniform(0.2, 5, 10), float(rng.uniform(0, 3))
    events = [(int(rng.integers(10)), float(rng.uniform(0.01, 1))) for _ in range(n_events)]
    chosen = assigned(Matcher(weight_C, offset_weight), slots, targets(events))
    cost_KE = np.array([[cost(slots, slot, event, offset_weight, weight_C) for event in events] for slot in range(4)])
    lowest = min(cost_KE[list(order), range(n_events)].sum() for order in permutations(range(4), n_events))
    assert sum(cost_KE[pair] for pair in pairs(chosen)) == pytest.approx(lowest, rel=1e-4, abs=1e-5)


def test_weights_decide_only_conflicts():
    """With more slots than events every event is matched whatever the weights are (docs/paper.md 1.4 e)."""
    assignment = assigned(Matcher(np.linspace(0.1, 9, 10)), logits(0), targets([(0, 0.2), (9, 0.4)]))
    assert {event for _, event in pairs(assignment)} == {0, 1}


def test_padding_and_empty_examples_are_never_matched():
    assignment = assigned(Matcher(ONES), logits(1, examples=3), targets([(1, 0.5)], [], [(2, 0.1), (3, 0.2)]))
    assert assignment.example_X.tolist() == [0, 2, 2]
    assert not pairs(assignment, 1)


def test_no_events_at_all():
    assert assigned(Matcher(ONES), logits(1, examples=2), targets([], [])).slot_X.shape == (0,)


def test_more_events_than_slots_leaves_the_costliest_out():
    slots = silent(slots=2)
    slots.class_OKC[0, 0, 0] = slots.class_OKC[0, 1, 2] = 9
    events = targets([(0, 0.1), (1, 0.2), (2, 0.3)])
    assert pairs(assigned(Matcher(ONES), slots, events)) == {(0, 0), (1, 2)}


@pytest.mark.parametrize("part", SlotLogits._fields)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused(part, value):
    slots = logits(0)
    getattr(slots, part).view(-1)[3] = value
    with pytest.raises(FloatingPointError):
        slots_on_host(slots)


def test_the_slots_cross_to_the_host_as_they_are():
    slots = logits(3, examples=2)
    host = slots_on_host(slots)
    np.testing.assert_allclose(host.log_p_OKC, slots.class_OKC.log_softmax(-1), rtol=1e-6)
    np.testing.assert_allclose(host.time_OK, (slots.offset_OKT.argmax(-1) + 0.5) / 20, rtol=1e-6)
