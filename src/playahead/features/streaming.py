"""A stretch of video stream from its start: the sequences that anticipation needs, and what is spotted on the way.

Axes: O examples, W windows, N snippets, F features, T snippets in time order, C classes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.backbone.fast import FastBackbone
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.features.snippet_stream import SnippetStream, every, of_windows
from playahead.io.errors import InputError


@dataclass(frozen=True)
class StreamFeatures:
    """Features of a stretch of a running video.

    Attributes:
        start_ms: of the stretch.
        n_frames: of it.
        starts_T: first frame of each snippet, counted from the stretch's start.
        features_TF: of the snippets, float16.
        spotting_TC: the backbone's own classifier at the snippets' centres.
    """

    start_ms: int
    n_frames: int
    starts_T: NDArray[np.int64]
    features_TF: NDArray[np.float16]
    spotting_TC: NDArray[np.float32]

    @property
    def centre_ms_T(self) -> NDArray[np.int64]:
        """Times of the video that the snippets show."""
        return self.start_ms + (self.starts_T + GRID.snippet_span_frames // 2) * 1000 // GRID.fps

    def ends_ms(self, first_ms: int, every_ms: int) -> NDArray[np.int64]:
        """Times of the video to anticipate from: after 30 s of the stretch, as long as it lasts."""
        first = max(first_ms, self.start_ms + (OBSERVATION_MS if self.start_ms else 0))
        return np.arange(first, self.start_ms + self.n_frames * 1000 // GRID.fps + 1, every_ms, dtype=np.int64)

    def seen_ms(self, until_ms: int) -> int:
        """How much of the 30 s before a time are seen: whole windows."""
        return min((until_ms - self.start_ms) // GRID.window_ms * GRID.window_ms, OBSERVATION_MS)

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows (W, N, F) of the examples that end at these times, which lie 5 s apart."""
        last = (end_ms - self.start_ms) * GRID.fps // 1000
        window_starts_W = np.r_[
            last[0] - np.arange(GRID.n_windows, 1, -1) * GRID.window_frames, last - GRID.window_frames
        ]
        snippet_starts_WN = window_starts_W[:, None] + np.arange(GRID.n_snippets) * GRID.snippet_stride
        is_seen_W = window_starts_W >= 0  # a window that begins before the first frame counts as not seen
        place = np.minimum(np.searchsorted(self.starts_T, snippet_starts_WN), len(self.starts_T) - 1)
        assert (self.starts_T[place] == snippet_starts_WN)[is_seen_W].all()
        return self.features_TF[place].astype(np.float32) * is_seen_W[:, None, None]


def encode_stream(
    frames: Iterator[tuple[int, NDArray[np.uint8]]],
    backbone: FastBackbone,
    start_ms: int,
    every_ms: int,
    shortest_ms: int = OBSERVATION_MS,
    where: str = "video",
    advance: Callable[[int], object] = int,
) -> StreamFeatures:
    """Encode what anticipations every ``every_ms`` need, and every third frame for spotting.

    Args:
        frames: (index, gray_HW) at 25 fps, fitted to the backbone's input size.
        backbone: on its device.
        start_ms: time of the video at the first frame.
        every_ms: from one anticipation to the next, whole frames.
        shortest_ms: that must be there to anticipate from.
        where: names the video in errors.
        advance: called with the number of frames read.

    Raises:
        InputError: the video cannot be read, or is shorter than ``shortest_ms`` from there on.
    """
    stride = int(np.gcd(every_ms * GRID.fps // 1000, GRID.window_frames))
    of_anticipations, of_spotting = of_windows(stride), every(GRID.snippet_stride)
    stream = SnippetStream(backbone, lambda frame: of_anticipations(frame) or of_spotting(frame))
    counted = _Counter(frames, advance)
    starts: list[int] = []
    features = []
    for first, features_BF in stream.encode(counted):
        starts += first
        features.append(features_BF)
    if counted.n * 1000 < shortest_ms * GRID.fps or not features:
        seen = f"{counted.n / GRID.fps:.1f} s from {start_ms / 1000:.0f} s on"
        fix = "choose an earlier --from or a longer video, or --short to answer from what there is"
        raise InputError(where, f"{seen}, an observation needs {shortest_ms // 1000} s", fix)
    features_TF = np.concatenate(features)
    return StreamFeatures(start_ms, counted.n, np.array(starts), features_TF, backbone.spot(features_TF))


class _Counter:
    """Frames, counted as they pass."""

    def __init__(self, frames: Iterator[tuple[int, NDArray[np.uint8]]], advance: Callable[[int], object]) -> None:
        self.frames, self.advance, self.n = frames, advance, 0

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for _, gray_HW in self.frames:
            self.n += 1
            self.advance(1)
            yield gray_HW
