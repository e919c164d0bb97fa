"""Evaluation sets: examples to score models on, and the actions that followed each.

Axes: O examples of one half, R frames, V vector entries.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.pasts import Past
from playahead.datasets.slicing import Labels, example_ends_ms, frames_of_following, labels_of_half
from playahead.datasets.stored import LabelledFeatures
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, GRID
from playahead.domain.notices import Notices
from playahead.evaluation.exact import TimedEvents
from playahead.evaluation.frames import ALL_CLASSES, FrameTable, common_classes
from playahead.evaluation.official import ThresholdCounts, score_videos
from playahead.features.forms import AS_RECORDED, FEED_FEATURES, Reading
from playahead.io.errors import InputError

_CLIPS_TOGETHER = 64  # in a batch


class EvaluationSet(ABC):
    """Examples of halves (or clips), with what followed each.

    Args:
        halves: actions of each half; ``match`` says which of them belong together when matches are resampled.
        labels: actions that each half's examples are to anticipate.
        end_ms: ends of each half's examples.
        split: name of the split.
        unit: unit that intervals resample: matches, or what stands for them.

    Attributes:
        observed: rows of each half that are seen: all of them, unless through a worse source.
        features: description of its windows, as ``Predictor.check`` reads it.
        names: name of each half's video; empty for a feed.
        frames: (labels_NR, visibility_NR) of each half, as the official scorer sees them.
        notices: facts that a reader of its figures should know.
        classes: indices of the annotated classes; no other is scored.
    """

    features: Mapping[str, object]
    names: Sequence[str] = ()
    classes: tuple[int, ...] = ALL_CLASSES

    def __init__(
        self,
        halves: Sequence[FeedHalf],
        labels: Sequence[Labels],
        end_ms: Sequence[NDArray[np.int64]],
        split: str = "",
        unit: str = "matches",
    ) -> None:
        parts = [part for part in zip(halves, labels, end_ms, strict=True) if len(part[2])]
        if not parts:
            raise InputError(split or "evaluation set", "no half lasts the 35 s that one example needs")
        self.notices = Notices()
        self.halves = [half for half, _, _ in parts]
        self.observed = self.halves
        self.end_ms = [end for _, _, end in parts]
        self.following = [of_half.following(end) for _, of_half, end in parts]
        self.frames = [frames_of_following(following) for following in self.following]
        self.split, self.unit = split, unit
        self._starts = np.cumsum([0, *map(len, self.end_ms)])

    @abstractmethod
    def batches(self, reading: Reading = AS_RECORDED) -> Iterator[NDArray]:
        """Windows (B, W, N, F) of all examples, in the halves' order; a network on frames gets (B, T, H, W).

        Args:
            reading: how the model reads a feed.
        """

    def __len__(self) -> int:
        """Number of examples."""
        return int(self._starts[-1])

    @property
    def matches(self) -> list[int]:
        """Match ids in order of appearance."""
        return list(dict.fromkeys(half.match for half in self.halves))

    @property
    def class_names(self) -> list[str]:
        """Names of ``classes``."""
        return [str(ACTIONS[c]) for c in self.classes]

    def table(self, scores_ORV: NDArray[np.float32]) -> FrameTable:
        """All halves as one table for the scorer."""
        labels, visibility = zip(*self.frames, strict=True)
        return FrameTable(np.concatenate(labels), np.concatenate(visibility), scores_ORV, self.classes)

    def timed_events(self) -> TimedEvents:
        """Actions that followed each example, to the millisecond."""
        clip, class_index, time_ms = [], [], []
        for start, after in zip(self._starts, self.following, strict=False):
            example, event = np.nonzero(after.class_OE >= 0)
            clip.append(start + example)
            class_index.append(after.class_OE[example, event])
            time_ms.append(after.time_OE[example, event].astype(np.float64) * ANTICIPATION_MS)
        columns = (np.concatenate(column) for column in (clip, class_index, time_ms))
        return TimedEvents(*columns, classes=self.classes)

    def count_by_match(self, scores_ORV: NDArray[np.float32]) -> list[ThresholdCounts]:
        """The official scorer's counts of each match, for intervals."""
        by_match: dict[int, list[FrameTable]] = {}
        for index, (half, frames) in enumerate(zip(self.halves, self.frames, strict=True)):
            part = scores_ORV[self._starts[index] : self._starts[index + 1]]
            by_match.setdefault(half.match, []).append(FrameTable(*frames, part, self.classes))
        return [score_videos(tables) for tables in by_match.values()]


