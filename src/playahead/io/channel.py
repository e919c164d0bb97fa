"""A bounded channel from a thread that reads a source to the one that uses what it reads."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from playahead.io.errors import InputError, PlayaheadError

Item = TypeVar("Item")


class Channel(Generic[Item]):
    """A queue between two threads that holds a limited number of items.

    Args:
        size: number of items that may wait.

    Attributes:
        closed: set once nobody takes items any more; a producer that sleeps waits on it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self.closed = threading.Event()

    @classmethod
    def fed_by(cls, produce: "Callable[[Channel[Item]], object]", size: int) -> "Channel[Item]":
        """Start a thread that puts items. The channel ends when ``produce`` returns or raises.

        Args:
            produce: called with the channel, in the new thread.
            size: number of items that may wait.
        """
        channel = cls(size)

        def work() -> None:
            try:
                produce(channel)
            except BaseException as reason:  # raised again in ``next``: nobody may wait for a thread that died
                channel.end(reason)
            else:
                channel.end()

        channel._thread = threading.Thread(target=work, daemon=True)
        channel._thread.start()
        return channel

    def put(self, item: Item, condense: Callable[[Sequence[Item]], Iterable[Item]] | None = None) -> bool:
        """Add an item; False once the channel is closed.

        Args:
            item: to add.
            condense: replaces what waits in a full channel; without it, ``put`` waits for room.
        """
        with self._changed:
            if condense is None:
                self._changed.wait_for(lambda: len(self._items) < self._size or self.closed.is_set())
            elif len(self._items) >= self._size:
                self._items = deque(condense(self._items))
            if self.closed.is_set():
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def offer(self, items: Sequence[Item]) -> bool:
        """Add all of these items at once, or none if there is no room for all."""
        with self._changed:
            if len(self._items) + len(items) > self._size or self.closed.is_set():
                return False
            self._items.extend(items)
            self._changed.notify_all()
            return True

    def next(self, timeout_s: float | None = None) -> Item | None:
        """Take the next item; None at the end.

        Raises:
            TimeoutError: no item came in time.
            PlayaheadError: the producer failed; a defect in it arrives as an ``InputError``.
            OSError: the producer failed.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._ended, timeout_s):
                raise TimeoutError
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
        if self._error is not None:
            if isinstance(self._error, PlayaheadError | OSError):
                raise self._error
            what = f"its reader stopped ({type(self._error).__name__}: {str(self._error)[:200]})"
            raise InputError("source", what, "that is a defect: please report it") from self._error
        return None

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; items that wait can still be taken.

        Args:
            error: what ``next`` raises after them.
        """
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self, wait_s: float = 0.0) -> None:
        """Tell the producer to stop, and end the channel.

        Args:
            wait_s: longest time to wait for the producer's thread to end.
        """
        self.closed.set()
        self.end()
        if self._thread is not None and wait_s:
            self._thread.join(wait_s)

    def __len__(self) -> int:
        """Number of items that wait."""
        return len(self._items)
