"""Which examples are drawn, and how often (docs/paper.md 1.4, class imbalance).

Axes: A windows to draw from, C classes.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import Action

RARE_FACTORS: Mapping[Action, float] = {
    Action.TACKLE: 4.0,
    Action.SHOT: 3.0,
    Action.BLOCK: 3.0,
    Action.CROSS: 2.0,
    Action.THROW_IN: 2.0,
}
"""How much more often a window with such an action is drawn (P: which classes; C: the factors)."""


def window_weights(
    counts_AC: NDArray[np.integer], factors: Mapping[Action, float] = RARE_FACTORS
) -> NDArray[np.float64]:
    """Drawing weight of each window: the largest factor among the classes that it holds, else 1."""
    factor_C = np.ones(counts_AC.shape[1])
    for action, factor in factors.items():
        factor_C[action.class_index] = factor
    return np.where(counts_AC > 0, factor_C, 1.0).max(axis=1)


def inverse_frequency(counts_C: NDArray[np.integer]) -> NDArray[np.float32]:
    """w_c of Eq. (5): mean count over class count; a class never seen counts as seen once."""
    counts = np.maximum(counts_C, 1).astype(np.float64)
    return (counts.mean() / counts).astype(np.float32)
