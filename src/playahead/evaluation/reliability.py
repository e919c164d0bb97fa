"""Reliability: are confidences of 30 % right 30 % of the time? (docs/metric.md)

A confidence is the probability that an action of that class happens near that time, averaged over the six tolerances.
So an anticipation "happened" at a tolerance of delta seconds if an action of its class lies within +- delta / 2, even
if other anticipations share that action: each is judged by itself, so a minimum confidence changes no figure. "Once"
counts an action for one anticipation only, as the scorer does; it is lower where anticipations share their actions.

Axes: N clips, R frames, P anticipations, D tolerances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, RASTER_FRAME_MS
from playahead.evaluation.exact import TimedEvents, hits
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import TOLERANCES_S

TENTHS = tuple(np.linspace(0, 1, 11).round(1).tolist())

_APART_MS = 100_000.0  # between two rows' actions on one axis: far more than any tolerance reaches


@dataclass(frozen=True)
class ReliabilityRow:
    """Anticipations with a confidence in [low, high), or up to 1.

    Attributes:
        stated: mean confidence.
        happened: share with such an action near, averaged over the six tolerances.
        once: share where each action counts for one anticipation only, the most confident in reach.
    """

    low: float
    high: float
    anticipations: int
    stated: float
    happened: float
    once: float


def reliability(events: TimedEvents, table: FrameTable, edges: Sequence[float] = TENTHS) -> list[ReliabilityRow]:
    """Confidences by tenths, beside what happened; empty tenths are left out.

    Args:
        events: events that happened.
        table: confidences of every class; people are shown a frame's likeliest class alone, so only that one counts.
        edges: edges of the rows' confidences.
    """
    # Set all classes of a frame but the likeliest to 0, and take what remains as anticipations.
    likeliest_NR1 = table.scores_NRV[:, :, 1:].argmax(axis=2)[..., None]
    rows = rows_of(table.scores_NRV[:, :, 1:] * (likeliest_NR1 == np.arange(len(ACTIONS))), events)
    # Average what was stated and what happened over the anticipations of each row.
    stated_P = np.asarray(rows.score, np.float64)
    happened_P, once_P = came_near(events, rows), hits(events, rows).mean(axis=0)
    bin_P = np.digitize(stated_P, np.array(edges[1:-1], np.float32))  # in float32, 0.7 lies in "0.7 to 0.8"
    made = []
    for index in np.unique(bin_P):
        inside = bin_P == index
        means = (float(values[inside].mean()) for values in (stated_P, happened_P, once_P))
        made.append(ReliabilityRow(edges[index], edges[index + 1], int(inside.sum()), *means))
    return made


def came_near(events: TimedEvents, rows: TimedEvents) -> NDArray[np.float64]:
    """Share of the tolerances at which an action of a row's class lies within half the tolerance of its time."""
    # Lay all clips and classes one after the other on one axis: the nearest event is of the same row, or far away.
    axis_E = np.sort(events.row_key * _APART_MS + np.rint(events.time_ms))
    place_P = rows.row_key * _APART_MS + np.rint(rows.time_ms)
    padded_E = np.r_[-np.inf, axis_E, np.inf]
    after_P = np.searchsorted(axis_E, place_P)
    away_P = np.minimum(place_P - padded_E[after_P], padded_E[after_P + 1] - place_P)
    return np.mean([away_P <= tolerance_s * 500 for tolerance_s in TOLERANCES_S], axis=0)


def rows_of(confidences: NDArray[np.float32], events: TimedEvents) -> TimedEvents:
    """Confidences above 0, of (N, 32, 10), at the times that people are shown; only of the annotated classes."""
    clip, frame, class_index = np.nonzero(confidences)
    annotated = np.isin(class_index, events.classes)
    clip, frame, class_index = clip[annotated], frame[annotated], class_index[annotated]
    time_ms = np.minimum((frame + 0.5) * RASTER_FRAME_MS, ANTICIPATION_MS)
    return TimedEvents(clip, class_index, time_ms, confidences[clip, frame, class_index], events.classes)
