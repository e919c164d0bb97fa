"""Marginal decoding: one intensity per class, greedy peaks.

A tolerance of delta seconds accepts any prediction within +- delta / 2. So the best single prediction for a class is
the frame whose neighbourhoods most probably hold an event; its score is that probability, averaged over the six
tolerances. What it explains is taken out of the intensity, and the next prediction is made on the rest. Where one is
placed, narrow tolerances count more: a place that is right for them is right for the wide ones too, not the other way.

So a score is the probability of a *further* action, which is what ranks predictions for the scorer. People read each
row by itself: ``near_probabilities`` says how likely such an action is near, whichever row explains it
(docs/metric.md).

Axes: O examples, R raster frames, C classes, P = O x C intensities (one row each), V vector entries, T times.
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
PLACE_WEIGHTS = np.array([0.30, 0.20, 0.15, 0.15, 0.10, 0.10], np.float32)  # chosen on val (docs/log.md)
_WORTH = 1e-4  # less confident ones are dropped
_OWN_SHARE = 2 / 3  # of the probability of an action near: that it is not one that a surer row stands for
_CHUNK_ROWS = 65_536  # rows worked on together: a few tens of MB


def decode_marginal(intensity_ORC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intensities -> scores_ORV, the vectors that the scorer sees (background, ten classes)."""
    n_examples, n_frames, n_classes = intensity_ORC.shape
    rows_PR = np.ascontiguousarray(intensity_ORC.transpose(0, 2, 1)).reshape(-1, n_frames)
    confidence_PR = np.zeros_like(rows_PR)
    for start in range(0, len(rows_PR), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        confidence_PR[part] = greedy_peaks(rows_PR[part])
    scores_ORV = np.zeros((n_examples, n_frames, n_classes + 1), np.float32)
    by_class = confidence_PR.reshape(n_examples, n_classes, n_frames)
    scores_ORV[:, :, 1:] = by_class.transpose(0, 2, 1)
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
    n_examples = _CHUNK_ROWS // intensity_ORC.shape[2]
    for start in range(0, len(intensity_ORC), n_examples):
        part = slice(start, start + n_examples)
        rows_OCR = np.ascontiguousarray(intensity_ORC[part].transpose(0, 2, 1))
        mass_HPR = _neighbourhood_mass(rows_OCR.reshape(-1, rows_OCR.shape[2]))
        near_ORC = _mean(-np.expm1(-mass_HPR)).reshape(rows_OCR.shape).transpose(0, 2, 1)
        own_ORC = scores_ORV[part, :, 1:]
        is_shown = (own_ORC > 0) & (own_ORC >= np.float32(_OWN_SHARE) * near_ORC)
        probabilities_ORV[part, :, 1:] = np.where(is_shown, near_ORC, 0)
    return probabilities_ORV


def greedy_peaks(intensity_PR: NDArray[np.float32]) -> NDArray[np.float32]:
    """confidence_PR: zero but in the frames predicted, at most ``PEAKS_PER_CLASS`` a row."""
    confidence_PR = np.zeros_like(intensity_PR)
    rows = np.arange(len(intensity_PR))
    remaining = intensity_PR.astype(np.float32, copy=True)
    for _ in range(PEAKS_PER_CLASS):
        mass_HPR = _neighbourhood_mass(remaining)
        probability_HPR = -np.expm1(-mass_HPR)
        placed = PLACE_WEIGHTS @ probability_HPR.reshape(len(PLACE_WEIGHTS), -1)
        peak = placed.reshape(remaining.shape).argmax(axis=1)
        confidence = _mean(probability_HPR[:, np.arange(len(rows)), peak])
        worth = confidence > _WORTH
        rows, remaining, peak = rows[worth], remaining[worth], peak[worth]
        if not len(rows):
            break
        held = np.maximum(confidence_PR[rows, peak], confidence[worth])  # a frame predicted twice
        confidence_PR[rows, peak] = held
        remaining = take_out(remaining, peak, mass_HPR[:, worth][:, np.arange(len(rows)), peak])
    return confidence_PR


def _mean(values_H: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the tolerances; ``mean`` does the same in twice the time, and an answer needs it often."""
    return np.add.reduce(values_H, axis=0) / np.float32(len(values_H))


def _neighbourhood_mass(intensity_PR: NDArray[np.float32]) -> NDArray[np.float32]:
    """mass_HPR within each tolerance's reach of each frame."""
    cumulative = np.zeros((len(intensity_PR), RASTER_FRAMES + 1), np.float32)
    np.cumsum(intensity_PR, axis=1, out=cumulative[:, 1:])
    mass_PHR = cumulative[:, _STOP_HR] - cumulative[:, _START_HR]
    return np.ascontiguousarray(mass_PHR.transpose(1, 0, 2))


def take_out(
    intensity_PR: NDArray[np.float32], peak_P: NDArray[np.intp], mass_HP: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scale each neighbourhood so that the one event that the prediction explains is gone, averaged over tolerances.

    Of a Poisson mass m, one event is explained with probability 1 - exp(-m): m - (1 - exp(-m)) remains.
    """
    kept_HP = 1 + np.expm1(-mass_HP) / np.maximum(mass_HP, 1e-9)
    distance_PR = np.abs(np.arange(intensity_PR.shape[1]) - peak_P[:, None])
    is_near_HPR = distance_PR <= _REACH_H[:, :, None]
    factor_HPR = np.where(is_near_HPR, kept_HP[:, :, None], np.float32(1)).astype(np.float32, copy=False)
    return (intensity_PR * (factor_HPR.sum(axis=0) / len(_REACH_FRAMES))).astype(np.float32, copy=False)


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
