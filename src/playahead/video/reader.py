"""Decoding: a file or stream -> (index, gray_HW) at 25 fps, ahead of its user in a thread of its own."""

import queue
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import ExitError, FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.errors import InputError
from playahead.video.clock import at_rate
from playahead.video.continuity import Continuity
from playahead.video.input_size import InputSize
from playahead.video.source import opened, shown, video_stream
from playahead.video.upright import Upright

_SLACK_S = 0.5  # pictures that end so much before the container says are nothing to tell
_TOLD = 5  # notes of one video; more of them are counted
_WITHOUT_TIMESTAMPS = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "obu"})
_AHEAD = 64  # frames decoded ahead of their use: 60 MB of 1280 x 736


Drawn = TypeVar("Drawn")
Draw = Callable[[VideoFrame], Drawn]
Open = Callable[[Path | str], InputContainer]
"""``source.opened``, or one that is more careful."""


class VideoWarning(UserWarning):
    """Part of a video could not be used; the message says which, and what was done instead."""


@dataclass(frozen=True)
class VideoFacts:
    """What the container says before anything is decoded.

    Attributes:
        width, height: of the pictures, before any rotation.
        fps: average rate, 0 where the container does not say.
        duration_s: None where it does not say, as with live streams.
    """

    width: int
    height: int
    fps: float
    duration_s: float | None


def probe(source: Path | str, stream: int | None = None, open_source: Open = opened) -> VideoFacts:
    """Open a source and say what it is.

    Raises:
        InputError: missing, unreadable, or without pictures.
    """
    with open_source(source) as container:
        found = video_stream(container, source, stream)
        fps = float(found.average_rate or 0)
        return VideoFacts(found.width, found.height, fps, _duration_s(container, found))


