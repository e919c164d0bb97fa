"""Marginal decoding: one intensity per class, greedy peaks.

A tolerance of delta seconds accepts any prediction within +- delta / 2. So the best single prediction for a class is
the frame whose neighbourhoods most probably hold an event; its score is that probability, averaged over the six
tolerances. What it explains is taken out of the intensity, and the next prediction is made on the rest. Where one is
placed, narrow tolerances count more: a place that is right for them is right for the wide ones too, not the other way.

So a score is the probability of a *further* action, which is what ranks predictions for the scorer. People read each
row by itself: ``near_probabilities`` says how likely such an action is near, whichever row explains it
(docs/metric.md).

Axes: O examples, R raster frames, C classes, P = O x C intensities (a column each), H tolerances, V vector entries,
T times.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import RASTER_FRAMES, RASTER_HZ

PEAKS_PER_CLASS = 6
TOLERANCES_S = (1, 2, 3, 4, 5, 11)
"""The benchmark's; the last accepts any time."""
_REACH_FRAMES = tuple(min(int(s * RASTER_HZ / 2), RASTER_FRAMES - 1) for s in TOLERANCES_S)
_REACH_H = np.array(_REACH_FRAMES)[:, None]
_START_HR = np.maximum(np.arange(RASTER_FRAMES) - _REACH_H, 0)
_STOP_HR = np.minimum(np.arange(RASTER_FRAMES) + _REACH_H + 1, RASTER_FRAMES)
_IS_NEAR_HRR = np.abs(np.arange(RASTER_FRAMES)[:, None] - np.arange(RASTER_FRAMES)) <= _REACH_H[:, :, None]
PLACE_WEIGHTS = np.array([0.30, 0.20, 0.15, 0.15, 0.10, 0.10], np.float32)  # chosen on val (docs/log.md)
_WORTH = 1e-4  # less confident ones are dropped
_OWN_SHARE = 2 / 3  # of the probability of an action near: that it is not one that a surer row stands for
_MOST_COLUMNS = 65_536  # worked on together: a few tens of MB


