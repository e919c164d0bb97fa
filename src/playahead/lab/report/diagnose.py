"""What lies behind a score: where confidence is right, what is taken for what, which slots do the work.

Axes: O examples, R raster frames, C classes, D tolerances, H thresholds, K slots, B bins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import Health, Predictions, SlotPredictions, health
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, RASTER_FRAME_MS, RASTER_FRAMES
from playahead.evaluation.exact import timed_events_of_frames
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.evaluation.official import (
    RECALL_LEVELS,
    THRESHOLDS_H,
    ThresholdCounts,
    average_precision,
    count_detections,
    precision_recall,
)
from playahead.evaluation.reliability import ReliabilityRow, reliability

CONFIDENCE_EDGES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
ERROR_EDGES_S = np.arange(-31.5, 32, 3) * RASTER_FRAME_MS / 1000  # three frames a bin, the middle one around 0
_NEAR_FRAMES = 3  # half a second on either side: where an event's class is read off
_LEAST_RATE = 1e-7


@dataclass(frozen=True)
class Diagnosis:
    """Everything about one model on one split that the page draws.

    Attributes:
        classes: indices of the annotated classes: the axis C of all that follows.
        precision_DC: average precision, percent.
        precision_DCH, recall_DCH: the curves behind it.
        sweep: (minimum confidence, predictions per clip, mAP of those alone) at rising thresholds.
        calibration: confidences beside what happened, all classes; times are those of the frames.
        error_CB: for every class, windows by the time error of its most confident prediction, three frames a bin.
        confusion_CC: of each actual class (row), the likeliest class there, share of its events.
        slot_mass_KC: events a window that each slot accounts for; None without slots.
        slot_time_K: when each slot fires on average, s.
        gain_O: nats by which the model explains each window better than the constant rate.
        health: see there.
    """

    classes: tuple[int, ...]
    precision_DC: NDArray[np.float64]
    precision_DCH: NDArray[np.float64]
    recall_DCH: NDArray[np.float64]
    sweep: list[tuple[float, float, float]]
    calibration: list[ReliabilityRow]
    error_CB: NDArray[np.int64]
    confusion_CC: NDArray[np.float64]
    slot_mass_KC: NDArray[np.float64] | None
    slot_time_K: NDArray[np.float64] | None
    gain_O: NDArray[np.float64]
    health: Health

    @property
    def class_mean_C(self) -> NDArray[np.float64]:
        """Average precision of each class over the tolerances, percent."""
        return self.precision_DC.mean(axis=0)


def diagnose(predictions: Predictions, probabilities: FrameTable, scaled: FrameTable) -> Diagnosis:
    """Look at a model's predictions on a split.

    Args:
        predictions: what its heads say.
        probabilities: decoded, as people are shown, beside what happened.
        scaled: the same on the scorer's scale.
    """
    counts = count_detections(scaled)
    precision, recall = precision_recall(counts)
    intensity_ORC = predictions.intensity()
    slots = _slots(predictions) if isinstance(predictions, SlotPredictions) else (None, None)
    kept = list(scaled.classes)
    return Diagnosis(
        classes=scaled.classes,
        precision_DC=100 * average_precision(counts)[0],
        precision_DCH=precision[0],
        recall_DCH=recall[0],
        sweep=sweep(counts, len(predictions)),
        calibration=reliability(timed_events_of_frames(probabilities)[0], probabilities, CONFIDENCE_EDGES),
        error_CB=time_errors(probabilities)[kept],
        confusion_CC=confusion(intensity_ORC, probabilities.labels_NR)[kept][:, kept],
        slot_mass_KC=None if slots[0] is None else slots[0][:, kept],
        slot_time_K=slots[1],
        gain_O=gains(intensity_ORC, probabilities.labels_NR),
        health=health(predictions, int((probabilities.labels_NR != NO_EVENT).sum())),
    )


def sweep(counts: ThresholdCounts, n_clips: int) -> list[tuple[float, float, float]]:
    """What is left of the score when less confident predictions are dropped."""
    precision, recall = precision_recall(counts)
    found = []
    for first in (0, 1, 2, 4, 8, 12, 20, 30, 40, 60, 80, 100, 120, 140, 160):
        best = [
            np.where(recall[0][..., first:] >= level, precision[0][..., first:], 0).max(axis=-1)
            for level in RECALL_LEVELS
        ]
        predictions_per_clip = float(counts.detections_GCH[0, :, first].sum() / max(n_clips, 1))
        found.append((float(THRESHOLDS_H[first]), predictions_per_clip, 100 * float(np.mean(best))))
    return found


def time_errors(table: FrameTable) -> NDArray[np.int64]:
    """How far a class's most confident prediction was from the nearest such event: error_CB (late: positive)."""
    frame_R = np.arange(RASTER_FRAMES)
    found = []
    for c in range(len(ACTIONS)):
        is_event_NR = table.labels_NR == c + 1
        scores_NR = table.scores_NRV[:, :, c + 1]
        chosen = is_event_NR.any(axis=1) & (scores_NR > 0).any(axis=1)
        guess_N = scores_NR[chosen].argmax(axis=1)
        off_NR = guess_N[:, None] - frame_R
        off_NR = np.where(is_event_NR[chosen], off_NR, 10 * RASTER_FRAMES)
        nearest_N = off_NR[np.arange(len(off_NR)), np.abs(off_NR).argmin(axis=1)]
        found.append(np.histogram(nearest_N * RASTER_FRAME_MS / 1000, ERROR_EDGES_S)[0])
    return np.stack(found)


