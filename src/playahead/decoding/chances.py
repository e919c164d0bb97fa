"""Rates -> the chance of at least one action within 1, 2 and 5 s, calibrated on validation.

A model's rates read as a Poisson process say it roughly: actions follow each other more regularly than that, so the
true chance is higher where a pass or a drive is near. A monotone map for each horizon and class corrects it.

Axes: O examples or times, R raster frames, C classes, H horizons, X events, B bins, J knots.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAME_MS, RASTER_FRAMES
from playahead.evaluation.exact import TimedEvents
from playahead.io.errors import InputError

HORIZONS_S = (1, 2, 5)
_MOST_BINS, _FEWEST_EVENTS = 24, 80
_AT_ONCE, _TINY = 1024, 1e-12

Knots = list[list[list[list[float]]]]
"""For each horizon and class: what was said, and how often it happened; empty where too little happened."""


def expected_within(intensity_ORC: NDArray[np.floating]) -> NDArray[np.float32]:
    """expected_OHC: events per frame added up to each horizon; of a frame across it, the part before."""
    starts_R = np.arange(RASTER_FRAMES) * RASTER_FRAME_MS
    inside_HR = ((np.array(HORIZONS_S)[:, None] * 1000 - starts_R) / RASTER_FRAME_MS).clip(0, 1).astype(np.float32)
    return np.einsum("hr,orc->ohc", inside_HR, intensity_ORC).astype(np.float32, copy=False)


class ChanceMap:
    """Rates -> chances of at least one action within each horizon, by the map that ``fit_chances`` found.

    Args:
        knots: the map; none if None.

    Raises:
        InputError: the knots are no map.
    """

    def __init__(self, knots: Any = None) -> None:
        self._knots_2HCJ = None if knots is None else _padded(knots)

    def __call__(self, intensity_ORC: NDArray[np.floating]) -> NDArray[np.float32]:
        """chance_OHC of events per frame."""
        chance_OHC = -np.expm1(-expected_within(intensity_ORC))
        if self._knots_2HCJ is None:
            return chance_OHC
        for first in range(0, len(chance_OHC), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            chance_OHC[part] = self._mapped(chance_OHC[part].astype(np.float64))
        return np.maximum.accumulate(chance_OHC, axis=1)  # what comes within 1 s comes within 2

    def _mapped(self, chance_OHC: NDArray[np.float64]) -> NDArray[np.float64]:
        # Linear between the knots on either side; all classes and horizons at once, as a live answer needs one moment.
        said_HCJ, happened_HCJ = self._knots_2HCJ  # type: ignore[not-iterable]
        below_OHC1 = ((chance_OHC[..., None] >= said_HCJ).sum(axis=-1, keepdims=True) - 1).clip(
            0, said_HCJ.shape[2] - 2
        )
        (x0, x1), (y0, y1) = (
            [np.take_along_axis(knots[None], below_OHC1 + side, axis=-1)[..., 0] for side in (0, 1)]
            for knots in (said_HCJ, happened_HCJ)
        )
        return y0 + (y1 - y0) * (chance_OHC - x0) / np.maximum(x1 - x0, _TINY)


def _padded(knots: Any) -> NDArray[np.float64]:
    """[said, happened] of every horizon and class, equally long; where too little happened, what is said stays."""
    try:
        columns = [[[list(map(float, column)) or [0.0, 1.0] for column in of] for of in row] for row in knots]
        longest = max(len(column) for row in columns for of in row for column in of)
        padded = np.array([[[c + [1.0] * (longest - len(c)) for c in of] for of in row] for row in columns])
        if padded.shape[:3] != (len(HORIZONS_S), len(ACTIONS), 2):
            raise ValueError("is not of every horizon and class")
        if not ((padded[..., 0] == 0) & (padded[..., -1] == 1) & (np.diff(padded) >= 0).all(axis=-1)).all():
            raise ValueError("does not rise from 0 to 1")
    except (TypeError, ValueError) as reason:
        raise InputError("chances", f"the weights hold no map of them ({reason})", "train again") from None
    return np.ascontiguousarray(padded.transpose(2, 0, 1, 3))


def fit_chances(intensity_ORC: NDArray[np.floating], events: TimedEvents) -> Knots:
    """Map from what the rates say to how often it happened, on matches that the model was not trained on.

    Args:
        intensity_ORC: events per frame of every example.
        events: what followed; ``clip`` is the example.
    """
    said_OHC, knots = ChanceMap()(intensity_ORC), []
    for h, horizon_s in enumerate(HORIZONS_S):
        soon_X = events.time_ms <= 1000 * horizon_s
        happened_OC = np.zeros((len(said_OHC), len(ACTIONS)), bool)
        happened_OC[events.clip[soon_X], events.class_index[soon_X]] = True
        knots.append([_knots(said_OHC[:, h, c].astype(np.float64), happened_OC[:, c]) for c in range(len(ACTIONS))])
    return knots


def _knots(said_O: NDArray[np.float64], happened_O: NDArray[np.bool_]) -> list[list[float]]:
    """[said, happened] from (0, 0) to (1, 1): means of bins in which about equally much happened, pooled to rise."""
    n_bins = min(_MOST_BINS, int(happened_O.sum()) // _FEWEST_EVENTS)
    if not n_bins:
        return [[], []]
    order = np.argsort(said_O, kind="stable")
    bin_O = (happened_O[order].cumsum() * n_bins / (happened_O.sum() + 1)).astype(int)
    count_B = np.bincount(bin_O)
    said_B = np.bincount(bin_O, said_O[order]) / count_B
    happened_B = np.bincount(bin_O, happened_O[order]) / count_B
    from scipy.optimize import isotonic_regression  # of training alone

    # Bins that were pooled become one knot: between two of them the map rises, and different rates stay different.
    pooled = isotonic_regression(happened_B, weights=count_B)
    rising_P, starts_P = pooled.x[pooled.blocks[:-1]], pooled.blocks[:-1]
    said_P = np.add.reduceat(said_B * count_B, starts_P) / np.add.reduceat(count_B, starts_P)
    inner = (said_P > 0) & (said_P < 1)
    said, happened = (column[inner].round(4).tolist() for column in (said_P, rising_P))
    return [[0.0, *said, 1.0], [0.0, *happened, 1.0]]


def chances_as_json(chance_HC: NDArray[np.float32]) -> dict[str, list[float]]:
    """Chances at one moment for JSON, four digits each, classes in benchmark order."""
    rounded_HC = chance_HC.astype(np.float64).round(4).tolist()
    return {f"within_{s}_s": chance_C for s, chance_C in zip(HORIZONS_S, rounded_HC, strict=True)}
