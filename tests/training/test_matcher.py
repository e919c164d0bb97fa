"""Eq. (5), by hand and against every possible assignment."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from playahead.io.errors import InputError
from playahead.paper.matcher import Matcher, MatcherConfig, read_slots
from playahead.paper.slots import SlotLogits
from playahead.paper.targets import Targets


def targets(*events: list[tuple[int, float]]) -> Targets:
    width = max(len(e) for e in events)
    padded = [e + [(-1, 0.0)] * (width - len(e)) for e in events]
    class_OE = torch.tensor([[c for c, _ in row] for row in padded], dtype=torch.int64).reshape(len(events), width)
    time_OE = torch.tensor([[t for _, t in row] for row in padded]).reshape(len(events), width)
    found = (class_OE >= 0).nonzero(as_tuple=True)
    return Targets(class_OE, time_OE, torch.zeros(len(events), 6, 33, 10), torch.ones(len(events)), *found)


def matched(config: MatcherConfig, weight_C: np.ndarray):
    return lambda slots, wanted: Matcher(config, weight_C)(read_slots(slots), wanted)


def logits(seed: int, observations=1, slots=4) -> SlotLogits:
    rng = torch.Generator().manual_seed(seed)
    return SlotLogits(
        torch.randn(observations, slots, generator=rng),
        3 * torch.randn(observations, slots, 10, generator=rng),
        3 * torch.randn(observations, slots, 20, generator=rng),
    )


def pairs(match, observation=0):
    return {
        (int(s), int(e))
        for o, s, e in zip(match.example, match.slot, match.event, strict=True)
        if int(o) == observation
    }


def test_each_event_goes_to_the_slot_that_says_so():
    slots = SlotLogits(torch.zeros(1, 2), torch.zeros(1, 2, 10), torch.zeros(1, 2, 20))
    slots.class_OKC[0, 0, 3] = 9
    slots.class_OKC[0, 1, 5] = 9
    match = matched(MatcherConfig(), np.ones(10))(slots, targets([(5, 0.5), (3, 0.5)]))
    assert pairs(match) == {(0, 1), (1, 0)}


def test_time_decides_between_equal_classes():
    slots = SlotLogits(torch.zeros(1, 2), torch.zeros(1, 2, 10), torch.zeros(1, 2, 20))
    slots.offset_OKT[0, 0, 18] = 9
    slots.offset_OKT[0, 1, 1] = 9
    match = matched(MatcherConfig(), np.ones(10))(slots, targets([(2, 0.05), (2, 0.95)]))
    assert pairs(match) == {(1, 0), (0, 1)}


def cost(slots: SlotLogits, event: tuple[int, float], slot: int, config: MatcherConfig, weight: np.ndarray) -> float:
    """Eq. (5) written out once more, one pair at a time."""
    action, time = event
    p = slots.class_OKC[0, slot].double().softmax(-1)[action].item()
    offset = (int(slots.offset_OKT[0, slot].argmax()) + 0.5) / slots.offset_OKT.shape[-1]
    value = (-np.log(p) if config.class_cost == "log" else -p) + config.offset_weight * abs(offset - time)
    return {"divide": value / weight[action], "multiply": value * weight[action], "none": value}[config.frequency]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    n_events=st.integers(1, 3),
    class_cost=st.sampled_from(["log", "probability"]),
    frequency=st.sampled_from(["divide", "none", "multiply"]),
)
def test_no_assignment_is_cheaper(seed, n_events, class_cost, frequency):
    rng = np.random.default_rng(seed)
    slots = logits(seed)
    weight = rng.uniform(0.2, 5, 10)
    config = MatcherConfig(class_cost=class_cost, frequency=frequency, offset_weight=float(rng.uniform(0, 3)))
    events = [(int(rng.integers(10)), float(rng.uniform(0.01, 1))) for _ in range(n_events)]
    match = matched(config, weight)(slots, targets(events))
    found = sum(cost(slots, events[e], s, config, weight) for s, e in pairs(match))
    least = min(
        sum(cost(slots, events[e], s, config, weight) for e, s in enumerate(chosen))
        for chosen in permutations(range(4), n_events)
    )
    assert found == pytest.approx(least, rel=1e-4, abs=1e-5)


def test_weights_decide_only_conflicts():
    """With more slots than events every event is matched whatever the weights are (docs/paper.md, note)."""
    for frequency in ("divide", "none", "multiply"):
        match = matched(MatcherConfig(frequency=frequency), np.linspace(0.1, 9, 10))(
            logits(0), targets([(0, 0.2), (9, 0.4)])
        )
        assert {e for _, e in pairs(match)} == {0, 1}


def test_padding_and_empty_observations_are_never_matched():
    match = matched(MatcherConfig(), np.ones(10))(
        logits(1, observations=3), targets([(1, 0.5)], [], [(2, 0.1), (3, 0.2)])
    )
    assert match.example.tolist() == [0, 2, 2]
    assert len(pairs(match, 1)) == 0


def test_no_events_at_all():
    match = matched(MatcherConfig(), np.ones(10))(logits(1, observations=2), targets([], []))
    assert match.slot.shape == (0,)


def test_more_events_than_slots_leaves_the_costliest_out():
    match = matched(MatcherConfig(), np.ones(10))(logits(2, slots=2), targets([(0, 0.1), (1, 0.2), (2, 0.3)]))
    assert len(pairs(match)) == 2


def test_in_order_the_first_slot_answers_for_the_first_event():
    match = matched(MatcherConfig(pairing="sequential"), np.ones(10))(
        logits(0, observations=3, slots=2), targets([(5, 0.1), (3, 0.5), (5, 0.9)], [], [(1, 0.4)])
    )
    assert pairs(match, 0) == {(0, 0), (1, 1)}  # the third event is past the last slot
    assert pairs(match, 1) == set()
    assert pairs(match, 2) == {(0, 0)}


def test_matching_on_time_or_on_class_alone():
    slots = SlotLogits(torch.zeros(1, 2), torch.zeros(1, 2, 10), torch.zeros(1, 2, 20))
    slots.class_OKC[0, 0, 3] = 9
    slots.offset_OKT[0, 0, 1] = 9  # slot 0 says class 3, early; slot 1 late
    slots.offset_OKT[0, 1, 18] = 9
    late_three = targets([(3, 0.95)])
    assert pairs(matched(MatcherConfig(offset_weight=0), np.ones(10))(slots, late_three)) == {(0, 0)}
    assert pairs(matched(MatcherConfig(class_weight=0), np.ones(10))(slots, late_three)) == {(1, 0)}
    with pytest.raises(InputError, match="nothing to match by"):
        MatcherConfig(class_weight=0, offset_weight=0)
