"""Windows of frames to train on: any moment of a labelled video may end an observation.

Axes: B windows, T frames of a window, H, W, C classes, A films.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, GRID
from playahead.endtoend.films import Film, observed_indices
from playahead.endtoend.network import EndToEndModelConfig
from playahead.errors import InputError
from playahead.spotting.frames import FrameCache
from playahead.windows.batch import Targets, padded_targets
from playahead.windows.slicing import class_counts, future_events


class FrameWindows:
    """Draws windows, mirrored at random, with what follows and what is seen in them.

    Args:
        films: with their actions.
        cache: holds their frames.
        config: of the network that reads them.

    ``digest`` tells whether they are what they were.
    """

    def __init__(self, films: Sequence[Film], cache: FrameCache, config: EndToEndModelConfig) -> None:
        self.config = config
        self.first_ms = config.span_frames * 1000 // GRID.fps
        self.films = [film for film in films if self._last_ms(film, cache) >= self.first_ms]
        if not self.films:
            raise InputError("train", f"no video lasts the {self.first_ms / 1000:.1f} s of an observation")
        self.frames = [cache.frames(film.video) for film in self.films]
        self.last_ms = np.array([self._last_ms(film, cache) for film in self.films])
        self._chance_A = (self.last_ms - self.first_ms + 1) / (self.last_ms - self.first_ms + 1).sum()
        step_ms = np.arange(self.first_ms, int(self.last_ms.max()) + 1, ANTICIPATION_MS)
        counts = [
            class_counts(future_events(film.actions, step_ms[step_ms <= last])[0]).sum(axis=0)
            for film, last in zip(self.films, self.last_ms, strict=True)
        ]
        self.counts_C = np.sum(counts, axis=0)
        files = [[film.video.name, *_stamp(film)] for film in self.films]
        self.digest = hashlib.sha256(json.dumps(files).encode()).hexdigest()

    @staticmethod
    def _last_ms(film: Film, cache: FrameCache) -> int:
        return min(film.last_end_ms, len(cache.frames(film.video)) * 1000 // GRID.fps)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Targets, list[str]]:
        """(frames_BTHW in [0, 1], targets, names)."""
        frames, events, presence, names = [], [], [], []
        for index in rng.choice(len(self.films), size, p=self._chance_A):
            film = self.films[index]
            end_ms = np.array([rng.integers(self.first_ms, self.last_ms[index] + 1)])
            wanted_T = observed_indices(end_ms, self.config)[0]
            frames_THW = torch.from_numpy(np.array(self.frames[index][wanted_T])).float() / 255
            frames.append(frames_THW.flip(-1) if rng.random() < 0.5 else frames_THW)
            events.append(future_events(film.actions, end_ms))
            presence.append(self._presence(film, wanted_T))
            names.append(f"{film.video.name}, {end_ms[0]} ms")
        targets = padded_targets(events, torch.from_numpy(np.stack(presence)[:, None]))
        return torch.stack(frames), targets, names

    def _presence(self, film: Film, wanted_T: NDArray[np.int64]) -> NDArray[np.float32]:
        """presence_TC: 1 where an action happened between a frame and the one before it."""
        presence_TC = np.zeros((len(wanted_T), len(ACTIONS)), np.float32)
        frame = film.actions.t_ms * GRID.fps // 1000
        step = (frame - (wanted_T[0] - self.config.stride_frames + 1)) // self.config.stride_frames
        inside = film.actions.is_target & (step >= 0) & (step < len(wanted_T))
        presence_TC[step[inside], film.actions.code[inside]] = 1.0
        return presence_TC


def _stamp(film: Film) -> list[object]:
    """What another video or other labels would change."""
    return [film.video.path.stat().st_size, film.last_end_ms, film.actions.t_ms.tolist(), film.actions.code.tolist()]
