"""Figures that show a training going wrong before the score does.

Axes: O examples, K slots, C classes.
"""

from dataclasses import dataclass

import numpy as np

from playahead.decoding.predictions import Predictions, SlotPredictions


@dataclass(frozen=True)
class Health:
    """What predictions say of the model that made them.

    Attributes:
        expected: events a window that the model expects (its intensity added up).
        happened: events a window that there were.
        live_slots: how many slots share the work: exp of the entropy of their objectness mass (1: all but one are
            dead; 0 where there are no slots).
        top_probability: 99th percentile of the examples' highest slot objectness, or frame probability: near 0, the
            model is never certain; near 1 from the start, always.
    """

    expected: float
    happened: float
    live_slots: float
    top_probability: float


def health(predictions: Predictions, n_events: int) -> Health:
    """Of predictions over examples that were followed by ``n_events`` events in all."""
    if isinstance(predictions, SlotPredictions):
        share_K = predictions.objectness_OK.mean(axis=0).astype(np.float64)
        share_K = share_K / max(share_K.sum(), 1e-12)
        live = float(np.exp(-(share_K * np.log(np.maximum(share_K, 1e-12))).sum()))
        expected, top_O = float(predictions.objectness_OK.sum(axis=1).mean()), predictions.objectness_OK.max(axis=1)
    else:
        expected, live = float(predictions.intensity().sum(axis=(1, 2)).mean()), 0.0
        top_O = predictions.probability_ORC.max(axis=(1, 2))
    return Health(expected, n_events / len(predictions), live, float(np.percentile(top_O, 99)))
