"""``live()``: a source in, an answer every second out."""

import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from pathlib import Path

from playahead.features.feed import FEED_FEATURES
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.live.session.answer import Answer
from playahead.live.session.config import LiveConfig
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import Lines, of_feed, of_growing_file, of_stream
from playahead.live.session.record import Record, is_record, replay
from playahead.live.session.rows import EXAMPLE, Line, Reports
from playahead.live.session.watch_feed import watch_feed
from playahead.sources.feeds import read_feed, reader_of

STANDARD_INPUT = "-"
LINES = (".jsonl", ".ndjson")
"""Files of JSON lines, which may still grow."""


def live(
    source: str,
    config: LiveConfig | None = None,
    record: Path | None = None,
    notice: Callable[[str], object] = id,
) -> Generator[Answer, None, None]:
    """Watch a match while it is being played.

    Args:
        source: JSON lines from standard input ("-") or from a file that grows; an event feed or a video, played at the
            speed it was; a folder that segments of video are written into; the address of a stream (HLS, RTSP); or a
            recorded session.
        config: from which weights, how certain, how fast.
        record: to keep what was seen and said in.
        notice: is told at once of a line that cannot be read, and of the tenth, the hundredth and so on.

    Raises:
        InputError: a source or weights that cannot be read, or a source without a line that can.
    """
    config = config or LiveConfig()
    path = Path(source)
    if path.suffix in LINES and path.is_file() and is_record(path):
        yield from replay(path, lambda: _feed_session(config))
        return
    lines = _lines_of(source, config)
    with ExitStack() as stack:
        kept = None
        if record is not None:
            kind = "video" if lines is None else "feed"
            kept = stack.enter_context(Record(record, {"source": name_of(source), "kind": kind}))
        answers = _of_video(source, config, kept) if lines is None else _of_feed(source, lines, config, kept, notice)
        for answer in answers:
            yield kept.answer(answer) if kept else answer


def _of_feed(
    source: str, lines: Lines, config: LiveConfig, kept: Record | None, notice: Callable[[str], object]
) -> Generator[Answer, None, None]:
    tally = _Tally(notice)

    def note(line: Line) -> None:
        tally.taken += not isinstance(line, Reports)
        if kept:
            kept.line(line)

    with closing(lines):
        yield from watch_feed(_feed_session(config), lines, config.speed, note, tally.refuse)
    if tally.taken and tally.refused > 1:
        notice(f"{name_of(source)}: {tally.refused:,} lines could not be read")
    if not tally.taken:
        what = "none of its lines can be read" if tally.refused else "ended without a row"
        raise InputError(name_of(source), what, EXAMPLE)


class _Tally:
    """How many lines were taken and refused; a reader is told of a refused one at once, and of many not of each."""

    def __init__(self, notice: Callable[[str], object]) -> None:
        self._notice, self.taken, self.refused = notice, 0, 0

    def refuse(self, reason: InputError) -> None:
        self.refused += 1
        if str(self.refused).strip("0") == "1":  # 1, 10, 100 ...
            self._notice(f"{reason}" + (f"; {self.refused:,} lines could not be read" if self.refused > 1 else ""))


def _feed_session(config: LiveConfig) -> FeedSession:
    return FeedSession(open_predictor(config.weights, FEED_FEATURES, config.device), config.min_confidence)


def _of_video(source: str, config: LiveConfig, kept: Record | None) -> Generator[Answer, None, None]:
    from playahead.inference.video import VideoModel  # a feed needs no video library
    from playahead.live.session.frames import Frames
    from playahead.live.session.video_session import VideoSession
    from playahead.live.session.watch_video import watch_video

    model = VideoModel.open(config.weights, config.backbone, config.device)
    session = VideoSession(model, config.min_confidence)
    for notice in model.notices:
        session.tell(notice)
    note = (lambda time_ms, _: kept.frame(time_ms)) if kept else None
    yield from watch_video(session, Frames(source, model.input_size, config.speed), config.speed, note)


def name_of(source: str) -> str:
    """For people: a file's name, an address without credentials."""
    if source == STANDARD_INPUT:
        return "standard input"
    if "://" not in source:
        return Path(source).name
    from playahead.video.source import shown  # a feed needs no video library

    return shown(source)


def _lines_of(source: str, config: LiveConfig) -> Lines | None:
    """A feed's lines; None of a video."""
    if source == STANDARD_INPUT:
        return of_stream(sys.stdin.buffer, "standard input")
    path = Path(source)
    if path.suffix in LINES:
        if not path.is_file():
            raise InputError(path, "no such file", "make it first; what is written to it later is read then")
        return of_growing_file(path, follow=config.speed > 0)
    if path.is_file() and reader_of(path) is not None:
        halves = read_feed(path)
        if len({half.match for half in halves}) > 1:
            raise InputError(path, "holds several matches", "give a file of one")
        return of_feed(halves, config.speed)
    return None
