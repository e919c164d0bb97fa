"""What the training loop and the data exchange.

Axes: B sequences, W windows, N snippets, F features, O examples (B x (W - 5)), E events (padded), C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.datasets.slicing import Following
from playahead.paper.targets import NO_TARGET, Targets


def padded_targets(events: Sequence[Following], presence_BWNC: Tensor) -> Targets:
    """Targets of sequences that differ in E; examples weigh alike."""
    class_OE = _pad([following.class_OE for following in events], NO_TARGET)
    time_OE = _pad([following.time_OE for following in events], 0)
    return Targets.of(class_OE, time_OE, presence_BWNC)


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
        classes: indices of the annotated classes.
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
        """Examples in one pass over the set."""
        ...

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:
        """Sequences at these anchors, augmented by ``rng``."""
        ...
