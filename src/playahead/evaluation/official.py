"""The benchmark's score, to the last bit, in NumPy.

The figures equal those of FAANTRA's ``multi_aux_evaluate`` over ``SoccerNet.Evaluation.ActionSpotting.average_mAP``
0.2.0. Whatever upstream computes depends on the detections only through *counts* at 200 thresholds, and counts add up
over clips. So ``count_detections`` takes them once, and the score, the bootstrap over matches and the precision-recall
curves are all made from them.

Axes: N clips, R frames, C classes, D tolerances, H thresholds,
G groups of events (all, visible, unshown), E rows (a clip and class with events), K event's rank in its row,
P detections of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAMES, RASTER_HZ
from playahead.evaluation.frames import ALL_CLASSES, FrameTable

INFINITY_S = 11
"""Upstream's infinite tolerance: every frame of the window is in reach."""
TOLERANCES_S: tuple[int, ...] = (1, 2, 3, 4, 5, INFINITY_S)
METRICS: dict[str, tuple[int, ...]] = {
    **{f"at{tolerance_s}": (tolerance_s,) for tolerance_s in TOLERANCES_S[:-1]},
    "atInfty": (INFINITY_S,),
    "tight": (1, 2, 3, 4, 5),
    "tightV2": (1, 5, INFINITY_S),
}

THRESHOLDS_H = np.linspace(0, 1, 200)
_SHIFT = 1e-6  # upstream subtracts it (in float32) so that an empty frame is below threshold 0
RECALL_LEVELS = np.arange(11) / 10
_GROUPS = ("", "_visible", "_unshown")


@dataclass(frozen=True)
class ThresholdCounts:
    """Counts at each threshold; they add up over clips, matches and bootstrap weights.

    Attributes:
        detections_GCH: detections with at least that score.
        hits_GDCH: detections among them that are matched to an event within the tolerance.
        events_GC: events to find.
        classes: indices of the classes that have figures.
    """

    detections_GCH: NDArray[np.float64]
    hits_GDCH: NDArray[np.float64]
    events_GC: NDArray[np.float64]
    classes: tuple[int, ...] = ALL_CLASSES

    def __add__(self, other: "ThresholdCounts") -> "ThresholdCounts":
        return ThresholdCounts(
            self.detections_GCH + other.detections_GCH,
            self.hits_GDCH + other.hits_GDCH,
            self.events_GC + other.events_GC,
            self.classes,
        )


def _event_rows(
    table: FrameTable,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.int32]]:
    """(clip_E, class_E, frame_EK, value_EK): one row for each clip and class that has an event.

    Frames are in time order, -1 beyond the last; a value is +1 for a visible event, -1 for an unshown one.
    """
    # Group the events by clip and class; np.nonzero gives them in time order, and a stable sort keeps that.
    is_event = (table.labels_NR <= len(ACTIONS)) & (table.labels_NR >= 1) & (table.visibility_NR != 0)
    clip, frame = np.nonzero(is_event)
    row_key = clip * len(ACTIONS) + table.labels_NR[clip, frame] - 1
    order = np.argsort(row_key, kind="stable")
    keys, row, count = np.unique(row_key[order], return_inverse=True, return_counts=True)
    # The rank of an event in its row is its place in all, less where the row begins.
    rank = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    frame_EK = np.full((len(keys), int(count.max(initial=0))), -1, np.intp)
    value_EK = np.zeros(frame_EK.shape, np.int32)
    frame_EK[row, rank] = frame[order]
    value_EK[row, rank] = table.visibility_NR[clip, frame][order]
    return keys // len(ACTIONS), keys % len(ACTIONS), frame_EK, value_EK


