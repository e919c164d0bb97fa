"""A folder that a recorder writes segments into: each file once it is whole, in the order of their names."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

_SUFFIXES = frozenset({".ts", ".mp4", ".mkv", ".mov", ".m4s", ".avi", ".flv", ".webm"})
_WHOLE_AFTER_S = 2.0
_LOOK_AGAIN_S = 0.2


def segments(folder: Path, follow: bool, stopped: threading.Event) -> Iterator[Path]:
    """Files of video as they become whole: when the next one is there, or when one has not grown for two seconds.

    Args:
        folder: to watch.
        follow: wait for more; else end after the last one that is there.
        stopped: ends the wait.
    """
    done: set[Path] = set()
    sizes: dict[Path, tuple[int, float]] = {}
    while not stopped.is_set():
        there = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path not in done)
        ready = there if there and (not follow or _is_still(there[-1], sizes)) else there[:-1]
        for path in ready:
            done.add(path)
            yield path
        if not follow and not ready:
            return
        if not ready:
            stopped.wait(_LOOK_AGAIN_S)


def _is_still(path: Path, sizes: dict[Path, tuple[int, float]]) -> bool:
    """Whether a file's size has been the same for long enough."""
    size, now_s = path.stat().st_size, time.monotonic()
    before, since_s = sizes.get(path, (-1, now_s))
    sizes[path] = (size, since_s if size == before else now_s)
    return size == before and now_s - since_s >= _WHOLE_AFTER_S
