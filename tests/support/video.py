"""Videos for tests: written, joined, changed after they were written, and read back."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from playahead.domain.notices import Notices
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames


def flat(level: int, size: tuple[int, int] = (160, 90)) -> NDArray[np.uint8]:
    """Gray of a level, its left third white: it shows which way is up."""
    rgb_HWC = np.full((size[1], size[0], 3), level, np.uint8)
    rgb_HWC[:, : size[0] // 3] = 255
    return rgb_HWC


def bars(grays: Iterable[int], size: tuple[int, int] = (160, 96)) -> NDArray[np.uint8]:
    """Upright bars of equal width."""
    row = np.asarray(list(grays), np.uint8)
    return np.repeat(row, size[0] // len(row))[None, :, None].repeat(size[1], 0).repeat(3, 2)


def numbered(path: Path, n: int = 200, codec: str = "libx264", **options) -> Path:
    """Write pictures that carry their number, as bars that are white where its bits are 1."""
    pictures = (bars([40 + 180 * (number >> bit & 1) for bit in range(8)], (160, 90)) for number in range(n))
    return write(path, pictures, codec, bit_rate=2_000_000, **options)


def numbers(path: Path, **options) -> list[int]:
    """Numbers of the pictures that are read."""
    frames, _ = read(path, **options)
    return [sum(1 << bit for bit in range(8) if gray_HW[48, 20 * bit + 10] > 120) for gray_HW in frames]


def write(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    codec: str = "libx264",
    rate: int | Fraction = 25,
    options: dict[str, str] | None = None,
    muxer: str | None = None,
    start_s: float = 0.0,
    times_ms: Sequence[int] = (),
    **about,
) -> Path:
    """Write RGB pictures at a constant rate, or at their times; ``about`` is set on the stream."""
    first, *rest = pictures
    tick = Fraction(1, 1000) if times_ms else 1 / Fraction(rate)
    pixels, color_range, turned = about.pop("pixels", "yuv420p"), about.pop("color_range", None), about.pop("turned", 0)
    with av.open(f"file:{path}", "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"g": "5", "bf": "0"})
        stream.height, stream.width, stream.pix_fmt = *first.shape[:2], pixels
        stream.codec_context.thread_count = 1
        if turned:
            stream.set_display_rotation(turned)
        if color_range is not None:
            stream.codec_context.color_range = color_range
        if times_ms:
            stream.time_base = stream.codec_context.time_base = tick
        for name, value in about.items():
            setattr(stream, name, value)
        for index, rgb_HWC in enumerate([first, *rest]):
            frame = av.VideoFrame.from_ndarray(rgb_HWC, "rgb24").reformat(format=pixels, dst_color_range=color_range)
            frame.pts, frame.time_base = times_ms[index] if times_ms else index + round(start_s * rate), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(source: Path | str, **options) -> tuple[list[np.ndarray], str]:
    """All frames at 160 x 96, and the notices."""
    notices = Notices()
    frames = [gray_HW for _, gray_HW in read_frames(source, InputSize(160, 96), notices=notices, **options)]
    return frames, " | ".join(notices.lines)


def joined(path: Path, *parts: Path) -> Path:
    """Files one after the other."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


_PACKET = 188
_PAT, _PMT, _VIDEO = 0, 0x1000, 0x100  # FFmpeg's own
OTHER_VIDEO, OTHER_PMT = 0x200, 0x1100


def moved(stream: bytes, from_share: float, table_moves: bool) -> bytes:
    """Move the pictures of a transport stream to another PID after a share of it, with or without the table."""
    packets = [bytearray(stream[at : at + _PACKET]) for at in range(0, len(stream), _PACKET)]
    tables = [n for n, packet in enumerate(packets) if _pid(packet, 1) == _PAT and n >= len(packets) * from_share]
    for packet in packets[tables[0] :]:
        if _pid(packet, 1) == _VIDEO:
            _set_pid(packet, 1, OTHER_VIDEO)
        elif _pid(packet, 1) == _PMT:
            _change(packet, _move_video)
            if table_moves:
                _set_pid(packet, 1, OTHER_PMT)
        elif _pid(packet, 1) == _PAT and table_moves:
            _change(packet, lambda section: _set_pid(section, 10, OTHER_PMT))
    return b"".join(packets)


def _pid(data: bytearray, at: int) -> int:
    return (data[at] & 0x1F) << 8 | data[at + 1]


def _set_pid(data: bytearray, at: int, pid: int) -> None:
    data[at], data[at + 1] = data[at] & 0xE0 | pid >> 8, pid & 0xFF


def _move_video(section: bytearray) -> None:
    """In a table of one stream, which is also the clock's."""
    _set_pid(section, 8, OTHER_VIDEO)
    _set_pid(section, 13 + (_pid(section, 10) & 0xFFF), OTHER_VIDEO)


def _change(packet: bytearray, how: Callable[[bytearray], None]) -> None:
    """A table's section, its version and its checksum."""
    start = 5 + packet[4]
    end = start + 3 + ((packet[start + 1] & 0x0F) << 8 | packet[start + 2])
    section = packet[start:end]
    how(section)
    section[5] = section[5] & 0xC1 | ((section[5] >> 1) + 1 & 0x1F) << 1
    section[-4:] = _crc(section[:-4]).to_bytes(4, "big")
    packet[start:end] = section


def _crc(data: bytearray) -> int:
    """CRC-32 of MPEG-2."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc
