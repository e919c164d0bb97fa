"""Windows of frames to train on: any time of a labelled video may end an example.

Axes: B windows, T frames of a window, H, W, C classes, A videos.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.datasets.examples import padded_targets
from playahead.datasets.slicing import class_counts
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, GRID
from playahead.io.errors import InputError
from playahead.lab.faantra.network import EndToEndModelConfig
from playahead.lab.faantra.videos import AnnotatedVideo, observed_indices
from playahead.paper.targets import Targets
from playahead.video.frame_cache import FrameCache


class FrameExamples:
    """Draws windows, mirrored at random, with what follows and what is seen in them.

    Args:
        videos: with their actions.
        cache: holds their frames.
        config: of the network that reads them.

    ``digest`` tells whether they are what they were.
    """

    def __init__(self, videos: Sequence[AnnotatedVideo], cache: FrameCache, config: EndToEndModelConfig) -> None:
        self.config = config
        self.first_ms = config.span_frames * 1000 // GRID.fps
        self.videos = [video for video in videos if self._last_ms(video, cache) >= self.first_ms]
        if not self.videos:
            raise InputError("train", f"no video lasts the {self.first_ms / 1000:.1f} s of an observation")
        self.frames = [cache.frames(video.source.path) for video in self.videos]
        self.last_ms = np.array([self._last_ms(video, cache) for video in self.videos])
        self._probability_A = (self.last_ms - self.first_ms + 1) / (self.last_ms - self.first_ms + 1).sum()
        step_ms = np.arange(self.first_ms, int(self.last_ms.max()) + 1, ANTICIPATION_MS)
        counts = [
            class_counts(video.labels.following(step_ms[step_ms <= last]).class_OE).sum(axis=0)
            for video, last in zip(self.videos, self.last_ms, strict=True)
        ]
        self.counts_C = np.sum(counts, axis=0)
        files = [[video.source.name, *_stamp(video)] for video in self.videos]
        self.digest = hashlib.sha256(json.dumps(files).encode()).hexdigest()

    @staticmethod
    def _last_ms(video: AnnotatedVideo, cache: FrameCache) -> int:
        return min(video.last_end_ms, len(cache.frames(video.source.path)) * 1000 // GRID.fps)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Targets, list[str]]:
        """(frames_BTHW in [0, 1], targets, names)."""
        frames, events, presence, names = [], [], [], []
        for index in rng.choice(len(self.videos), size, p=self._probability_A):
            video = self.videos[index]
            end_ms = np.array([rng.integers(self.first_ms, self.last_ms[index] + 1)])
            wanted_T = observed_indices(end_ms, self.config)[0]
            frames_THW = torch.from_numpy(np.array(self.frames[index][wanted_T])).float() / 255
            frames.append(frames_THW.flip(-1) if rng.random() < 0.5 else frames_THW)
            events.append(video.labels.following(end_ms))
            presence.append(self._presence(video, wanted_T))
            names.append(f"{video.source.name}, {end_ms[0]} ms")
        targets = padded_targets(events, torch.from_numpy(np.stack(presence)[:, None]))
        return torch.stack(frames), targets, names

    def _presence(self, video: AnnotatedVideo, wanted_T: NDArray[np.int64]) -> NDArray[np.float32]:
        """presence_TC: 1 where an action happened between a frame and the one before it."""
        presence_TC = np.zeros((len(wanted_T), len(ACTIONS)), np.float32)
        frame = video.actions.t_ms * GRID.fps // 1000
        step = (frame - (wanted_T[0] - self.config.stride_frames + 1)) // self.config.stride_frames
        inside = video.actions.is_target & (step >= 0) & (step < len(wanted_T))
        presence_TC[step[inside], video.actions.code[inside]] = 1.0
        return presence_TC


def _stamp(video: AnnotatedVideo) -> list[object]:
    """What another video or other labels would change."""
    return [
        video.source.path.stat().st_size,
        video.last_end_ms,
        video.actions.t_ms.tolist(),
        video.actions.code.tolist(),
    ]
