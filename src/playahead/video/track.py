"""The pictures of one stream with their times, from any moment on: never a later picture in place of an earlier one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from heapq import heappop, heappush
from itertools import chain, islice

import av
from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import EOFError as AllOut, ExitError, FFmpegError
from av.video.stream import VideoStream

from playahead.domain.grid import GRID

Stamped = tuple[float | None, VideoFrame]
"""A picture and its own time in the stream, None where the stream has no timestamps."""

_WITHOUT_TIMESTAMPS = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "obu"})
_LOOKED_AT = 32  # packets that show whether a container knows when pictures are shown
_REORDERED = 17  # pictures: H.264 and HEVC show at most 16 before one that they decoded earlier
_MOST_APPEAR = 16  # streams that PyAV learns of while it reads, by an IndexError each
_LEFT_PIDS = 8  # packets: so many in a row that go back in time are a clock that was set back
_INEXACT_S = 1.0  # after a seek the times of the first pictures may be guesses, for so long in streams of MPEG
_GUESSED_AFTER_SEEK = frozenset({"mpeg", "mpegts"})


class Track:
    """One stream of an open container.

    Args:
        container, stream: opened just now, nothing read from them.
        tell: called with what went wrong.

    Attributes:
        lasts_s: as declared; None of a live stream.
        rate: pictures per second that the stream declares; raw streams declare them in their codec's header.
        origin_s: the stream's own time of its first picture.
        damaged: packets that could not be decoded so far.
        last_byte: of the container, where its latest packet begins.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, tell: Callable[[str], None]) -> None:
        stream.thread_type = "AUTO"
        self.container, self.stream, self._tell = container, stream, tell
        self.lasts_s = duration_s(container, stream)
        self.rate = float(stream.guessed_rate or stream.average_rate or GRID.fps)
        self.damaged = self.last_byte = 0
        self._tick_s = float(stream.time_base or 1 / 90_000)
        # AVI and some others say when pictures are decoded, not when they are shown. FFmpeg then makes up times of
        # showing, and where it cannot, each is as long after its time of decoding: out of order with B-frames.
        self._knows_order = True
        packets = self._packets()
        first = list(islice(packets, _LOOKED_AT)) if self.lasts_s is not None else []
        delays = {p.pts - p.dts for p in first if p.pts is not None and p.dts is not None}
        starts_at = stream.start_time or 0
        if first and first[0].pts is not None and first[0].dts == starts_at:
            reorders = stream.codec_context.reorder_depth > 0
            self._knows_order = len(delays) > 1 or (delays == {0} and not reorders)
            starts_at = first[0].pts if self._knows_order else starts_at
        self._unread = chain(map(self._retimed, first), packets)
        self.origin_s = starts_at * self._tick_s

    def _retimed(self, packet: Packet) -> Packet:
        if not self._knows_order:
            packet.pts = packet.dts
        return packet

    def pictures(self, start_s: float) -> Iterator[Stamped]:
        """In the order in which they are shown, the first at or before ``start_s`` where there is such a one.

        Args:
            start_s: from the first picture of the stream.
        """
        if start_s <= 0 or self.container.format.name in _WITHOUT_TIMESTAMPS:
            return self._shown(self._unread)
        back_s = 0.0
        while back_s < start_s:
            try:
                self._seek(start_s - back_s)
            except (FFmpegError, OSError):
                break
            self.damaged = 0
            is_exact = self._knows_order and self.container.format.name not in _GUESSED_AFTER_SEEK
            found = self._from_key(start_s - (0.0 if is_exact else _INEXACT_S))
            if found is not None:
                return found
            back_s = 2 * back_s or 1.0
        return self._shown(self._from_beginning(has_moved=back_s > 0))

    def _from_beginning(self, has_moved: bool) -> Iterator[Packet]:
        for time_s in (-1.0, 0.0) if has_moved else ():
            with suppress(FFmpegError, OSError):  # some containers know no time before their first
                self._seek(time_s)
                return self._packets()
        self._tell("cannot be wound forward, read from its beginning")
        return self._unread

    def _seek(self, time_s: float) -> None:
        self.container.seek(int((time_s + self.origin_s) / self._tick_s), stream=self.stream, backward=True)

    def _from_key(self, latest_s: float) -> Iterator[Stamped] | None:
        """Pictures from the next key picture on, which needs none before it; None where it lies after ``latest_s``.

        Seeking in a transport stream leads to any packet, and what a decoder makes of pictures before a key picture
        lacks what they refer to. Neither the container's word nor the decoder's is enough for what a key picture is.
        """
        latest = (latest_s + self.origin_s) / self._tick_s + 1e-3
        packets = self._packets()
        for packet in packets:
            time = packet.pts if packet.is_keyframe or packet.dts is None else packet.dts
            if time is not None and time > latest:
                return None
            if packet.is_keyframe and time is not None:
                pictures = self._shown(chain([packet], packets))
                for stamp_s, frame in pictures:
                    if stamp_s is not None and stamp_s > latest * self._tick_s:
                        return None
                    if stamp_s is not None and frame.key_frame:
                        return chain([(stamp_s, frame)], pictures)
        return None

    def _shown(self, packets: Iterable[Packet]) -> Iterator[Stamped]:
        pictures = ((None if f.pts is None else f.pts * self._tick_s, f) for f in self._decoded(packets))
        return pictures if self._knows_order else _in_order(pictures)

    def _packets(self) -> Iterator[Packet]:
        """From where the container is."""
        packets, appeared = self.container.demux(self.stream), 0
        latest: int | None = None
        behind: list[Packet] = []
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (FFmpegError, IndexError, ValueError) as reason:  # the rest of the file is not there
                if isinstance(reason, IndexError) and self.lasts_s is not None and appeared < _MOST_APPEAR:
                    packets, appeared = self.container.demux(self.stream), appeared + 1
                    continue
                said = "nothing came for 20 s" if isinstance(reason, ExitError) else getattr(reason, "strerror", reason)
                self._tell(f"ends early ({said}), what came before is used")
                return
            self.last_byte = max(self.last_byte, packet.pos or 0)
            if self.container.format.name == "hls" and packet.dts is not None:
                if latest is not None and packet.dts < latest and len(behind) < _LEFT_PIDS:
                    behind.append(packet)
                    continue
                # FFmpeg gives the last packet of each PID that was left at the very end, long after its time
                yield from map(self._retimed, behind if len(behind) == _LEFT_PIDS else ())
                latest, behind = packet.dts, []
            yield self._retimed(packet)

    def _decoded(self, packets: Iterable[Packet]) -> Iterator[VideoFrame]:
        for packet in packets:
            try:
                yield from packet.decode()
            except AllOut:  # said twice, which a stream that PyAV learnt of late makes it do
                return
            except (FFmpegError, IndexError, ValueError):
                self.damaged += 1


def duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """How long a stream lasts, as its container says; None where it does not, as with live streams."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _in_order(pictures: Iterable[Stamped]) -> Iterator[Stamped]:
    """The same pictures in the same order, their times sorted: the times are those of decoding."""
    waiting: deque[VideoFrame] = deque()
    times_s: list[float] = []
    for stamp_s, frame in pictures:
        if stamp_s is None:
            yield None, frame
            continue
        heappush(times_s, stamp_s)
        waiting.append(frame)
        if len(waiting) > _REORDERED:
            yield heappop(times_s), waiting.popleft()
    while waiting:
        yield heappop(times_s), waiting.popleft()
