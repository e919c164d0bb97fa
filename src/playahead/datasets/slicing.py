"""Where examples end in a half of a feed, and what follows each.

Axes: O examples, E events (padded), C classes.
"""

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.evaluation.frames import frame_of_ms, label_frames


def example_ends_ms(half: FeedHalf, stride_ms: int = ANTICIPATION_MS) -> NDArray[np.int64]:
    """Ends of the examples that the benchmark scores: 30 s, 35 s, ... while 5 s of rows follow."""
    last_ms = int(half.t_ms[-1]) if len(half) else 0
    return np.arange(OBSERVATION_MS, last_ms - ANTICIPATION_MS + 1, stride_ms, dtype=np.int64)


def future_events(half: FeedHalf, end_ms_O: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Actions in (end, end + 5 s] of each example.

    Returns:
        (class_OE, -1 padded; time_OE as a share of the 5 s).
    """
    target = half.is_target
    t_ms, code = half.t_ms[target].astype(np.int64), half.code[target]
    first = np.searchsorted(t_ms, end_ms_O, side="right")
    stop = np.searchsorted(t_ms, end_ms_O + ANTICIPATION_MS, side="right")
    column = first[:, None] + np.arange(int((stop - first).max(initial=0)))
    present = column < stop[:, None]
    column = np.minimum(column, max(len(t_ms) - 1, 0))
    class_OE = np.where(present, code[column].astype(np.int64), -1)
    share = (t_ms[column] - end_ms_O[:, None]) / ANTICIPATION_MS
    return class_OE, np.where(present, share, 0).astype(np.float32)


def future_frames(half: FeedHalf, end_ms_O: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The same as the official scorer's label and visibility frames (all visible: a feed sees everything)."""
    class_OE, time_OE = future_events(half, end_ms_O)
    clip, column = np.nonzero(class_OE >= 0)
    offset_ms = time_OE[clip, column].astype(np.float64) * ANTICIPATION_MS
    frame = frame_of_ms(OBSERVATION_MS + np.round(offset_ms).astype(np.int64))
    visible = np.ones(len(clip), bool)
    return label_frames(clip, frame, class_OE[clip, column], visible, len(end_ms_O))


def class_counts(class_OE: NDArray[np.int64]) -> NDArray[np.int64]:
    """Events of each class: counts_OC."""
    return (class_OE[:, :, None] == np.arange(len(ACTIONS))).sum(axis=1)
