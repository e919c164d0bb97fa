"""Gray frames -> snippet features: of a stored window, and of a running video, each stack of frames encoded once.

Axes: T frames, H, W, X stacks, J frames of a stack, S stacks of a snippet, B snippets, P windows, N snippets of a
window, F features, C classes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID

_IN_STACK = range(0, GRID.stack_frames * GRID.snippet_step, GRID.snippet_step)
_STACKS = range(0, GRID.snippet_frames * GRID.snippet_step, GRID.stack_frames * GRID.snippet_step)
_IN_WINDOW = range(0, GRID.n_snippets * GRID.snippet_stride, GRID.snippet_stride)


class SnippetBackbone(Protocol):
    """A backbone in two halves, whatever computes it (``backbone/fast.py``, ``backbone/exported.py``)."""

    @property
    def feature_dim(self) -> int:
        """F."""
        ...

    def encoded(self, stacks_XJHW: NDArray[np.uint8]) -> list[Any]:
        """Maps of each uint8 stack, as ``snippets`` takes them."""
        ...

    def snippets(self, maps: Sequence[Any], stack_of_snippet_BS: NDArray[np.intp]) -> NDArray[np.float16]:
        """features_BF of snippets, each made of the maps at these places."""
        ...

    def spot(self, features_BF: NDArray[np.float16]) -> NDArray[np.float32]:
        """scores_BC of the spotting classifier at the snippets' centres."""
        ...


