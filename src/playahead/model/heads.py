"""What is read off the slots, and off the encoder while training (PAPER.md 1.3, 1.4).

Axes: O observations, K slots, C classes (10), T offset bins, R raster frames (32), P windows, N clips, D model.
"""

from typing import NamedTuple

from torch import Tensor, nn

from playahead.domain.actions import ACTIONS


class SlotLogits(NamedTuple):
    """Three independent readings of each slot, Eqs. (2)-(4)."""

    objectness_OK: Tensor
    class_OKC: Tensor
    offset_OKT: Tensor


class SlotHeads(nn.Module):
    """Objectness, class and offset: three linear heads."""

    def __init__(self, d_model: int, bins: int) -> None:
        super().__init__()
        self.objectness = nn.Linear(d_model, 1)
        self.action = nn.Linear(d_model, len(ACTIONS))
        self.offset = nn.Linear(d_model, bins)

    def forward(self, slots_OKD: Tensor) -> SlotLogits:
        """slots_OKD -> logits."""
        objectness_OK = self.objectness(slots_OKD).squeeze(-1)
        return SlotLogits(objectness_OK, self.action(slots_OKD), self.offset(slots_OKD))


class DenseHead(nn.Linear):
    """One query per raster frame, one logit per class: frames_ORD -> logits_ORC."""

    def __init__(self, d_model: int) -> None:
        super().__init__(d_model, len(ACTIONS))


class ObservationHead(nn.Module):
    """Auxiliary: two convolutions over a window's tokens, presence of each action per step (PAPER.md 1.4)."""

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