def match_rows(
    scores_EP: NDArray[np.floating],
    time_EP: NDArray[np.number],
    event_time_EK: NDArray[np.number],
    present_EK: NDArray[np.bool_],
    reach: float,
) -> NDArray[np.bool_]:
    """Match detections to events: in time order, each event takes the best free detection in reach.

    Args:
        scores_EP: scores of each row's detections in time order, negative where there is none.
        time_EP: times of the detections, in any unit (the official scorer's is the frame).
        event_time_EK: times of the row's events, in order.
        present_EK: False beyond a row's last event.
        reach: largest distance in that unit, inclusive.

    Returns:
        hits_EP: True for detections that an event took; of equal scores the first in time is taken.
    """
    hits_EP = np.zeros(scores_EP.shape, bool)
    if not hits_EP.size:
        return hits_EP
    # All rows at once: their first events choose, then their second ones ...
    for event_time_E, present_E in zip(event_time_EK.T, present_EK.T, strict=True):
        rows = np.flatnonzero(present_E)
        in_reach = np.abs(time_EP[rows] - event_time_E[rows, None]) <= reach
        free = np.where(in_reach & ~hits_EP[rows], scores_EP[rows], -1)
        best = free.argmax(axis=1)
        matched = free[np.arange(len(rows)), best] >= 0
        hits_EP[rows[matched], best[matched]] = True
    return hits_EP


def _closest_event(frame_EK: NDArray[np.intp], value_EK: NDArray[np.int32], n_clips: int) -> NDArray[np.int32]:
    """Visibility of the event closest to each frame of a row, with upstream's mistake.

    Upstream ends an event's interval at the *number of clips* where it means the number of frames, which matters below
    32 clips. It only touches the visible / unshown figures (golden case 09).
    """
    # An event's interval reaches to the middle between it and the next; the last one's to the end.
    frames_R = np.arange(RASTER_FRAMES)
    closest_ER = np.full((len(frame_EK), RASTER_FRAMES), -1, np.int32)
    end = np.full(len(frame_EK), 2 * n_clips)
    after_EK = np.column_stack([frame_EK[:, 1:], np.full(len(end), -1)])
    after_EK = np.where(after_EK < 0, end[:, None], after_EK)
    start = np.zeros(len(end), np.intp)
    for rank in range(frame_EK.shape[1]):
        present = frame_EK[:, rank] >= 0
        middle = (frame_EK[:, rank] + after_EK[:, rank]) // 2
        stop = np.minimum(n_clips, middle)
        inside = present[:, None] & (frames_R >= start[:, None]) & (frames_R < stop[:, None])
        closest_ER = np.where(inside, value_EK[:, rank, None], closest_ER)
        start = middle
    return closest_ER


def _threshold_histogram(class_P: NDArray[np.intp], score_P: NDArray[np.float32]) -> NDArray[np.float64]:
    """counts_CH of the detections that reach each threshold."""
    # Count the detections of each class by the number of thresholds that they reach, from 0 to 200. The reversed
    # cumulative sum turns "exactly so many" into "at least so many".
    reached = np.searchsorted(THRESHOLDS_H, score_P.astype(np.float64), side="right")
    width = len(THRESHOLDS_H) + 1
    cells = np.bincount(class_P * width + reached, minlength=len(ACTIONS) * width)
    exactly = cells.reshape(len(ACTIONS), width).astype(np.float64)
    return exactly[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]


def count_detections(table: FrameTable) -> ThresholdCounts:
    """Assign detections to events at each tolerance and count them at each threshold."""
    # A score counts for its class in every row of a clip with such an event; row_* are those detections, flat.
    shifted_NRC = (table.scores_NRV - np.float32(_SHIFT))[:, :, 1:]
    clip_E, class_E, frame_EK, value_EK = _event_rows(table)
    scores_ER = shifted_NRC[clip_E, :, class_E]
    closest_ER = _closest_event(frame_EK, value_EK, len(table.labels_NR))
    row, frame = np.nonzero(scores_ER >= 0)
    row_class, row_score, row_closest = class_E[row], scores_ER[row, frame], closest_ER[row, frame]

    # Detections, also of classes without an event in their clip; those are in the group "unshown".
    clip_P, frame_P, class_P = np.nonzero(shifted_NRC >= 0)
    every = _threshold_histogram(class_P, shifted_NRC[clip_P, frame_P, class_P])
    visible = _threshold_histogram(row_class[row_closest > 0], row_score[row_closest > 0])
    detections_GCH = np.stack([every, visible, every - visible])

    # Hits at each tolerance: half of it either way, in frames.
    hits_GDCH = np.zeros((3, len(TOLERANCES_S), len(ACTIONS), len(THRESHOLDS_H)))
    frame_ER = np.broadcast_to(np.arange(RASTER_FRAMES), scores_ER.shape)
    present = frame_EK >= 0
    for d, tolerance_s in enumerate(TOLERANCES_S):
        hit = match_rows(scores_ER, frame_ER, frame_EK, present, tolerance_s * RASTER_HZ / 2)[row, frame]
        for g, chosen in enumerate((hit, hit & (row_closest > 0), hit & (row_closest < 0))):
            hits_GDCH[g, d] = _threshold_histogram(row_class[chosen], row_score[chosen])

    groups = (present, value_EK > 0, value_EK < 0)
    events_GC = np.stack([np.bincount(class_E, m.sum(axis=1), minlength=len(ACTIONS)) for m in groups])
    return ThresholdCounts(detections_GCH, hits_GDCH, events_GC.astype(np.float64), table.classes)


