"""``playahead predict``: a line per anticipated action, from video or from an event feed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from playahead.api import LoadedModel, anticipate_feed, load
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.time import parse_clock
from playahead.errors import InputError
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.wyscout import read_wyscout_match
from playahead.verbs.formats import Answer, Format, Line, write_answer


@dataclass(frozen=True)
class PredictConfig:
    """What to anticipate, and from which moments.

    Attributes:
        weights: of the model; the packaged ones if not given.
        backbone: of video features; the packaged one (trained on simulated broadcasts) if not given.
        every: seconds between anticipations; 1 for video and 5 for a feed if not given.
        least: actions less confident than this are left out (confidence is a probability).
        half: only this half of a feed's match; both if not given.
        start: first moment to anticipate from, as 12:30; of each half of a feed. --from is the same.
        end: last moment; the end if not given. --to is the same.
        overlay: also write the video with a timeline under it, to this .mp4.
        device: cpu, cuda, or auto.
    """

    weights: Path | None = None
    backbone: Path | None = None
    every: float | None = None
    least: float = 0.3
    half: Literal[1, 2] | None = None
    start: str = "0:30"
    end: str | None = None
    overlay: Path | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.every is not None and not 0.001 <= self.every < 3600:
            raise InputError("--every", f"{self.every} is not in 0.001 to 3600 seconds")
        if not 0 <= self.least <= 1:
            raise InputError("--least", f"{self.least} is not in [0, 1]")
        start_ms = self.start_ms
        if self.end_ms is not None and self.end_ms < start_ms:
            raise InputError("--to", f"{self.end} lies before the first moment to anticipate from, {self.start}")

    @property
    def start_ms(self) -> int:
        """First moment, never before 30 s have been seen."""
        return max(parse_clock(self.start), OBSERVATION_MS)

    @property
    def end_ms(self) -> int | None:
        """Last moment."""
        return parse_clock(self.end) if self.end else None


def predict(
    asked: PredictConfig, video: Path | None = None, feed: Path | None = None, format: Format = "table"
) -> None:
    """Anticipate what comes next, all through a match.

    Args:
        asked: what to anticipate.
        video: a match as video: any file or stream that FFmpeg reads.
        feed: instead of video: a match as Wyscout ships it (.json) or a compact feed table (.npz).
        format: table, json, csv, vtt (subtitles) or osl (OpenSportsLab annotations), on standard output.
    """
    if (video is None) == (feed is None):
        raise InputError("predict", "needs a video, or --feed FILE")
    if video is not None:
        # Here and not above: a feed needs no video library.
        from playahead.verbs.predict_video import predict_video

        write_answer(predict_video(video, asked), format)
        return
    assert feed is not None
    for name in ("overlay", "backbone"):
        if getattr(asked, name) is not None:
            raise InputError(f"--{name}", "is of video", "leave it out, or give a video instead of --feed")
    if format in ("vtt", "osl"):
        raise InputError("--format", f"{format} is of video", "choose table, json or csv")
    write_answer(_predict_feed(feed, asked), format)


def _predict_feed(feed: Path, asked: PredictConfig) -> Answer:
    loaded = load(asked.weights)
    every_ms = round(1000 * (asked.every or 5.0))
    lines: list[Line] = []
    for played in [found for found in read_feed_file(feed) if asked.half in (None, found.half)]:
        lines += anticipate_half(loaded, played, moments(played, asked.start_ms, asked.end_ms, every_ms), asked.least)
    title = f"{feed.name}: {len(lines)} actions anticipated with confidence of {asked.least:.0%} or more"
    return Answer(feed.name, title, lines, None, every_ms)


def read_feed_file(path: Path) -> list[FeedHalf]:
    """A match, in whichever of the two formats the file is."""
    halves = read_feed_table(path) if path.suffix == ".npz" else read_wyscout_match(path)
    if not any(len(half) for half in halves):
        raise InputError(path, "holds no events of either half")
    return halves


def moments(half: FeedHalf, start_ms: int, end_ms: int | None, every_ms: int) -> np.ndarray:
    """When to anticipate in a half: never before 30 s have been seen, up to the last row."""
    last_ms = int(half.t_ms[-1]) if len(half) else 0
    stop_ms = last_ms if end_ms is None else min(end_ms, last_ms)
    return np.arange(max(start_ms, OBSERVATION_MS), stop_ms + 1, every_ms, dtype=np.int64)


def anticipate_half(loaded: LoadedModel, half: FeedHalf, moments_ms_O: np.ndarray, least: float) -> list[Line]:
    """Anticipated actions after each moment, from what was visible before it."""
    listed = anticipate_feed(loaded, half, moments_ms_O.tolist(), least)
    return [
        Line(half.match, half.half, int(moment), int(moment) + a.offset_ms, str(a.action), round(a.confidence, 4))
        for moment, records in zip(moments_ms_O, listed, strict=True)
        for a in records
    ]
