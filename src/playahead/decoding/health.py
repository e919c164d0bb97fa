"""Figures that show a training going wrong before the score does.

Axes: O observations, K slots, C classes.
"""

from dataclasses import dataclass

import numpy as np

from playahead.decoding.readings import Readings, SlotReadings


@dataclass(frozen=True)
class Health:
    """What readings say of the model that made them.

    Attributes:
        expected: events a window that the model expects (its intensity added up).
        happened: events a window that there were.
        live_slots: how many slots share the work: exp of the entropy of their objectness mass (1: all but one are
            dead; 0 where there are no slots).
        top_chance: 99th percentile of the windows' highest slot objectness, or frame chance: near 0, nothing is ever
            sure; near 1 from the start, everything is.
    """

    expected: float
    happened: float
    live_slots: float
    top_chance: float


def health(readings: Readings, n_events: int) -> Health:
    """Of readings over observations that were followed by ``n_events`` events in all."""
    if isinstance(readings, SlotReadings):
        share_K = readings.objectness_OK.mean(axis=0).astype(np.float64)
        share_K = share_K / max(share_K.sum(), 1e-12)
        live = float(np.exp(-(share_K * np.log(np.maximum(share_K, 1e-12))).sum()))
        expected, top_O = float(readings.objectness_OK.sum(axis=1).mean()), readings.objectness_OK.max(axis=1)
    else:
        expected, live = float(readings.intensity().sum(axis=(1, 2)).mean()), 0.0
        top_O = readings.chance_ORC.max(axis=(1, 2))
    return Health(expected, n_events / len(readings), live, float(np.percentile(top_O, 99)))
