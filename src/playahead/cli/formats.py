"""Anticipated and spotted actions as people and machines want them: table, JSON, CSV, WebVTT, OSL annotations."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Literal

from playahead.cli import terminal as show
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Anticipation, Mark
from playahead.domain.time import format_clock
from playahead.inference.result import PredictResult

Format = Literal["table", "json", "csv", "vtt", "osl"]


def write_result(result: PredictResult, form: Format) -> None:
    """On standard output."""
    writers = {"table": _write_table, "json": _write_json, "csv": _write_csv, "vtt": _write_vtt, "osl": _write_osl}
    writers[form](result)


def _write_json(result: PredictResult) -> None:
    document: dict[str, object] = {"source": result.source, "kind": result.kind}
    if result.provider:
        document["provider"] = result.provider
    if result.kind == "video":
        document["spotted"] = [asdict(mark) for mark in result.spotted]
    document["times"] = [
        {"match": match, "half": half, "from_ms": int(ms[0]), "to_ms": int(ms[-1]), "every_ms": result.every_ms}
        for (match, half), ms in result.times_ms.items()
        if len(ms)
    ]
    show.print_json({**document, "anticipated": [line.as_json() for line in result.expected]})


def _write_csv(result: PredictResult) -> None:
    columns = ["match", "half", "observed_until_ms", "time_ms", "action", "confidence", "seen_ms"]
    columns = [*columns, "team", "x", "y"] if result.kind == "feed" else ["kind", *columns]
    writer = csv.DictWriter(sys.stdout, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({"kind": "spotted", **asdict(seen)} for seen in result.spotted)
    writer.writerows({"kind": "anticipated", **line.as_json()} for line in result.expected)


def _write_table(result: PredictResult) -> None:
    if result.kind == "feed":
        of = ("match", "half") if len({line.match for line in result.expected}) > 1 else ("half",)
        columns = (*of, "observed until", "expected at", "", "action", "confidence", "side and place")
        rows = [(*(str(getattr(line, name)) for name in of), *_expected(line), line.where) for line in result.expected]
    else:
        columns = ("observed until", "just seen", "expected at", "", "action", "confidence")
        rows = [row for moment in _by_moment(result) for row in _rows_of_moment(result, moment)]
    source = f"{result.source} ({result.provider})" if result.provider else result.source
    title = f"{source}: {len(result.expected)} actions anticipated (confidence {result.min_confidence:.0%}+)"
    title = title if result.kind == "feed" else f"{title}, {len(result.spotted)} spotted"
    show.print_table(title, columns, rows)


def _expected(line: Anticipation) -> tuple[str, ...]:
    ahead_s = (line.time_ms - line.observed_until_ms) / 1000
    until, at = format_clock(line.observed_until_ms) + _seen(line), format_clock(line.time_ms)
    return until, at, f"in {ahead_s:.1f} s", line.action.capitalize(), f"{line.confidence:.0%}"


def _seen(line: Anticipation) -> str:
    return f" ({line.seen_ms / 1000:g} s seen)" if line.seen_ms < OBSERVATION_MS else ""


def _by_moment(result: PredictResult) -> list[list[Anticipation]]:
    return [list(lines) for _, lines in groupby(result.expected, lambda line: line.observed_until_ms)]


def _rows_of_moment(result: PredictResult, lines: Sequence[Anticipation]) -> list[tuple[str, ...]]:
    """A moment's lines; beside the first what was spotted since the moment before it."""
    now_ms = lines[0].observed_until_ms
    just = [seen for seen in result.spotted if now_ms - result.every_ms < seen.time_ms <= now_ms]
    said = ", ".join(f"{seen.action.capitalize()} {format_clock(seen.time_ms)}" for seen in just)
    (until, *first), *others = map(_expected, lines)
    return [(until, said, *first), *(("", "", *expected) for _, *expected in others)]


def _write_vtt(result: PredictResult) -> None:
    """WebVTT subtitles: a cue for each moment, until the next."""
    moments = _by_moment(result.in_video())  # refused before anything is written
    sys.stdout.write("WEBVTT\n\n")
    for lines in moments:
        now_ms = lines[0].observed_until_ms
        expected = [
            f"{line.action.capitalize()} in {(line.time_ms - now_ms) / 1000:.1f} s ({line.confidence:.0%})"
            for line in lines
        ]
        sys.stdout.write(f"{_vtt_clock(now_ms)} --> {_vtt_clock(now_ms + result.every_ms)}\n")
        sys.stdout.write(f"Next{_seen(lines[0])}: {', '.join(expected)}\n\n")


def _vtt_clock(time_ms: int) -> str:
    return f"{time_ms // 3_600_000:02d}:{time_ms // 60_000 % 60:02d}:{time_ms // 1000 % 60:02d}.{time_ms % 1000:03d}"


def _write_osl(result: PredictResult) -> None:
    """OpenSportsLab's annotation JSON, version 2.0: spotted actions under ``action``, anticipated ones beside them."""
    labels = [str(action) for action in ACTIONS]

    def event(head: str, seen: Mark | Anticipation) -> dict[str, object]:
        return {"head": head, "label": seen.action, "position_ms": seen.time_ms, "confidence": seen.confidence}

    seen = [event("action", mark) for mark in result.spotted]
    expected = [
        {**event("anticipation", line), "observed_until_ms": line.observed_until_ms, "seen_ms": line.seen_ms}
        for line in result.in_video().expected
    ]
    schema = {"type": "single_label", "labels": labels}
    video = {"type": "video", "path": result.source, "fps": float(GRID.fps)}
    document = {
        "version": "2.0",
        "date": date.today().isoformat(),
        "task": "action_spotting",
        "dataset_name": result.source,
        "modalities": ["video"],
        "metadata": {"type": "predictions", "made_by": "playahead"},
        "labels": {"action": schema, "anticipation": schema},
        "data": [{"id": result.source, "inputs": [video], "events": [*seen, *expected]}],
    }
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")
