"""Where lines of a running match come from: each source is read in a thread of its own into one queue."""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from playahead.domain.feed import LONGEST_DELAY_MS, FeedHalf, FeedRow
from playahead.io.errors import InputError, PlayaheadError
from playahead.live.session.rows import LONGEST_LINE, Line, Reports, Tick, parse_line

_WAITING = 10_000  # lines read ahead of their use
_LOOK_AGAIN_S = 0.1
_STILL_S = 2.0  # a last line that has not grown for so long is read as it is


def error_of_reader(reason: BaseException) -> PlayaheadError | OSError:
    """What ended a source's thread, to raise where the source is used; a defect of ours is one line as well."""
    if isinstance(reason, PlayaheadError | OSError):
        return reason
    said = f"its reader stopped ({type(reason).__name__}: {str(reason)[:200]})"
    defect = InputError("source", said, "that is a defect: please report it")
    defect.__cause__ = reason
    return defect


class Lines:
    """Parsed lines as they come; what could not be read comes as its error.

    Args:
        source: yields them; it may sleep. It is told to stop by the event that it is given.
    """

    def __init__(self, source: Callable[[threading.Event], Iterator[Line | InputError]]) -> None:
        self._queue: queue.Queue[Line | InputError | None] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._failed: BaseException | None = None
        self._source = source
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for line in self._source(self._stopped):
                self._put(line)
                if self._stopped.is_set():
                    return
        except BaseException as reason:  # raised again where the lines are used: nobody may wait for a thread that died
            self._failed = error_of_reader(reason)
        self._put(None)

    def _put(self, line: Line | InputError | None) -> None:
        waiting = True
        while waiting and not self._stopped.is_set():
            with suppress(queue.Full):
                self._queue.put(line, timeout=_LOOK_AGAIN_S)
                waiting = False

    def next(self, timeout_s: float | None) -> Line | InputError | None:
        """The next one, or None at the end.

        Raises:
            TimeoutError: none came in that time.
            InputError: the source cannot be read any more.
        """
        try:
            line = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None
        if line is None and self._failed is not None:
            raise self._failed
        return line

    def close(self) -> None:
        """Stop reading."""
        self._stopped.set()


def of_stream(stream: BinaryIO, where: str) -> Lines:
    """JSON lines from standard input or a pipe, until it is closed."""

    def read(_: threading.Event) -> Iterator[Line | InputError]:
        number = 0
        while text := stream.readline(LONGEST_LINE + 1):
            number += 1
            yield from _parsed(text, f"{where}: line {number}")

    return Lines(read)


def of_growing_file(path: Path, follow: bool) -> Lines:
    """JSON lines of a file.

    Args:
        path: of the file.
        follow: wait for what is written to it later; one that was cut short or replaced is read from its beginning. One
            of which no line can be read ends where it ends now.
    """

    def read(stopped: threading.Event) -> Iterator[Line | InputError]:
        file, number, rest, still_s = path.open("rb"), 0, b"", 0.0
        taken = refused = False
        try:
            while not stopped.is_set():
                piece = file.readline(LONGEST_LINE + 1 - len(rest))
                rest, still_s = rest + piece, 0.0 if piece else still_s + _LOOK_AGAIN_S
                # A last line without an end may still grow; a whole file that is one such line does not.
                as_it_is = not piece and rest and (not follow or (still_s > _STILL_S and not taken))
                if rest.endswith(b"\n") or len(rest) > LONGEST_LINE or as_it_is:
                    number += 1
                    for line in _parsed(rest, f"{path}: line {number}"):
                        if isinstance(line, InputError):
                            refused = True
                        else:
                            taken = True
                        yield line
                    rest = b""
                if piece:
                    continue
                if not follow or (refused and not taken and not rest):
                    return
                if _is_another(path, file):
                    file.close()
                    file, number, rest = path.open("rb"), 0, b""
                    yield InputError(path, "was cut short or replaced, read from its beginning")
                stopped.wait(_LOOK_AGAIN_S)
        finally:
            file.close()

    return Lines(read)


def of_feed(halves: list[FeedHalf], speed: float) -> Lines:
    """A recorded match, each row when it becomes visible.

    Args:
        halves: of one match.
        speed: 1 as it was played; 0 without waiting.
    """

    def play(stopped: threading.Event) -> Iterator[Line]:
        if halves:
            yield Reports(halves[0].reports)
        for half in halves:
            started_s = time.monotonic()
            yield Tick(half.half, 0)
            for row in rows_of(half):
                due_s = started_s + ((row.t_ms + row.delay_ms) / 1000 / speed if speed else 0.0)
                if stopped.wait(max(0.0, due_s - time.monotonic())):
                    return
                yield row

    return Lines(play)


def rows_of(half: FeedHalf) -> Iterator[FeedRow]:
    """Its rows in the order in which they become visible; what came late has a longer delay."""
    rows = half.rows
    for index in half.visible_ms.argsort(kind="stable"):
        row = rows[index]
        yield replace(row, delay_ms=min(row.delay_ms + row.late_ms, LONGEST_DELAY_MS), late_ms=0)


def _is_another(path: Path, file: BinaryIO) -> bool:
    try:
        now, read = path.stat(), os.fstat(file.fileno())
    except OSError:  # gone for the moment
        return False
    return (now.st_dev, now.st_ino) != (read.st_dev, read.st_ino) or now.st_size < file.tell()


def _parsed(text: bytes, where: str) -> Iterator[Line | InputError]:
    if not text.strip():
        return
    try:
        yield parse_line(text.decode("utf-8", "replace"), where)
    except InputError as reason:
        yield reason
