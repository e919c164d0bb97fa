"""Terminal output for people: tables, progress, notices. Machines get JSON on standard output instead."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress as RichProgress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from playahead.domain.actions import ACTIONS
from playahead.domain.notices import Notices
from playahead.domain.time import format_duration
from playahead.evaluation.official import TOLERANCES_S, ThresholdCounts, average_precision
from playahead.evaluation.reliability import ReliabilityRow
from playahead.evaluation.scores import Evaluation
from playahead.io.files import readable_size
from playahead.io.progress import Progress
from playahead.io.runtime import emulates_bfloat16

if TYPE_CHECKING:
    from playahead.lab.compare.compare import Row

_SILENT_S = 0.2
_LONG_S = 2.0  # work that takes no longer prints no lines into a file
errors = Console(stderr=True, highlight=False, markup=False)
"""Standard error, for progress, notices and errors."""


def printable(text: str) -> str:
    """Text from outside on one line; unprintable characters become escapes (``\\n``, ``\\udcff``)."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_OTHER_LETTERS = str.maketrans("│┃▏●·…–—’‘“”×‹›", "||" + "|o..--''\"\"x<>") | {
    ord("±"): "+-",
    ord("━"): "-",
    ord("─"): "-",
}


def in_other_letters(error: UnicodeError) -> tuple[str, int]:
    """Error handler of codecs: write what a terminal cannot show in ASCII, or as an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    lines = re.sub("[\u2500-\u257f]", "+", text.translate(_OTHER_LETTERS))
    drawn = re.sub("[\u2580-\u259f]", "#", lines)
    return drawn.encode("ascii", "backslashreplace").decode(), error.end


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let ``cli.main`` end, as for every other broken pipe."""
        raise BrokenPipeError


def out(width: int = 110) -> Console:
    """Console on standard output: as wide as the terminal, or ``width`` columns for a file."""
    return _Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else width)


JSON_VERSION = 1
"""Version of the JSON documents that commands print; it changes when a key changes its name or meaning."""


def print_json(value: Mapping[str, object]) -> None:
    """One JSON document on standard output."""
    json.dump({"version": JSON_VERSION, **value}, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")


class Bars:
    """Bar for each task; if output is a file, a line for each tenth of a long task."""

    def __init__(self, note: str = "") -> None:
        self._note = note  # printed once work has begun
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}", markup=False),
        )
        self.bars = RichProgress(
            *columns, console=errors, refresh_per_second=4, transient=True, disable=not errors.is_terminal
        )
        self._tasks: dict[str, _Task] = {}

    def stop(self) -> None:
        """Show nothing from now on: something else shows how far it is."""
        self.bars.stop()
        self.bars.disable = True

    def __call__(self, progress: Progress) -> None:
        """A ``progress.Show``."""
        if self.bars.disable and errors.is_terminal:
            return
        if self._note:
            notice(self._note)
            self._note = ""
        task = self._tasks.get(progress.task)
        if task is None:
            bar = self.bars.add_task(printable(progress.task), total=None, note="")
            task = self._tasks[progress.task] = _Task(bar, time.monotonic(), progress.done)
        note = _note(progress, task)
        if errors.is_terminal:
            self.bars.update(task.bar, completed=progress.done, total=progress.total, note=note)
        elif (tenth := int(10 * progress.done / max(progress.total, 1e-9))) > task.tenth:
            task.tenth = tenth
            if time.monotonic() - task.started_s > _LONG_S:
                _say(Text(f"{printable(progress.task)}: {note}"))


@dataclass
class _Task:
    bar: TaskID
    started_s: float
    first: float
    tenth: int = 0


def _note(progress: Progress, task: _Task) -> str:
    """Text such as ``"40 %, 1,028 examples/s, 12 s left"``; the task's own note comes first."""
    done, seconds = progress.done - task.first, max(time.monotonic() - task.started_s, 1e-9)
    parts = [f"{min(100, 100 * progress.done / max(progress.total, 1e-9)):.0f} %", progress.note]
    if done > 0:
        rate = done / seconds
        if progress.unit == "bytes":
            parts.append(f"{readable_size(rate)}/s")
        elif progress.unit and not progress.note:
            parts.append(f"{rate:,.1f} {progress.unit}/s")
        parts.append(f"{format_duration(max(0, progress.total - progress.done) / rate)} left")
    return ", ".join(part for part in parts if part)


