"""Frames kept as H.264 with a key frame a second: any stretch is decoded from the key frame before it.

What raw frames of a match at 1280 x 736 would need, 127 GB, becomes a few. It is not without loss: a gray level moves
by about one of 255. The luma plane carries the frames as they are, whatever range a player would give it.

Axes: T frames, H, W.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.video.input_size import InputSize
from playahead.video.writer import write_video

_QUALITY = 12  # x264's crf
_NEUTRAL = 128


class Frames(Protocol):
    """Frames of a video that any of them can be taken from: an array, or what decodes them."""

    def __len__(self) -> int: ...

    def __getitem__(self, wanted: slice | NDArray[np.integer], /) -> NDArray[np.uint8]:
        """frames_THW at these places, which increase."""
        ...

    def __iter__(self) -> Iterator[NDArray[np.uint8]]: ...


def write_compressed(path: Path, frames: Iterable[NDArray[np.uint8]], input_size: InputSize) -> None:
    """Write gray frames; the file appears whole or not at all."""
    size = (input_size.width, input_size.height)
    write_video(path, map(_planes, frames), size, "yuv420p", _QUALITY, key_every=GRID.fps)


def _planes(gray_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = gray_HW.shape
    return np.concatenate([gray_HW, np.full((height // 2, width), _NEUTRAL, np.uint8)])


class CompressedFrames:
    """Frames of a file that ``write_compressed`` wrote; may be read by several threads.

    Raises:
        InputError: missing or damaged file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with av.open(f"file:{path}") as container:
                self._frames = container.streams.video[0].frames
        except (FFmpegError, OSError, IndexError) as reason:
            raise InputError(path, f"damaged frames ({reason})", "delete it, it is made again") from None

    def __len__(self) -> int:
        return self._frames

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for _, gray_HW in self._decoded(0):
            yield gray_HW

    def __getitem__(self, wanted: slice | NDArray[np.integer]) -> NDArray[np.uint8]:
        """frames_THW at these places, which increase."""
        index_T = np.arange(len(self))[wanted]
        kept = []
        decoded = self._decoded(int(index_T[0])) if len(index_T) else iter(())
        for index, gray_HW in decoded:
            while len(kept) < len(index_T) and index == index_T[len(kept)]:
                kept.append(gray_HW)
            if len(kept) == len(index_T):
                break
        if len(kept) < len(index_T):
            raise InputError(self.path, f"ends before frame {index_T[len(kept)]}", "delete it, it is made again")
        return np.stack(kept) if kept else np.zeros((0, 0, 0), np.uint8)

    def _decoded(self, first: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        with av.open(f"file:{self.path}") as container:
            stream = container.streams.video[0]
            assert stream.time_base is not None
            if first:
                container.seek(int(first / GRID.fps / stream.time_base), stream=stream, backward=True)
            try:
                for frame in container.decode(stream):
                    assert frame.pts is not None
                    planes = np.asarray(frame.to_ndarray(), np.uint8)
                    yield round(float(frame.pts * stream.time_base) * GRID.fps), planes[: frame.height]
            except FFmpegError as reason:
                raise InputError(self.path, f"damaged frames ({reason})", "delete it, it is made again") from None