def confusion(intensity_ORC: NDArray[np.float32], labels_NR: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of each class's events (row) at which each class (column) was held likeliest."""
    cumulative = np.zeros((len(intensity_ORC), RASTER_FRAMES + 1, len(ACTIONS)), np.float32)
    np.cumsum(intensity_ORC, axis=1, out=cumulative[:, 1:])
    clip, frame = np.nonzero(labels_NR != NO_EVENT)
    low, high = np.maximum(frame - _NEAR_FRAMES, 0), np.minimum(frame + _NEAR_FRAMES + 1, RASTER_FRAMES)
    held = (cumulative[clip, high] - cumulative[clip, low]).argmax(axis=1)
    counts_CC = np.zeros((len(ACTIONS), len(ACTIONS)))
    np.add.at(counts_CC, (labels_NR[clip, frame] - 1, held), 1)
    return counts_CC / np.maximum(counts_CC.sum(axis=1, keepdims=True), 1)


def gains(intensity_ORC: NDArray[np.float32], labels_NR: NDArray[np.int32]) -> NDArray[np.float64]:
    """Log-likelihood of what happened in each window, less that of the split's own constant rate, in nats."""
    clip, frame = np.nonzero(labels_NR != NO_EVENT)
    c = labels_NR[clip, frame] - 1
    rate_C = np.bincount(c, minlength=len(ACTIONS)) / max(len(labels_NR) * RASTER_FRAMES, 1)
    surprise = np.log(intensity_ORC[clip, frame, c] + _LEAST_RATE) - np.log(rate_C[c] + _LEAST_RATE)
    explained_O = np.bincount(clip, surprise, minlength=len(labels_NR))
    return explained_O - (intensity_ORC.sum(axis=(1, 2)) - rate_C.sum() * RASTER_FRAMES)


def _slots(predictions: SlotPredictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mass_KC, mean time of each slot's mass, s)."""
    mass_KC = np.einsum("ok,okc->kc", predictions.objectness_OK, predictions.class_OKC, optimize=True) / len(
        predictions
    )
    bins = predictions.offset_OKT.shape[-1]
    centre_T = (np.arange(bins) + 0.5) / bins * ANTICIPATION_MS / 1000
    time_OK = predictions.offset_OKT @ centre_T
    weight_K = np.maximum(predictions.objectness_OK.sum(axis=0), 1e-9)
    return mass_KC, (time_OK * predictions.objectness_OK).sum(axis=0) / weight_K
