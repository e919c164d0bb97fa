"""Frames of a running video as they arrive: paced, dropped if nobody takes them, opened again if they stop.

Axes: H, W.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.io.channel import Channel
from playahead.io.errors import InputError, PlayaheadError
from playahead.video.input_size import InputSize
from playahead.video.reader import Open, VideoDecoder
from playahead.video.source import is_address, opened

_WAITING = 20 * GRID.fps  # frames: a live HLS stream begins with up to three segments at once
_REMEMBERED = 100_000  # pictures of at least half an hour: no playlist goes back further
_EVERY_LINE = 8
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_SUFFIXES = frozenset({".ts", ".mp4", ".mkv", ".mov", ".m4s", ".avi", ".flv", ".webm"})
_WHOLE_AFTER_S, _LOOK_AGAIN_S = 2.0, 0.2


@dataclass(frozen=True)
class Frame:
    """A gray picture, and its JPEG if somebody is watching."""

    gray_HW: NDArray[np.uint8]
    jpeg: bytes | None = None


@dataclass(frozen=True)
class Lost:
    """The source stopped; it is being opened again."""

    why: str


@dataclass(frozen=True)
class Dropped:
    """Frames were thrown away, because nobody took them in time."""

    n: int


Item = Frame | Lost | Dropped | str
"""A text is a notice of the decoder."""


class FrameSource:
    """Frames at 25 a second, decoded in a thread of their own.

    A file is played at the given speed (0 waits for the reader and drops nothing), an endless stream arrives as it is
    sent. A stream that stops is opened again, after pauses that grow; pictures shown before do not come again. A folder
    that segments are written into is one video. ``draw_jpeg`` makes the JPEG of a decoded frame, or None.
    """

    def __init__(
        self,
        source: str,
        input_size: InputSize,
        speed: float = 1.0,
        draw_jpeg: Callable[[VideoFrame], bytes | None] = lambda _: None,
        open_source: Open = opened,
    ) -> None:
        self._source, self._size, self._speed, self._draw_jpeg = source, input_size, speed, draw_jpeg
        self._open_source = open_source
        self._items: Channel[Item] = Channel.fed_by(self._read_all, _WAITING)
        self.next, self.close = self._items.next, self._items.close

    @property
    def waiting_s(self) -> float:
        """Length of the video that waits to be taken."""
        return len(self._items) / GRID.fps

    def _read_all(self, items: Channel[Item]) -> None:
        if not is_address(self._source) and Path(self._source).is_dir():
            self._read_folder(Path(self._source), items)
            return
        n_failures, was_open = 0, False
        shown_before = _ShownBefore()
        is_new = shown_before.is_new if is_address(self._source) else None
        while not items.closed.is_set():
            decoder = VideoDecoder(self._source, self._draw, 0.0, None, None, is_new, self._open_source)
            n_frames, why = 0, "it ended"
            try:
                n_frames = self._read(decoder, items, again=was_open)
            except (PlayaheadError, OSError) as reason:
                if not was_open:
                    raise
                why = reason.what if isinstance(reason, InputError) else str(reason)
            was_open, n_failures = True, 0 if n_frames else n_failures + 1
            if not is_address(self._source) or decoder.lasts_s is not None:
                return
            self._put(items, Lost(why))
            shown_before.open_again()
            items.closed.wait(_PAUSES_S[min(n_failures, len(_PAUSES_S) - 1)])

    def _read_folder(self, folder: Path, items: Channel[Item]) -> None:
        """Read one segment after the other, as one video; a segment that cannot be read becomes a notice."""
        for path in segments(folder, self._speed > 0, items.closed):
            try:
                decoder = VideoDecoder(path, self._draw, 0.0, None, None, open_source=self._open_source)
                self._read(decoder, items, again=False)
            except PlayaheadError as reason:
                self._put(items, str(reason))

    def _draw(self, frame: VideoFrame) -> Frame:
        return Frame(self._size.draw(frame), self._draw_jpeg(frame))

    def _read(self, decoder: VideoDecoder[Frame], items: Channel[Item], again: bool) -> int:
        """Read all frames of one opening; how many. A broadcast that has a length when it is opened again is over."""
        started_s, n_frames = time.monotonic(), 0

        def put_notices() -> None:
            for text in decoder.notices.take():
                self._put(items, text)

        for index, frame in decoder.frames():
            if again and decoder.lasts_s is not None:
                break
            if decoder.lasts_s is not None and self._speed:
                due_s = started_s + index / GRID.fps / self._speed
                items.closed.wait(max(0.0, due_s - time.monotonic()))
            put_notices()
            n_frames += 1
            if not self._put(items, frame):
                break
        put_notices()
        return n_frames

    def _put(self, items: Channel[Item], item: Item) -> bool:
        return items.put(item, _without_frames if self._speed else None)


def _without_frames(waiting: Sequence[Item]) -> list[Item]:
    others = [item for item in waiting if not isinstance(item, Frame)]
    return [*others, Dropped(len(waiting) - len(others))]


class _ShownBefore:
    """Recognises the pictures of a stream that were shown before it was opened again; a playlist repeats some."""

    def __init__(self) -> None:
        self._shown: deque[tuple[int | None, int]] = deque(maxlen=_REMEMBERED)
        self._before: frozenset[tuple[int | None, int]] = frozenset()

    def is_new(self, frame: VideoFrame) -> bool:
        """Whether no picture before the last opening had this time and looked like this one."""
        plane = frame.planes[0]
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)  # type: ignore[bad-argument-type]
        picture = (frame.pts, crc32(lines[::_EVERY_LINE].tobytes()))
        if picture in self._before:
            return False
        self._shown.append(picture)
        return True

    def open_again(self) -> None:
        """Pictures shown until now are old from here on."""
        self._before = frozenset(self._shown)


def segments(folder: Path, follow: bool, stopped: threading.Event) -> Iterator[Path]:
    """Files of video that a recorder writes into a folder, each once it is whole, by name.

    A file is whole when the next one is there, or when it has not grown for two seconds. Without ``follow``, they end
    with the last file that is there; ``stopped`` ends the wait for more.
    """
    done: set[Path] = set()
    sizes: dict[Path, tuple[int, float]] = {}
    while not stopped.is_set():
        there = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path not in done)
        ready = there if there and (not follow or _is_still(there[-1], sizes)) else there[:-1]
        done.update(ready)
        yield from ready
        if not follow and not ready:
            return
        if not ready:
            stopped.wait(_LOOK_AGAIN_S)


def _is_still(path: Path, sizes: dict[Path, tuple[int, float]]) -> bool:
    size, now_s = path.stat().st_size, time.monotonic()
    before, since_s = sizes.get(path, (-1, now_s))
    sizes[path] = (size, since_s if size == before else now_s)
    return size == before and now_s - since_s >= _WHOLE_AFTER_S
