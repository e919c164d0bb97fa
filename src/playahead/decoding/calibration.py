"""The map that makes confidences say how often such an action came near, fitted on validation (docs/metric.md).

Axes: P anticipations, B bins of confidence, C classes.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from playahead.decoding.choosing import Table
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import Predictions
from playahead.domain.actions import ACTIONS
from playahead.evaluation.exact import TimedEvents
from playahead.evaluation.reliability import came_near, rows_of
from playahead.evaluation.score_scale import ScoreScale

_BIN = 0.025  # of confidence: one knot each, where there are anticipations
_PRIOR = 20.0  # anticipations that bear out the model: a bin with few of its own stays near what it says


def calibrate(decoder: Decoder, predictions: Predictions, table: Table, events: TimedEvents) -> Decoder:
    """The decoder with a map of its confidences; scores stay as they are.

    Args:
        decoder: the marginal one.
        predictions: of matches that the model was not trained on.
        table: puts confidences beside what happened (``EvaluationSet.table``).
        events: what happened, to the millisecond.
    """
    plain = replace(decoder, calibration=None)
    rows = rows_of(table(plain.probabilities(predictions)).scores_NRV[:, :, 1:], events)
    stated_P, happened_P = np.asarray(rows.score, np.float64), came_near(events, rows)
    by_class = [rows.class_index == c for c in range(len(ACTIONS))]
    knots = [_knots(stated_P[mine], happened_P[mine]) for mine in by_class]
    return replace(plain, calibration=ScoreScale(tuple(k[0] for k in knots), tuple(k[1] for k in knots)))


def _knots(stated_P: NDArray[np.float64], happened_P: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """(stated, happened) from (0, 0) to (1, 1): the mean of each bin, pooled with its neighbours where they fall."""
    if not len(stated_P):
        return (), ()
    bin_P = (stated_P / _BIN).astype(int)
    count_B, stated_B, happened_B = (np.bincount(bin_P, weights) for weights in (None, stated_P, happened_P))
    held = count_B > 0
    count_B, stated_B = count_B[held], (stated_B[held] / count_B[held]).round(4)
    happened_B = (happened_B[held] + _PRIOR * stated_B) / (count_B + _PRIOR)
    rising_B = isotonic_regression(happened_B, weights=count_B + _PRIOR).x.round(4)
    inner = (stated_B > 0) & (stated_B < 1)
    return (0.0, *stated_B[inner].tolist(), 1.0), (0.0, *rising_B[inner].tolist(), 1.0)