def decode_marginal(intensity_ORC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intensities -> scores_ORV, the vectors that the scorer sees (background, ten classes)."""
    n_examples, n_frames, n_classes = intensity_ORC.shape
    scores_ORV = np.zeros((n_examples, n_frames, n_classes + 1), np.float32)
    for part in _parts(n_examples, n_classes):
        confidence_RP = greedy_peaks(_frames_first(intensity_ORC[part]))
        scores_ORV[part, :, 1:] = _examples_first(confidence_RP, n_classes)
    return scores_ORV


def near_probabilities(intensity_ORC: NDArray[np.float32], scores_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
    """probabilities_ORV: of each peak, how likely such an action is near, averaged over the six tolerances.

    A peak next to a surer one of its class has an action near most of the time, but it is mostly the other's. Such a
    row would be true and tell nothing new, so it gets 0: the row's own action must make up two thirds.

    Args:
        intensity_ORC: whole intensities, from which the peaks were picked.
        scores_ORV: the peaks, from ``decode_marginal``.
    """
    probabilities_ORV = np.zeros_like(scores_ORV)
    n_classes = intensity_ORC.shape[2]
    for part in _parts(len(intensity_ORC), n_classes):
        mass_HRP = _neighbourhood_mass(_frames_first(intensity_ORC[part]))
        near_ORC = _examples_first(_mean(-np.expm1(-mass_HRP)), n_classes)
        own_ORC = scores_ORV[part, :, 1:]
        is_shown = (own_ORC > 0) & (own_ORC >= np.float32(_OWN_SHARE) * near_ORC)
        probabilities_ORV[part, :, 1:] = np.where(is_shown, near_ORC, 0)
    return probabilities_ORV


def _parts(n_examples: int, n_classes: int) -> list[slice]:
    """Examples worked on together."""
    size = max(_MOST_COLUMNS // n_classes, 1)
    return [slice(start, start + size) for start in range(0, n_examples, size)]


def _frames_first(intensity_ORC: NDArray[np.float32]) -> NDArray[np.float32]:
    """intensity_RP."""
    return np.ascontiguousarray(intensity_ORC.transpose(1, 0, 2)).reshape(intensity_ORC.shape[1], -1)


def _examples_first(values_RP: NDArray[np.float32], n_classes: int) -> NDArray[np.float32]:
    """values_ORC."""
    return values_RP.reshape(len(values_RP), -1, n_classes).transpose(1, 0, 2)


def greedy_peaks(intensity_RP: NDArray[np.float32]) -> NDArray[np.float32]:
    """confidence_RP: zero but in the frames predicted, at most ``PEAKS_PER_CLASS`` a column."""
    confidence_RP = np.zeros(intensity_RP.shape, np.float32)
    columns = np.arange(intensity_RP.shape[1])
    remaining = intensity_RP.astype(np.float32, copy=False)
    for _ in range(PEAKS_PER_CLASS):
        mass_HRP = _neighbourhood_mass(remaining)
        probability_HRP = -np.expm1(-mass_HRP)
        placed = PLACE_WEIGHTS @ probability_HRP.reshape(len(PLACE_WEIGHTS), -1)
        peak, here = placed.reshape(remaining.shape).argmax(axis=0), np.arange(len(columns))
        confidence, mass_HP = _mean(probability_HRP[:, peak, here]), mass_HRP[:, peak, here]
        worth = confidence > _WORTH
        if not worth.all():
            columns, remaining, peak = columns[worth], remaining[:, worth], peak[worth]
            confidence, mass_HP = confidence[worth], mass_HP[:, worth]
        if not len(columns):
            break
        held = np.maximum(confidence_RP[peak, columns], confidence)  # a frame predicted twice
        confidence_RP[peak, columns] = held
        remaining = take_out(remaining, peak, mass_HP)
    return confidence_RP


def _mean(values_H: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the tolerances; ``mean`` does the same in twice the time, and an answer needs it often."""
    return np.add.reduce(values_H, axis=0) / np.float32(len(values_H))


def _neighbourhood_mass(intensity_RP: NDArray[np.float32]) -> NDArray[np.float32]:
    """mass_HRP within each tolerance's reach of each frame."""
    cumulative = np.zeros((RASTER_FRAMES + 1, intensity_RP.shape[1]), np.float32)
    np.cumsum(intensity_RP, axis=0, out=cumulative[1:])
    mass = cumulative.take(_STOP_HR.ravel(), axis=0) - cumulative.take(_START_HR.ravel(), axis=0)
    return mass.reshape(*_STOP_HR.shape, -1)


def take_out(
    intensity_RP: NDArray[np.float32], peak_P: NDArray[np.intp], mass_HP: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scale each neighbourhood so that the one event that the prediction explains is gone, averaged over tolerances.

    Of a Poisson mass m, one event is explained with probability 1 - exp(-m): m - (1 - exp(-m)) remains.
    """
    kept_HP = 1 + np.expm1(-mass_HP) / np.maximum(mass_HP, np.float32(1e-9))
    factor_HRP = np.where(_IS_NEAR_HRR.take(peak_P, axis=2), kept_HP[:, None], np.float32(1))
    return intensity_RP * _mean(factor_HRP)


RADIUS_MS = 500
"""Of two peaks of one class closer than this the lower is dropped: mAP@1 pays within half a second."""


@dataclass(frozen=True)
class Spotted:
    """Actions seen: when, which class, how surely; by class, then by falling score."""

    time_ms: NDArray[np.int64]
    class_index: NDArray[np.intp]
    score: NDArray[np.float32]


def pick_peaks(
    scores_TC: NDArray[np.floating],
    time_ms_T: NDArray[np.integer],
    min_confidence: float = 0.01,
    radius_ms: int = RADIUS_MS,
) -> Spotted:
    """Greedy non-maximum suppression of each class on its own."""
    found: list[tuple[int, int, float]] = []
    for c in range(scores_TC.shape[1]):
        free_T = scores_TC[:, c] >= min_confidence
        for t in np.argsort(-scores_TC[:, c], kind="stable"):
            if scores_TC[t, c] < min_confidence:
                break
            if free_T[t]:
                found.append((int(time_ms_T[t]), c, float(scores_TC[t, c])))
                free_T &= np.abs(time_ms_T - time_ms_T[t]) >= radius_ms
    times, classes, scores = zip(*found, strict=True) if found else ((), (), ())
    return Spotted(np.array(times, np.int64), np.array(classes, np.intp), np.array(scores, np.float32))
