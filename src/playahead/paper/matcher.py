"""1.4 a to e: which slot is trained on which event, by Eq. (5).

Axes: O examples, K slots, E events (padded), C classes, T bins, X assigned pairs.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.paper.slots import SlotLogits
from playahead.paper.targets import NO_TARGET, Targets


class Assignment(NamedTuple):
    """Slot-event pairs, as three equally long index vectors."""

    example_X: Tensor
    slot_X: Tensor
    event_X: Tensor

    def to(self, device: torch.device) -> "Assignment":
        """Pairs on a device."""
        return Assignment(*(index.to(device, non_blocking=True) for index in self))


class SlotsOnHost(NamedTuple):
    """log p_k and t_k of Eq. (5), on the host, for SciPy; t_k is a fraction of the 5 s."""

    log_p_OKC: NDArray[np.float32]
    time_OK: NDArray[np.float32]


@torch.no_grad()
def slots_on_host(slots: SlotLogits) -> SlotsOnHost:
    """Copy the slots in one transfer; NaN or infinity among the logits raises ``FloatingPointError``."""
    log_p_OKC = slots.class_OKC.float().log_softmax(dim=-1)
    n_bins = slots.offset_OKT.shape[-1]
    time_OK = (slots.offset_OKT.argmax(dim=-1) + 0.5) / n_bins  # t_k: centre of the likeliest bin
    finite_OK = slots.objectness_OK.float() + slots.offset_OKT.float().sum(dim=-1)  # carries NaN and infinity
    host_OKX = torch.cat([log_p_OKC, time_OK[..., None], finite_OK[..., None]], dim=-1).cpu().numpy()
    if not np.isfinite(host_OKX).all():
        raise FloatingPointError("the model's output")
    return SlotsOnHost(host_OKX[..., :-2], host_OKX[..., -2])


class Matcher:
    """Linear assignment of events to slots at the least total cost.

    Args:
        class_weight_C: w_c, inverse class frequencies (``sampling.inverse_frequency``).
        offset_weight: lambda_off.
    """

    def __init__(self, class_weight_C: NDArray[np.floating], offset_weight: float = 1.0) -> None:
        self.class_weight_C, self.offset_weight = class_weight_C, offset_weight

    def __call__(self, slots: SlotsOnHost, targets: Targets) -> Assignment:
        """Assign every event to a slot; of more than K events, the K that cost least (1.4 e). All on the host."""
        from scipy.optimize import linear_sum_assignment  # takes half a second to import

        class_OE = targets.class_OE.numpy()
        cost_OKE = self.cost(slots, np.maximum(class_OE, 0), targets.time_OE.numpy())
        triples: list[tuple[int, int, int]] = []
        for example, n_events in enumerate((class_OE != NO_TARGET).sum(axis=1)):
            if n_events:
                pairs = linear_sum_assignment(cost_OKE[example, :, :n_events])  # (1.4 a)
                triples += [(example, slot, event) for slot, event in zip(*pairs, strict=True)]
        return Assignment(*torch.tensor(triples, dtype=torch.int64).reshape(-1, 3).unbind(dim=1))

    def cost(self, slots: SlotsOnHost, class_OE: NDArray, time_OE: NDArray) -> NDArray[np.floating]:
        """Cost of giving event j to slot k, for every slot and event of each example -> cost_OKE."""
        # Eq. (5): cost_kj = [-log p_k(c_j) + lambda_off |t_k - t_j|] / w_{c_j}  (1.4 c)
        # Dividing by w_c makes rare events cheap: if two want one slot, the commoner class's event tends to get it.
        log_p_OKE = np.take_along_axis(slots.log_p_OKC, class_OE[:, None], axis=2)
        distance_OKE = np.abs(slots.time_OK[:, :, None] - time_OE[:, None])
        return (-log_p_OKE + self.offset_weight * distance_OKE) / self.class_weight_C[class_OE][:, None]
