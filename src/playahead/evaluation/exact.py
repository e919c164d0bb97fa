"""The official score without its rounding: every threshold, continuous time.

The official scorer looks at 200 fixed thresholds and 32 frames. Here every distinct confidence is a threshold and
times are milliseconds; matching and averaging are the same. So the difference between the two figures is what the
200 thresholds hide.

Axes: P predictions, E events (later: rows, a clip and class with events), D tolerances, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import OBSERVATION_MS, RASTER_FRAME_MS
from playahead.domain.records import Clip
from playahead.evaluation.frames import ALL_CLASSES, FrameTable
from playahead.evaluation.official import RECALL_LEVELS, TOLERANCES_S, ThresholdCounts, match_rows, precision_recall


@dataclass(frozen=True)
class TimedEvents:
    """Events, or predictions if they have a ``score``.

    Attributes:
        clip, class_index: clip and class of each.
        time_ms: time within the 5 s.
        score: confidence; None for events.
        classes: indices of the annotated classes.
    """

    clip: NDArray[np.integer]
    class_index: NDArray[np.integer]
    time_ms: NDArray[np.number]
    score: NDArray[np.floating] | None = None
    classes: tuple[int, ...] = ALL_CLASSES

    @property
    def score_P(self) -> NDArray[np.float64]:
        """Confidences; none of events."""
        return np.zeros(0) if self.score is None else self.score.astype(np.float64)

    @property
    def row_key(self) -> NDArray[np.int64]:
        """Clip and class as one number."""
        return self.clip.astype(np.int64) * len(ACTIONS) + self.class_index


@dataclass(frozen=True)
class ExactScores:
    """Average precision of each tolerance and class, as fractions.

    Attributes:
        eleven_point_DC: 11-point interpolation over every threshold, the official figure's limit.
        area_DC: area under the interpolated precision-recall curve, the usual average precision.
    """

    eleven_point_DC: NDArray[np.float64]
    area_DC: NDArray[np.float64]

    @property
    def average(self) -> float:
        """Mean of the 11-point mAP over the six tolerances."""
        return float(self.eleven_point_DC.mean())

    @property
    def average_area(self) -> float:
        """Mean of the area mAP over the six tolerances."""
        return float(self.area_DC.mean())


def timed_events_of_clips(clips: Sequence[Clip]) -> TimedEvents:
    """Events of each clip's future, to the millisecond."""
    events = [(n, event) for n, clip in enumerate(clips) for event in clip.anticipation or ()]
    return TimedEvents(
        np.array([n for n, _ in events], np.int64),
        np.array([event.action.class_index for _, event in events], np.int64),
        np.array([event.position_ms - OBSERVATION_MS for _, event in events], np.int64),
    )


def timed_events_of_frames(table: FrameTable) -> tuple[TimedEvents, TimedEvents]:
    """(events, predictions) of a frame table, at the frames' centres."""
    clip, frame = np.nonzero((table.labels_NR >= 1) & (table.labels_NR <= len(ACTIONS)))
    events = TimedEvents(clip, table.labels_NR[clip, frame] - 1, (frame + 0.5) * RASTER_FRAME_MS, classes=table.classes)
    scores_NRC = table.scores_NRV[:, :, 1:]
    clip, frame, class_index = np.nonzero(scores_NRC > 0)
    times_ms = (frame + 0.5) * RASTER_FRAME_MS
    return events, TimedEvents(clip, class_index, times_ms, scores_NRC[clip, frame, class_index])


