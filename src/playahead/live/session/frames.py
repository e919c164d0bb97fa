"""Frames of a running video as they arrive: paced, dropped where nobody takes them, opened again where they stop.

Axes: H, W.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.io.errors import InputError, PlayaheadError
from playahead.live.session.folder import segments
from playahead.live.session.lines import error_of_reader
from playahead.live.session.pictures import Pictures
from playahead.video.input_size import InputSize
from playahead.video.reader import Open, VideoDecoder
from playahead.video.source import is_address, opened

_WAITING = 20 * GRID.fps
"""Frames that may wait: a live HLS stream begins with up to three segments at once."""
_REMEMBERED = 100_000
"""Pictures, of half an hour at the least: no playlist goes back further."""
_EVERY_LINE = 8
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True)
class Frame:
    """A gray picture; its JPEG where somebody looks on."""

    gray_HW: NDArray[np.uint8]
    jpeg: bytes | None = None


@dataclass(frozen=True)
class Lost:
    """The source stopped; it is being opened again."""

    why: str


@dataclass(frozen=True)
class Dropped:
    """So many frames were thrown away, since nobody took them in time."""

    n: int


@dataclass(frozen=True)
class Told:
    """Something that the decoder noticed."""

    what: str


Item = Frame | Lost | Dropped | Told


class _Shown:
    """Pictures of a stream that were shown before it was opened again: a playlist begins with some of them."""

    def __init__(self) -> None:
        self._before: deque[tuple[int | None, int]] = deque(maxlen=_REMEMBERED)
        self._known: frozenset[tuple[int | None, int]] = frozenset()

    def is_new(self, frame: VideoFrame) -> bool:
        """Whether no picture before the last opening had this time and looked like this one."""
        plane = frame.planes[0]
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)  # type: ignore[bad-argument-type]
        picture = (frame.pts, crc32(lines[::_EVERY_LINE].tobytes()))
        if picture in self._known:
            return False
        self._before.append(picture)
        return True

    def opened_again(self) -> None:
        """What was shown until now comes again."""
        self._known = frozenset(self._before)


class Frames:
    """Frames at 25 a second, decoded in a thread of their own.

    A file comes at the speed that is asked for, an endless stream as it is sent. Where a stream stops it is opened
    again, after pauses that grow; what it showed before does not come again.

    Args:
        source: a file, a folder that segments are written into, or an address.
        input_size: to draw on.
        speed: of a file; at 0 it waits for its user, and nothing is dropped.
        pictures: that somebody may look at.
        open_source: opens it, each time.
    """

    def __init__(
        self,
        source: str,
        input_size: InputSize,
        speed: float = 1.0,
        pictures: Pictures | None = None,
        open_source: Open = opened,
    ) -> None:
        self._source, self._size, self._speed, self._pictures = source, input_size, speed, pictures
        self._open_source = open_source
        self._items: deque[Item | BaseException | None] = deque()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def waiting_s(self) -> float:
        """How much video waits to be taken."""
        return len(self._items) / GRID.fps

    def next(self, timeout_s: float) -> Item | None:
        """The next one, or None at the end.

        Raises:
            TimeoutError: nothing came in that time.
            InputError: the source cannot be read.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items, timeout_s):
                raise TimeoutError
            item = self._items.popleft()
            self._changed.notify_all()
        if isinstance(item, BaseException):
            raise error_of_reader(item)
        return item

    def close(self) -> None:
        """Stop decoding."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            self._read_again_and_again()
        except BaseException as reason:  # raised again where the frames are used
            self._put(reason)
        else:
            self._put(None)

    def _read_again_and_again(self) -> None:
        if not is_address(self._source) and Path(self._source).is_dir():
            self._read_folder(Path(self._source))
            return
        failed, ever = 0, False
        shown = _Shown() if is_address(self._source) else None
        while not self._stopped.is_set():
            is_new = shown.is_new if shown else None
            decoder = VideoDecoder(self._source, self._draw, 0.0, None, None, is_new, self._open_source)
            n_frames, why = 0, "it ended"
            try:
                n_frames = self._read(decoder, again=ever)
            except (PlayaheadError, OSError) as reason:
                if not ever:
                    raise
                why = reason.what if isinstance(reason, InputError) else str(reason)
            ever, failed = True, 0 if n_frames else failed + 1
            if not is_address(self._source) or decoder.lasts_s is not None:
                return
            self._put(Lost(why))
            if shown:
                shown.opened_again()
            self._stopped.wait(_PAUSES_S[min(failed, len(_PAUSES_S) - 1)])

    def _read_folder(self, folder: Path) -> None:
        """One segment after the other, as if they were one video; one that cannot be read is told."""
        for path in segments(folder, self._speed > 0, self._stopped):
            try:
                self._read(VideoDecoder(path, self._draw, 0.0, None, None, open_source=self._open_source), again=False)
            except PlayaheadError as reason:
                self._put(Told(str(reason)))

    def _draw(self, frame: VideoFrame) -> Frame:
        return Frame(self._size.draw(frame), self._pictures.draw(frame) if self._pictures else None)

    def _read(self, decoder: VideoDecoder[Frame], again: bool) -> int:
        """All frames of one opening; how many. A broadcast that has a length when it is opened again is over."""
        n_told, started_s, n_frames = 0, time.monotonic(), 0
        for index, frame in decoder.frames():
            if again and decoder.lasts_s is not None:
                break
            if decoder.lasts_s is not None and self._speed:
                due_s = started_s + index / GRID.fps / self._speed
                self._stopped.wait(max(0.0, due_s - time.monotonic()))
            for what in decoder.notices.lines[n_told:]:
                self._put(Told(what))
            n_told, n_frames = len(decoder.notices.lines), n_frames + 1
            self._put(frame)
            if self._stopped.is_set():
                break
        for what in decoder.notices.lines[n_told:]:
            self._put(Told(what))
        return n_frames

    def _put(self, item: Item | BaseException | None) -> None:
        with self._changed:
            if len(self._items) >= _WAITING:
                if not self._speed:
                    self._changed.wait_for(lambda: len(self._items) < _WAITING or self._stopped.is_set())
                else:
                    others = [waiting for waiting in self._items if not isinstance(waiting, Frame)]
                    self._items = deque([*others, Dropped(len(self._items) - len(others))])
            self._items.append(item)
            self._changed.notify_all()