def precision_recall(counts: ThresholdCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(precision_GDCH, recall_GDCH) of ``counts.classes``, with upstream's nan_to_num for empty divisions."""
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.nan_to_num(counts.hits_GDCH / counts.detections_GCH[:, None], copy=False)
        recall = np.nan_to_num(counts.hits_GDCH / counts.events_GC[:, None, :, None], copy=False)
    if counts.classes != ALL_CLASSES:
        precision, recall = (values[:, :, list(counts.classes)] for values in (precision, recall))
    return precision, recall


def average_precision(counts: ThresholdCounts) -> NDArray[np.float64]:
    """ap_GDC by 11-point interpolation, of ``counts.classes``; a class without events has 0."""
    precision, recall = precision_recall(counts)
    # Recall falls from threshold to threshold, so the thresholds that reach a level of recall are the first ones: their
    # best precision is the running maximum at the last of them.
    best = np.maximum.accumulate(precision, axis=-1)
    total = np.zeros(precision.shape[:-1])
    for level in RECALL_LEVELS:
        reached = np.count_nonzero(recall >= level, axis=-1)
        at = np.maximum(reached - 1, 0)[..., None]
        total += np.where(reached > 0, np.take_along_axis(best, at, axis=-1)[..., 0], 0)
    return total / len(RECALL_LEVELS)


def _trapezoid_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis, summed by trapezoids in upstream's order."""
    pairs = [(low + high) / 2 for low, high in pairwise(values)]
    return reduce(lambda total, pair: total + pair, pairs, np.zeros_like(values[0])) / len(pairs)


def metrics_from_counts(counts: ThresholdCounts) -> dict[str, dict[str, object]]:
    """All of upstream's figures: ``{"at1": {"a_mAP": ..., "a_mAP_per_class": [...], ...}, ...}``."""
    ap_GDC, place = average_precision(counts), TOLERANCES_S.index
    return {name: _one_metric(ap_GDC[:, [place(delta) for delta in deltas]]) for name, deltas in METRICS.items()}


def _one_metric(ap_GDC: NDArray[np.float64]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for group, ap_DC in zip(_GROUPS, ap_GDC, strict=True):
        map_D = np.array([np.mean(ap_C) for ap_C in ap_DC])
        several = len(ap_DC) > 1
        mean, per_class = (_trapezoid_mean(values) if several else values[0] for values in (map_D, ap_DC))
        if several and group == "_unshown":
            mean = mean * 17 / 13  # as upstream does, for no reason that we know
        figures[f"a_mAP{group}"] = float(mean)
        figures[f"a_mAP_per_class{group}"] = per_class.tolist()
    figures["a_mAP_stable"] = figures["a_mAP"]
    return figures


def benchmark_average(counts: ThresholdCounts) -> float:
    """Mean of the mAP at 1, 2, 3, 4, 5 and infinity seconds, as a fraction: the benchmark's figure."""
    return float(average_precision(counts)[0].mean())


def score_videos(tables: Sequence[FrameTable]) -> ThresholdCounts:
    """Counts over several videos, each counted by itself, as upstream does."""
    return reduce(ThresholdCounts.__add__, (count_detections(table) for table in tables))