def score_exactly(events: TimedEvents, predictions: TimedEvents) -> ExactScores:
    """Average precision at the six tolerances, every confidence a threshold, of the events' annotated classes."""
    score_P = predictions.score_P
    eleven_DC = np.zeros((len(TOLERANCES_S), len(ACTIONS)))
    area_DC = np.zeros_like(eleven_DC)
    events_C = np.bincount(events.class_index, minlength=len(ACTIONS))
    for d, hit_P in enumerate(hits(events, predictions)):
        for c in range(len(ACTIONS)):
            of_class = predictions.class_index == c
            precision, recall = _curve(score_P[of_class], hit_P[of_class], int(events_C[c]))
            # Best precision at each of the eleven levels of recall or beyond it, and the area under its envelope.
            best = [precision[recall >= level].max(initial=0.0) for level in RECALL_LEVELS]
            envelope = np.maximum.accumulate(precision[::-1])[::-1]
            eleven_DC[d, c] = float(np.mean(best))
            area_DC[d, c] = float((np.diff(recall, prepend=0.0) * envelope).sum())
    return ExactScores(*(values_DC[:, list(events.classes)] for values_DC in (eleven_DC, area_DC)))


def hits(events: TimedEvents, predictions: TimedEvents) -> NDArray[np.bool_]:
    """hit_DP: at each tolerance, the predictions that take an event; each event counts for one at most."""
    # A padded row for each clip and class with events, as the official matching takes them; predictions in other
    # clips and classes can hit nothing.
    keys = np.unique(events.row_key)
    event_time_EK, present_EK, _ = _pad_rows(events, keys)
    time_EP, is_prediction_EP, source_EP = _pad_rows(predictions, keys)
    score_P = predictions.score_P
    scores_EP = np.where(is_prediction_EP, score_P[source_EP] if len(score_P) else 0.0, -1.0)
    # Match at each tolerance (half of it either way, in ms), and carry the hits back to the predictions' own order.
    hit_DP = np.zeros((len(TOLERANCES_S), len(score_P)), bool)
    for hit_P, tolerance_s in zip(hit_DP, TOLERANCES_S, strict=True):
        hit_P[source_EP[match_rows(scores_EP, time_EP, event_time_EK, present_EK, tolerance_s * 500)]] = True
    return hit_DP


def _pad_rows(
    timed: TimedEvents, keys: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.intp]]:
    """(times, present, index into ``timed``) of the rows named by ``keys``, in time order, padded."""
    # Sort those whose row is among the keys by row, then by time.
    row_P = np.searchsorted(keys, timed.row_key)
    index = np.flatnonzero(np.isin(timed.row_key, keys))
    order = index[np.lexsort((timed.time_ms[index], row_P[index]))]
    row = row_P[order]
    # The place of each in its row: its place in all less where the row begins.
    count = np.bincount(row, minlength=len(keys))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    shape = (len(keys), int(count.max(initial=0)))
    times, present, source = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, np.intp)
    times[row, rank], present[row, rank], source[row, rank] = timed.time_ms[order], True, order
    return times, present, source


def _curve(
    score_P: NDArray[np.float64], hit_P: NDArray[np.bool_], n_events: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(precision, recall) at every distinct confidence, from the highest down."""
    if not n_events or not len(score_P):
        return np.zeros(0), np.zeros(0)
    order = np.argsort(-score_P, kind="stable")
    last_of_tie = np.append(np.diff(score_P[order]) != 0, True)  # equal confidences pass the threshold together
    n_hits = np.cumsum(hit_P[order])[last_of_tie]
    n_predictions = np.arange(1, len(order) + 1)[last_of_tie]
    return n_hits / n_predictions, n_hits / n_events


def area_of_counts(counts: ThresholdCounts) -> NDArray[np.float64]:
    """area_GDC under the interpolated precision-recall curve through the counted thresholds.

    On scores whose ranks are spread over the thresholds (``score_scale.fit_log_ranks``) it is the exact area to a few
    tenths of a percent. Unlike that, it comes from counts, which can be added up and resampled match by match.
    """
    precision, recall = precision_recall(counts)
    envelope = np.maximum.accumulate(precision, axis=-1)
    return (-np.diff(recall, append=0.0, axis=-1) * envelope).sum(axis=-1)
