"""Is 30 % right 30 % of the time? Confidences beside what happened, to the millisecond (docs/metric.md).

A confidence is the probability that an action of that class happens near that time, averaged over the six tolerances.
So an anticipation "happened" at a tolerance of delta seconds if an action of its class lies within +- delta / 2,
whichever other row anticipated it, too: each is read by itself, and no minimum confidence changes what it says. "Once"
counts an action for one row only, as the scorer does; it falls behind where rows share their actions.

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

_APART_MS = 100_000.0  # between two clips' actions on one axis: far more than any tolerance reaches


@dataclass(frozen=True)
class ReliabilityRow:
    """Anticipations whose confidence lies in [low, high): what was stated, and what happened.

    Attributes:
        low, high: of confidence; the last row holds 1 as well.
        anticipations: how many.
        stated: mean confidence.
        happened: share with such an action near, averaged over the six tolerances.
        once: the same where each action counts for one anticipation only, the most confident in reach.
    """

    low: float
    high: float
    anticipations: int
    stated: float
    happened: float
    once: float


def reliability(events: TimedEvents, table: FrameTable, edges: Sequence[float] = TENTHS) -> list[ReliabilityRow]:
    """Confidences by tenths, beside what happened; without tenths that hold none.

    Args:
        events: what happened.
        table: confidences as people are shown them: of each frame, the likeliest class alone.
        edges: of the rows; tenths unless given.
    """
    likeliest_NR1 = table.scores_NRV[:, :, 1:].argmax(axis=2)[..., None]
    rows = rows_of(table.scores_NRV[:, :, 1:] * (likeliest_NR1 == np.arange(len(ACTIONS))), events)
    stated_P = np.asarray(rows.score, np.float64)
    happened_P, once_P = came_near(events, rows), hits(events, rows).mean(axis=0)
    bin_P = np.digitize(stated_P, np.array(edges[1:-1], np.float32))  # as confidences are: 0.7 lies in "0.7 to 0.8"
    found = []
    for index in np.unique(bin_P):
        inside = bin_P == index
        means = (float(values[inside].mean()) for values in (stated_P, happened_P, once_P))
        found.append(ReliabilityRow(edges[index], edges[index + 1], int(inside.sum()), *means))
    return found


def came_near(events: TimedEvents, rows: TimedEvents) -> NDArray[np.float64]:
    """Share of the tolerances at which an action of each row's class lies within half of it of its time."""
    # All clips and classes one after the other on one axis: the nearest event on it is the row's own, or far away.
    axis_E = np.sort(events.row_key * _APART_MS + np.rint(events.time_ms))
    place_P = rows.row_key * _APART_MS + np.rint(rows.time_ms)
    padded_E = np.r_[-np.inf, axis_E, np.inf]
    after_P = np.searchsorted(axis_E, place_P)
    away_P = np.minimum(place_P - padded_E[after_P], padded_E[after_P + 1] - place_P)
    return np.mean([away_P <= tolerance_s * 500 for tolerance_s in TOLERANCES_S], axis=0)


def rows_of(scores_NRC: NDArray[np.float32], events: TimedEvents) -> TimedEvents:
    """Confidences above 0 at the times that people are shown, of the annotated classes."""
    clip, frame, class_index = np.nonzero(scores_NRC)
    annotated = np.isin(class_index, events.classes)
    clip, frame, class_index = clip[annotated], frame[annotated], class_index[annotated]
    time_ms = np.minimum((frame + 0.5) * RASTER_FRAME_MS, ANTICIPATION_MS)
    return TimedEvents(clip, class_index, time_ms, scores_NRC[clip, frame, class_index], events.classes)
