"""Pieces of a recording without a second encoding."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av

from playahead.domain.grid import GRID
from playahead.io.files import atomic_write


def cut(source: Path, pieces: Iterable[tuple[Path, int, int]]) -> None:
    """Copy pieces of a file that ``write_video`` wrote, unchanged: the same frames decode to the same pixels.

    Args:
        source: the whole recording.
        pieces: (path, first frame, frames) each; the first frame is a multiple of 125, where a key frame is.
    """
    with av.open(f"file:{source}") as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        for path, first, count in pieces:
            with atomic_write(path) as part, av.open(f"file:{part}", "w", format="mp4") as clip:
                copied = clip.add_stream_from_template(stream)
                for index, packet in enumerate(_copies(packets[first : first + count])):
                    packet.pts = packet.dts = index
                    packet.stream = copied
                    clip.mux(packet)


def _copies(packets: list[av.Packet]) -> Iterator[av.Packet]:
    for packet in packets:
        copy = av.Packet(bytes(packet))
        copy.is_keyframe = packet.is_keyframe
        copy.time_base = Fraction(1, GRID.fps)
        copy.duration = 1
        yield copy
