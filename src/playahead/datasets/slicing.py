"""Ends of the examples in a half or clip, and the actions that follow each.

Axes: O examples, E events (padded), A actions of a half or clip, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.records import ActionEvent, Clip
from playahead.evaluation.frames import frame_of_ms, label_frames

_PAST_THE_END = 0.5  # ms: an anticipated action at a clip's 30,000 ms comes after the observation's end


class Following(NamedTuple):
    """The actions in the 5 s after each example.

    Attributes:
        class_OE: int64, -1 padded.
        time_OE: float32 time as a share of the 5 s.
        visible_OE: False where the broadcast did not show the action.
        action_OE: place of the action among the labels, whatever where padded.
    """

    class_OE: NDArray[np.int64]
    time_OE: NDArray[np.float32]
    visible_OE: NDArray[np.bool_]
    action_OE: NDArray[np.intp]


@dataclass(frozen=True)
class Labels:
    """The actions that examples of one half or clip are to anticipate, in time order.

    Attributes:
        t_ms_A: int64 times from the start of the half or clip.
        class_A: int64 class indices.
        visible_A: False where the broadcast did not show the action.
        after_ms_A: times that decide: an action follows an example if this lies in (end, end + 5 s]. It is ``t_ms_A``,
            except for a clip's anticipated action at its 30,000 ms, which follows the observation that ends there, as
            in the benchmark's scorer.
    """

    t_ms_A: NDArray[np.int64]
    class_A: NDArray[np.int64]
    visible_A: NDArray[np.bool_]
    after_ms_A: NDArray[np.float64]

    def following(self, end_ms_O: NDArray[np.int64]) -> Following:
        """Actions after the examples that end at these times."""
        # Two searches bound the actions in (end, end + 5 s]; a rectangle of indices, masked, holds them all.
        first = np.searchsorted(self.after_ms_A, end_ms_O, side="right")
        stop = np.searchsorted(self.after_ms_A, end_ms_O + ANTICIPATION_MS, side="right")
        column = first[:, None] + np.arange(int((stop - first).max(initial=0)))
        present = column < stop[:, None]
        if not len(self.t_ms_A):
            return Following(np.full(column.shape, -1), np.zeros(column.shape, np.float32), present, column)
        column = np.minimum(column, len(self.t_ms_A) - 1)
        share = (self.t_ms_A[column] - end_ms_O[:, None]) / ANTICIPATION_MS
        return Following(
            np.where(present, self.class_A[column], -1),
            np.where(present, share, 0).astype(np.float32),
            self.visible_A[column] & present,
            column,
        )


def labels_of_half(half: FeedHalf) -> Labels:
    """Labels of a half of a feed, which sees everything."""
    target = half.is_target
    t_ms = half.t_ms[target].astype(np.int64)
    return Labels(t_ms, half.code[target].astype(np.int64), np.ones(len(t_ms), bool), t_ms.astype(np.float64))


def labels_of_match(events: Sequence[ActionEvent]) -> Labels:
    """Labels of a half on video."""
    t_ms = np.array([event.position_ms for event in events], np.int64)
    class_A = np.array([event.action.class_index for event in events], np.int64)
    return Labels(t_ms, class_A, np.array([event.visible for event in events], bool), t_ms.astype(np.float64))


def labels_of_clip(clip: Clip) -> Labels:
    """Labels of a clip; withheld ones are missing."""
    labels = labels_of_match([*clip.observation, *(clip.anticipation or ())])
    anticipated = labels.after_ms_A[len(clip.observation) :]
    anticipated[:] = np.maximum(anticipated, OBSERVATION_MS + _PAST_THE_END)
    return labels


def example_ends_ms(half: FeedHalf, stride_ms: int = ANTICIPATION_MS) -> NDArray[np.int64]:
    """Ends of the examples that the benchmark scores: 30 s, 35 s, ... while 5 s of rows follow."""
    last_ms = int(half.t_ms[-1]) if len(half) else 0
    return np.arange(OBSERVATION_MS, last_ms - ANTICIPATION_MS + 1, stride_ms, dtype=np.int64)


def frames_of_following(following: Following) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Label and visibility frames, the same as the official scorer's."""
    example, event = np.nonzero(following.class_OE >= 0)
    offset_ms = following.time_OE[example, event].astype(np.float64) * ANTICIPATION_MS
    frame = frame_of_ms(OBSERVATION_MS + np.round(offset_ms).astype(np.int64))
    class_P, visible_P = following.class_OE[example, event], following.visible_OE[example, event]
    return label_frames(example, frame, class_P, visible_P, len(following.class_OE))


def class_counts(class_OE: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count events of each class -> counts_OC."""
    return (class_OE[:, :, None] == np.arange(len(ACTIONS))).sum(axis=1)