class FeedEvaluationSet(EvaluationSet):
    """Every example of a feed that the benchmark asks for; what some source of it never reports is not scored.

    Args:
        halves: halves that labels come from.
        split: name of the split.
        observe: function that gives the observed rows of a half; all of them if None.
    """

    features = FEED_FEATURES

    def __init__(
        self, halves: Sequence[FeedHalf], split: str = "", observe: Callable[[FeedHalf], FeedHalf] | None = None
    ) -> None:
        ends = [example_ends_ms(half) for half in halves]
        super().__init__(halves, [labels_of_half(half) for half in halves], ends, split)
        self.classes = common_classes(half.reports - half.only_estimated for half in self.halves)
        self._observe = observe or (lambda half: half)
        self.observed = [self._observe(half) for half in self.halves]

    def seen_as(self, past: Past) -> "FeedEvaluationSet":
        """Examples and labels as they are, observed through another source."""
        return FeedEvaluationSet(self.halves, self.split, past.observe)

    def batches(self, reading: Reading = AS_RECORDED) -> Iterator[NDArray[np.float32]]:
        """Windows of a sequence for each half."""
        for half, end_ms in zip(self.halves, self.end_ms, strict=True):
            yield reading.prepare(self._observe(reading.seen(half))).windows(end_ms)[None]

    def first_matches(self, count: int) -> "FeedEvaluationSet":
        """Examples of its first matches alone."""
        first = self.matches[:count]
        return FeedEvaluationSet([half for half in self.halves if half.match in first], self.split)


class VideoEvaluationSet(EvaluationSet):
    """Every example of stored features; each video is observed on its own, whatever its neighbours show."""

    def __init__(
        self, videos: Sequence[LabelledFeatures], features: Mapping[str, object], split: str = "", unit: str = "matches"
    ) -> None:
        self.features = features
        self.videos = [video for video in videos if len(video.end_ms_O)]
        self.names = [video.name for video in self.videos]
        self.classes = common_classes(video.classes for video in self.videos)
        actions, labels = [video.actions for video in self.videos], [video.labels for video in self.videos]
        super().__init__(actions, labels, [video.end_ms_O for video in self.videos], split, unit)

    def batches(self, reading: Reading = AS_RECORDED) -> Iterator[NDArray[np.float32]]:  # noqa: ARG002
        """Windows of videos, those of equal length in one batch."""
        for n_examples, alike in groupby(self.videos, lambda video: len(video.end_ms_O)):
            videos = list(alike)
            for first in range(0, len(videos), _CLIPS_TOGETHER):
                some = videos[first : first + _CLIPS_TOGETHER]
                yield np.stack([self._windows(video, n_examples) for video in some])

    def _windows(self, video: LabelledFeatures, n_examples: int) -> NDArray[np.float32]:
        if not video.is_short:
            return video.sequence(0, n_examples + GRID.n_windows - 1)
        shape = next(video.windows[0].shape for video in self.videos if not video.is_short)
        return np.zeros((n_examples + GRID.n_windows - 1, *shape), np.float32)

    def table(self, scores_ORV: NDArray[np.float32]) -> FrameTable:
        """All clips as one table for the scorer; nothing is anticipated of one that could not be seen."""
        return super().table(self._seen(scores_ORV))

    def count_by_match(self, scores_ORV: NDArray[np.float32]) -> list[ThresholdCounts]:
        return super().count_by_match(self._seen(scores_ORV))

    def _seen(self, scores_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
        is_short_O = np.concatenate([np.full(len(video.end_ms_O), video.is_short) for video in self.videos])
        return np.where(is_short_O[:, None, None], np.float32(0), scores_ORV) if is_short_O.any() else scores_ORV
