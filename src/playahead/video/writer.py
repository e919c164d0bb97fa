"""Frames -> an H.264 file that any player opens."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av import AudioFrame
from av.container import OutputContainer
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.io.files import atomic_write
from playahead.video.sound import LAYOUT, RATE_HZ

_OPTIONS = {"preset": "superfast", "bf": "0"}


def write_video(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    size: tuple[int, int],
    pixels: Literal["yuv420p", "rgb24"] = "rgb24",
    quality: int = 23,
    key_every: int = GRID.window_frames,
    sound: Iterator[AudioFrame] | None = None,
) -> None:
    """Write frames at 25 fps; the file appears whole or not at all.

    Args:
        path: an .mp4.
        frames: (H, W, 3) RGB, or yuv420p planes as (H * 3 / 2, W).
        size: (width, height), both even.
        pixels: what the frames are.
        quality: x264's crf; lower is better.
        key_every: frames from one key frame to the next, which nothing refers across: files can be cut there, and
            seeking is quick.
        sound: beside the pictures, on their clock (``read_sound``).

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with atomic_write(path) as part, av.open(f"file:{part}", "w", format="mp4") as container:
            keys = f"keyint={key_every}:min-keyint={key_every}:scenecut=0:open-gop=0"
            options = {**_OPTIONS, "x264-params": keys, "crf": str(quality)}
            stream = container.add_stream("libx264", rate=GRID.fps, options=options)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.codec_context.thread_count = 1
            mix = _Mix(container, sound)
            for index, array in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(array, format=pixels)
                frame.pts, frame.time_base = index, Fraction(1, GRID.fps)
                container.mux(stream.encode(frame))
                mix.until((index + 1) / GRID.fps)
            container.mux(stream.encode())
            mix.end()
    except OSError as reason:
        said = reason.strerror or reason
        raise InputError(path, f"cannot be written ({said})", "is the folder there, and is there room?") from None


class _Mix:
    """Sound that is written along with the pictures; a video without any gets no stream for it."""

    def __init__(self, container: OutputContainer, sound: Iterator[AudioFrame] | None) -> None:
        self._sound, self._container = sound or iter(()), container
        self._frame = next(self._sound, None)
        self._stream = None
        if self._frame is not None:
            self._stream = container.add_stream("aac", rate=RATE_HZ, layout=LAYOUT)

    def until(self, time_s: float) -> None:
        """Write what sounds before this moment."""
        while self._stream is not None and self._frame is not None and (self._frame.time or 0.0) < time_s:
            self._container.mux(self._stream.encode(self._frame))
            self._frame = next(self._sound, None)

    def end(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())
