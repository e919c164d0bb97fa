"""Windows of stored video features with labelled actions: the second observation source.

Axes: A anchors, B sequences, W windows, N snippets, F features, O examples, E events (padded), C classes.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from playahead.datasets.batch import Batch, padded_targets
from playahead.datasets.labelled_features import LabelledFeatures
from playahead.datasets.slicing import class_counts
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.evaluation.frames import common_classes
from playahead.io.errors import InputError
from playahead.paper.sampling import rare_factors


def _digest(videos: Sequence[LabelledFeatures]) -> str:
    """Of every feature and label; a window that clips share is read once by the machine, and hashed as often."""
    whole = hashlib.sha256()
    for video in videos:
        for window_NF in video.windows:
            whole.update(np.ascontiguousarray(window_NF).tobytes())
        whole.update(video.labels.after_ms_A.tobytes() + video.labels.class_A.tobytes())
    return whole.hexdigest()


class VideoExamples:
    """Sequences of ``examples`` consecutive examples of videos, on the stored 5-s grid."""

    def __init__(self, videos: Sequence[LabelledFeatures], examples: int) -> None:
        self.examples = examples
        self.videos = [video for video in videos if len(video.end_ms_O) >= examples and not video.is_short]
        if not self.videos:
            raise InputError("train", f"no video is long enough for {examples} examples in a row")
        self.classes = common_classes(video.classes for video in self.videos)
        self.feature_dim = int(self.videos[0].windows[0].shape[-1])
        self.digest = _digest(self.videos)
        anchors, counts, weights = [], [], []
        for index, video in enumerate(self.videos):
            ends = video.end_ms_O
            class_OE = video.labels.following(ends).class_OE
            counts_OC, factor_O = class_counts(class_OE), rare_factors(class_OE)
            for first in range(len(ends) - examples + 1):
                anchors.append((index, first))
                counts.append(counts_OC[first : first + examples])
                weights.append(factor_O[first : first + examples].mean())
        self._anchors = np.array(anchors)
        self.counts_C = np.stack(counts).sum(axis=(0, 1))
        self.rare_weight_A = np.array(weights)

    @property
    def n_examples(self) -> int:
        """Windows to anticipate in one pass over the set."""
        return sum(len(video.end_ms_O) for video in self.videos)

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:  # noqa: ARG002 - as they are
        """The sequences at these anchors."""
        count = GRID.n_windows - 1 + self.examples
        features, events, presence, names = [], [], [], []
        for index, first in self._anchors[anchors]:
            video = self.videos[index]
            ends = OBSERVATION_MS + (first + np.arange(self.examples)) * ANTICIPATION_MS
            features.append(video.sequence(first, count))
            presence.append(video.presence(first, count))
            events.append(video.labels.following(ends))
            names.append(f"{video.name}, {ends[0]} ms")
        targets = padded_targets(events, torch.from_numpy(np.stack(presence)))
        return Batch(torch.from_numpy(np.stack(features)), targets, names)
