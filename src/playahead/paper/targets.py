"""1.4 i, j: the events as the losses see them, and Eq. (6).

Axes: B sequences, W windows, N snippets, O examples (B x (W - 5)), E events (padded), X all events, C classes, T bins.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

NO_TARGET = -1  # padding of class_OE


@dataclass(frozen=True)
class Targets:
    """Actions in the 5 s that each example anticipates, and in the observed windows.

    Attributes:
        class_OE: int64 class index, ``NO_TARGET`` in the columns past an example's last event.
        time_OE: float32 time as a fraction of the 5 s, in [0, 1].
        presence_BWNC: float32, 1 if an action of the class happened in that step of the *observed* windows.
        weight_O: float32 weight of each example, about 1 on average.
        where_OE3: float32, of variants: whether the side in possession acts (1 or 0), and where in the acting side's
            attack, -1 to 1 along and across; NaN unknown. None if no loss looks at it.
        example_X, event_X: indices of the events in ``class_OE``; finding them on an accelerator would force a wait.
    """

    class_OE: Tensor
    time_OE: Tensor
    presence_BWNC: Tensor
    weight_O: Tensor
    example_X: Tensor
    event_X: Tensor
    where_OE3: Tensor | None = None

    @classmethod
    def of(
        cls,
        class_OE: Tensor,
        time_OE: Tensor,
        presence_BWNC: Tensor,
        weight_O: Tensor | None = None,
        where_OE3: Tensor | None = None,
    ) -> "Targets":
        """Targets from padded events; all weights are 1 unless given."""
        weight_O = torch.ones(len(class_OE)) if weight_O is None else weight_O
        example_X, event_X = (class_OE != NO_TARGET).nonzero(as_tuple=True)
        return cls(class_OE, time_OE, presence_BWNC, weight_O, example_X, event_X, where_OE3)

    def select(self, sequences_B: Tensor) -> "Targets":
        """Targets of these sequences, in this order (for MixUp)."""
        per_sequence = len(self.class_OE) // len(self.presence_BWNC)
        rows_O = (sequences_B[:, None] * per_sequence + torch.arange(per_sequence)).flatten()
        examples = (self.class_OE[rows_O], self.time_OE[rows_O])
        where_OE3 = None if self.where_OE3 is None else self.where_OE3[rows_O]
        return Targets.of(*examples, self.presence_BWNC[sequences_B], self.weight_O[rows_O], where_OE3)

    def to(self, device: torch.device) -> "Targets":
        """Targets on a device."""
        here = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{n: v.to(device, non_blocking=True) for n, v in here.items() if v is not None})


def time_bin(time_X: Tensor, n_bins: int) -> Tensor:
    """Bin, 0 to T - 1, of a time that is a fraction of the 5 s."""
    return (time_X * n_bins).long().clamp(0, n_bins - 1)


def soft_bins(bin_X: Tensor, n_bins: int, sigma_bins: float) -> Tensor:
    """Soft offset targets around the bins b* -> soft_XT; with sigma 0 they are one-hot."""
    bins_T = torch.arange(n_bins, device=bin_X.device)
    if sigma_bins == 0:
        return (bins_T == bin_X[..., None]).float()
    # Eq. (6): y(b) = exp(-(b - b*)^2 / (2 sigma^2)), normalised over the bins b  (1.4 i)
    distance_XT = (bins_T - bin_X[..., None]).float()
    soft_XT = torch.exp(-distance_XT.square() / (2 * sigma_bins**2))
    return soft_XT / soft_XT.sum(dim=-1, keepdim=True)
