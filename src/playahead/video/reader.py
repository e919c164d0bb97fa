"""Decoding: a file or stream -> (index, gray_HW) at 25 fps, ahead of its user in a thread of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from av import VideoFrame
from av.container import InputContainer
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.domain.notices import Notices
from playahead.io.channel import Channel
from playahead.io.errors import InputError, PlayaheadError
from playahead.video.clock import Continuity, at_rate
from playahead.video.input_size import InputSize
from playahead.video.source import is_stream, opened, shown, video_stream
from playahead.video.track import Track, Upright, duration_s

_SLACK_S = 0.5  # pictures may end so much before the declared end without a notice
_REST_BYTES = 2_000  # after the last picture of a transport stream: so much can hold more pictures
_MAX_NOTICES = 5  # of one video; more of them are counted
_AHEAD = 64  # frames decoded ahead of their use: 60 MB of 1280 x 736


Drawn = TypeVar("Drawn")
Draw = Callable[[VideoFrame], Drawn]
Open = Callable[[Path | str], InputContainer]
"""``source.opened``, or one that is more careful."""


@dataclass(frozen=True)
class VideoFacts:
    """Facts that the container declares before anything is decoded.

    Attributes:
        width, height: size of the pictures, before any rotation.
        fps: average rate, 0 where it is not declared.
        duration_s: None where it is not declared, as with live streams.
    """

    width: int
    height: int
    fps: float
    duration_s: float | None


def probe(source: Path | str, stream: int | None = None, open_source: Open = opened) -> VideoFacts:
    """Open a source and read what it declares.

    Raises:
        InputError: missing, unreadable, or without pictures.
    """
    with open_source(source) as container:
        chosen = video_stream(container, source, stream)
        fps = float(chosen.average_rate or 0)
        return VideoFacts(chosen.width, chosen.height, fps, duration_s(container, chosen))


def read_frames(
    source: Path | str,
    input_size: InputSize | None = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    stream: int | None = None,
    notices: Notices | None = None,
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Decode gray frames on an exact 25 fps clock: (index, gray_HW), index 0 at ``start_s``.

    Each moment takes the picture nearest to it by timestamp, counted from the first picture of the file. Pictures are
    upright, with square pixels, and deinterlaced. Damaged packets are skipped (the picture before them stays). Where
    the clock jumps back, or forward by more than 30 s, frames continue as if it had not.

    Args:
        source: a path, or an address that FFmpeg opens (HLS, RTSP ...).
        input_size: size and luma range of the frames; the published 1280 x 736 if None.
        start_s: first moment, from the video's start.
        stop_s: end, exclusive; None for the end of the video.
        stream: number of the stream among those with moving pictures, from 0; the longest if None.
        notices: collector of what could not be used, filled at the end.

    Raises:
        InputError: missing, unreadable, no pictures in it, or none from ``start_s`` on.
    """
    return read_drawn(source, (input_size or InputSize()).draw, start_s, stop_s, stream, notices)


def read_drawn(
    source: Path | str,
    draw: Draw[Drawn],
    start_s: float = 0.0,
    stop_s: float | None = None,
    stream: int | None = None,
    notices: Notices | None = None,
) -> Iterator[tuple[int, Drawn]]:
    """``read_frames`` with pictures made by ``draw`` instead of gray frames."""
    if start_s < 0 or (stop_s is not None and stop_s <= start_s):
        raise InputError(shown(source), f"no time lies from {start_s} s to {stop_s} s")
    return ahead(VideoDecoder(source, draw, start_s, stop_s, stream), notices)


