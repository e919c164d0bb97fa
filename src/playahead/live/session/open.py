"""``live()``: a source in, an answer every second out."""

import math
import sys
from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from playahead.decoding.shown import MinConfidence, check_min_confidence
from playahead.features.forms import FEED_FEATURES
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError
from playahead.io.files import match_file
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import FeedSession, watch_feed
from playahead.live.session.lines import EXAMPLE, Line, Lines, Reports, of_feed, of_growing_file, of_stream
from playahead.live.session.record import Record, is_record, replay
from playahead.sources.feeds import read_feed, reader_of, refusal_of

STANDARD_INPUT = "-"
LINES = (".jsonl", ".ndjson")  # files that may still grow


@dataclass(frozen=True, kw_only=True)
class LiveConfig:
    """Settings of watching a running match.

    Attributes:
        weights: weights of the model; the packaged ones if not given.
        backbone: backbone of video features; the packaged one (trained on simulated broadcasts) if not given.
        min_confidence: probability from which on an action is shown: of each class (shot=0.05,pass=0.5) or of all
            (0.3); if not given, each class is shown as often as it happens.
        speed: playback speed of a file: 1 as it was played, 10 ten times faster, 0 as fast as this machine can.
        device: cpu, cuda, cuda:1, mps, or auto; openvino computes exported backbones of video on a CPU.
    """

    weights: Path | None = None
    backbone: Path | None = None
    min_confidence: MinConfidence = None
    speed: float = 1.0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_min_confidence(self)
        if not 0 <= self.speed < math.inf:
            raise InputError("LiveConfig.speed", f"{self.speed} is not a number of 0 or more")


def live(
    source: str,
    config: LiveConfig | None = None,
    record: Path | None = None,
    notice: Callable[[str], object] = id,
) -> Generator[Answer, None, None]:
    """Watch a match while it is being played.

    Args:
        source: JSON lines from standard input ("-") or from a file that grows; an event feed or a video, played as
            fast as the match was; a folder that segments of video are written into; the address of a stream (HLS,
            RTSP); or a recorded session. "sample" is the match that ships with the package.
        config: weights, minimum confidence and speed.
        record: file to record rows and answers in.
        notice: called at once with the first line that cannot be read, and with the tenth, the hundredth and so on.

    Raises:
        InputError: a source or weights that cannot be read, or a source without a line that can be read.
    """
    config = config or LiveConfig()
    source = match_file(source)
    path = Path(source)
    if path.suffix in LINES and path.is_file() and is_record(path):
        yield from replay(path, lambda: _feed_session(config))
        return
    lines = _lines_of(source, config)
    start: dict[str, object] = {"source": name_of(source), "kind": "video" if lines is None else "feed"}
    with nullcontext() if record is None else Record(record, start) as recorder:
        if lines is not None:
            answers = _of_feed(source, lines, config, recorder, notice)
        else:  # a feed needs no video library
            from playahead.inference.video import VideoModel
            from playahead.live.session.frames import FrameSource
            from playahead.live.session.video_session import VideoSession, watch_video

            model = VideoModel.open(config.weights, config.backbone, config.device)
            frames = FrameSource(source, model.input_size, config.speed)
            note = (lambda time_ms, _: recorder.frame(time_ms)) if recorder else (lambda *_: None)
            answers = watch_video(VideoSession(model, config.min_confidence), frames, config.speed, note)
        for answer in answers:
            yield recorder.answer(answer) if recorder else answer


def _of_feed(
    source: str, lines: Lines, config: LiveConfig, recorder: Record | None, notice: Callable[[str], object]
) -> Generator[Answer, None, None]:
    n_taken = n_refused = 0

    def note(line: Line) -> None:
        nonlocal n_taken
        n_taken += not isinstance(line, Reports)
        if recorder:
            recorder.line(line)

    def refuse(reason: InputError) -> None:
        nonlocal n_refused
        n_refused += 1
        if str(n_refused).strip("0") == "1":  # 1, 10, 100 ...
            notice(f"{reason}" + (f"; {n_refused:,} lines could not be read" if n_refused > 1 else ""))

    with closing(lines):
        yield from watch_feed(_feed_session(config), lines, config.speed, note, refuse)
    if n_taken and n_refused > 1:
        notice(f"{name_of(source)}: {n_refused:,} lines could not be read")
    if not n_taken:
        what = "none of its lines can be read" if n_refused else "ended without a row"
        raise InputError(name_of(source), what, EXAMPLE)


def _feed_session(config: LiveConfig) -> FeedSession:
    return FeedSession(open_predictor(config.weights, FEED_FEATURES, config.device), config.min_confidence)


def name_of(source: str) -> str:
    """A source's name for people: a file's name, an address without credentials."""
    if "://" not in source:
        return "standard input" if source == STANDARD_INPUT else Path(source).name
    from playahead.video.source import shown  # a feed needs no video library

    return shown(source)


def _lines_of(source: str, config: LiveConfig) -> Lines | None:
    """Lines of a feed; None for a video."""
    path = Path(source)
    if source == STANDARD_INPUT:
        return of_stream(sys.stdin.buffer, name_of(source))
    if path.suffix in LINES:
        if not path.is_file():
            raise InputError(path, "no such file", "make it first; lines that are written later are read then")
        return of_growing_file(path, follow=config.speed > 0)
    if path.is_file() and reader_of(path) is not None:
        halves = read_feed(path)
        if len({half.match for half in halves}) > 1:
            raise InputError(path, "holds several matches", "give a file of one")
        return of_feed(halves, config.speed)
    if path.is_file() and (reason := refusal_of(path)):
        raise reason
    return None
