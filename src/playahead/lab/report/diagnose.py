"""Diagnosis of a score: where confidence is right, which classes are confused, which slots do the work.

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
_NEAR_FRAMES = 3  # half a second on either side, where the likeliest class is looked up
_MIN_RATE = 1e-7


@dataclass(frozen=True)
class Diagnosis:
    """Figures of one model on one split that the page draws.

    Attributes:
        classes: indices of the annotated classes, the axis C of all that follows.
        events_C: number of events that happened.
        precision_DC: average precision, percent.
        sweep: (minimum confidence, predictions per clip, mAP of those alone) at rising thresholds.
        calibration: confidences of all classes beside what happened, at the frames' times.
        error_CB: number of examples by the time error of the class's most confident prediction, three frames a bin.
        confusion_CC: share of each actual class's events (row) at which each class (column) was the likeliest.
        slot_mass_KC: events per example that each slot accounts for; None without slots.
        slot_time_K: mean time at which each slot fires, s.
        gain_O: nats by which the model explains each example better than the constant rate.
    """

    classes: tuple[int, ...]
    events_C: NDArray[np.int64]
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
    """Diagnose a model's predictions on a split, from decoded probabilities and from scores on the scorer's scale."""
    counts = count_detections(scaled)
    precision, recall = precision_recall(counts)
    intensity_ORC = predictions.intensity()
    mass_KC, time_K = _slots(predictions) if isinstance(predictions, SlotPredictions) else (None, None)
    annotated = list(scaled.classes)
    happened = probabilities.labels_NR[probabilities.labels_NR != NO_EVENT]
    return Diagnosis(
        classes=scaled.classes,
        events_C=np.bincount(happened - 1, minlength=len(ACTIONS))[annotated],
        precision_DC=100 * average_precision(counts)[0],
        precision_DCH=precision[0],
        recall_DCH=recall[0],
        sweep=sweep(counts, len(predictions)),
        calibration=reliability(timed_events_of_frames(probabilities)[0], probabilities, CONFIDENCE_EDGES),
        error_CB=time_errors(probabilities)[annotated],
        confusion_CC=confusion(intensity_ORC, probabilities.labels_NR)[annotated][:, annotated],
        slot_mass_KC=None if mass_KC is None else mass_KC[:, annotated],
        slot_time_K=time_K,
        gain_O=gains(intensity_ORC, probabilities.labels_NR),
        health=health(predictions, len(happened)),
    )


def sweep(counts: ThresholdCounts, n_clips: int) -> list[tuple[float, float, float]]:
    """(threshold, predictions per clip, mAP) when predictions below the threshold are dropped."""
    precision, recall = precision_recall(counts)
    points = []
    for first in (0, 1, 2, 4, 8, 12, 20, 30, 40, 60, 80, 100, 120, 140, 160):
        above, reached = precision[0][..., first:], recall[0][..., first:]
        best = [np.where(reached >= level, above, 0).max(axis=-1) for level in RECALL_LEVELS]
        predictions_per_clip = float(counts.detections_GCH[0, :, first].sum() / max(n_clips, 1))
        points.append((float(THRESHOLDS_H[first]), predictions_per_clip, 100 * float(np.mean(best))))
    return points


def time_errors(table: FrameTable) -> NDArray[np.int64]:
    """error_CB: histograms of the time from the nearest event to each class's best prediction (late: positive)."""
    frame_R = np.arange(RASTER_FRAMES)
    histograms = []
    for c in range(len(ACTIONS)):
        # In the clips that have both such an event and such a prediction: frames from each event to the prediction,
        # and of them the smallest. Frames without an event are put far away.
        is_event_NR = table.labels_NR == c + 1
        scores_NR = table.scores_NRV[:, :, c + 1]
        chosen = is_event_NR.any(axis=1) & (scores_NR > 0).any(axis=1)
        off_NR = scores_NR[chosen].argmax(axis=1)[:, None] - frame_R
        off_NR = np.where(is_event_NR[chosen], off_NR, 10 * RASTER_FRAMES)
        nearest_N = off_NR[np.arange(len(off_NR)), np.abs(off_NR).argmin(axis=1)]
        histograms.append(np.histogram(nearest_N * RASTER_FRAME_MS / 1000, ERROR_EDGES_S)[0])
    return np.stack(histograms)


def confusion(intensity_ORC: NDArray[np.float32], labels_NR: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of each class's events (row) at which each class (column) was the likeliest: confusion_CC."""
    # Intensity near each event, of each class, as a difference of cumulative sums.
    cumulative = np.zeros((len(intensity_ORC), RASTER_FRAMES + 1, len(ACTIONS)), np.float32)
    np.cumsum(intensity_ORC, axis=1, out=cumulative[:, 1:])
    clip, frame = np.nonzero(labels_NR != NO_EVENT)
    low, high = np.maximum(frame - _NEAR_FRAMES, 0), np.minimum(frame + _NEAR_FRAMES + 1, RASTER_FRAMES)
    likeliest = (cumulative[clip, high] - cumulative[clip, low]).argmax(axis=1)
    counts_CC = np.zeros((len(ACTIONS), len(ACTIONS)))
    np.add.at(counts_CC, (labels_NR[clip, frame] - 1, likeliest), 1)
    return counts_CC / np.maximum(counts_CC.sum(axis=1, keepdims=True), 1)


def gains(intensity_ORC: NDArray[np.float32], labels_NR: NDArray[np.int32]) -> NDArray[np.float64]:
    """Log-likelihood of what happened in each example, less that of the split's own constant rate, in nats: gain_O."""
    # Of a Poisson process: the log rates at the events, less the number of events expected.
    clip, frame = np.nonzero(labels_NR != NO_EVENT)
    c = labels_NR[clip, frame] - 1
    rate_C = np.bincount(c, minlength=len(ACTIONS)) / max(len(labels_NR) * RASTER_FRAMES, 1)
    log_ratio = np.log(intensity_ORC[clip, frame, c] + _MIN_RATE) - np.log(rate_C[c] + _MIN_RATE)
    explained_O = np.bincount(clip, log_ratio, minlength=len(labels_NR))
    return explained_O - (intensity_ORC.sum(axis=(1, 2)) - rate_C.sum() * RASTER_FRAMES)


def _slots(predictions: SlotPredictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mass_KC, mean time of each slot's mass, s)."""
    objectness_OK, bins = predictions.objectness_OK, predictions.offset_OKT.shape[-1]
    mass_KC = np.einsum("ok,okc->kc", objectness_OK, predictions.class_OKC, optimize=True) / len(predictions)
    time_OK = predictions.offset_OKT @ ((np.arange(bins) + 0.5) / bins * ANTICIPATION_MS / 1000)
    return mass_KC, (time_OK * objectness_OK).sum(axis=0) / np.maximum(objectness_OK.sum(axis=0), 1e-9)