class VideoDecoder(Generic[Drawn]):
    """One pass over a source.

    Args:
        source, draw, start_s, stop_s, stream: as for ``read_drawn``.
        is_new: filter of decoded pictures; time begins with the first that passes.
        open_source: opens it.

    Attributes:
        notices: what could not be used so far.
        lasts_s: duration of the source; None of a live stream, and before ``frames`` has opened it.
    """

    def __init__(
        self,
        source: Path | str,
        draw: Draw[Drawn],
        start_s: float,
        stop_s: float | None,
        stream: int | None,
        is_new: Callable[[VideoFrame], bool] | None = None,
        open_source: Open = opened,
    ) -> None:
        self.source, self.draw, self.start_s, self.stop_s, self.stream = source, draw, start_s, stop_s, stream
        self.is_new, self.open_source = is_new, open_source
        self.damaged = 0
        self.notices = Notices()
        self.lasts_s: float | None = None

    def frames(self) -> Iterator[tuple[int, Drawn]]:
        """Decode, seek, resample, draw."""
        index = -1
        drawn: tuple[int, Drawn] | None = None  # a picture shown twice is drawn once
        with ExitStack() as stack:
            track = self._track(self.open_source(self.source), stack)
            self.lasts_s = track.lasts_s
            clock = Continuity(track.origin_s, 1 / track.rate, self.start_s, self.notices.add)
            for index, frame in at_rate(self._pictures(track, clock, stack), GRID.fps, self.start_s, self.stop_s):
                if drawn is None or drawn[0] != id(frame):
                    drawn = (id(frame), self.draw(frame))
                yield index, drawn[1]
            # a file may hold less than it declares, without any damaged packet
            declared_s = track.lasts_s
            if index >= 0 and declared_s is not None and not clock.is_broken:
                ends_s = self.start_s + (index + 1) / GRID.fps
                if ends_s < min(self.stop_s or declared_s, declared_s) - _SLACK_S:
                    self.notices.add(f"claims {declared_s:.1f} s, its pictures end after {ends_s:.1f} s")
        if self.damaged:
            self.notices.add(f"{self.damaged} damaged packets passed over, the picture before them stays")
        if index < 0:
            raise InputError(shown(self.source), f"no pictures from {self.start_s} s on")

    def _track(self, container: InputContainer, stack: ExitStack) -> Track:
        stack.enter_context(container)
        return Track(container, video_stream(container, self.source, self.stream), self.notices.add)

    def _pictures(self, track: Track, clock: Continuity, stack: ExitStack) -> Iterator[tuple[float, VideoFrame]]:
        """(seconds from the first picture of the file, upright frame), from a little before ``start_s`` on."""
        from_byte, part = 0, track
        while part is not None:
            upright = Upright(part.stream)
            for stamp_s, frame in part.pictures(self.start_s if part is track else 0.0):
                if self.is_new is not None and not self.is_new(frame):
                    continue
                if self.is_new is not None and clock.before_s is None and stamp_s is not None:
                    clock.origin_s = stamp_s
                if stamp_s is None and clock.before_s is None:
                    self.notices.add(f"has no timestamps, read at the {track.rate:g} frames/s that it declares")
                yield from upright.take(clock.seconds(stamp_s), frame)
            yield from upright.rest()
            if upright.was_interlaced:
                self.notices.add("is interlaced, deinterlaced here")
            self.damaged += part.damaged + upright.damaged
            from_byte += part.last_byte
            part = self._part_after(part, from_byte, stack)

    def _part_after(self, part: Track, from_byte: int, stack: ExitStack) -> Track | None:
        """The rest of a transport stream whose pictures moved to another PID, opened like a file of its own."""
        is_whole = self.open_source is not opened  # one that is more careful opens whole files
        if part.container.format.name != "mpegts" or is_stream(self.source) or is_whole:
            return None
        if not part.last_byte or part.container.size - part.last_byte < _REST_BYTES:
            return None
        with suppress(InputError):  # it holds no more pictures
            return self._track(opened(self.source, from_byte=from_byte), stack)
        return None


def ahead(decoder: VideoDecoder[Drawn], notices: Notices | None = None) -> Iterator[tuple[int, Drawn]]:
    """Frames made in another thread, which ends with this iterator; errors and notices come out of the iterator."""

    def work(made: Channel[tuple[int, Drawn]]) -> None:
        for item in decoder.frames():
            if not made.put(item):
                return

    made = Channel.fed_by(work, _AHEAD)
    error = None
    try:
        try:
            while (item := made.next()) is not None:
                yield item
        except (PlayaheadError, OSError) as reason:
            error = reason
        notices, lines = notices or Notices(), decoder.notices.lines
        more = len(lines) - _MAX_NOTICES
        for line in [*lines[:_MAX_NOTICES], *([f"and {more:,} more of the kind"] if more > 0 else [])]:
            notices.add(f"{shown(decoder.source)}: {line}")
        if error is not None:
            raise error
    finally:
        made.close(wait_s=5)