def read_frames(
    source: Path | str,
    input_size: InputSize | None = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    stream: int | None = None,
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Gray frames on an exact 25 fps clock: (index, gray_HW), index 0 at ``start_s``.

    Each moment takes the picture nearest to it by timestamp, counted from the first picture of the file. Pictures are
    upright, with square pixels, and deinterlaced. Damaged packets are passed over (the picture before them stays); a
    clock that goes back, or forward by more than 30 s, goes on where it was. A ``VideoWarning`` at the end tells.

    Args:
        source: a path, or an address that FFmpeg opens (HLS, RTSP ...).
        input_size: to draw on; the published 1280 x 736 if none.
        start_s: first moment, from the video's start.
        stop_s: no frame from here on; None is the end.
        stream: which of several streams with moving pictures, from 0; the longest if None.

    Raises:
        InputError: missing, unreadable, no pictures in it, or none from ``start_s`` on.
    """
    return read_drawn(source, (input_size or InputSize()).draw, start_s, stop_s, stream)


def read_drawn(
    source: Path | str, draw: Draw[Drawn], start_s: float = 0.0, stop_s: float | None = None, stream: int | None = None
) -> Iterator[tuple[int, Drawn]]:
    """``read_frames`` with pictures made by ``draw`` instead of an input size."""
    if start_s < 0 or (stop_s is not None and stop_s <= start_s):
        raise InputError(shown(source), f"no time lies from {start_s} s to {stop_s} s")
    return _ahead(_with_warnings(Decoder(source, draw, start_s, stop_s, stream)))


class Decoder(Generic[Drawn]):
    """One pass over a source.

    Attributes:
        told: what could not be used so far.
        lasts_s: of the source; None of a live stream, and before ``frames`` has opened it.
    """

    def __init__(
        self,
        source: Path | str,
        draw: Draw[Drawn],
        start_s: float,
        stop_s: float | None,
        stream: int | None,
        open_source: Open = opened,
    ) -> None:
        self.source, self.draw, self.start_s, self.stop_s, self.wanted = source, draw, start_s, stop_s, stream
        self.open_source, self.damaged = open_source, 0
        self.told: list[str] = []
        self.lasts_s: float | None = None

    def frames(self) -> Iterator[tuple[int, Drawn]]:
        """Decode, seek, resample, draw."""
        found = -1
        drawn: tuple[int, Drawn] | None = None  # a picture shown twice is drawn once
        with self.open_source(self.source) as container:
            stream = video_stream(container, self.source, self.wanted)
            self.lasts_s = _duration_s(container, stream)
            origin_s = (stream.start_time or 0) * _time_base(stream)
            clock = Continuity(origin_s, 1 / _rate(stream), self.start_s, self.told.append)
            pictures = self._pictures(container, stream, clock)
            for found, frame in at_rate(pictures, GRID.fps, self.start_s, self.stop_s):
                if drawn is None or drawn[0] != id(frame):
                    drawn = (id(frame), self.draw(frame))
                yield found, drawn[1]
            if not clock.is_broken:
                self._tell_early_end(container, stream, found)
        if self.damaged:
            self.told.append(f"{self.damaged} damaged packets passed over, the picture before them stays")
        if found < 0:
            raise InputError(shown(self.source), f"no pictures from {self.start_s} s on")

    def _tell_early_end(self, container: InputContainer, stream: VideoStream, found: int) -> None:
        """A file that holds less than it claims, without a packet that is wrong."""
        claimed_s = _duration_s(container, stream)
        ends_s = self.start_s + (found + 1) / GRID.fps
        wanted_s = claimed_s if self.stop_s is None or claimed_s is None else min(self.stop_s, claimed_s)
        if found >= 0 and wanted_s is not None and ends_s < wanted_s - _SLACK_S:
            self.told.append(f"claims {claimed_s:.1f} s, its pictures end after {ends_s:.1f} s")

    def _pictures(
        self, container: InputContainer, stream: VideoStream, clock: Continuity
    ) -> Iterator[tuple[float, VideoFrame]]:
        """(seconds from the first picture of the file, upright frame), from a little before ``start_s`` on."""
        stream.thread_type = "AUTO"
        time_base = _time_base(stream)
        self._seek(container, stream, clock.origin_s, time_base)
        upright = Upright(stream.sample_aspect_ratio)
        for frame in self._decoded(container, stream):
            if frame.pts is None and clock.before_s is None:
                self.told.append(f"has no timestamps, read at the {_rate(stream):g} frames/s that it declares")
            time_s = clock.seconds(None if frame.pts is None else frame.pts * time_base)
            yield from upright.take(time_s, frame)
        yield from upright.rest()
        if upright.was_interlaced:
            self.told.append("is interlaced, deinterlaced here")

    def _seek(self, container: InputContainer, stream: VideoStream, origin_s: float, time_base: float) -> None:
        """To a little before ``start_s``; where that cannot be done, everything before it is decoded."""
        if self.start_s <= 0 or container.format.name in _WITHOUT_TIMESTAMPS:
            return
        try:
            container.seek(int((self.start_s + origin_s) / time_base), stream=stream, backward=True)
        except (FFmpegError, OSError):
            self.told.append("cannot be wound forward, read from its beginning")

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (FFmpegError, IndexError, ValueError) as reason:  # the rest of the file is not there
                said = "nothing came for 20 s" if isinstance(reason, ExitError) else getattr(reason, "strerror", reason)
                self.told.append(f"ends early ({said}), what came before is used")
                return
            try:
                yield from packet.decode()
            except (FFmpegError, IndexError, ValueError):
                self.damaged += 1


def _time_base(stream: VideoStream) -> float:
    """Seconds of one tick of the stream's timestamps."""
    return float(stream.time_base or 1 / 90_000)


def _rate(stream: VideoStream) -> float:
    """Pictures per second that the stream declares; raw streams declare them in their codec's header."""
    return float(stream.guessed_rate or stream.average_rate or GRID.fps)


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _with_warnings(decoder: Decoder[Drawn]) -> Iterator[tuple[int, Drawn]]:
    """Its frames, then what it has to tell."""
    failed: InputError | None = None
    try:
        yield from decoder.frames()
    except InputError as reason:
        failed = reason
    more = len(decoder.told) - _TOLD
    for what in [*decoder.told[:_TOLD], *([f"and {more:,} more of the kind"] if more > 0 else [])]:
        warnings.warn(f"{shown(decoder.source)}: {what}", VideoWarning, stacklevel=2)
    if failed is not None:
        raise failed


def _ahead(frames: Iterator[tuple[int, Drawn]]) -> Iterator[tuple[int, Drawn]]:
    """The same frames, made in another thread; its errors and warnings come out here, and it ends when we do."""
    made: queue.Queue[object] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: object) -> None:
        waiting = True
        while waiting and not stopped.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=0.1)
                waiting = False

    def work() -> None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", VideoWarning)
            end: object = None
            try:
                for item in frames:
                    put(item)
                    if stopped.is_set():
                        return
            except Exception as reason:  # handed to the user's thread
                end = reason
        put((end, [str(warning.message) for warning in told]))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item = made.get()
            if isinstance(item[0], int):  # type: ignore[index]
                yield item  # type: ignore[misc]
                continue
            reason, told = item  # type: ignore[misc]
            for message in told:
                warnings.warn(message, VideoWarning, stacklevel=2)
            if reason is not None:
                raise reason
            return
    finally:
        stopped.set()
        thread.join(timeout=5)
