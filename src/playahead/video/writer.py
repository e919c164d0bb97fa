"""Frames and sound -> an H.264 file that any player opens."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av import AudioFrame
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.io.files import atomic_write

SOUND_RATE_HZ = 48_000
SOUND_LAYOUT = "stereo"
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
        pixels: format of the frames.
        quality: x264's crf; lower is better.
        key_every: number of frames from one key frame to the next. No frame refers across a key frame, so files can be
            cut there, and seeking is quick.
        sound: sound in the format of ``SOUND_LAYOUT`` and ``SOUND_RATE_HZ``, on the frames' clock.

    Raises:
        InputError: the file cannot be written.
    """
    sound = sound or iter(())
    try:
        with atomic_write(path) as part, av.open(f"file:{part}", "w", format="mp4") as container:
            keys = f"keyint={key_every}:min-keyint={key_every}:scenecut=0:open-gop=0"
            options = {**_OPTIONS, "x264-params": keys, "crf": str(quality)}
            stream = container.add_stream("libx264", rate=GRID.fps, options=options)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.codec_context.thread_count = 1
            piece = next(sound, None)  # a video without sound gets no stream for it
            sounds = None if piece is None else container.add_stream("aac", rate=SOUND_RATE_HZ, layout=SOUND_LAYOUT)
            for index, array in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(array, format=pixels)
                frame.pts, frame.time_base = index, Fraction(1, GRID.fps)
                container.mux(stream.encode(frame))
                while sounds is not None and piece is not None and (piece.time or 0.0) < (index + 1) / GRID.fps:
                    container.mux(sounds.encode(piece))
                    piece = next(sound, None)
            container.mux(stream.encode())
            if sounds is not None:
                container.mux(sounds.encode())
    except OSError as reason:
        what = f"cannot be written ({reason.strerror or reason})"
        raise InputError(path, what, "is the folder there, and is there room?") from None
