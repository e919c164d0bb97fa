"""Training sequences from event feeds: any time of any half may end an example.

Axes: A anchors, B sequences, W windows, O examples, C classes.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from playahead.datasets.batch import Batch, padded_targets
from playahead.datasets.pasts import random_past
from playahead.datasets.slicing import class_counts, labels_of_half
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import EVERY_CODE, UNKNOWN, FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.evaluation.frames import ALL_CLASSES
from playahead.features import feed as feed_features
from playahead.io.errors import InputError
from playahead.paper.sampling import rare_factors

_FIRST_MS = 1_000  # a degraded observation may be as short
_LATEST_MS = 30_000  # rows from so long before a sequence may still arrive in it


def _digest(halves: Sequence[FeedHalf]) -> str:
    whole = hashlib.sha256()
    for half in halves:
        for column in (half.t_ms, half.code, half.team, half.x, half.y, half.setpiece, half.delay_ms):
            whole.update(np.ascontiguousarray(column).tobytes())
        if half.late_ms.any() or (half.confidence != UNKNOWN).any() or half.reports != EVERY_CODE:
            whole.update(half.late_ms.tobytes() + half.confidence.tobytes() + bytes(sorted(half.reports)))
    return whole.hexdigest()


def _rates(halves: Sequence[FeedHalf]) -> NDArray[np.floating]:
    """How often each class happens, per second."""
    count_C = np.sum([np.bincount(half.code, minlength=len(ACTIONS))[: len(ACTIONS)] for half in halves], axis=0)
    return count_C / max(sum((half.t_ms[-1] - half.t_ms[0]) / 1000 for half in halves if len(half)), 1)


class FeedExamples:
    """Sequences of ``examples`` consecutive ones at a random phase of each half.

    An anchor is a stretch of a half. With ``augment``, every draw shifts the sequence within it, mirrors the pitch and
    swaps the sides at random, so no two epochs see the same windows; without, it is seen as it was recorded, on a 5-s
    grid (docs/paper.md 1.4 w).

    Args:
        halves: to train on.
        examples: in a sequence.
        degraded: share of sequences that are observed through a random worse source; labels stay as they are.
        augment: shift, mirror and swap at random.
    """

    feature_dim = feed_features.N_FEATURES
    classes = ALL_CLASSES

    def __init__(self, halves: Sequence[FeedHalf], examples: int, degraded: float = 0.0, augment: bool = True) -> None:
        if examples < 1:
            raise InputError("train.examples", f"{examples} is below 1")
        self.examples, self._degraded, self._augment = examples, degraded, augment
        self.digest = _digest(halves)
        self._tracks = [feed_features.prepare_track(half) for half in halves]
        self._labels = [labels_of_half(half) for half in halves]
        anchors, counts, weights = [], [], []
        for index, half in enumerate(halves):
            starts = self._sequence_starts(half)
            ends = starts[:, None] + np.arange(examples) * ANTICIPATION_MS
            class_OE = self._labels[index].following(ends.ravel()).class_OE
            anchors += [(index, start) for start in starts]
            counts.append(class_counts(class_OE).sum(axis=0))
            weights.append(rare_factors(class_OE).reshape(len(starts), examples).mean(axis=1))
        if not anchors:
            raise InputError("train", "no half is long enough for a single sequence")
        self._anchors = np.array(anchors, np.int64)
        self.counts_C = np.sum(counts, axis=0)
        self._per_s_C = _rates(halves)
        self.rare_weight_A = np.concatenate(weights)

    def __len__(self) -> int:
        return len(self._anchors)

    @property
    def n_examples(self) -> int:
        """Windows to anticipate in one pass over the set at a 5-s stride."""
        return len(self) * self.examples

    def _sequence_starts(self, half: FeedHalf) -> NDArray[np.int64]:
        """First example end of each sequence, spread evenly; the last may overlap its neighbour."""
        last_ms = int(half.t_ms[-1]) if len(half) else 0
        room_ms = last_ms - OBSERVATION_MS - self.examples * ANTICIPATION_MS
        if room_ms < 0:
            return np.zeros(0, np.int64)
        step_ms = self.examples * ANTICIPATION_MS
        starts = np.arange(0, room_ms + step_ms, step_ms, dtype=np.int64)
        return OBSERVATION_MS + np.minimum(starts, room_ms)

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:
        """The sequences at these anchors, changed by ``rng`` as the constructor says."""
        features, happened, events, names = [], [], [], []
        for index, start_ms in self._anchors[anchors]:
            track = self._tracks[index]
            start_ms = self._shift(int(start_ms), track.half, rng) if self._augment else int(start_ms)
            ends_O = start_ms + np.arange(self.examples) * ANTICIPATION_MS
            sequence_WNF = track.windows(ends_O)
            happened.append(sequence_WNF[..., : len(ACTIONS)])  # a feed's first columns say what arrived
            if self._degraded and rng.random() < self._degraded:
                sequence_WNF = self._seen_worse(track.half, ends_O, rng)
            if self._augment and rng.random() < 0.5:
                sequence_WNF = feed_features.mirror(sequence_WNF)
            if self._augment and rng.random() < 0.5:
                sequence_WNF = feed_features.swap_sides(sequence_WNF)
            features.append(sequence_WNF)
            events.append(self._labels[index].following(ends_O))
            names.append(f"match {track.half.match}, half {track.half.half}, {start_ms} ms")
        presence_BWNC = torch.from_numpy(np.stack(happened))
        return Batch(torch.from_numpy(np.stack(features)), padded_targets(events, presence_BWNC), names)

    def _seen_worse(self, half: FeedHalf, ends_O: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        first_ms = int(ends_O[0]) - OBSERVATION_MS
        rows = slice(*np.searchsorted(half.t_ms, (first_ms - _LATEST_MS, int(ends_O[-1]))))
        seen = random_past(half.take(rows), first_ms, int(ends_O[-1]), self._per_s_C, rng)
        return feed_features.prepare_track(seen).windows(ends_O)

    def _shift(self, start_ms: int, half: FeedHalf, rng: np.random.Generator) -> int:
        step_ms = self.examples * ANTICIPATION_MS
        latest_ms = int(half.t_ms[-1]) - step_ms
        shifted = start_ms + int(rng.integers(-step_ms // 2, step_ms // 2))
        return min(max(shifted, _FIRST_MS if self._degraded else OBSERVATION_MS), latest_ms)