class WindowEncoder:
    """Encodes windows one at a time: a window's features depend on nothing but its frames."""

    def __init__(self, backbone: SnippetBackbone, batch: int) -> None:
        self.backbone, self.batch = backbone, batch
        first_X = np.array(GRID.stack_starts_frames)
        self._frames_XJ = first_X[:, None] + np.arange(GRID.stack_frames) * GRID.snippet_step
        self.stacks_NS = np.array(GRID.stacks_of_snippets)

    def encode(self, frames_THW: NDArray[np.uint8]) -> NDArray[np.float16]:
        """features_NF of the 125 frames of a window; each stack is encoded once."""
        stacks_XJHW = self.stacks(frames_THW)
        maps: list[Any] = []
        for first in range(0, len(stacks_XJHW), self.batch):
            maps += self.backbone.encoded(stacks_XJHW[first : first + self.batch])
        parts = (self.stacks_NS[first : first + self.batch] for first in range(0, len(self.stacks_NS), self.batch))
        return np.concatenate([self.backbone.snippets(maps, part_BS) for part_BS in parts])

    def stacks(self, frames_THW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """stacks_XJHW: the 41 distinct stacks of a window."""
        return frames_THW[self._frames_XJ]


def window_key(frames_THW: NDArray[np.uint8]) -> str:
    """Name of a window's content: hash of its size and pixels."""
    digest = hashlib.sha256(repr(frames_THW.shape).encode())
    digest.update(frames_THW.tobytes())
    return digest.hexdigest()


def every(stride_frames: int) -> Callable[[int], bool]:
    """Snippets that start at every so many frames."""
    return lambda frame: frame % stride_frames == 0


def of_windows(stride_frames: int) -> Callable[[int], bool]:
    """Snippets of windows that start at every so many frames."""
    return lambda frame: any((frame - offset) % stride_frames == 0 for offset in _IN_WINDOW if offset <= frame)


class SnippetStream:
    """Encodes snippets as their frames arrive.

    Stacks and snippets are always computed in pieces of the same size, the last one filled up, because the last bits
    of a convolution depend on that size. So a snippet's features are the same however often ``ready`` is called.

    Args:
        backbone: backbone on its device.
        is_needed: whether a snippet is to start at a frame. It may become stricter on the way, never less strict.
        batch: number of stacks, and of snippets, encoded at once.
    """

    def __init__(self, backbone: SnippetBackbone, is_needed: Callable[[int], bool], batch: int = 8) -> None:
        self.backbone, self.is_needed, self.batch = backbone, is_needed, batch
        self.n_frames = 0
        self._frames: dict[int, NDArray[np.uint8]] = {}
        self._stacks: list[int] = []
        self._snippets: list[int] = []
        self._maps: dict[int, Any] = {}

    def encode(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[tuple[list[int], NDArray[np.float16]]]:
        """(first frames, features_BF) of the needed snippets in order, as soon as a batch of them can be made."""
        for frame_HW in frames:
            self.push(frame_HW)
            if self.is_full and (snippets := self.ready())[0]:
                yield snippets
        if (snippets := self.ready())[0]:
            yield snippets

    @property
    def is_full(self) -> bool:
        """Whether a whole batch of stacks waits."""
        return len(self._stacks) >= self.batch

    def push(self, frame_HW: NDArray[np.uint8]) -> None:
        """Take the next frame."""
        # With this frame the last one of a stack or of a snippet may be there: note which of them begin.
        last = self.n_frames
        self.n_frames += 1
        self._frames[last] = frame_HW
        stack, snippet = last - _IN_STACK[-1], last - (GRID.snippet_span_frames - 1)
        if stack >= 0 and any(self.is_needed(stack - offset) for offset in _STACKS if offset <= stack):
            self._stacks.append(stack)
        elif not self._stacks:
            self._frames.pop(stack, None)
        if snippet >= 0 and self.is_needed(snippet):
            self._snippets.append(snippet)

    def ready(self) -> tuple[list[int], NDArray[np.float16]]:
        """(first frames, features_BF) of all needed snippets whose frames are there and that were not given yet."""
        # First the maps of all stacks that are complete; then only frames that later stacks need are kept.
        for start in range(0, len(self._stacks), self.batch):
            starts = self._stacks[start : start + self.batch]
            filled = starts + starts[:1] * (self.batch - len(starts))
            stacks_XJHW = np.stack(
                [np.stack([self._frames[first + offset] for offset in _IN_STACK]) for first in filled]
            )
            self._maps |= zip(starts, self.backbone.encoded(stacks_XJHW)[: len(starts)], strict=True)
        oldest = self.n_frames - 1 - _IN_STACK[-1]
        self._frames = {index: frame for index, frame in self._frames.items() if index > oldest}
        # Then the snippets made of them; maps before the latest snippet are not needed any more.
        snippets, self._stacks, self._snippets = self._snippets, [], []
        if not snippets:
            return [], np.zeros((0, self.backbone.feature_dim), np.float16)
        pieces = (snippets[start : start + self.batch] for start in range(0, len(snippets), self.batch))
        features_BF = np.concatenate([self._fuse(piece) for piece in pieces])
        self._maps = {start: maps for start, maps in self._maps.items() if start > snippets[-1]}
        return snippets, features_BF

    def _fuse(self, snippets: list[int]) -> NDArray[np.float16]:
        """features_BF of up to a batch of snippets; stacks that two of them share are looked up once."""
        filled = snippets + snippets[:1] * (self.batch - len(snippets))
        starts = sorted({snippet + offset for snippet in filled for offset in _STACKS})
        place = {start: index for index, start in enumerate(starts)}
        stack_of_snippet_BS = np.array([[place[snippet + offset] for offset in _STACKS] for snippet in filled])
        maps = [self._maps[start] for start in starts]
        return self.backbone.snippets(maps, stack_of_snippet_BS)[: len(snippets)]


class VideoEncoder:
    """Windows of a running video and what its backbone spots: frames are pushed, both can be asked for at any time.

    ``predict`` and live sessions use the same encoder, so their numbers are the same.

    Args:
        backbone: backbone on its device.
        stride_frames: frames between the starts of the windows that can be asked for.
    """

    def __init__(self, backbone: SnippetBackbone, stride_frames: int) -> None:
        self._backbone = backbone
        self._of_windows, self._of_spotting = of_windows(stride_frames), every(GRID.snippet_stride)
        self._stream = SnippetStream(backbone, lambda frame: self._of_windows(frame) or self._of_spotting(frame))
        self._features: dict[int, NDArray[np.float16]] = {}
        self._scores: dict[int, NDArray[np.float32]] = {}

    @property
    def n_frames(self) -> int:
        """Number of frames pushed."""
        return self._stream.n_frames

    def thin_out(self, stride_frames: int) -> None:
        """Encode fewer windows from here on.

        Args:
            stride_frames: a multiple of the stride so far.
        """
        self._of_windows = of_windows(stride_frames)

    def push(self, frame_HW: NDArray[np.uint8]) -> None:
        """Take the next frame, 40 ms after the one before it."""
        self._stream.push(frame_HW)
        if self._stream.is_full:  # at once, so that little is left to do when windows are asked for
            self._encode()

    def _encode(self) -> None:
        starts, features_BF = self._stream.ready()
        if starts:
            self._features |= zip(starts, features_BF, strict=True)
            self._scores |= zip(starts, self._backbone.spot(features_BF), strict=True)

    def windows(self, ends_P: NDArray[np.int64]) -> NDArray[np.float32]:
        """features_PNF of the windows that end before these frames; zeros for one that begins before the first frame.

        Args:
            ends_P: frames, at most ``n_frames``.
        """
        self._encode()
        windows_PNF = np.zeros((len(ends_P), GRID.n_snippets, self._backbone.feature_dim), np.float32)
        for window_NF, end in zip(windows_PNF, ends_P.tolist(), strict=True):
            start = end - GRID.window_frames
            if start >= 0:
                window_NF[:] = [self._features[start + offset] for offset in _IN_WINDOW]
        return windows_PNF

    def spotted(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Frames at the centres of the snippets, and scores_BC of the backbone's own classifier there."""
        self._encode()
        starts = np.array(list(self._scores), np.int64)
        scores = list(self._scores.values()) or [np.zeros(0, np.float32)]
        return starts + GRID.snippet_span_frames // 2, np.stack(scores)[: len(starts)]

    def forget(self, n_window_frames: int, n_spotting_frames: int) -> None:
        """Keep the features and the scores of the latest frames alone.

        Args:
            n_window_frames: frames in which snippets of later windows start.
            n_spotting_frames: frames in which snippets start whose scores ``spotted`` gives.
        """
        self._encode()
        first, first_spotted = self.n_frames - n_window_frames, self.n_frames - n_spotting_frames
        self._features = {start: features for start, features in self._features.items() if start >= first}
        self._scores = {start: scores for start, scores in self._scores.items() if start >= first_spotted}
