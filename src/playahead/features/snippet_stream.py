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

    Args:
        backbone: on its device.
        wanted: which frames a snippet is to start at.
        batch: stacks encoded together, and snippets.
    """

    def __init__(self, backbone: FastBackbone, wanted: Callable[[int], bool], batch: int = 32) -> None:
        self.backbone, self.wanted, self.batch = backbone, wanted, batch
        self._maps: dict[int, Tensor] = {}

    @torch.inference_mode()
    def encode(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[tuple[list[int], NDArray[np.float16]]]:
        """(first frames, features_BF) of wanted snippets in order, as soon as a batch of them can be made."""
        held: dict[int, NDArray[np.uint8]] = {}
        stacks: list[int] = []
        snippets: list[int] = []
        for last, frame_HW in enumerate(frames):
            held[last] = frame_HW
            if not stacks:
                held.pop(last - _IN_STACK[-1] - 1, None)
            if self._needs_stack(last - _IN_STACK[-1]):
                stacks.append(last - _IN_STACK[-1])
            snippet = last - (GRID.snippet_span_frames - 1)
            if snippet >= 0 and self.wanted(snippet):
                snippets.append(snippet)
            if len(stacks) >= self.batch:
                self._encode_stacks(held, stacks)
                ready = [c for c in snippets if c + _STACKS[-1] in self._maps]
                if ready:
                    yield ready, self._fuse(ready)
                snippets = snippets[len(ready) :]
                stacks = []
                held = {index: frame for index, frame in held.items() if index > last - _IN_STACK[-1]}
        if stacks:
            self._encode_stacks(held, stacks)
        if snippets:
            yield snippets, self._fuse(snippets)

    def _needs_stack(self, start: int) -> bool:
        return start >= 0 and any(self.wanted(start - offset) for offset in _STACKS if offset <= start)

    def _encode_stacks(self, held: dict[int, NDArray[np.uint8]], starts: list[int]) -> None:
        stacks_XJHW = np.stack([np.stack([held[start + offset] for offset in _IN_STACK]) for start in starts])
        maps_XCHW = self.backbone.maps(torch.from_numpy(stacks_XJHW))
        self._maps |= dict(zip(starts, maps_XCHW, strict=True))

    def _fuse(self, snippets: list[int]) -> NDArray[np.float16]:
        needed = sorted({snippet + offset for snippet in snippets for offset in _STACKS})
        place = {start: index for index, start in enumerate(needed)}
        maps_XCHW = torch.stack([self._maps[start] for start in needed]).contiguous(memory_format=torch.channels_last)
        stack_of_snippet_BS = torch.tensor([[place[snippet + offset] for offset in _STACKS] for snippet in snippets])
        features_BF = self.backbone.fused(maps_XCHW, stack_of_snippet_BS, self.batch)
        self._maps = {start: maps for start, maps in self._maps.items() if start > snippets[-1]}
        return features_BF
