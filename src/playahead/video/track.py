"""The pictures of one stream with their times, from any moment on, and upright: as a screen shows them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain, islice

import av
from av import Packet, VideoFormat, VideoFrame
from av.container import InputContainer
from av.error import BlockingIOError as NothingYet, EOFError as AllOut, ExitError, FFmpegError
from av.filter import Graph
from av.video.stream import VideoStream

from playahead.domain.grid import GRID

Stamped = tuple[float | None, VideoFrame]
"""A picture and its own time in the stream, None where the stream has no timestamps."""

_WITHOUT_TIMESTAMPS = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "obu"})
_PROBED = 32  # packets that show whether a container knows when pictures are shown
_REORDERED = 17  # pictures: H.264 and HEVC show at most 16 before one that they decoded earlier
_MAX_NEW_STREAMS = 16  # streams that PyAV discovers while it reads, by an IndexError each
_LEFT_PIDS = 8  # packets: so many in a row that go back in time are a clock that was set back
_INEXACT_S = 1.0  # after a seek the times of the first pictures may be guesses, for so long in streams of MPEG
_GUESSED_AFTER_SEEK = frozenset({"mpeg", "mpegts"})
_TURNS = {-90: ("transpose", "clock"), 90: ("transpose", "cclock")}


class Track:
    """One stream of an open container. It never gives a later picture in place of an earlier one.

    Args:
        container: open container from which nothing was read yet.
        stream: one of its streams.
        notify: called with a description of each problem.

    Attributes:
        lasts_s: declared duration; None of a live stream.
        rate: declared pictures per second; raw streams declare them in their codec's header.
        origin_s: the stream's own time of its first picture.
        damaged: number of packets so far that could not be decoded.
        last_byte: position of the latest packet in the container.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, notify: Callable[[str], None]) -> None:
        stream.thread_type = "AUTO"
        self.container, self.stream, self._notify = container, stream, notify
        self.lasts_s = duration_s(container, stream)
        self.rate = float(stream.guessed_rate or stream.average_rate or GRID.fps)
        self.damaged = self.last_byte = 0
        self._tick_s = float(stream.time_base or 1 / 90_000)
        # AVI and some others store when pictures are decoded, not when they are shown. FFmpeg then makes up times of
        # showing, and where it cannot, each is as long after its time of decoding: out of order with B-frames.
        self._knows_order = True
        packets = self._packets()
        first = list(islice(packets, _PROBED)) if self.lasts_s is not None else []
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
        """Pictures in the order in which they are shown, the first at or before ``start_s`` if there is such a one.

        Args:
            start_s: seconds from the first picture of the stream.
        """
        if start_s <= 0 or self.container.format.name in _WITHOUT_TIMESTAMPS:
            return self._shown(self._unread)
        # Seek further and further back until a key picture lies at or before the start.
        back_s = 0.0
        while back_s < start_s:
            try:
                self._seek(start_s - back_s)
            except (FFmpegError, OSError):
                break
            self.damaged = 0
            is_exact = self._knows_order and self.container.format.name not in _GUESSED_AFTER_SEEK
            pictures = self._from_key(start_s - (0.0 if is_exact else _INEXACT_S))
            if pictures is not None:
                return pictures
            back_s = 2 * back_s or 1.0
        for time_s in (-1.0, 0.0) if back_s > 0 else ():
            with suppress(FFmpegError, OSError):  # some containers know no time before their first
                self._seek(time_s)
                return self._shown(self._packets())
        self._notify("cannot be wound forward, read from its beginning")
        return self._shown(self._unread)

    def _seek(self, time_s: float) -> None:
        self.container.seek(int((time_s + self.origin_s) / self._tick_s), stream=self.stream, backward=True)

    def _from_key(self, latest_s: float) -> Iterator[Stamped] | None:
        """Pictures from the next key picture on, which needs none before it; None where it lies after ``latest_s``.

        Seeking in a transport stream leads to any packet, and pictures before a key picture are decoded without what
        they refer to. A picture counts as a key picture only if both the container and the decoder call it one.
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
        """Packets from the container's current position to its end, or to where it is damaged."""
        packets, n_new_streams = self.container.demux(self.stream), 0
        latest: int | None = None
        behind: list[Packet] = []
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (FFmpegError, IndexError, ValueError) as reason:  # the rest of the file is not there
                if isinstance(reason, IndexError) and self.lasts_s is not None and n_new_streams < _MAX_NEW_STREAMS:
                    packets, n_new_streams = self.container.demux(self.stream), n_new_streams + 1
                    continue
                why = "nothing came for 20 s" if isinstance(reason, ExitError) else getattr(reason, "strerror", reason)
                self._notify(f"ends early ({why}), what came before is used")
                return
            self.last_byte = max(self.last_byte, packet.pos or 0)
            # In a playlist whose pictures moved to another PID, FFmpeg gives the last packet of each PID at the very
            # end, long after its time: a few packets that go back in time are dropped, many are a clock set back.
            if self.container.format.name == "hls" and packet.dts is not None:
                if latest is not None and packet.dts < latest and len(behind) < _LEFT_PIDS:
                    behind.append(packet)
                    continue
                yield from map(self._retimed, behind if len(behind) == _LEFT_PIDS else ())
                latest, behind = packet.dts, []
            yield self._retimed(packet)

    def _decoded(self, packets: Iterable[Packet]) -> Iterator[VideoFrame]:
        for packet in packets:
            try:
                yield from packet.decode()
            except AllOut:  # the end came twice, as with a stream that PyAV discovered late
                return
            except (FFmpegError, IndexError, ValueError):
                self.damaged += 1


def duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Duration that the container declares; None where it does not, as with live streams."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _in_order(pictures: Iterable[Stamped]) -> Iterator[Stamped]:
    """The same pictures in the same order, with their times of decoding sorted."""
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


class Upright:
    """Deinterlaces pictures, makes their pixels square and turns them upright, with FFmpeg's own filters.

    Pictures that need none of it pass untouched. The shape of a pixel may change from one picture to the next: each
    picture carries what its own codec says, which the filters see. A container that says otherwise is believed.

    Args:
        stream: stream of the pictures.

    Attributes:
        was_interlaced: whether any picture was.
        damaged: number of pictures that no filter takes: they declare colours or shapes that cannot be.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._codec = stream.codec_context
        self._of_container = (stream.sample_aspect_ratio or 1) / (self._codec.sample_aspect_ratio or Fraction(1))
        self._square = (stream.sample_aspect_ratio or 1) == 1
        self.was_interlaced, self.damaged = False, 0
        self._shape: tuple | None = None
        self._graph: Graph | None = None
        self._times: deque[float] = deque()

    def take(self, time_s: float, frame: VideoFrame) -> Iterator[tuple[float, VideoFrame]]:
        """Push a picture and give those that are ready."""
        self.was_interlaced |= frame.interlaced_frame
        # the decoder knows of a new shape of pixels no later than it gives the first such picture
        self._square &= (self._codec.sample_aspect_ratio or 1) == 1
        turned = round(frame.rotation / 90) * 90
        shape = frame.width, frame.height, frame.format.name, turned, self.was_interlaced, self._square
        try:
            if shape != self._shape:
                yield from self.rest()
                self._shape, self._graph = shape, self._filters(frame, turned)
            if self._graph is None:
                yield time_s, frame
                return
            self._times.append(time_s)
            frame.pts = None
            self._graph.push(frame)
            yield from self._pulled()
        except FFmpegError:
            self.damaged += max(1, len(self._times))
            self._shape, self._graph = None, None
            self._times.clear()

    def rest(self) -> Iterator[tuple[float, VideoFrame]]:
        """Pictures that are still in the filters."""
        if self._graph is not None and self._times:
            self._graph.push(None)
            yield from self._pulled()
        self._graph, self._shape = None, None
        self._times.clear()

    def _pulled(self) -> Iterator[tuple[float, VideoFrame]]:
        assert self._graph is not None
        while self._times:
            try:
                frame = self._graph.vpull()
            except (NothingYet, AllOut):
                return
            yield self._times.popleft(), frame

    def _filters(self, frame: VideoFrame, turned: int) -> Graph | None:
        steps = [("bwdif", "mode=send_frame:deint=interlaced")] if self.was_interlaced else []
        if not self._square:
            steps += [("scale", f"max(2,round(iw*sar*({self._of_container})/2)*2):ih:eval=frame"), ("setsar", "1")]
        if turned in _TURNS:
            steps.append(_TURNS[turned])
        elif abs(turned) == 180:
            steps += [("hflip", ""), ("vflip", "")]
        if not steps:
            return None
        graph = Graph()
        pixels = VideoFormat(frame.format.name)
        node = graph.add_buffer(width=frame.width, height=frame.height, format=pixels, time_base=Fraction(1, 25))
        for name, arguments in [*steps, ("buffersink", "")]:
            following = graph.add(name, arguments)
            node.link_to(following)
            node = following
        graph.configure()
        return graph
