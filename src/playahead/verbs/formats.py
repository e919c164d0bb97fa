"""Anticipated and spotted actions as people and machines want them: table, JSON, CSV, WebVTT, OSL annotations."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from typing import Literal

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID
from playahead.domain.time import format_clock
from playahead.verbs import show
from playahead.video.timeline import Mark

Format = Literal["table", "json", "csv", "vtt", "osl"]


@dataclass(frozen=True)
class Line:
    """One anticipated action: what was known until when, and what is expected when; ms from the start of the half (or
    of the video, where ``half`` is 0)."""

    match: int
    half: int
    observed_until_ms: int
    time_ms: int
    action: str
    confidence: float


@dataclass(frozen=True)
class Answer:
    """All that was asked for.

    Attributes:
        source: file name.
        title: one line above a table.
        lines: anticipated, by moment.
        seen: spotted; None where nothing was watched (feeds).
        every_ms: from one anticipation to the next.
    """

    source: str
    title: str
    lines: Sequence[Line]
    seen: Sequence[Mark] | None
    every_ms: int


def write_answer(answer: Answer, form: Format) -> None:
    """On standard output."""
    writers: dict[str, Callable[[Answer], None]] = {
        "table": _write_table,
        "json": _write_json,
        "csv": _write_csv,
        "vtt": _write_vtt,
        "osl": _write_osl,
    }
    writers[form](answer)


def _write_json(answer: Answer) -> None:
    lines = [asdict(line) for line in answer.lines]
    if answer.seen is None:
        show.print_json(lines)
        return
    spotted = [asdict(seen) for seen in answer.seen]
    show.print_json({"video": answer.source, "spotted": spotted, "anticipated": lines})


def _write_csv(answer: Answer) -> None:
    columns = list(Line.__dataclass_fields__)
    writer = csv.DictWriter(sys.stdout, columns if answer.seen is None else ["kind", *columns], restval="")
    writer.writeheader()
    if answer.seen is None:
        writer.writerows(asdict(line) for line in answer.lines)
        return
    writer.writerows({"kind": "spotted", **asdict(seen)} for seen in answer.seen)
    writer.writerows({"kind": "anticipated", **asdict(line)} for line in answer.lines)


def _write_table(answer: Answer) -> None:
    if answer.seen is None:
        columns = ("half", "seen until", "expected at", "", "action", "confidence")
        rows = [(str(line.half), *_expected(line)) for line in answer.lines]
    else:
        columns = ("seen until", "just seen", "expected at", "", "action", "confidence")
        rows = [row for moment in _by_moment(answer) for row in _rows_of_moment(answer, moment)]
    show.out().print(show.plain_table(answer.title, columns, rows))


def _expected(line: Line) -> tuple[str, ...]:
    ahead_s = (line.time_ms - line.observed_until_ms) / 1000
    until, at = format_clock(line.observed_until_ms), format_clock(line.time_ms)
    return until, at, f"in {ahead_s:.1f} s", line.action.capitalize(), f"{line.confidence:.0%}"


def _by_moment(answer: Answer) -> list[list[Line]]:
    return [list(lines) for _, lines in groupby(answer.lines, lambda line: line.observed_until_ms)]


def _rows_of_moment(answer: Answer, lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """A moment's lines; beside the first what was spotted since the moment before it."""
    now_ms = lines[0].observed_until_ms
    just = [seen for seen in answer.seen or () if now_ms - answer.every_ms < seen.time_ms <= now_ms]
    said = ", ".join(f"{seen.action.capitalize()} {format_clock(seen.time_ms)}" for seen in just)
    rows: list[tuple[str, ...]] = []
    for index, line in enumerate(lines):
        until, *expected = _expected(line)
        beside = (until, said) if index == 0 else ("", "")
        rows.append((*beside, *expected))
    return rows


def _write_vtt(answer: Answer) -> None:
    """WebVTT subtitles: a cue for each moment, until the next."""
    sys.stdout.write("WEBVTT\n\n")
    for lines in _by_moment(answer):
        now_ms = lines[0].observed_until_ms
        expected = [
            f"{line.action.capitalize()} in {(line.time_ms - now_ms) / 1000:.1f} s ({line.confidence:.0%})"
            for line in lines
        ]
        sys.stdout.write(f"{_vtt_clock(now_ms)} --> {_vtt_clock(now_ms + answer.every_ms)}\n")
        sys.stdout.write("Next: " + ", ".join(expected) + "\n\n")


def _vtt_clock(time_ms: int) -> str:
    return f"{time_ms // 3_600_000:02d}:{time_ms // 60_000 % 60:02d}:{time_ms // 1000 % 60:02d}.{time_ms % 1000:03d}"


def _write_osl(answer: Answer) -> None:
    """OpenSportsLab's annotation JSON, version 2.0: spotted actions under ``action``, anticipated ones beside them."""
    labels = [str(action) for action in ACTIONS]
    seen = [
        {"head": "action", "label": s.action, "position_ms": s.time_ms, "confidence": s.confidence}
        for s in answer.seen or ()
    ]
    expected = [
        {
            "head": "anticipation",
            "label": line.action,
            "position_ms": line.time_ms,
            "confidence": line.confidence,
            "observed_until_ms": line.observed_until_ms,
        }
        for line in answer.lines
    ]
    schema = {"type": "single_label", "labels": labels}
    document = {
        "version": "2.0",
        "date": date.today().isoformat(),
        "task": "action_spotting",
        "dataset_name": answer.source,
        "modalities": ["video"],
        "metadata": {"type": "predictions", "made_by": "playahead"},
        "labels": {"action": schema, "anticipation": schema},
        "data": [
            {
                "id": answer.source,
                "inputs": [{"type": "video", "path": answer.source, "fps": float(GRID.fps)}],
                "events": [*seen, *expected],
            }
        ],
    }
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")
