"""Pictures of a running video for whoever looks on: small, in colour, and made only while somebody does."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from av import VideoFrame

_WIDTH = 640
_EVERY = 4  # frames: 6.25 a second
_KEPT = 64
_QUALITY = 80


@dataclass(frozen=True)
class Picture:
    """A JPEG, the time of the stream at which it was shown, and its place among all that were."""

    number: int
    time_ms: int
    jpeg: bytes


class Pictures:
    """The latest pictures of one video; a reader who is slow misses some."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookers, self._n_frames, self._number = 0, 0, 0
        self._kept: deque[Picture] = deque(maxlen=_KEPT)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, pictures are made."""
        with self._lock:
            self._lookers += 1
        try:
            yield
        finally:
            with self._lock:
                self._lookers -= 1

    def draw(self, frame: VideoFrame) -> bytes | None:
        """The JPEG of a decoded frame; None of most, and of all where nobody looks."""
        self._n_frames += 1
        if not self._lookers or self._n_frames % _EVERY:
            return None
        width = min(_WIDTH, frame.width) // 2 * 2
        height = max(2, round(frame.height * width / frame.width / 2) * 2)
        file = BytesIO()
        frame.to_image(width=width, height=height).save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()

    def show(self, time_ms: int, jpeg: bytes) -> None:
        """The session has come to this picture."""
        with self._lock:
            self._number += 1
            self._kept.append(Picture(self._number, time_ms, jpeg))

    def after(self, number: int) -> list[Picture]:
        """Those after this one that are still kept."""
        with self._lock:
            return [picture for picture in self._kept if picture.number > number]
