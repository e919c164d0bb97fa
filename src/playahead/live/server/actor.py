"""A session that runs by itself: one thread that takes rows or frames, and the answers that readers may still want."""

import asyncio
import json
import logging
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Protocol

from playahead.io.errors import PlayaheadError
from playahead.live.server.problems import Problem
from playahead.live.server.session import Event
from playahead.live.session.answer import Answer
from playahead.live.session.pictures import Picture, Pictures
from playahead.live.session.rows import Line

KEPT = 300
"""Events that a reader who comes back can still have: five minutes."""
_KEPT_BYTES = 8 * 1024 * 1024  # fewer, of a feed that is far too dense
_ROWS_WAITING = 10_000
_HEARTBEAT_S = 5.0
_LOOK_S, _GLANCE_S = 1.0, 0.04
_log = logging.getLogger(__name__)


class Closable(Protocol):
    """What can be told to end."""

    def close(self) -> None: ...


class PostedLines:
    """Lines that come by request; what ``watch_feed`` reads from."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Line | None] = queue.Queue()

    def put(self, lines: Sequence[Line]) -> bool:
        """Take all of them, or none where too many are waiting."""
        if self._queue.qsize() + len(lines) > _ROWS_WAITING:
            return False
        for line in lines:
            self._queue.put(line)
        return True

    def next(self, timeout_s: float | None) -> Line | None:
        """The next one, None at the end; ``TimeoutError`` where none came in time."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None

    def close(self) -> None:
        """Nothing more comes."""
        self._queue.put(None)


class Actor:
    """One session.

    Args:
        kind: feed or video.
        source: what it watches, for people.
        answers: of the session; closed at the end.
        feed: what the answers are made from; closing it ends them.
        pictures: of a video.

    Attributes:
        number: of the latest event.
        over: the last event has been told.
        used_s: when it was last asked for anything, on the machine's clock.
    """

    def __init__(
        self,
        kind: str,
        source: str,
        answers: Generator[Answer, None, None],
        feed: Closable,
        pictures: Pictures | None = None,
    ) -> None:
        self.id, self.kind, self.source, self.feed = secrets.token_urlsafe(12), kind, source, feed
        self._pictures = pictures
        self.started_s = self.used_s = time.monotonic()
        self._answers, self.number = answers, 0
        self._kept: deque[Event] = deque()
        self._kept_bytes = 0
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()
        self.over = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"session-{self.id}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        said = "the source ended"
        try:
            for answer in self._answers:
                self._tell("answer", answer.as_json())
                if self._stopping.is_set():
                    break
        except PlayaheadError as reason:
            said = str(reason)
        except Exception:  # a defect of ours ends one session, and no other
            said = "an internal error"
            _log.exception("session %s", self.id)
        finally:
            self._answers.close()
            self._tell("end", {"detail": "the session was closed" if self._stopping.is_set() else said}, last=True)

    def _tell(self, kind: str, data: dict[str, object], last: bool = False) -> None:
        with self._lock:
            self.number += 1
            self._kept.append(Event(self.number, kind, json.dumps(data, separators=(",", ":"), allow_nan=False)))
            self._kept_bytes += len(self._kept[-1].data)
            while len(self._kept) > KEPT or (self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1):
                self._kept_bytes -= len(self._kept.popleft().data)
            self.over = self.over or last
            for changed, loop in self._waiting.items():
                with suppress(RuntimeError):  # its loop is closed: nobody reads there any more
                    loop.call_soon_threadsafe(changed.set)

    def after(self, number: int) -> tuple[list[Event], bool]:
        """Events after this one that are still kept, and whether no more will come."""
        with self._lock:
            return [event for event in self._kept if event.number > number], self.over

    async def wait(self, number: int) -> tuple[list[Event], bool]:
        """Events after this one as soon as there are any, none after a while; and whether no more will come."""
        changed = asyncio.Event()
        self.used_s = time.monotonic()
        with self._lock:
            self._waiting[changed] = asyncio.get_running_loop()
        try:
            found, over = self.after(number)
            if not found and not over:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _HEARTBEAT_S)
                found, over = self.after(number)
            return found, over
        finally:
            with self._lock:
                self._waiting.pop(changed, None)

    def put(self, lines: Sequence[Line]) -> None:
        """Rows for a feed: all are taken, or none.

        Raises:
            Problem: it watches a video, it is over, or too many rows wait.
        """
        if not isinstance(self.feed, PostedLines):
            raise Problem(409, "this session watches a video")
        if self.over:
            raise Problem(409, "this session has ended")
        if not self.feed.put(lines):
            raise Problem(429, "too many rows are waiting", {"Retry-After": "1"})

    async def pictures(self, number: int) -> tuple[list[Picture], bool]:
        """Pictures of a video after this one as soon as there are any, and whether no more will come."""
        self.used_s = time.monotonic()
        found: list[Picture] = []
        while self._pictures is not None and not self.over and not (found := self._pictures.after(number)):
            if time.monotonic() - self.used_s > _LOOK_S:
                break
            await asyncio.sleep(_GLANCE_S)
        return found, self.over or self._pictures is None

    def close(self) -> None:
        """End it: a last event says so."""
        self._stopping.set()
        self.feed.close()

    def join(self, timeout_s: float) -> None:
        """Wait until its thread has ended."""
        self._thread.join(timeout_s)
