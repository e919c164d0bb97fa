"""Rates -> the chance of at least one action within 1, 2 and 5 s, calibrated on validation.

A model's rates read as a Poisson process say it roughly: actions follow each other more regularly than that, so the
true chance is higher where a pass or a drive is near. A monotone map for each horizon and class corrects it.

Axes: O examples or times, R raster frames, C classes, H horizons, X events, B bins, J knots.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAME_MS, RASTER_FRAMES
from playahead.evaluation.exact import TimedEvents
from playahead.io.errors import InputError

HORIZONS_S = (1, 2, 5)
_MOST_BINS, _FEWEST_EVENTS = 24, 40

Knots = list[list[list[list[float]]]]
"""For each horizon and class: what was said, and how often it happened; empty where too little happened."""


def expected_within(intensity_ORC: NDArray[np.floating]) -> NDArray[np.float32]:
    """expected_OHC: events per frame added up to each horizon; of a frame across it, the part before."""
    starts_R = np.arange(RASTER_FRAMES) * RASTER_FRAME_MS
    inside_HR = ((np.array(HORIZONS_S)[:, None] * 1000 - starts_R) / RASTER_FRAME_MS).clip(0, 1).astype(np.float32)
    return np.einsum("hr,orc->ohc", inside_HR, intensity_ORC).astype(np.float32, copy=False)


def chances(intensity_ORC: NDArray[np.floating], about: Mapping[str, Any] | None = None) -> NDArray[np.float32]:
    """chance_OHC of at least one action within each horizon.

    Args:
        intensity_ORC: events per frame.
        about: description of the weights, which may hold the map that ``fit_chances`` found.

    Raises:
        InputError: it holds something else.
    """
    chance_OHC = -np.expm1(-expected_within(intensity_ORC))
    knots = (about or {}).get("chances")
    if knots is None:
        return chance_OHC
    try:
        for h, c in np.ndindex(len(HORIZONS_S), len(ACTIONS)):
            said_J, happened_J = (np.asarray(column, np.float64) for column in knots[h][c])
            if not len(said_J):
                continue
            if not (_rises(said_J) and _rises(happened_J)):
                raise ValueError("does not rise from 0 to 1")
            chance_OHC[:, h, c] = np.interp(chance_OHC[:, h, c], said_J, happened_J)
    except (TypeError, ValueError, LookupError) as reason:
        raise InputError("chances", f"the weights hold no map of them ({reason})", "train again") from None
    return np.maximum.accumulate(chance_OHC, axis=1)  # what comes within 1 s comes within 2


def _rises(knots_J: NDArray[np.float64]) -> bool:
    return bool(knots_J[0] == 0 and knots_J[-1] == 1 and (np.diff(knots_J) >= 0).all())


def fit_chances(intensity_ORC: NDArray[np.floating], events: TimedEvents) -> Knots:
    """Map from what the rates say to how often it happened, on matches that the model was not trained on.

    Args:
        intensity_ORC: events per frame of every example.
        events: what followed; ``clip`` is the example.
    """
    said_OHC, knots = chances(intensity_ORC), []
    for h, horizon_s in enumerate(HORIZONS_S):
        soon_X = events.time_ms <= 1000 * horizon_s
        happened_OC = np.zeros((len(said_OHC), len(ACTIONS)), bool)
        happened_OC[events.clip[soon_X], events.class_index[soon_X]] = True
        knots.append([_knots(said_OHC[:, h, c].astype(np.float64), happened_OC[:, c]) for c in range(len(ACTIONS))])
    return knots


def _knots(said_O: NDArray[np.float64], happened_O: NDArray[np.bool_]) -> list[list[float]]:
    """[said, happened] from (0, 0) to (1, 1): means of bins in which about equally much happened."""
    n_bins = min(_MOST_BINS, int(happened_O.sum()) // _FEWEST_EVENTS)
    if not n_bins:
        return [[], []]
    order = np.argsort(said_O, kind="stable")
    bin_O = (happened_O[order].cumsum() * n_bins / (happened_O.sum() + 1)).astype(int)
    count_B = np.bincount(bin_O)
    said_B = np.bincount(bin_O, said_O[order]) / count_B
    happened_B = np.bincount(bin_O, happened_O[order]) / count_B
    from scipy.optimize import isotonic_regression  # of training alone

    rising_B = isotonic_regression(happened_B, weights=count_B).x
    inner = (said_B > 0) & (said_B < 1)
    said, happened = (column[inner].round(4).tolist() for column in (said_B, rising_B))
    return [[0.0, *said, 1.0], [0.0, *happened, 1.0]]