@contextmanager
def progress(note: str = "") -> Iterator[Bars]:
    """Yield a ``Show`` that displays progress."""
    shown = Bars(note)
    with shown.bars:
        yield shown


@contextmanager
def starting() -> Iterator[None]:
    """Say that something is going on if nothing is to be seen for a while; the line goes when work begins."""
    said = threading.Event()

    def say() -> None:
        said.set()
        errors.print("starting …", style="dim", end="\r")

    timer = threading.Timer(_SILENT_S, say)
    timer.daemon = True
    if errors.is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if said.is_set():
            errors.print(" " * len("starting …"), end="\r")


def show_notices(notices: Notices) -> None:
    """Print what a reader should know."""
    for line in notices.lines:
        notice(line)


def notice(text: str) -> None:
    """Print a notice on standard error."""
    _say(Text.assemble(("note:", "yellow"), f" {printable(text)}"))


def notice_leak(features: Path | None) -> None:
    """Print a notice if a store's features have a leak."""
    from playahead.features.store import FeatureStore

    if features is not None and (leak := FeatureStore(features).notice):
        notice(leak)


def slow_precision(precision: str) -> str:
    """Notice for a machine that emulates the precision of a run; else empty."""
    is_slow = precision == "bf16-mixed" and emulates_bfloat16()
    return "this processor emulates bfloat16; --precision 32-true is several times faster here" if is_slow else ""


def complain(message: str, who: str = "playahead") -> None:
    """Print an error as one line on standard error."""
    _say(Text.assemble((f"{printable(who)}:", "red"), f" {printable(message)}"))


def _say(line: Text) -> None:
    """Print on standard error; a failure to do so (full disk, closed pipe) is ignored."""
    with suppress(OSError):
        errors.print(line, soft_wrap=True)


def score_table(counts: ThresholdCounts, title: str) -> Table:
    """Table of average precision by class and tolerance, in percent, means in the last row and column."""
    ap_DC = 100 * average_precision(counts)[0]
    table = Table(title=printable(title), title_justify="left", title_style="bold", header_style="bold")
    table.add_column("action")
    for tolerance_s in TOLERANCES_S:
        table.add_column("@inf" if tolerance_s == TOLERANCES_S[-1] else f"@{tolerance_s}s", justify="right")
    table.add_column("mean", justify="right", style="bold")
    table.add_column("events", justify="right", style="dim")
    for place, c in enumerate(counts.classes):
        cells = [f"{value:.1f}" for value in ap_DC[:, place]]
        events = int(counts.events_GC[0, c])
        table.add_row(str(ACTIONS[c]).capitalize(), *cells, f"{ap_DC[:, place].mean():.1f}", f"{events:,}")
    table.add_section()
    cells = [f"{value:.1f}" for value in ap_DC.mean(axis=1)]
    table.add_row("mAP", *cells, f"{ap_DC.mean():.2f}", f"{int(counts.events_GC[0].sum()):,}", style="bold")
    return table


def comparison_table(rows: Sequence[Row], title: str) -> Table:
    """Table of configurations with intervals and paired differences; significant differences are coloured."""
    table = Table(title=printable(title), title_justify="left", title_style="bold", header_style="bold")
    table.add_column("configuration, decoding")
    columns = (
        "area of each seed",
        "area [resampled]",
        "difference of area",
        "official [resampled]",
        "difference of official",
        "predictions",
    )
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        areas = ", ".join(f"{area:.2f}" for area in row.areas)
        difference, area_difference = (
            _difference(found, sure) if found else Text()
            for found, sure in zip((row.difference, row.area_difference), row.significant, strict=True)
        )
        name, kept = f"{row.variant}, {row.decoding}", f"{row.predictions_per_clip:.1f}"
        area, official = _interval(row.area), _interval(row.mean)
        table.add_row(printable(name), areas, area, area_difference, official, difference, kept)
    return table


def _interval(found: Sequence[float]) -> str:
    return f"{found[0]:.2f} [{found[1]:.2f}, {found[2]:.2f}]" if found[1] < found[2] else f"{found[0]:.2f}"


