"""The newest events and pictures of a session, for any number of readers."""

import asyncio
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from av import VideoFrame

from playahead.live.session.frames import Frame

MOST_EVENTS = 300
"""Events that a reader who comes back can still have: five minutes."""
EVENT_BYTES = 8 * 1024 * 1024
"""An unusually dense feed keeps fewer events."""
_MOST_PICTURES, _PICTURE_BYTES = 64, 16 * 1024 * 1024
_WIDTH, _QUALITY, _WATCHED_S = 640, 80, 3.0
_EVERY = 4  # decoded pictures: 6.25 of 25 a second


@dataclass(frozen=True)
class Entry:
    """A server-sent event (its kind, answer or end, and JSON), or a picture (its time in the stream, ms, and JPEG)."""

    label: str
    data: bytes


class Backlog:
    """The newest entries that a thread adds, numbered from 1, for any number of readers on event loops.

    It keeps at most ``size`` entries and ``n_bytes`` of their data, but always the newest entry, whose number is
    ``number``; ``over`` says that no more will come.
    """

    def __init__(self, size: int, n_bytes: int) -> None:
        self._size, self._most_bytes, self._n_bytes = size, n_bytes, 0
        self._entries: deque[tuple[int, Entry]] = deque()
        self._readers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self.number, self.over = 0, False

    def add(self, entry: Entry | None, last: bool = False) -> None:
        """Add an entry (None to end without one), and wake the readers."""
        with self._lock:
            if entry is not None:
                self.number += 1
                self._entries.append((self.number, entry))
                self._n_bytes += len(entry.data)
            while len(self._entries) > self._size or (self._n_bytes > self._most_bytes and len(self._entries) > 1):
                self._n_bytes -= len(self._entries.popleft()[1].data)
            self.over = last
            for changed, loop in self._readers.items():
                with suppress(RuntimeError):  # its loop is closed: nobody reads there any more
                    loop.call_soon_threadsafe(changed.set)

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()
            self._n_bytes = 0

    @property
    def newest(self) -> Entry | None:
        """The entry added last, if it was not forgotten."""
        with self._lock:
            return self._entries[-1][1] if self._entries else None

    def after(self, number: int) -> tuple[list[tuple[int, Entry]], bool]:
        """(number, entry) of entries after this one that are still there, and whether no more will come."""
        with self._lock:
            return [(its_number, entry) for its_number, entry in self._entries if its_number > number], self.over

    async def wait(self, number: int, patience_s: float) -> tuple[list[tuple[int, Entry]], bool]:
        """``after`` as soon as there are entries; without any once the patience is over."""
        changed = asyncio.Event()
        with self._lock:
            self._readers[changed] = asyncio.get_running_loop()
        try:
            if not any(self.after(number)):
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), patience_s)
            return self.after(number)
        finally:
            with self._lock:
                self._readers.pop(changed, None)


class Pictures:
    """Pictures of a running video for a browser: small, in colour, and made only while somebody watches."""

    def __init__(self) -> None:
        self._watched_s, self._n_frames = -_WATCHED_S, 0
        self.backlog = Backlog(_MOST_PICTURES, _PICTURE_BYTES)

    @property
    def watched(self) -> bool:
        """Whether somebody has asked for pictures lately."""
        return time.monotonic() - self._watched_s < _WATCHED_S

    def draw(self, frame: VideoFrame) -> bytes | None:
        """JPEG of every fourth frame while somebody is watching, else None."""
        self._n_frames += 1
        if not self.watched or self._n_frames % _EVERY:
            return None
        width = min(_WIDTH, frame.width) // 2 * 2
        height = max(2, round(frame.height * width / frame.width / 2) * 2)
        file = BytesIO()
        frame.to_image(width=width, height=height).save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()

    def show(self, time_ms: int, frame: Frame) -> None:
        """Add the picture that the session has come to; a picture that stays is added once."""
        newest = self.backlog.newest
        if frame.jpeg and (newest is None or newest.data is not frame.jpeg):
            self.backlog.add(Entry(str(time_ms), frame.jpeg))

    def watch(self) -> None:
        """Somebody watches from now on; pictures from before are forgotten."""
        if not self.watched:
            self.backlog.clear()
        self._watched_s = time.monotonic()
