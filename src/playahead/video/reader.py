"""Decoding: a file or stream -> (index, gray_HW) at 25 fps, ahead of its user in a thread of its own."""

import queue
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.errors import InputError
from playahead.video.clock import at_rate
from playahead.video.input_size import InputSize

_TIMEOUT_S = (20.0, 20.0)  # to open, to read: a stream that says nothing for so long is dead
_LONGEST_GAP_S = 30.0  # a longer one is a broken clock or a cut recording, not a picture that stood still
_SLACK_S = 0.5  # pictures that end so much before the container says are nothing to tell
_AHEAD = 64  # frames decoded ahead of their use: 60 MB of 1280 x 736


Draw = Callable[[av.VideoFrame], NDArray[np.uint8]]


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


def probe(source: Path | str) -> VideoFacts:
    """Open a source and say what it is.

    Raises:
        InputError: missing, unreadable, or without pictures.
    """
    with _opened(source) as container:
        stream = _video_stream(container, source)
        fps = float(stream.average_rate or 0)
        return VideoFacts(stream.width, stream.height, fps, _duration_s(container, stream))


def read_frames(
    source: Path | str, input_size: InputSize | None = None, start_s: float = 0.0, stop_s: float | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Gray frames on an exact 25 fps clock: (index, gray_HW), index 0 at ``start_s``.

    Each moment takes the picture nearest to it by timestamp, counted from the first picture of the file. Damaged
    packets are passed over (the picture before them stays), a clock that jumps by more than 30 s goes on where it was;
    both are told in a ``VideoWarning`` at the end.

    Args:
        source: a path, or an address that FFmpeg opens (HLS, RTSP ...).
        input_size: to draw on; the published 1280 x 736 if none.
        start_s: first moment, from the video's start.
        stop_s: no frame from here on; None is the end.

    Raises:
        InputError: missing, unreadable, no pictures in it, or none from ``start_s`` on.
    """
    return read_drawn(source, (input_size or InputSize()).draw, start_s, stop_s)


def read_drawn(
    source: Path | str, draw: Draw, start_s: float = 0.0, stop_s: float | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """``read_frames`` with pictures made by ``draw`` instead of a input_size."""
    if start_s < 0 or (stop_s is not None and stop_s <= start_s):
        raise InputError(source, f"no time lies from {start_s} s to {stop_s} s")
    return _ahead(_Decoder(source, draw, start_s, stop_s).frames())


class _Decoder:
    def __init__(self, source: Path | str, draw: Draw, start_s: float, stop_s: float | None) -> None:
        self.source, self.draw, self.start_s, self.stop_s = source, draw, start_s, stop_s
        self.damaged = 0
        self.jumped = False

    def frames(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Decode, seek, resample, draw."""
        found = -1
        drawn: tuple[int, NDArray[np.uint8]] | None = None  # a picture shown twice is drawn once
        with _opened(self.source) as container:
            pictures = self._pictures(container)
            for found, frame in at_rate(pictures, GRID.fps, self.start_s, self.stop_s):
                if drawn is None or drawn[0] != id(frame):
                    drawn = (id(frame), self.draw(frame))
                yield found, drawn[1]
            self._tell_early_end(container, found)
        if self.damaged:
            self._warn(f"{self.damaged} damaged packets passed over, the picture before them stays")
        if found < 0:
            raise InputError(self.source, f"no pictures from {self.start_s} s on")

    def _tell_early_end(self, container: av.container.InputContainer, found: int) -> None:
        """A file that holds less than it claims, without a packet that is wrong."""
        claimed_s = _duration_s(container, _video_stream(container, self.source))
        ends_s = self.start_s + (found + 1) / GRID.fps
        wanted_s = claimed_s if self.stop_s is None or claimed_s is None else min(self.stop_s, claimed_s)
        if found >= 0 and wanted_s is not None and not self.jumped and ends_s < wanted_s - _SLACK_S:
            self._warn(f"claims {claimed_s:.1f} s, its pictures end after {ends_s:.1f} s")

    def _warn(self, what: str) -> None:
        warnings.warn(f"{self.source}: {what}", VideoWarning, stacklevel=3)

    def _pictures(self, container: av.container.InputContainer) -> Iterator[tuple[float, av.VideoFrame]]:
        """(seconds from the first picture of the file, frame), from a little before ``start_s`` on."""
        stream = _video_stream(container, self.source)
        stream.thread_type = "AUTO"
        time_base = float(stream.time_base or 1 / 90_000)
        origin_s = (stream.start_time or 0) * time_base
        if self.start_s > 0:
            container.seek(int((self.start_s + origin_s) / time_base), stream=stream, backward=True)
        step_s = 1 / float(stream.average_rate or GRID.fps)
        before_s: float | None = None
        for frame in self._decoded(container, stream):
            follows_s = 0.0 if before_s is None else before_s + step_s
            time_s = frame.pts * time_base - origin_s if frame.pts is not None else follows_s
            if before_s is not None and abs(time_s - before_s) > _LONGEST_GAP_S:
                self._warn(f"its clock jumps from {before_s:.1f} s to {time_s:.1f} s, read as if it did not")
                self.jumped = True
                origin_s += time_s - follows_s
                time_s = follows_s
            before_s = time_s
            yield time_s, frame

    def _decoded(self, container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as reason:  # the rest of the file is not there
                self._warn(f"ends early ({reason.strerror}), what came before is used")
                return
            try:
                yield from packet.decode()
            except FFmpegError:
                self.damaged += 1


def _opened(source: Path | str) -> av.container.InputContainer:
    try:
        return av.open(str(source), timeout=_TIMEOUT_S)
    except FileNotFoundError:
        raise InputError(source, "no such file") from None
    except (FFmpegError, OSError, ValueError) as reason:
        said = getattr(reason, "strerror", None) or reason
        raise InputError(source, f"cannot be opened as video ({said})", "is it complete?") from None


def _duration_s(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _video_stream(container: av.container.InputContainer, source: object) -> av.VideoStream:
    if not container.streams.video:
        raise InputError(source, "holds no pictures", "is it an audio file?")
    return container.streams.video[0]


def _ahead(frames: Iterator[tuple[int, NDArray[np.uint8]]]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
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
