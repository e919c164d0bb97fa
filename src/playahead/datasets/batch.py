"""What the training loop and the model exchange.

Axes: B sequences, W windows, N snippets, F feature, O examples (B x (W - 5)), E events (padded), C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.datasets.slicing import Following

NO_TARGET = -1
"""Padding of ``class_OE``."""


@dataclass(frozen=True)
class Targets:
    """What happened in the 5 s after each example.

    Attributes:
        class_OE: int64 class index, ``NO_TARGET`` where an example has fewer events.
        time_OE: float32, when, as a share of the 5 s, in [0, 1].
        presence_BWNC: float32, 1 where an action happened in that step of the *observed* windows.
        weight_O: float32, how much each example counts; mean about 1.
        example_X, event_X: where ``class_OE`` holds events, found once and not on an accelerator.
    """

    class_OE: Tensor
    time_OE: Tensor
    presence_BWNC: Tensor
    weight_O: Tensor
    example_X: Tensor
    event_X: Tensor

    def select(self, sequences_B: Tensor) -> "Targets":
        """The targets of these sequences, in this order (for MixUp)."""
        per_sequence = len(self.class_OE) // len(self.presence_BWNC)
        rows = (sequences_B[:, None] * per_sequence + torch.arange(per_sequence)).flatten()
        presence_BWNC = self.presence_BWNC[sequences_B]
        class_OE, time_OE = self.class_OE[rows], self.time_OE[rows]
        return Targets(class_OE, time_OE, presence_BWNC, self.weight_O[rows], *_events(class_OE))

    def to(self, device: torch.device) -> "Targets":
        """The same on a device."""
        return Targets(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))


def padded_targets(events: Sequence[Following], presence_BWNC: Tensor) -> Targets:
    """Targets of sequences that differ in E; every example counts alike."""
    class_OE = _pad([found.class_OE for found in events], NO_TARGET)
    time_OE = _pad([found.time_OE for found in events], 0)
    return Targets(class_OE, time_OE, presence_BWNC, torch.ones(len(class_OE)), *_events(class_OE))


def _events(class_OE: Tensor) -> tuple[Tensor, Tensor]:
    example_X, event_X = (class_OE != NO_TARGET).nonzero(as_tuple=True)
    return example_X, event_X


def _pad(rows: Sequence[NDArray], fill: float) -> Tensor:
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(r, ((0, 0), (0, width - r.shape[1])), constant_values=fill) for r in rows]
    return torch.from_numpy(np.concatenate(padded))


@dataclass(frozen=True)
class Batch:
    """Features and targets of B sequences; ``names_B`` says where each comes from, for error messages."""

    features_BWNF: Tensor
    targets: Targets
    names_B: list[str]


class Examples(Protocol):
    """What the training loop needs of any observation source.

    Attributes:
        feature_dim: F.
        classes: indices of those that are annotated.
        counts_C: events of each class over the set.
        rare_weight_A: drawing weight of each anchor under the rare-class sampler.
        digest: changes whenever the examples do.
    """

    feature_dim: int
    classes: tuple[int, ...]
    counts_C: NDArray[np.int64]
    rare_weight_A: NDArray[np.float64]
    digest: str

    @property
    def n_examples(self) -> int:
        """In one pass over the set."""
        ...

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:
        """The sequences at these anchors, augmented by ``rng``."""
        ...
