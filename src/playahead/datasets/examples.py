"""Sequences to train on, from event feeds and from stored features of video.

Axes: A anchors, B sequences, W windows, N snippets, F features, O examples (B x (W - 5)), E events (padded), C classes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.datasets.pasts import random_past
from playahead.datasets.slicing import Following, class_counts, labels_of_half
from playahead.datasets.stored import LabelledFeatures
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import DEFAULTS, FINER, UNKNOWN, FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.evaluation.frames import ALL_CLASSES, common_classes
from playahead.features.forms import AS_RECORDED, Reading, Track
from playahead.features.now import Moments
from playahead.io.errors import InputError
from playahead.paper.sampling import rare_factors
from playahead.paper.targets import NO_TARGET, Targets


def padded_targets(
    events: Sequence[Following], presence_BWNC: Tensor, where: Sequence[NDArray[np.float32]] = ()
) -> Targets:
    """Targets of sequences that differ in E; examples weigh alike.

    Args:
        events: actions after the examples of each sequence.
        presence_BWNC: see ``Targets``.
        where: where_OE3 of each sequence, if any.
    """
    class_OE = _pad([following.class_OE for following in events], NO_TARGET)
    time_OE = _pad([following.time_OE for following in events], 0)
    where_OE3 = _pad(where, np.nan) if where else None
    return Targets.of(class_OE, time_OE, presence_BWNC, where_OE3=where_OE3)


def _pad(rows: Sequence[NDArray], fill: float) -> Tensor:
    width = max(row.shape[1] for row in rows)
    beside = [(0, 0)] * (rows[0].ndim - 2)
    padded = [np.pad(r, [(0, 0), (0, width - r.shape[1]), *beside], constant_values=fill) for r in rows]
    return torch.from_numpy(np.concatenate(padded))


@dataclass(frozen=True)
class Batch:
    """Features and targets of B sequences; ``names_B`` says where each comes from, for error messages."""

    features_BWNF: Tensor
    targets: Targets
    names_B: list[str]


class Examples(Protocol):
    """Training examples of any observation source.

    Attributes:
        feature_dim: F.
        classes: indices of the annotated classes.
        counts_C: events of each class over the set.
        rare_weight_A: drawing weight of each anchor under the rare-class sampler.
        digest: changes whenever the examples do.
    """

    feature_dim: int
    classes: tuple[int, ...]
    counts_C: NDArray[np.int64]
    rare_weight_A: NDArray[np.float64]
    digest: str

    @property
    def n_examples(self) -> int:
        """Examples in one pass over the set."""
        ...

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:
        """Sequences at these anchors, augmented by ``rng``."""
        ...


_SHORTEST_MS = 1_000  # of a degraded observation
_ARRIVES_MS = 30_000  # longest time after which a row may still arrive in a sequence


def _digest_of_halves(halves: Sequence[FeedHalf]) -> str:
    whole = hashlib.sha256()
    for half in halves:
        for name, column in half.columns.items():
            if name not in FINER or (column != DEFAULTS[name]).any():
                whole.update(np.ascontiguousarray(column).tobytes())
        whole.update(bytes(sorted(half.reports)))
    return whole.hexdigest()


class FeedExamples:
    """Sequences of ``examples`` consecutive ones at a random phase of each half.

    An anchor is a stretch of a half. With ``augment``, every draw shifts the sequence within it, mirrors the pitch and
    swaps the sides at random, so no two epochs see the same windows; without, it is seen as it was recorded, on a 5-s
    grid (docs/paper.md 1.4 w).

    Args:
        halves: halves to train on.
        examples: number of examples in a sequence.
        degraded: share of sequences that are observed through a random worse source; labels stay as they are.
        augment: shift, mirror and swap at random.
        reading: form of the features, and what is shown of the rows.
    """

    classes = ALL_CLASSES

    def __init__(
        self,
        halves: Sequence[FeedHalf],
        examples: int,
        degraded: float = 0.0,
        augment: bool = True,
        reading: Reading = AS_RECORDED,
    ) -> None:
        if examples < 1:
            raise InputError("TrainConfig.examples", f"{examples} is below 1")
        self.examples, self._degraded, self._augment = examples, degraded, augment
        self.digest = _digest_of_halves(halves)
        self.feature_dim, self._reading = reading.n_features, reading
        self._recorded, self._seen = halves, [reading.seen(half) for half in halves]
        self._tracks: dict[int, Track] = {}
        self._labels = [labels_of_half(half) for half in halves]
        self._where = [_where_it_happened(half.take(half.is_target)) for half in halves]
        anchors, counts, weights = [], [], []
        for index, half in enumerate(halves):
            starts = self._sequence_starts(half)
            ends = starts[:, None] + np.arange(examples) * ANTICIPATION_MS
            class_OE = self._labels[index].following(ends.ravel()).class_OE
            anchors += [(index, start) for start in starts]
            counts.append(class_counts(class_OE).sum(axis=0))
            weights.append(rare_factors(class_OE).reshape(len(starts), examples).mean(axis=1))
        if not anchors:
            what = f"no half lasts the {(OBSERVATION_MS + examples * ANTICIPATION_MS) // 1000} s of a single sequence"
            raise InputError("TrainConfig.examples", f"{examples}: {what}", "take fewer, or longer halves")
        self._anchors = np.array(anchors, np.int64)
        self.counts_C = np.sum(counts, axis=0)
        of_class_C = np.sum([np.bincount(half.code, minlength=len(ACTIONS))[: len(ACTIONS)] for half in halves], axis=0)
        lasts_s = sum((half.t_ms[-1] - half.t_ms[0]) / 1000 for half in halves if len(half))
        self._per_s_C = of_class_C / max(lasts_s, 1)  # usual rate of each class
        self.rare_weight_A = np.concatenate(weights)

    def __len__(self) -> int:
        return len(self._anchors)

    @property
    def n_examples(self) -> int:
        """Number of examples in one pass over the set at a 5-s stride."""
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
        """Sequences at these anchors, changed by ``rng`` as the constructor says."""
        features, happened, events, where, names = [], [], [], [], []
        for index, start_ms in self._anchors[anchors]:
            half = self._seen[index]
            start_ms = self._shift(int(start_ms), half, rng) if self._augment else int(start_ms)
            ends_O = start_ms + np.arange(self.examples) * ANTICIPATION_MS
            track = self._track(index)
            if self._reading.form == "windows":  # whose first columns say what arrived; a moment holds no steps
                happened.append(track.windows(ends_O)[..., : len(ACTIONS)])
            if self._degraded and rng.random() < self._degraded:
                first_ms = int(ends_O[0]) - OBSERVATION_MS
                shown, recorded = (self._around(rows, ends_O) for rows in (half, self._recorded[index]))
                worse = random_past(shown, recorded, first_ms, int(ends_O[-1]), self._per_s_C, rng)
                track = self._reading.prepare(worse)
            sequence_WNF, is_mirrored = track.windows(ends_O), False
            if self._augment:
                sequence_WNF, is_mirrored = self._reading.augmented(sequence_WNF, rng)
            features.append(sequence_WNF)
            events.append(self._labels[index].following(ends_O))
            if isinstance(track, Moments):
                where.append(_as_seen(self._where[index][events[-1].action_OE], track.sides(ends_O), is_mirrored))
            names.append(f"match {half.match}, half {half.half}, {start_ms} ms")
        features_BWNF = torch.from_numpy(np.stack(features))
        empty_BWNC = features_BWNF.new_zeros(*features_BWNF.shape[:3], len(ACTIONS))
        presence_BWNC = torch.from_numpy(np.stack(happened)) if happened else empty_BWNC
        return Batch(features_BWNF, padded_targets(events, presence_BWNC, where), names)

    def _track(self, index: int) -> Track:
        if index not in self._tracks:
            self._tracks[index] = self._reading.prepare(self._seen[index])
        return self._tracks[index]

    def _around(self, half: FeedHalf, ends_O: NDArray[np.int64]) -> FeedHalf:
        """The rows of a half that these examples, or a source of which rows come late, can look at."""
        first_ms = max(int(ends_O[0]) - OBSERVATION_MS - _ARRIVES_MS, 0)
        stretch = half.take(slice(*np.searchsorted(half.t_ms, (first_ms, int(ends_O[-1])))))
        return stretch.changed(tally=half.tally_until(first_ms))

    def _shift(self, start_ms: int, half: FeedHalf, rng: np.random.Generator) -> int:
        step_ms = self.examples * ANTICIPATION_MS
        shifted = start_ms + int(rng.integers(-step_ms // 2, step_ms // 2))
        return min(max(shifted, _SHORTEST_MS if self._degraded else OBSERVATION_MS), int(half.t_ms[-1]) - step_ms)


def _where_it_happened(actions: FeedHalf) -> NDArray[np.float32]:
    """Team and place of each action (in its team's attack, -1 to 1) -> where_A3, NaN unknown."""
    where_3A = np.stack([actions.team, actions.x / np.float32(50) - 1, actions.y / np.float32(50) - 1])
    nowhere_A = (actions.x == UNKNOWN) | (actions.y == UNKNOWN)
    unknown_3A = np.stack([actions.team == UNKNOWN, nowhere_A, nowhere_A])
    return np.where(unknown_3A, np.float32(np.nan), where_3A).T.astype(np.float32)


def _as_seen(where_OE3: NDArray[np.float32], side_O: NDArray[np.intp], is_mirrored: bool) -> NDArray[np.float32]:
    """The same seen from the side in possession (-1: none)."""
    is_own_OE = np.where(np.isnan(where_OE3[..., 0]), np.nan, where_OE3[..., 0] == side_O[:, None])
    own_OE = np.where(side_O[:, None] < 0, np.nan, is_own_OE)
    turned = [own_OE, where_OE3[..., 1], -where_OE3[..., 2] if is_mirrored else where_OE3[..., 2]]
    return np.stack(turned, axis=-1).astype(np.float32)


class VideoExamples:
    """Sequences of ``examples`` consecutive examples of videos, on the stored 5-s grid."""

    def __init__(self, videos: Sequence[LabelledFeatures], examples: int) -> None:
        self.examples = examples
        self.videos = [video for video in videos if len(video.end_ms_O) >= examples and not video.is_short]
        if not self.videos:
            raise InputError("videos", f"no video is long enough for {examples} examples in a row")
        self.classes = common_classes(video.classes for video in self.videos)
        self.feature_dim = int(self.videos[0].windows[0].shape[-1])
        whole = hashlib.sha256()
        for video in self.videos:
            for window_NF in video.windows:
                whole.update(np.ascontiguousarray(window_NF).tobytes())
            whole.update(video.labels.after_ms_A.tobytes() + video.labels.class_A.tobytes())
        self.digest = whole.hexdigest()
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
        """Number of examples in one pass over the set."""
        return sum(len(video.end_ms_O) for video in self.videos)

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Sequences at these anchors, as they were recorded."""
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