def _difference(found: Sequence[float], sure: bool) -> Text:
    style = "dim" if not sure else "green" if found[0] > 0 else "red"
    interval = f" [{found[1]:+.2f}, {found[2]:+.2f}]" if found[1] < found[2] else ""
    return Text(f"{found[0]:+.2f}{interval}", style)


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Table whose first column is text and whose others are numbers."""
    table = Table(title=printable(title), title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(printable(str(cell)) for cell in row))
    return table


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a ``plain_table``."""
    out().print(plain_table(title, columns, rows))


def print_finished(validation: Mapping[str, float], weights: Path, log: Path) -> None:
    """Print the result of a training run."""
    rows = [(name, f"{value:.2f}") for name, value in validation.items()]
    errors.print(plain_table("validation, all matches", ("decoding", "mAP"), rows))
    errors.print(f"weights: {weights}   log: {log}")


def print_evaluation(found: Evaluation, title: str, exact: bool, as_json: bool, noise_at: int | None = None) -> None:
    """Print scores as a table, or as one JSON document."""
    if as_json:
        document: dict[str, object] = {
            "classes": [str(ACTIONS[c]) for c in found.counts.classes],
            "metrics": found.metrics,
            "average": found.average,
            "figures": found.figures,
        }
        if found.interval and found.area_interval:
            document["average_interval_95"] = [found.interval.low, found.interval.high]
            document["area"] = found.area_interval.value
            document["area_interval_95"] = [found.area_interval.low, found.area_interval.high]
        if noise_at is not None:
            document["least_difference"] = {"matches": noise_at, **found.min_difference(noise_at)}
        if exact:
            document["exact"] = [{"average": e.average, "average_area": e.average_area} for e in found.exact]
        if found.reliability is not None:
            document["reliability"] = [asdict(row) for row in found.reliability]
        print_json(document)
        return
    console = out()
    console.print(score_table(found.counts, f"average precision, {title}"))
    if found.interval and found.area_interval and found.by_match and len(found.by_match.counts_M) == 1:
        console.print(f"exact area {found.area_interval}, official figure {found.interval}: one match has no interval")
    elif found.interval and found.area_interval and found.by_match:
        console.print(f"exact area {found.area_interval}: resampled; its value on very many matches should lie there")
        console.print(
            f"official figure, average of {len(TOLERANCES_S)} tolerances, {found.interval}: rough range over other "
            f"test sets of {len(found.by_match.counts_M)} {found.unit}. It falls as a set grows: compare it only with "
            "figures on as many (docs/metric.md)"
        )
    if noise_at is not None:
        apart = found.min_difference(noise_at)
        console.print(
            f"two systems like this one, each scored on {noise_at} {found.unit} of its own, differ significantly from "
            f"{100 * apart['area']:.1f} points of area or {100 * apart['average']:.1f} of the official figure on; on "
            "the same ones less is enough (playahead compare)"
        )
    console.print(", ".join(f"{name} {value:.2f}" for name, value in found.figures.items()))
    if found.reliability:
        console.print(_reliability_table(found.reliability))
    for scores in found.exact if exact else ():
        console.print(
            f"every threshold and continuous time: {100 * scores.average:.2f} (11-point), "
            f"{100 * scores.average_area:.2f} (area)"
        )


def _reliability_table(found: Sequence[ReliabilityRow]) -> Table:
    """Table of confidences beside what happened; "once" counts each action for one anticipation (docs/metric.md)."""
    columns = ("confidence", "anticipations", "stated", "happened", "difference", "once")
    rows = [
        (
            f"{row.low:.1f} to {row.high:.1f}",
            f"{row.anticipations:,}",
            *(f"{value:.3f}" for value in (row.stated, row.happened)),
            f"{row.happened - row.stated:+.3f}",
            f"{row.once:.3f}",
        )
        for row in found
    ]
    return plain_table("reliability: of confidences stated, how often such an action came near", columns, rows)


def machine_line(results: Mapping[str, Any]) -> str:
    """Line with the machine's peak rates, which other speeds are shares of."""
    rates = results["matmul_gflops"]
    return (
        f"{results['threads']} threads; matrix rate {rates['float32']:.0f} GFLOP/s float32, "
        f"{rates['bfloat16']:.0f} bfloat16"
    )
