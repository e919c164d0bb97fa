"""Scoring a model on matches, whatever they are observed through.

Axes: O observations of one half, R frames, V vector entries.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray
from torch import nn

from playahead.decoding.decoder import Decoder
from playahead.decoding.health import health
from playahead.decoding.readings import Readings
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, GRID
from playahead.errors import InputError
from playahead.evaluation.exact import Moments, moments_of_frames, score_exactly
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.evaluation.official import ThresholdCounts, benchmark_average, count_detections, score_videos
from playahead.features.feed import prepare_track
from playahead.learning.inference import join_readings, read_feed, read_passages
from playahead.windows.recorded import Recording
from playahead.windows.slicing import future_events, future_frames, observation_ends_ms

_BATCH = 64  # clips read together


class Matches(ABC):
    """Matches to score on: observations of halves (or clips), with what followed each.

    Args:
        halves: what happened; ``match`` says which of them belong together when matches are drawn again.
        end_ms: ends of each one's observations.

    ``labels`` holds each half's (labels_NR, visibility_NR) as the official scorer sees them.
    """

    def __init__(self, halves: Sequence[FeedHalf], end_ms: Sequence[NDArray[np.int64]]) -> None:
        kept = [(half, end) for half, end in zip(halves, end_ms, strict=True) if len(end)]
        if not kept:
            raise InputError("matches", "no half lasts the 35 s that one observation needs")
        self.halves = [half for half, _ in kept]
        self.end_ms = [end for _, end in kept]
        self.labels = [future_frames(half, end) for half, end in kept]

    @abstractmethod
    def read(self, model: nn.Module, advance: Callable[[], None] = lambda: None) -> list[Readings]:
        """Readings in the halves' order; ``advance`` is called once for each half."""

    def __len__(self) -> int:
        """Observations."""
        return sum(len(end) for end in self.end_ms)

    @property
    def matches(self) -> list[int]:
        """Match ids in order of appearance."""
        return list(dict.fromkeys(half.match for half in self.halves))

    def table(self, scores_ORV: NDArray[np.float32]) -> FrameTable:
        """All halves as one table for the scorer."""
        labels, visibility = zip(*self.labels, strict=True)
        return FrameTable(np.concatenate(labels), np.concatenate(visibility), scores_ORV)

    def moments(self) -> Moments:
        """What followed each observation, to the millisecond."""
        futures = [future_events(half, end) for half, end in zip(self.halves, self.end_ms, strict=True)]
        starts = np.cumsum([0, *(len(end) for end in self.end_ms)])
        clip, class_index, time_ms = [], [], []
        for start, (class_OE, time_OE) in zip(starts, futures, strict=False):
            observation, event = np.nonzero(class_OE >= 0)
            clip.append(start + observation)
            class_index.append(class_OE[observation, event])
            time_ms.append(time_OE[observation, event].astype(np.float64) * ANTICIPATION_MS)
        return Moments(np.concatenate(clip), np.concatenate(class_index), np.concatenate(time_ms))

    def count_by_match(self, scores_ORV: NDArray[np.float32]) -> list[ThresholdCounts]:
        """The official scorer's counts of each match, for intervals."""
        starts = np.cumsum([0, *(len(end) for end in self.end_ms)])
        by_match: dict[int, list[FrameTable]] = {}
        for index, (half, labels) in enumerate(zip(self.halves, self.labels, strict=True)):
            part = scores_ORV[starts[index] : starts[index + 1]]
            by_match.setdefault(half.match, []).append(FrameTable(*labels, part))
        return [score_videos(tables) for tables in by_match.values()]

    def validate(self, model: nn.Module, decoders: dict[str, Decoder]) -> dict[str, float]:
        """Figures of each decoder, 0 to 100; the first one's have no suffix.

        ``map`` takes every confidence for a threshold (it chooses checkpoints: the official average jumps by a point
        where nothing else moves), ``official`` is the benchmark's average. Beside them, of the readings themselves:
        ``expected`` and ``happened`` (events a window), ``live_slots``, ``top_chance``.
        """
        readings = join_readings(self.read(model))
        n_events = sum(int((labels_NR != NO_EVENT).sum()) for labels_NR, _ in self.labels)
        figures = asdict(health(readings, n_events))
        for index, (name, decoder) in enumerate(decoders.items()):
            suffix = "" if index == 0 else f"_{name}"
            table = self.table(decoder.scores(readings))
            figures[f"map{suffix}"] = 100 * score_exactly(*moments_of_frames(table)).average_area
            figures[f"official{suffix}"] = 100 * benchmark_average(count_detections(table))
        return figures


class FeedMatches(Matches):
    """Every observation of a feed that the benchmark asks for."""

    def __init__(self, halves: Sequence[FeedHalf]) -> None:
        super().__init__(halves, [observation_ends_ms(half) for half in halves])
        self._tracks = [prepare_track(half) for half in self.halves]

    def read(self, model: nn.Module, advance: Callable[[], None] = lambda: None) -> list[Readings]:
        """Readings of each half."""
        readings = []
        for track, end_ms_O in zip(self._tracks, self.end_ms, strict=True):
            readings.append(read_feed(model, track, end_ms_O))
            advance()
        return readings


class RecordedMatches(Matches):
    """Every observation of recorded features; each recording is read on its own, whatever its neighbours show."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self.recordings = [recording for recording in recordings if len(recording.end_ms_O)]
        super().__init__([r.actions for r in self.recordings], [r.end_ms_O for r in self.recordings])

    def read(self, model: nn.Module, advance: Callable[[], None] = lambda: None) -> list[Readings]:
        """Readings of each recording; those of equal length together."""
        readings = []
        for _, alike in groupby(self.recordings, lambda recording: len(recording.end_ms_O)):
            for some in _batched(alike, _BATCH):
                count = len(some[0].end_ms_O) + GRID.n_windows - 1
                readings.append(read_passages(model, np.stack([recording.passage(0, count) for recording in some])))
                for _ in some:
                    advance()
        return readings


def _batched(items: Iterable[Recording], size: int) -> Iterator[list[Recording]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
