"""``playahead predict``: a line per anticipated action."""

import csv
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from playahead.api import LoadedModel, anticipate_feed, load
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.time import format_clock, parse_clock
from playahead.errors import InputError
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.wyscout import read_wyscout_match
from playahead.verbs import show


@dataclass(frozen=True)
class Line:
    """One anticipated action: what was known until when, and what is expected when."""

    match: int
    half: int
    observed_until_ms: int
    time_ms: int
    action: str
    confidence: float


def predict(
    feed: Path,
    weights: Path | None = None,
    every: float = 5.0,
    least: float = 0.3,
    half: Literal[1, 2] | None = None,
    start: str = "0:30",
    end: str | None = None,
    format: Literal["table", "json", "csv"] = "table",
) -> None:
    """Anticipate what comes next, all through a match.

    Args:
        feed: a match as Wyscout ships it (.json) or a compact feed table (.npz).
        weights: of the model; the packaged ones if not given.
        every: seconds between anticipations.
        least: actions less confident than this are left out (confidence is a probability).
        half: only this half of the match; both if not given.
        start: first moment of each half to anticipate from, as 12:30.
        end: last moment; the half's end if not given.
        format: table, json or csv, on standard output.
    """
    if not 0.001 <= every < 3600:
        raise InputError("--every", f"{every} is not in 0.001 to 3600 seconds")
    if not 0 <= least <= 1:
        raise InputError("--least", f"{least} is not in [0, 1]")
    loaded = load(weights)
    start_ms, end_ms = parse_clock(start), parse_clock(end) if end else None
    halves = [found for found in read_feed_file(feed) if half in (None, found.half)]
    lines: list[Line] = []
    for played in halves:
        ends = moments(played, start_ms, end_ms, round(every * 1000))
        lines += anticipate_half(loaded, played, ends, least)
    _write(lines, format, f"{feed.name}: {len(lines)} actions anticipated with confidence of {least:.0%} or more")


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


def _write(lines: list[Line], format: str, title: str) -> None:
    if format == "json":
        show.print_json([asdict(line) for line in lines])
    elif format == "csv":
        writer = csv.DictWriter(sys.stdout, list(Line.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(line) for line in lines)
    else:
        rows = [
            (
                str(line.half),
                format_clock(line.observed_until_ms),
                format_clock(line.time_ms),
                f"in {(line.time_ms - line.observed_until_ms) / 1000:.1f} s",
                line.action.capitalize(),
                f"{line.confidence:.0%}",
            )
            for line in lines
        ]
        columns = ("half", "seen until", "expected at", "", "action", "confidence")
        show.out().print(show.plain_table(title, columns, rows))
