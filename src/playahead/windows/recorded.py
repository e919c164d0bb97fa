"""Windows of stored video features with labelled actions: the second observation source.

Axes: A anchors, B passages, W windows, N clips, F features, O observations, E events (padded), C classes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.errors import InputError
from playahead.windows.batch import Batch, padded_targets
from playahead.windows.sampling import window_weights
from playahead.windows.slicing import class_counts, future_events


@dataclass(frozen=True)
class Recording:
    """A run of consecutive windows of one video, and the actions in it.

    Attributes:
        name: for error messages.
        windows: features_NF of each 5-s window, in time order (memory-mapped).
        actions: of the video, ms from the first window's start; up to 5 s beyond the last window.
        last_end_ms: the last moment whose next 5 s are labelled.
    """

    name: str
    windows: Sequence[NDArray[np.float16]]
    actions: FeedHalf
    last_end_ms: int

    @property
    def end_ms_O(self) -> NDArray[np.int64]:
        """Ends of the observations that can be made: 30 s, 35 s ..."""
        last_ms = min(self.last_end_ms, len(self.windows) * GRID.window_ms)
        return np.arange(OBSERVATION_MS, last_ms + 1, GRID.window_ms, dtype=np.int64)

    def passage(self, first: int, count: int) -> NDArray[np.float32]:
        """features_WNF of ``count`` windows."""
        return np.stack(self.windows[first : first + count]).astype(np.float32)

    def presence(self, first: int, count: int) -> NDArray[np.float32]:
        """presence_WNC: 1 where an action happened in a step of these windows."""
        presence_WNC = np.zeros((count, GRID.n_clips, len(ACTIONS)), np.float32)
        step = self.actions.t_ms * GRID.n_clips // GRID.window_ms - first * GRID.n_clips
        inside = self.actions.is_target & (step >= 0) & (step < count * GRID.n_clips)
        presence_WNC.reshape(-1, len(ACTIONS))[step[inside], self.actions.code[inside]] = 1.0
        return presence_WNC


def _digest(recordings: Sequence[Recording]) -> str:
    """Of every feature and label; a window that clips share is read once by the machine, and hashed as often."""
    whole = hashlib.sha256()
    for recording in recordings:
        for window_NF in recording.windows:
            whole.update(np.ascontiguousarray(window_NF).tobytes())
        whole.update(recording.actions.t_ms.tobytes() + recording.actions.code.tobytes())
    return whole.hexdigest()


class RecordedWindows:
    """Passages of ``observations`` consecutive observations of recordings, on the stored 5-s grid."""

    def __init__(self, recordings: Sequence[Recording], observations: int) -> None:
        self.observations = observations
        self.recordings = [r for r in recordings if len(r.end_ms_O) >= observations]
        if not self.recordings:
            raise InputError("train", f"no video is long enough for {observations} observations in a row")
        self.feature_dim = int(self.recordings[0].windows[0].shape[-1])
        self.digest = _digest(self.recordings)
        anchors, counts = [], []
        for index, recording in enumerate(self.recordings):
            ends = recording.end_ms_O
            counts_OC = class_counts(future_events(recording.actions, ends)[0])
            for first in range(len(ends) - observations + 1):
                anchors.append((index, first))
                counts.append(counts_OC[first : first + observations])
        self._anchors = np.array(anchors)
        counts_AOC = np.stack(counts)
        self.counts_C = counts_AOC.sum(axis=(0, 1))
        weights = window_weights(counts_AOC.reshape(-1, len(ACTIONS)))
        self.rare_weight_A = weights.reshape(len(anchors), observations).mean(axis=1)

    @property
    def n_windows(self) -> int:
        """Windows to anticipate in one pass over the set."""
        return sum(len(recording.end_ms_O) for recording in self.recordings)

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:  # noqa: ARG002 - as they are
        """The passages at these anchors."""
        count = GRID.n_windows - 1 + self.observations
        features, events, presence, names = [], [], [], []
        for index, first in self._anchors[anchors]:
            recording = self.recordings[index]
            ends = OBSERVATION_MS + (first + np.arange(self.observations)) * ANTICIPATION_MS
            features.append(recording.passage(first, count))
            presence.append(recording.presence(first, count))
            events.append(future_events(recording.actions, ends))
            names.append(f"{recording.name}, {ends[0]} ms")
        targets = padded_targets(events, torch.from_numpy(np.stack(presence)))
        return Batch(torch.from_numpy(np.stack(features)), targets, names)
