"""Which examples are drawn, how often, and how much they count (docs/paper.md 1.4, class imbalance).

The paper draws examples one by one. We draw sequences of them, so an example with a rare class comes with its
neighbours. A sequence is drawn in proportion to the mean factor of its examples, and within it each example counts by
its own factor over that mean. Drawn times counted is then the factor, at every length of a sequence.

Axes: A sequences to draw from, B drawn ones, O examples, E events, C classes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, Action
from playahead.evaluation.frames import ALL_CLASSES

RARE_FACTORS: Mapping[Action, float] = {
    Action.TACKLE: 4.0,
    Action.SHOT: 3.0,
    Action.BLOCK: 3.0,
    Action.CROSS: 2.0,
    Action.THROW_IN: 2.0,
}
"""How much more often a window with such an action is drawn (P: which classes; L: the factors)."""


def rare_factors(class_OE: NDArray[np.integer]) -> NDArray[np.float64]:
    """Factor of each example: the largest among the classes that follow it, else 1."""
    factor_C = np.ones(len(ACTIONS) + 1)  # the last one is of the padding, -1
    for action, factor in RARE_FACTORS.items():
        factor_C[action.class_index] = factor
    return factor_C[class_OE].max(axis=1, initial=1.0)


def example_weights(class_OE: NDArray[np.integer], drawn_weight_B: NDArray[np.float64]) -> NDArray[np.float32]:
    """How much each example of drawn sequences counts: weight_O.

    Args:
        class_OE: what follows the examples of B sequences.
        drawn_weight_B: what the sequences were drawn in proportion to.
    """
    drawn_weight_O = np.repeat(drawn_weight_B, len(class_OE) // len(drawn_weight_B))
    return (rare_factors(class_OE) / drawn_weight_O).astype(np.float32)


def inverse_frequency(counts_C: NDArray[np.integer], classes: Sequence[int] = ALL_CLASSES) -> NDArray[np.float32]:
    """w_c of Eq. (5): mean count of the annotated classes over class count; one never seen counts as seen once."""
    counts = np.maximum(counts_C, 1).astype(np.float64)
    return (counts[list(classes)].mean() / counts).astype(np.float32)
