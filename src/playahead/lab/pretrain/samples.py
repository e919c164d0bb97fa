"""Snippets to train a spotter on, half of them on actions, augmented (a snippet: docs/paper.md 1.1).

Axes: B snippets, J frames of a snippet (15), H, W, C classes, E events.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID
from playahead.evaluation.frames import common_classes
from playahead.io.errors import InputError
from playahead.sources.layouts import LabelledVideo
from playahead.video.frame_cache import FrameCache

CENTRE_FRAMES = GRID.snippet_span_frames // 2
"""A snippet's centre, counted from its first frame."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of snippets, each changed as a whole (C).

    Attributes:
        flip: mirror half of them left to right.
        zoom: largest share of the picture's sides that is cut off.
        brightness: largest change of the factor 1, and of the constant 0 that is added.
    """

    flip: bool = True
    zoom: float = 0.1
    brightness: float = 0.15


class SnippetSampler:
    """Draws snippets and what happens at their centre.

    Args:
        videos: videos with their actions.
        cache: frames of the videos.
        reach_frames: distance from the centre within which an action counts as shown (C).
        action_share: share of the snippets that are drawn on actions.
        augmentation: changes of the frames.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        cache: FrameCache,
        reach_frames: int,
        action_share: float,
        augmentation: Augmentation,
    ) -> None:
        self.classes = common_classes(video.classes for video in videos)
        self.reach_frames, self.action_share, self.augmentation = reach_frames, action_share, augmentation
        long_enough = [(v, f) for v in videos if len(f := cache.frames(v.path)) >= GRID.snippet_span_frames]
        if not long_enough:
            raise InputError("videos", "no video is as long as a snippet of 29 frames")
        self.names = [video.name for video, _ in long_enough]
        self.frames = [frames for _, frames in long_enough]
        self.lengths = np.array([len(frames) for frames in self.frames])
        rows = [
            (v, e.action.class_index, _frame(e.position_ms))
            for v, (video, _) in enumerate(long_enough)
            for e in video.events
        ]
        rows = [row for row in rows if row[2] < self.lengths[row[0]]]
        if not rows:
            raise InputError("videos", "no action is labelled within the videos")
        self.video_E, self.class_E, self.frame_E = (np.array(column) for column in zip(*rows, strict=True))
        rarity_C = 1 / np.sqrt(np.maximum(np.bincount(self.class_E, minlength=len(ACTIONS)), 1))
        self._probability_E = rarity_C[self.class_E] / rarity_C[self.class_E].sum()

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[str]]:
        """(frames_BJHW in [0, 1], happens_BC, names) of ``size`` snippets."""
        drawn = [self._draw(rng) for _ in range(size)]
        with ThreadPoolExecutor(min(size, os.cpu_count() or 1)) as threads:  # compressed frames are decoded here
            frames = list(threads.map(self._frames, drawn))
        snippets = [_augmented(torch.from_numpy(frames_JHW), self.augmentation, rng) for frames_JHW in frames]
        happens = [self.happening(video, start + CENTRE_FRAMES) for video, start in drawn]
        names = [f"{self.names[video]}, frame {start}" for video, start in drawn]
        return torch.stack(snippets), torch.from_numpy(np.stack(happens)), names

    def _frames(self, drawn: tuple[int, int]) -> NDArray[np.uint8]:
        """frames_JHW of a snippet."""
        video, start = drawn
        return np.array(self.frames[video][start : start + GRID.snippet_span_frames : GRID.snippet_step])

    def happening(self, video: int, centre: int) -> NDArray[np.float32]:
        """happens_C: 1 for each class that has an action within reach of the centre."""
        near_E = (self.video_E == video) & (np.abs(self.frame_E - centre) <= self.reach_frames)
        happens_C = np.zeros(len(ACTIONS), np.float32)
        happens_C[self.class_E[near_E]] = 1.0
        return happens_C

    def _draw(self, rng: np.random.Generator) -> tuple[int, int]:
        if rng.random() < self.action_share:
            event = rng.choice(len(self._probability_E), p=self._probability_E)
            video = int(self.video_E[event])
            centre = int(self.frame_E[event]) + int(rng.integers(-self.reach_frames, self.reach_frames + 1))
        else:
            video = int(rng.choice(len(self.lengths), p=self.lengths / self.lengths.sum()))
            centre = int(rng.integers(self.lengths[video]))
        latest = int(self.lengths[video]) - GRID.snippet_span_frames
        return video, min(max(centre - CENTRE_FRAMES, 0), latest)


def _frame(position_ms: int) -> int:
    return round(position_ms * GRID.fps / 1000)


def _augmented(frames_JHW: Tensor, how: Augmentation, rng: np.random.Generator) -> Tensor:
    frames = frames_JHW.float() / 255
    height, width = frames.shape[1:]
    if how.zoom:
        share = 1 - how.zoom * rng.random()
        cut_h, cut_w = round(height * share), round(width * share)
        top, left = int(rng.integers(height - cut_h + 1)), int(rng.integers(width - cut_w + 1))
        cut = frames[None, :, top : top + cut_h, left : left + cut_w]
        frames = F.interpolate(cut, (height, width), mode="bilinear", align_corners=False)[0]
    if how.flip and rng.random() < 0.5:
        frames = frames.flip(-1)
    if how.brightness:
        factor, added = 1 + how.brightness * rng.uniform(-1, 1), how.brightness * rng.uniform(-1, 1)
        frames = (frames * factor + added).clamp(0, 1)
    return frames
