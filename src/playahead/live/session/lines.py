"""Lines of a running match: from a stream, a file that grows, or a recorded match, each read in a thread of its own."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from playahead.domain.feed import LONGEST_DELAY_MS, FeedHalf, FeedRow
from playahead.io.channel import Channel
from playahead.io.errors import InputError
from playahead.live.session.rows import LONGEST_LINE, Line, Reports, Tick, parse_line

Lines = Channel[Line | InputError]
"""Parsed lines as they come; a line that cannot be read comes as its error."""

_WAITING = 10_000  # lines read ahead of their use
_LOOK_AGAIN_S = 0.1
_STILL_S = 2.0  # a last line that has not grown for so long is read as it is


def lines_of(source: Callable[[threading.Event], Iterator[Line | InputError]]) -> Lines:
    """Read lines in a thread of its own.

    Args:
        source: yields lines; it may sleep, and stops once the event is set.
    """

    def read(lines: Lines) -> None:
        for line in source(lines.closed):
            if not lines.put(line):
                return

    return Channel.fed_by(read, _WAITING)


def of_stream(stream: BinaryIO, where: str) -> Lines:
    """JSON lines from standard input or a pipe, until it is closed."""

    def read(_: threading.Event) -> Iterator[Line | InputError]:
        number = 0
        while text := stream.readline(LONGEST_LINE + 1):
            number += 1
            yield from _parsed(text, f"{where}: line {number}")

    return lines_of(read)


def of_growing_file(path: Path, follow: bool) -> Lines:
    """JSON lines of a file.

    Args:
        path: the file.
        follow: wait for lines that are written later. A file that was cut short or replaced is read from its
            beginning; a file without a line that can be read is not followed.
    """

    def read(stopped: threading.Event) -> Iterator[Line | InputError]:
        file, number, rest, still_s = path.open("rb"), 0, b"", 0.0
        has_read = has_refused = False
        try:
            while not stopped.is_set():
                piece = file.readline(LONGEST_LINE + 1 - len(rest))
                rest, still_s = rest + piece, 0.0 if piece else still_s + _LOOK_AGAIN_S
                # A last line without an end may still grow, unless it is the whole file.
                as_it_is = not piece and rest and (not follow or (still_s > _STILL_S and not has_read))
                if rest.endswith(b"\n") or len(rest) > LONGEST_LINE or as_it_is:
                    number += 1
                    for line in _parsed(rest, f"{path}: line {number}"):
                        if isinstance(line, InputError):
                            has_refused = True
                        else:
                            has_read = True
                        yield line
                    rest = b""
                if piece:
                    continue
                if not follow or (has_refused and not has_read and not rest):
                    return
                if _is_another(path, file):
                    file.close()
                    file, number, rest = path.open("rb"), 0, b""
                    yield InputError(path, "was cut short or replaced, read from its beginning")
                stopped.wait(_LOOK_AGAIN_S)
        finally:
            file.close()

    return lines_of(read)


def of_feed(halves: list[FeedHalf], speed: float) -> Lines:
    """Play a recorded match, each row when it becomes visible.

    Args:
        halves: halves of one match.
        speed: playback speed, 1 as it was played; 0 does not wait.
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

    return lines_of(play)


def rows_of(half: FeedHalf) -> Iterator[FeedRow]:
    """Rows in the order in which they become visible; a late row has a longer delay."""
    for row in half.visible_ms.argsort(kind="stable"):
        yield FeedRow(
            half=half.half,
            t_ms=int(half.t_ms[row]),
            code=int(half.code[row]),
            team=int(half.team[row]),
            x=int(half.x[row]),
            y=int(half.y[row]),
            setpiece=int(half.setpiece[row]),
            delay_ms=min(int(half.delay_ms[row]) + int(half.late_ms[row]), LONGEST_DELAY_MS),
            confidence=int(half.confidence[row]),
        )


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
