"""Features of the snippets that start at chosen frames of a running video, each stack encoded once.

Axes: J frames of a stack, S stacks of a snippet, B snippets, F features, H, W.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playahead.backbone.fast import FastBackbone
from playahead.domain.grid import GRID

_IN_STACK = range(0, GRID.stack_frames * GRID.snippet_step, GRID.snippet_step)
_STACKS = range(0, GRID.snippet_frames * GRID.snippet_step, GRID.stack_frames * GRID.snippet_step)


def every(stride_frames: int) -> Callable[[int], bool]:
    """Snippets that start at every so many frames."""
    return lambda frame: frame % stride_frames == 0


def of_windows(stride_frames: int) -> Callable[[int], bool]:
    """The snippets of windows that start at every so many frames."""
    within = range(0, GRID.n_snippets * GRID.snippet_stride, GRID.snippet_stride)

    def wanted(frame: int) -> bool:
        return any((frame - offset) % stride_frames == 0 for offset in within if offset <= frame)

    return wanted


class SnippetStream:
    """Encodes snippets as their frames arrive.

    Stacks and snippets are always computed in pieces of the same size, the last one filled up: the last bits of a
    convolution depend on that size. So a snippet's features are the same however often ``ready`` is asked.

    Args:
        backbone: on its device.
        wanted: which frames a snippet is to start at. It may come to want less on the way, never more.
        batch: stacks encoded together, and snippets.
    """

    def __init__(self, backbone: FastBackbone, wanted: Callable[[int], bool], batch: int = 8) -> None:
        self.backbone, self.wanted, self.batch = backbone, wanted, batch
        self.n_frames = 0
        self._held: dict[int, NDArray[np.uint8]] = {}
        self._stacks: list[int] = []
        self._snippets: list[int] = []
        self._maps: dict[int, Tensor] = {}

    def encode(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[tuple[list[int], NDArray[np.float16]]]:
        """(first frames, features_BF) of wanted snippets in order, as soon as a batch of them can be made."""
        for frame_HW in frames:
            self.push(frame_HW)
            if len(self._stacks) >= self.batch and (found := self.ready())[0]:
                yield found
        if (found := self.ready())[0]:
            yield found

    def push(self, frame_HW: NDArray[np.uint8]) -> None:
        """Take the next frame."""
        last = self.n_frames
        self.n_frames += 1
        self._held[last] = frame_HW
        stack, snippet = last - _IN_STACK[-1], last - (GRID.snippet_span_frames - 1)
        if self._needs_stack(stack):
            self._stacks.append(stack)
        elif not self._stacks:
            self._held.pop(stack, None)
        if snippet >= 0 and self.wanted(snippet):
            self._snippets.append(snippet)

    @torch.inference_mode()
    def ready(self) -> tuple[list[int], NDArray[np.float16]]:
        """(first frames, features_BF) of all wanted snippets whose frames are there and that were not given yet."""
        for start in range(0, len(self._stacks), self.batch):
            self._encode_stacks(self._stacks[start : start + self.batch])
        self._held = {index: frame for index, frame in self._held.items() if index > self.n_frames - 1 - _IN_STACK[-1]}
        snippets, self._stacks, self._snippets = self._snippets, [], []
        if not snippets:
            return [], np.zeros((0, self.backbone.config.feature_dim), np.float16)
        pieces = (snippets[start : start + self.batch] for start in range(0, len(snippets), self.batch))
        features_BF = np.concatenate([self._fuse(piece) for piece in pieces])
        self._maps = {start: maps for start, maps in self._maps.items() if start > snippets[-1]}
        return snippets, features_BF

    def _needs_stack(self, start: int) -> bool:
        return start >= 0 and any(self.wanted(start - offset) for offset in _STACKS if offset <= start)

    def _encode_stacks(self, starts: list[int]) -> None:
        filled = starts + starts[:1] * (self.batch - len(starts))
        stacks_XJHW = np.stack([np.stack([self._held[start + offset] for offset in _IN_STACK]) for start in filled])
        maps_XCHW = self.backbone.maps(torch.from_numpy(stacks_XJHW))
        self._maps |= zip(starts, maps_XCHW[: len(starts)].clone(), strict=True)

    def _fuse(self, snippets: list[int]) -> NDArray[np.float16]:
        filled = snippets + snippets[:1] * (self.batch - len(snippets))
        needed = sorted({snippet + offset for snippet in filled for offset in _STACKS})
        place = {start: index for index, start in enumerate(needed)}
        maps_XCHW = torch.stack([self._maps[start] for start in needed]).contiguous(memory_format=torch.channels_last)
        stack_of_snippet_BS = torch.tensor([[place[snippet + offset] for offset in _STACKS] for snippet in filled])
        return self.backbone.fused(maps_XCHW, stack_of_snippet_BS, self.batch)[: len(snippets)]
