"""Several models read as one: their chances averaged as logits, frame by frame and class by class.

Slots have no common order over models, but what they say of a frame does; so an ensemble may mix heads and sizes.

Axes: O observations, R raster frames, C classes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from playahead.decoding.readings import DenseReadings, Readings, chances
from playahead.errors import InputError

_LEAST = np.float32(1e-7)  # a chance of exactly 0 or 1 would silence every other model


def average_readings(members: Sequence[Readings]) -> DenseReadings:
    """The members' chances, averaged as logits.

    Raises:
        InputError: no members, or they have read different numbers of observations.
    """
    if len({len(readings) for readings in members}) != 1:
        raise InputError("ensemble", f"members have read {[len(readings) for readings in members]} observations")
    total_ORC = sum(_logits(readings) for readings in members)
    return DenseReadings(expit(total_ORC / np.float32(len(members))).astype(np.float32))


def _logits(readings: Readings) -> NDArray[np.float32]:
    return logit(np.clip(chances(readings.intensity()), _LEAST, 1 - _LEAST))
