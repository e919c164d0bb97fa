"""Anticipated and spotted actions as people and machines want them: tables, JSON, CSV, WebVTT, OSL annotations.

Tables, CSV and JSON of a feed are written as its anticipations are made: the first row comes in less than a second.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from playahead.cli.terminal import JSON_VERSION, out, printable
from playahead.decoding.chances import chances_as_json
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.palette import short_name
from playahead.domain.records import Anticipation, Mark
from playahead.domain.time import format_clock
from playahead.inference.result import PredictResult
from playahead.inference.tables import ROWS, Table, columns_of

Format = Literal["table", "json", "csv", "spadl", "kloppy", "vtt", "osl"]


class Writer:
    """Writes a result on standard output, at once or part by part.

    Attributes:
        is_prompt: rows are written when they come, not at the end.
    """

    is_prompt = True

    def __init__(self) -> None:
        self._begun = False
        self.n_rows = 0

    def rows(self, part: PredictResult) -> None:
        """Write the rows of a part; the first part tells all else about the match."""
        if not self._begun:
            self._begun = True
            self.begin(part)
        self.add(part)
        self.n_rows += len(part.expected)
        sys.stdout.flush()

    def end(self, result: PredictResult) -> None:
        """Write what is left of a whole result: all of it, if there were no parts."""
        if not self._begun:
            self.rows(result)
        self.finish(result)

    def begin(self, part: PredictResult) -> None:
        """Write what stands before the first row."""

    def add(self, part: PredictResult) -> None:
        """Write rows."""

    def finish(self, result: PredictResult) -> None:
        """Write what stands after the last row."""


class _Json(Writer):
    def begin(self, part: PredictResult) -> None:
        document: dict[str, object] = {"version": JSON_VERSION, "source": part.source, "kind": part.kind}
        if part.provider:
            document["provider"] = part.provider
        if part.teams:
            document["teams"] = part.teams
        if part.kind == "video":
            document["spotted"] = [mark.as_json() for mark in part.spotted]
        document["min_confidence"] = dict(zip(ACTIONS, part.min_C, strict=True))
        document["times"] = [
            {"match": match, "half": half, "from_ms": int(ms[0]), "to_ms": int(ms[-1]), "every_ms": part.every_ms}
            for (match, half), ms in part.times_ms.items()
            if len(ms)
        ]
        members = [f'"{name}": {json.dumps(value, allow_nan=False)}' for name, value in document.items()]
        sys.stdout.write("{" + ",\n ".join(members) + ',\n "anticipated": [')

    def add(self, part: PredictResult) -> None:
        for place, line in enumerate(part.expected, start=self.n_rows):
            sys.stdout.write(f"{',' if place else ''}\n  {json.dumps(line.as_json(), allow_nan=False)}")

    def finish(self, result: PredictResult) -> None:
        sys.stdout.write('\n ],\n "chances": [')
        for place, row in enumerate(_chances(result)):
            sys.stdout.write(f"{',' if place else ''}\n  {json.dumps(row)}")
        sys.stdout.write("\n ]\n}\n")


def _chances(result: PredictResult) -> Iterator[dict[str, object]]:
    """At each time, the chance of each class (in the order of ``min_confidence``) within 1, 2 and 5 s."""
    for (match, half), (chance_OHC, side_O) in result.chances.items():
        times_ms = result.times_ms[match, half].tolist()
        for now_ms, chance_HC, side in zip(times_ms, chance_OHC, side_O.tolist(), strict=True):
            row: dict[str, object] = {"match": match, "half": half, "observed_until_ms": now_ms}
            if result.kind == "feed":
                row["possession"] = result.teams[side] if result.teams and side >= 0 else None
            yield row | chances_as_json(chance_HC)


class _Csv(Writer):
    def begin(self, part: PredictResult) -> None:
        columns = ["match", "half", "observed_until_ms", "time_ms", "action", "confidence", "seen_ms"]
        columns = [*columns, "team", "x", "y", "times_usual"] if part.kind == "feed" else ["kind", *columns]
        self._writer = csv.DictWriter(sys.stdout, columns, restval="", extrasaction="ignore")
        self._writer.writeheader()
        self._writer.writerows({"kind": "spotted", **seen.as_json()} for seen in part.spotted)

    def add(self, part: PredictResult) -> None:
        self._writer.writerows({"kind": "anticipated", **line.as_json()} for line in part.expected)


class _Spadl(Writer):
    """CSV with the columns of an analyst's tables."""

    table: Table = "spadl"

    def begin(self, part: PredictResult) -> None:  # noqa: ARG002
        self._writer = csv.DictWriter(sys.stdout, columns_of(self.table))
        self._writer.writeheader()

    def add(self, part: PredictResult) -> None:
        numbered = enumerate(part.expected, start=self.n_rows)
        self._writer.writerows(ROWS[self.table](line, number) for number, line in numbered)


class _Kloppy(_Spadl):
    table: Table = "kloppy"


_LONGEST_PLACE = len(", other half centre")


