"""Feature MixUp (docs/paper.md 1.4): inputs are mixed, each source keeps its own events."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playahead.datasets.batch import Batch, Targets


@dataclass(frozen=True)
class Mixed:
    """x = share * x_a + (1 - share) * x_b, with the targets of both."""

    features_BWNF: Tensor
    parts: tuple[tuple[float, Targets], ...]


def mix(batch: Batch, alpha: float, rng: np.random.Generator) -> Mixed:
    """Mix every sequence with another of its batch, share ~ Beta(alpha, alpha); alpha = 0 mixes nothing."""
    if alpha == 0:
        return Mixed(batch.features_BWNF, ((1.0, batch.targets),))
    share = float(rng.beta(alpha, alpha))
    partner_B = torch.from_numpy(rng.permutation(len(batch.features_BWNF)))
    features_BWNF = share * batch.features_BWNF + (1 - share) * batch.features_BWNF[partner_B]
    return Mixed(features_BWNF, ((share, batch.targets), (1 - share, batch.targets.select(partner_B))))
