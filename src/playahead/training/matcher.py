"""Which slot answers for which event: Eq. (5) of docs/paper.md, or FAANTRA's order in time.

Axes: O examples, K slots, E events (padded), C classes.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.datasets.batch import NO_TARGET, Targets
from playahead.io.errors import InputError
from playahead.io.settings import check_choices
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
        offset_weight: lambda_off (L: 1); 0 matches on class alone.
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

    def to(self, device: torch.device) -> "Assignment":
        """The same on a device."""
        return Assignment(*(index.to(device, non_blocking=True) for index in (self.example, self.slot, self.event)))


@dataclass(frozen=True)
class SlotsRead:
    """What the matcher needs of the slots, where SciPy can see it: log_p_OKC, and time_OK of their likeliest bins."""

    log_p_OKC: NDArray[np.float32]
    time_OK: NDArray[np.float32]


@torch.no_grad()
def read_slots(slots: SlotLogits) -> SlotsRead:
    """In one transfer from the accelerator.

    Raises:
        FloatingPointError: NaN or infinity among the logits.
    """
    log_p_OKC = slots.class_OKC.float().log_softmax(dim=-1)
    n_bins = slots.offset_OKT.shape[-1]
    time_OK = (slots.offset_OKT.argmax(dim=-1) + 0.5) / n_bins
    finite_OK = slots.objectness_OK.float() + slots.offset_OKT.float().sum(dim=-1)  # carries NaN and infinity
    read_OKX = torch.cat([log_p_OKC, time_OK[..., None], finite_OK[..., None]], dim=-1).cpu().numpy()
    if not np.isfinite(read_OKX).all():
        raise FloatingPointError("the model's output")
    return SlotsRead(read_OKX[..., :-2], read_OKX[..., -2])


class Matcher:
    """Assigns events to slots at the least total cost."""

    def __init__(self, config: MatcherConfig, class_weight_C: NDArray[np.floating]) -> None:
        self.config, self.class_weight_C = config, class_weight_C

    def __call__(self, slots: SlotsRead, targets: Targets) -> Assignment:
        """Assign every event of every example (K of them where there are more events than slots).

        Args:
            slots: of the examples.
            targets: not on an accelerator.
        """
        from scipy.optimize import linear_sum_assignment  # here and not above: it takes half a second

        if self.config.pairing == "sequential":
            return _in_order(targets, slots.time_OK.shape[1])
        class_OE = targets.class_OE.numpy()
        cost_OKE = self._cost(slots, class_OE, targets.time_OE.numpy())
        triples: list[tuple[int, int, int]] = []
        for example, n_events in enumerate((class_OE != NO_TARGET).sum(axis=1)):
            if n_events:
                matched, events = linear_sum_assignment(cost_OKE[example, :, :n_events])
                triples += [(example, s, e) for s, e in zip(matched, events, strict=True)]
        columns = torch.tensor(triples, dtype=torch.int64).reshape(-1, 3)
        return Assignment(*columns.unbind(dim=1))

    def _cost(
        self, slots: SlotsRead, class_OE: NDArray[np.int64], time_OE: NDArray[np.float32]
    ) -> NDArray[np.floating]:
        class_OE = np.maximum(class_OE, 0)
        log_p_OKE = np.take_along_axis(slots.log_p_OKC, class_OE[:, None], axis=2)
        cost_OKE = -log_p_OKE if self.config.class_cost == "log" else -np.exp(log_p_OKE)
        distance_OKE = np.abs(slots.time_OK[:, :, None] - time_OE[:, None])
        cost_OKE = self.config.class_weight * cost_OKE + self.config.offset_weight * distance_OKE
        weight_O1E = self.class_weight_C[class_OE][:, None]
        if self.config.frequency == "divide":
            return cost_OKE / weight_O1E
        return cost_OKE * weight_O1E if self.config.frequency == "multiply" else cost_OKE


def _in_order(targets: Targets, n_slots: int) -> Assignment:
    """Event number j, in time order, belongs to slot j; events past the last slot to none."""
    kept = targets.event_X < n_slots
    example_X, event_X = targets.example_X[kept], targets.event_X[kept]
    return Assignment(example_X, event_X, event_X)