class _Table(Writer):
    """Columns of fixed widths, so that a row can be written before the next is known."""

    def begin(self, part: PredictResult) -> None:
        several = len({match for match, _ in part.times_ms}) > 1
        if part.kind == "feed":
            self._before, gives_way = ("match", "half") if several else ("half",), "side and place"
            named = [*self._before, "seen until", "expected at", "", "action", "confidence", gives_way]
        else:
            self._before, gives_way = (), "just seen"
            named = ["seen until", gives_way, "expected at", "", "action", "confidence"]
        widest = {"": len("in 4.8 s"), "action": max(len(short_name(action)) for action in ACTIONS)}
        widest["side and place"] = max(map(cell_len, part.teams), default=0) + _LONGEST_PLACE
        cells = zip(*self._cells(part), strict=True) if part.expected else [()] * len(named)
        self._widths = [
            max(len(name), widest.get(name, 0), *map(cell_len, column), 0)
            for name, column in zip(named, cells, strict=True)
        ]
        self._is_text = [name in ("action", gives_way) for name in named]
        # On a narrow terminal, one column makes room for the others.
        console, gives = out(), named.index(gives_way)
        spare = console.width - sum(self._widths) - 2 * (len(named) - 1)
        self._widths[gives] = max(self._widths[gives] + min(spare, 0), len(named[gives]))
        console.print(Text(printable(f"{part.source} ({part.provider})" if part.provider else part.source), "bold"))
        console.print(Text(self._line(named), "dim"), soft_wrap=True)

    def add(self, part: PredictResult) -> None:
        sys.stdout.writelines(f"{self._line(row)}\n" for row in self._cells(part))

    def finish(self, result: PredictResult) -> None:
        n, bound = len(result.expected), set(result.min_C)
        said = f"{n:,} action{'s' * (n != 1)} anticipated"
        if result.kind == "video":
            said += f", {len(result.spotted):,} spotted"
        if len(bound) == 1:
            said += f" (confidence {bound.pop():.0%}+)"
        if any(line.is_raised for line in result.expected):
            said += "; (6x): six times as likely as usual"
        out().print(Text(said, "dim"), soft_wrap=True)

    def _line(self, cells: Sequence[str]) -> str:
        parts = []
        for cell, width, is_text in zip(cells, self._widths, self._is_text, strict=True):
            text = printable(cell)
            if cell_len(text) > width:
                text = set_cell_size(text, width - 1) + "…"
            parts.append(text + " " * (width - cell_len(text)) if is_text else " " * (width - cell_len(text)) + text)
        return "  ".join(parts).rstrip()

    def _cells(self, part: PredictResult) -> Iterator[tuple[str, ...]]:
        if part.kind == "feed":
            for line in part.expected:
                yield (*(str(getattr(line, name)) for name in self._before), *_expected(line), line.where)
            return
        for moment in _by_moment(part):
            now_ms = moment[0].observed_until_ms
            just = [seen for seen in part.spotted if now_ms - part.every_ms < seen.time_ms <= now_ms]
            said = ", ".join(f"{short_name(seen.action)} {format_clock(seen.time_ms)}" for seen in just)
            for place, (until, *expected) in enumerate(map(_expected, moment)):
                yield ("", "", *expected) if place else (until, said, *expected)


def _expected(line: Anticipation) -> tuple[str, ...]:
    ahead_s = (line.time_ms - line.observed_until_ms) / 1000
    until, at = format_clock(line.observed_until_ms) + _seen(line), format_clock(line.time_ms)
    times = f" ({line.times_usual:.0f}x)" if line.is_raised else ""
    return until, at, f"in {ahead_s:.1f} s", short_name(line.action), f"{line.confidence:.0%}{times}"


def _seen(line: Anticipation) -> str:
    return f" ({line.seen_ms / 1000:g} s seen)" if line.seen_ms < OBSERVATION_MS else ""


def _by_moment(result: PredictResult) -> list[list[Anticipation]]:
    return [list(lines) for _, lines in groupby(result.expected, lambda line: line.observed_until_ms)]


class _Whole(Writer):
    """A format whose first line depends on the last anticipation."""

    is_prompt = False

    def rows(self, part: PredictResult) -> None:
        """Wait for the whole result."""

    def end(self, result: PredictResult) -> None:
        """Write it."""
        self.finish(result)


class _Vtt(_Whole):
    """WebVTT subtitles: a cue for each moment, until the next."""

    def finish(self, result: PredictResult) -> None:
        moments = _by_moment(result.in_video())  # refused before anything is written
        sys.stdout.write("WEBVTT\n\n")
        for lines in moments:
            now_ms = lines[0].observed_until_ms
            expected = [
                f"{short_name(line.action)} in {(line.time_ms - now_ms) / 1000:.1f} s ({line.how_likely})"
                for line in lines
            ]
            sys.stdout.write(f"{_vtt_clock(now_ms)} --> {_vtt_clock(now_ms + result.every_ms)}\n")
            sys.stdout.write(f"Next{_seen(lines[0])}: {', '.join(expected)}\n\n")


def _vtt_clock(time_ms: int) -> str:
    return f"{time_ms // 3_600_000:02d}:{time_ms // 60_000 % 60:02d}:{time_ms // 1000 % 60:02d}.{time_ms % 1000:03d}"


class _Osl(_Whole):
    """OpenSportsLab's annotation JSON, version 2.0: spotted actions under ``action``, anticipated ones beside them."""

    def finish(self, result: PredictResult) -> None:
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


_WRITERS: dict[str, type[Writer]] = {
    **{"table": _Table, "json": _Json, "csv": _Csv, "spadl": _Spadl, "kloppy": _Kloppy},
    **{"vtt": _Vtt, "osl": _Osl},
}


def writer_of(form: Format) -> Writer:
    """A writer of this format."""
    return _WRITERS[form]()
