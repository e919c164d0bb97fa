"""Clips that would cost a decoder much: sparse pictures, a header that lies, many pixels in a small file."""

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 96, 64


def sparse_video(path: Path, seconds: float, apart_s: float = 0.04) -> Path:
    """Matroska whose pictures lie so far apart."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "1000"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 25)
        for number in range(round(seconds / apart_s)):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT * 3 // 2, WIDTH), number % 200, np.uint8), "yuv420p")
            frame.pts, frame.time_base = round(number * apart_s * 25), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def with_length(path: Path, seconds: float) -> Path:
    """The same file with another length in its header."""
    content = bytearray(path.read_bytes())
    at = content.index(b"\x44\x89\x88") + 3  # Duration, a double, in ms
    content[at : at + 8] = struct.pack(">d", seconds * 1000)
    path.write_bytes(content)
    return path


def picture_of(path: Path, side: int) -> Path:
    """QuickTime with two PNGs that are small on disk."""
    squeezed, row = zlib.compressobj(1), bytes(side + 1)
    data = b"".join(squeezed.compress(row) for _ in range(side)) + squeezed.flush()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in parts
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = side, side, "gray"
        for time_s in (0, 5):
            packet = av.Packet(png)
            packet.stream, packet.time_base = stream, Fraction(1, 1)
            packet.pts = packet.dts = time_s
            packet.duration, packet.is_keyframe = 5, True
            container.mux(packet)
    return path
