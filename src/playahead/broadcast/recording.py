"""A scene as an H.264 file, and pieces of it without a second encoding."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID

_OPTIONS = {
    "preset": "superfast",
    "crf": "30",
    "bf": "0",
    "x264-params": f"keyint={GRID.window_frames}:min-keyint={GRID.window_frames}:scenecut=0:open-gop=0",
}


def encode(path: Path, frames: Iterable[NDArray[np.uint8]], width: int, height: int) -> None:
    """Write yuv420p frames at 25 fps, a key frame every 5 s; the file appears whole or not at all."""
    part = path.with_name(f".{path.name}")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=GRID.fps, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for index, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(array, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, GRID.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    part.replace(path)


def cut(source: Path, pieces: Iterable[tuple[Path, int, int]]) -> None:
    """Copy pieces of a file that ``encode`` wrote, unchanged: the same frames decode to the same pixels.

    Args:
        source: the whole recording.
        pieces: (path, first frame, frames) each; the first frame is a multiple of 125, where a key frame is.
    """
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        for path, first, count in pieces:
            part = path.with_name(f".{path.name}")
            with av.open(str(part), "w", format="mp4") as clip:
                copied = clip.add_stream_from_template(stream)
                for index, packet in enumerate(_copies(packets[first : first + count])):
                    packet.pts = packet.dts = index
                    packet.stream = copied
                    clip.mux(packet)
            part.replace(path)


def _copies(packets: list[av.Packet]) -> Iterator[av.Packet]:
    for packet in packets:
        copy = av.Packet(bytes(packet))
        copy.is_keyframe = packet.is_keyframe
        copy.time_base = Fraction(1, GRID.fps)
        copy.duration = 1
        yield copy
