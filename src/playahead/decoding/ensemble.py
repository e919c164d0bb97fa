"""Several models read as one: their probabilities averaged as logits, frame by frame and class by class.

Slots have no common order over models, but what they say of a frame does; so an ensemble may mix heads and sizes.

Axes: O examples, R raster frames, C classes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from playahead.decoding.predictions import DensePredictions, Predictions, event_probabilities
from playahead.io.errors import InputError

_LEAST = np.float32(1e-7)  # a probability of exactly 0 or 1 would silence every other model


def average_predictions(members: Sequence[Predictions]) -> DensePredictions:
    """The members' event_probabilities, averaged as logits.

    Raises:
        InputError: no members, or they have predicted different numbers of examples.
    """
    if len({len(predictions) for predictions in members}) != 1:
        raise InputError("ensemble", f"members have predicted {[len(predictions) for predictions in members]} examples")
    total_ORC = sum(_logits(predictions) for predictions in members)
    return DensePredictions(expit(total_ORC / np.float32(len(members))).astype(np.float32))


def _logits(predictions: Predictions) -> NDArray[np.float32]:
    return logit(np.clip(event_probabilities(predictions.intensity()), _LEAST, 1 - _LEAST))
