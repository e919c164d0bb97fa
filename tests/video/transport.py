"""Transport streams changed after they were written: their pictures move to another PID."""

from collections.abc import Callable

_PACKET = 188
_PAT, _PMT, _VIDEO = 0, 0x1000, 0x100  # FFmpeg's own
OTHER_VIDEO, OTHER_PMT = 0x200, 0x1100


def moved(stream: bytes, from_share: float, table_moves: bool) -> bytes:
    """The same stream, its pictures on another PID after a share of it; the table that says so may move, too."""
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
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ (0x04C11DB7 if found & 0x80000000 else 0)) & 0xFFFFFFFF
    return found
