"""Which slot answers for which event: Eq. (5) of docs/paper.md, or FAANTRA's order in time.

Axes: O examples, K slots, E events (padded), C classes.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from playahead.choices import check_choices
from playahead.datasets.batch import NO_TARGET, Targets
from playahead.errors import InputError
from playahead.model.heads import SlotLogits


@dataclass(frozen=True, kw_only=True)
class MatcherConfig:
    """Eq. (5): cost_kj = [class_weight * class cost + offset_weight * |t_k - t_j|] / w_{c_j}.

    Attributes:
        pairing: "hungarian", the least total cost (P), or "sequential": the first slot answers for the first event in
            time, the second for the second (FAANTRA); costs have no say then.
        class_cost: "log" is -log p_k(c_j), the paper's; "probability" is -p_k(c_j).
        frequency: what the inverse-frequency weight does to an event's column: "divide" (the paper), "none" or
            "multiply".
        class_weight: 0 matches on time alone (a variant of FAANTRA).
        offset_weight: lambda_off (C: 1); 0 matches on class alone.
    """

    pairing: Literal["hungarian", "sequential"] = "hungarian"
    class_cost: Literal["log", "probability"] = "log"
    frequency: Literal["divide", "none", "multiply"] = "divide"
    class_weight: float = 1.0
    offset_weight: float = 1.0

    def __post_init__(self) -> None:
        check_choices(self, "criterion.matcher")
        for name in ("class_weight", "offset_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"criterion.matcher.{name}", f"{getattr(self, name)} is not a number of 0 or more")
        if self.pairing == "sequential" and (self.class_weight, self.offset_weight) != (1.0, 1.0):
            raise InputError("criterion.matcher", "pairing=sequential looks at no cost: leave its weights as they are")
        if not self.class_weight and not self.offset_weight:
            raise InputError("criterion.matcher", "class_weight and offset_weight are both 0: nothing to match by")


@dataclass(frozen=True)
class Assignment:
    """Matched pairs, as three equally long index vectors."""

    example: Tensor
    slot: Tensor
    event: Tensor


class Matcher:
    """Assigns events to slots at the least total cost."""

    def __init__(self, config: MatcherConfig, class_weight_C: Tensor) -> None:
        self.config = config
        self.class_weight_C = class_weight_C

    @torch.no_grad()
    def __call__(self, logits: SlotLogits, targets: Targets) -> Assignment:
        """Assign every event of every example (K of them where there are more events than slots)."""
        if self.config.pairing == "sequential":
            return _in_order(targets, logits.objectness_OK.shape[1])
        cost_OKE = self._cost(logits, targets).cpu().numpy()
        n_events_O = (targets.class_OE != NO_TARGET).sum(dim=1).tolist()
        triples: list[tuple[int, int, int]] = []
        for example, n_events in enumerate(n_events_O):
            if n_events:
                slots, events = linear_sum_assignment(cost_OKE[example, :, :n_events])
                triples += [(example, s, e) for s, e in zip(slots, events, strict=True)]
        columns = torch.tensor(triples, dtype=torch.int64).reshape(-1, 3).to(targets.class_OE.device)
        return Assignment(*columns.unbind(dim=1))

    def _cost(self, logits: SlotLogits, targets: Targets) -> Tensor:
        class_OE = targets.class_OE.clamp(min=0)
        log_p_OKC = logits.class_OKC.float().log_softmax(dim=-1)
        wanted_OKE = class_OE[:, None].expand(-1, log_p_OKC.shape[1], -1)
        log_p_OKE = log_p_OKC.gather(2, wanted_OKE)
        cost_OKE = -log_p_OKE if self.config.class_cost == "log" else -log_p_OKE.exp()
        n_bins = logits.offset_OKT.shape[-1]
        slot_time_OK = (logits.offset_OKT.argmax(dim=-1) + 0.5) / n_bins
        distance_OKE = (slot_time_OK[:, :, None] - targets.time_OE[:, None]).abs()
        cost_OKE = self.config.class_weight * cost_OKE + self.config.offset_weight * distance_OKE
        weight_O1E = self.class_weight_C[class_OE][:, None]
        if self.config.frequency == "divide":
            return cost_OKE / weight_O1E
        return cost_OKE * weight_O1E if self.config.frequency == "multiply" else cost_OKE


def _in_order(targets: Targets, n_slots: int) -> Assignment:
    """Event number j, in time order, belongs to slot j; events past the last slot to none."""
    observation_X, event_X = (targets.class_OE[:, :n_slots] != NO_TARGET).nonzero(as_tuple=True)
    return Assignment(observation_X, event_X, event_X)
