"""1.4 b, m to p: class weights, the sampler of rare classes, feature MixUp.

The paper draws single examples; we draw sequences of examples. An example's factor is the factor of its rarest class. A
sequence is drawn with probability proportional to the mean factor of its examples. In the loss each example has the
weight (its factor / that mean). So probability times weight is proportional to the example's own factor.

Axes: B drawn sequences, W windows, N snippets, F features, O examples, E events, C classes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.domain.actions import ACTIONS, Action
from playahead.paper.targets import Targets

RARE_FACTORS: Mapping[Action, float] = {
    Action.TACKLE: 4.0,
    Action.SHOT: 3.0,
    Action.BLOCK: 3.0,
    Action.CROSS: 2.0,
    Action.THROW_IN: 2.0,
}
"""How many times as often examples with such an action are drawn (P: which classes; L: the factors; 1.4 n)."""


def inverse_frequency(counts_C: NDArray, classes: Sequence[int] = range(len(ACTIONS))) -> NDArray[np.float32]:
    """w_c of Eq. (5): mean count of the annotated classes divided by the class's count, taken as at least 1 (1.4 b)."""
    counts = np.maximum(counts_C, 1).astype(np.float64)
    return (counts[list(classes)].mean() / counts).astype(np.float32)


def rare_factors(class_OE: NDArray[np.integer]) -> NDArray[np.float64]:
    """Factor of each example: the largest factor among the classes of its events, else 1."""
    factor_C = np.ones(len(ACTIONS) + 1)  # the last entry, index -1, is for padding
    for action, factor in RARE_FACTORS.items():
        factor_C[action.class_index] = factor
    return factor_C[class_OE].max(axis=1, initial=1.0)


def example_weights(class_OE: NDArray[np.integer], drawn_weight_B: NDArray[np.float64]) -> NDArray[np.float32]:
    """weight_O: each example's factor divided by its sequence's mean factor, the sequence's drawing weight (1.4 m)."""
    drawn_weight_O = np.repeat(drawn_weight_B, len(class_OE) // len(drawn_weight_B))
    return (rare_factors(class_OE) / drawn_weight_O).astype(np.float32)


class Mixed(NamedTuple):
    """x = lambda x_a + (1 - lambda) x_b, with (lambda, targets) of both sources."""

    features_BWNF: Tensor
    parts: tuple[tuple[float, Targets], ...]


def mix(features_BWNF: Tensor, targets: Targets, alpha: float, rng: np.random.Generator) -> Mixed:
    """Mix every sequence with another of its batch; alpha 0 mixes nothing.

    Each source keeps its own events: they are assigned separately, and L = lambda L_a + (1 - lambda) L_b (1.4 o).
    """
    if alpha == 0:
        return Mixed(features_BWNF, ((1.0, targets),))
    share = float(rng.beta(alpha, alpha))  # lambda ~ Beta(alpha, alpha), one for the whole batch (1.4 p)
    partner_B = torch.from_numpy(rng.permutation(len(features_BWNF)))
    mixed_BWNF = share * features_BWNF + (1 - share) * features_BWNF[partner_B]
    return Mixed(mixed_BWNF, ((share, targets), (1 - share, targets.select(partner_B))))
