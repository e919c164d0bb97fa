"""Pictures of a running video for whoever looks on: small, in colour, and made only while somebody does."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from io import BytesIO

from av import VideoFrame

_WIDTH = 640
_EVERY = 4  # decoded pictures: of 25 a second, 6.25
_KEPT = 64
_QUALITY = 80
_PATIENCE_S = 3.0


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
        self._looked_s, self._n_frames, self._number = -_PATIENCE_S, 0, 0
        self._kept: deque[Picture] = deque(maxlen=_KEPT)

    @property
    def watched(self) -> bool:
        """Somebody has asked for pictures lately."""
        return time.monotonic() - self._looked_s < _PATIENCE_S

    def draw(self, frame: VideoFrame) -> bytes | None:
        """The JPEG of a decoded frame; None of most, and of all where nobody looks."""
        self._n_frames += 1
        if not self.watched or self._n_frames % _EVERY:
            return None
        width = min(_WIDTH, frame.width) // 2 * 2
        height = max(2, round(frame.height * width / frame.width / 2) * 2)
        file = BytesIO()
        frame.to_image(width=width, height=height).save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()

    def show(self, time_ms: int, jpeg: bytes) -> None:
        """The session has come to this picture; one that stays is shown once."""
        with self._lock:
            if not self._kept or self._kept[-1].jpeg is not jpeg:
                self._number += 1
                self._kept.append(Picture(self._number, time_ms, jpeg))

    def after(self, number: int) -> list[Picture]:
        """Those after this one that are still kept; none from before anybody looked."""
        with self._lock:
            if not self.watched:
                self._kept.clear()
            self._looked_s = time.monotonic()
            return [picture for picture in self._kept if picture.number > number]
