"""A live session's rows and answers, line by line in a file that survives a kill.

Each line is a JSON object with one key: ``start`` (the source), ``line`` (a row, a tick, or what the source reports),
``frames`` (frames of a video since the last answer: time in the stream and time of the clock, both ms), or
``answer``.
"""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from playahead.domain.feed import EVERY_CODE, N_CODES, FeedRow, holds
from playahead.io.errors import InputError
from playahead.io.files import disk_errors, is_alone, require_file
from playahead.live.session.answer import Answer, read_answer
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import Line, Reports, Tick

_BEGINS = b'{"start":'
_KINDS = {"row": FeedRow, "tick": Tick}
_MOST_FRAMES = 250  # in one line, where no answer comes


class Record:
    """Appends to a file; every line is handed to the operating system before the next is made.

    An existing record is continued after its last whole line. A file that is removed while it is written is begun
    again, with a notice in the next answer. Two sessions cannot write the same file. The first line is ``start``.
    """

    def __init__(self, path: Path, start: dict[str, object]) -> None:
        self._path, self._start = path, start
        self._frames: list[tuple[int, int]] = []
        self._open()

    def _open(self) -> None:
        if (path := self._path).exists():
            require_file(path)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
            if not is_alone(self._file):
                raise InputError(path, "is being written by another session", "choose another file")
            content = self._file.read()
            if content and not is_record(path):
                raise InputError(path, "is not a recorded session", "choose another file")
            self._file.truncate(content.rfind(b"\n") + 1)
            self._file.seek(0, os.SEEK_END)
        self._write("start", self._start)

    def line(self, line: Line) -> None:
        """Add a line that was taken."""
        if isinstance(line, Reports):
            self._write("line", {"reports": {"codes": sorted(line.codes), "teams": line.teams}})
        else:
            self._write("line", {"row" if isinstance(line, FeedRow) else "tick": asdict(line)})

    def frame(self, time_ms: int) -> None:
        """Add a frame that was taken now."""
        self._frames.append((time_ms, time.time_ns() // 1_000_000))
        if len(self._frames) == _MOST_FRAMES:
            self._write_frames()

    def answer(self, answer: Answer) -> Answer:
        """Add an answer, after the frames that it rests on; returned as it was written."""
        try:
            is_there = os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            is_there = False
        if not is_there:
            self._file.close()
            self._open()
            text = f"{self._path.name} was removed, and is begun again"
            answer = replace(answer, notices=[*answer.notices, text])
        self._write_frames()
        self._write("answer", answer.as_json())
        return answer

    def _write_frames(self) -> None:
        if self._frames:
            self._write("frames", self._frames)
            self._frames = []

    def _write(self, kind: str, value: object) -> None:
        with disk_errors(self._path):
            text = json.dumps({kind: value}, separators=(",", ":"), allow_nan=False).encode() + b"\n"
            written = self._file.write(text)
            if written != len(text):
                raise InputError(self._path, "the disk is full", "make room, then record into the same file again")

    def __enter__(self) -> "Record":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        try:
            self._write_frames()
        finally:
            self._file.close()


def is_record(path: Path) -> bool:
    """Whether a file begins as a record does."""
    with disk_errors(path), path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS


def read_record(path: Path) -> Iterator[tuple[str, object]]:
    """Read (kind, value) of every whole line; lines as ``FeedRow``, ``Tick`` or ``Reports``, answers as ``Answer``.

    Raises:
        InputError: a line that is not of a recorded session.
    """
    with disk_errors(path), path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):  # killed while it was written
                return
            try:
                ((kind, value),) = json.loads(text).items()
                yield kind, _READERS[kind](value)
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError, InputError) as reason:
                raise InputError(f"{path}: line {number}", f"is not of a recorded session ({reason})") from None


def _line_of(value: dict[str, Any]) -> Line:
    ((kind, fields),) = value.items()
    if kind == "reports":
        first, second = map(str, fields["teams"])
        if not (codes := frozenset(fields["codes"])) <= EVERY_CODE:
            raise ValueError(f"a code is not in 0..{N_CODES - 1}")
        return Reports(codes, (first, second))
    for name, number in fields.items():
        if type(number) is not int or not holds("t_ms" if name == "now_ms" else name, np.array(number)):
            raise ValueError(f"{name} cannot be {str(number)[:40]!r}")
    return _KINDS[kind](**fields)


_READERS: dict[str, Callable[[Any], object]] = {
    "start": lambda source: str(source.get("kind", "feed")),
    "line": _line_of,
    "frames": list,
    "answer": read_answer,
}


def replay(path: Path, make: Callable[[], FeedSession]) -> Generator[Answer, None, None]:
    """Repeat the answers of a record: a feed's from its rows, a video's as they were (its pictures are not recorded).

    ``make`` makes a session like the recorded one, for each start of a feed in the record.
    """
    session = None
    for kind, value in read_record(path):
        if kind == "start":
            session = None if value == "video" else make()
        elif isinstance(value, FeedRow | Tick | Reports) and session is not None:
            session.push(value)
        elif isinstance(value, Answer):
            yield from [value] if session is None else session.answers(value.now_ms)
