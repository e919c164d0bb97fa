"""Decoding: a file or stream -> (index, gray_HW) at 25 fps, ahead of its user in a thread of its own."""

import warnings
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
from playahead.io.channel import Channel
from playahead.io.errors import InputError, PlayaheadError
from playahead.video.clock import at_rate
from playahead.video.continuity import Continuity
from playahead.video.input_size import InputSize
from playahead.video.source import is_stream, opened, shown, video_stream
from playahead.video.track import Track, duration_s
from playahead.video.upright import Upright
from playahead.video.warning import VideoWarning

_SLACK_S = 0.5  # pictures that end so much before the container says are nothing to tell
_REST_BYTES = 2_000  # after the last picture of a transport stream: so much can hold more pictures
_TOLD = 5  # notes of one video; more of them are counted
_AHEAD = 64  # frames decoded ahead of their use: 60 MB of 1280 x 736


Drawn = TypeVar("Drawn")
Draw = Callable[[VideoFrame], Drawn]
Open = Callable[[Path | str], InputContainer]
"""``source.opened``, or one that is more careful."""


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
        return VideoFacts(found.width, found.height, fps, duration_s(container, found))


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
    return ahead(Decoder(source, draw, start_s, stop_s, stream))


class Decoder(Generic[Drawn]):
    """One pass over a source.

    Args:
        source, draw, start_s, stop_s, stream: as for ``read_drawn``.
        is_new: leaves a decoded picture out where it says no; time begins with the first that stays.
        open_source: opens it.

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
        is_new: Callable[[VideoFrame], bool] | None = None,
        open_source: Open = opened,
    ) -> None:
        self.source, self.draw, self.start_s, self.stop_s, self.wanted = source, draw, start_s, stop_s, stream
        self.is_new, self.open_source = is_new, open_source
        self.damaged = 0
        self.told: list[str] = []
        self.lasts_s: float | None = None

    def frames(self) -> Iterator[tuple[int, Drawn]]:
        """Decode, seek, resample, draw."""
        found = -1
        drawn: tuple[int, Drawn] | None = None  # a picture shown twice is drawn once
        with ExitStack() as stack:
            track = self._track(self.open_source(self.source), stack)
            self.lasts_s = track.lasts_s
            clock = Continuity(track.origin_s, 1 / track.rate, self.start_s, self._tell)
            for found, frame in at_rate(self._pictures(track, clock, stack), GRID.fps, self.start_s, self.stop_s):
                if drawn is None or drawn[0] != id(frame):
                    drawn = (id(frame), self.draw(frame))
                yield found, drawn[1]
            if not clock.is_broken:
                self._tell_early_end(track.lasts_s, found)
        if self.damaged:
            self._tell(f"{self.damaged} damaged packets passed over, the picture before them stays")
        if found < 0:
            raise InputError(shown(self.source), f"no pictures from {self.start_s} s on")

    def _track(self, container: InputContainer, stack: ExitStack) -> Track:
        stack.enter_context(container)
        return Track(container, video_stream(container, self.source, self.wanted), self._tell)

    def _tell(self, what: str) -> None:
        if what not in self.told:
            self.told.append(what)

    def _tell_early_end(self, claimed_s: float | None, found: int) -> None:
        """A file that holds less than it claims, without a packet that is wrong."""
        ends_s = self.start_s + (found + 1) / GRID.fps
        wanted_s = claimed_s if self.stop_s is None or claimed_s is None else min(self.stop_s, claimed_s)
        if found >= 0 and wanted_s is not None and ends_s < wanted_s - _SLACK_S:
            self._tell(f"claims {claimed_s:.1f} s, its pictures end after {ends_s:.1f} s")

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
                    self._tell(f"has no timestamps, read at the {track.rate:g} frames/s that it declares")
                yield from upright.take(clock.seconds(stamp_s), frame)
            yield from upright.rest()
            if upright.was_interlaced:
                self._tell("is interlaced, deinterlaced here")
            self.damaged += part.damaged
            from_byte += part.last_byte
            part = self._part_after(part, from_byte, stack)

    def _part_after(self, part: Track, from_byte: int, stack: ExitStack) -> Track | None:
        """Where the pictures of a transport stream move to another PID they end; the rest is opened as if alone."""
        if part.container.format.name != "mpegts" or is_stream(self.source) or not part.last_byte:
            return None
        if self.open_source is not opened:  # one that is more careful opens whole files
            return None
        if part.container.size - part.last_byte < _REST_BYTES:
            return None
        with suppress(InputError):  # it holds no more pictures
            return self._track(opened(self.source, from_byte=from_byte), stack)
        return None


def ahead(decoder: Decoder[Drawn]) -> Iterator[tuple[int, Drawn]]:
    """Frames of a decoder, made in another thread that ends when we do; its notices and errors come out here."""

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
        more = len(decoder.told) - _TOLD
        for what in [*decoder.told[:_TOLD], *([f"and {more:,} more of the kind"] if more > 0 else [])]:
            warnings.warn(f"{shown(decoder.source)}: {what}", VideoWarning, stacklevel=2)
        if error is not None:
            raise error
    finally:
        made.close(wait_s=5)
