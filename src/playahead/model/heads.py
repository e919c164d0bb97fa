"""What is read off the slots, and off the encoder while training (docs/paper.md 1.3, 1.4).

Axes: O examples, K slots, C classes (10), T offset bins, R raster frames (32), P windows, N snippets, D model.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from playahead.domain.actions import ACTIONS
from playahead.model.config import AnticipatorConfig


class SlotLogits(NamedTuple):
    """Three independent predictions of each slot, Eqs. (2)-(4)."""

    objectness_OK: Tensor
    class_OKC: Tensor
    offset_OKT: Tensor


class SlotHeads(nn.Module):
    """Objectness, class and offset: three linear heads."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.objectness = nn.Linear(config.d_model, 1)
        self.action = nn.Linear(config.d_model, len(ACTIONS))
        self.bins = config.bins
        self.regresses = config.slot_time == "regression"
        self.offset = nn.Linear(config.d_model, 1 if self.regresses else config.bins)

    def forward(self, slots_OKD: Tensor) -> SlotLogits:
        """slots_OKD -> logits."""
        objectness_OK = self.objectness(slots_OKD).squeeze(-1)
        offset_OKT = self.offset(slots_OKD)
        if self.regresses:
            offset_OKT = gaussian_logits(offset_OKT.float().exp(), self.bins)
        return SlotLogits(objectness_OK, self.action(slots_OKD), offset_OKT)


def gaussian_logits(time_OK1: Tensor, n_bins: int) -> Tensor:
    """A time as a share of the window -> offset_OKT: a Gaussian around it, one bin wide.

    The cross-entropy of these logits is the squared error in bins, so that regression goes through the same losses,
    matcher and decodings as bins do.
    """
    centre_T = (torch.arange(n_bins, device=time_OK1.device) + 0.5) / n_bins
    return -((centre_T - time_OK1.clamp(max=2.0)) * n_bins).square() / 2


class DenseHead(nn.Linear):
    """One query per raster frame, one logit per class: frames_ORD -> logits_ORC."""

    def __init__(self, d_model: int) -> None:
        super().__init__(d_model, len(ACTIONS))


FRAME_HEADS: dict[str, type[nn.Module]] = {"dense": DenseHead}
"""Heads that answer for every raster frame, by ``AnticipatorConfig.head``: made with d_model, frames_ORD -> logits_ORC.
Their ``bias`` is that of their last layer. See docs/how-to/add-a-head.md."""


class ObservationHead(nn.Module):
    """Auxiliary: two convolutions over a window's tokens, presence of each action per step (docs/paper.md 1.4)."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.convolve = nn.Sequential(
            nn.Conv1d(d_model, d_model, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv1d(d_model, len(ACTIONS), kernel_size=3, padding=1),
        )

    def forward(self, tokens_PND: Tensor) -> Tensor:
        """tokens_PND -> logits_PNC."""
        return self.convolve(tokens_PND.transpose(1, 2)).transpose(1, 2)
