"""What people see in a terminal: tables and progress. Machines get JSON on standard output instead."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID
from playahead.domain.time import format_duration
from playahead.evaluation.official import TOLERANCES_S, ThresholdCounts, average_precision

if TYPE_CHECKING:
    from playahead.comparison.summary import Row
    from playahead.learning.loop import Progress as TrainingProgress
    from playahead.sources.disk import Progress as TransferProgress

errors = Console(stderr=True, highlight=False)
"""Progress, notes and errors: standard error, so that standard output stays clean."""


def out(width: int = 110) -> Console:
    """Tables for people: standard output, as wide as a table needs where nothing says otherwise."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else width)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    json.dump(value, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")


@contextmanager
def training_progress(title: str) -> Iterator[Callable[[TrainingProgress], None]]:
    """A bar with speed, loss and time left for ``Trainer.run``; in a file, a line each tenth of the way."""
    if not errors.is_terminal:
        yield lambda progress: _print_tenth(title, progress)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=errors, refresh_per_second=2) as bar:
        task = bar.add_task(title, total=None, note="")

        def show(progress: TrainingProgress) -> None:
            bar.update(task, completed=progress.step, total=progress.total_steps, note=_note(progress))

        yield show


def _print_tenth(title: str, progress: TrainingProgress) -> None:
    if progress.step * 10 % progress.total_steps < 10:
        errors.print(f"{title}: {100 * progress.step // progress.total_steps} %, {_note(progress)}", soft_wrap=True)


def _note(progress: TrainingProgress) -> str:
    left_s = progress.seconds_left
    figures = f", validation mAP {progress.figures['map']:.2f}" if progress.figures else ""
    return (
        f"{progress.per_s:.0f} {progress.unit}/s, loss {progress.losses['total']:.2f}{figures}, "
        f"{format_duration(left_s)} left"
    )


@contextmanager
def counted_progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar over ``total`` items; the yielded function advances it by one."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task: TaskID = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def grid_progress(title: str, steps: int) -> Iterator[Callable[[int, Sequence[str]], None]]:
    """A bar over the steps of many runs, with those that run now; in a file, a line each tenth of the way."""
    started, begun, tenth = time.monotonic(), -1, -1
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(title, total=steps, note="")

        def advance(done: int, running: Sequence[str]) -> None:
            nonlocal begun, tenth
            begun = done if begun < 0 else begun
            left_s = (steps - done) * (time.monotonic() - started) / max(done - begun, 1)
            left = f"{format_duration(left_s)} left" if done > begun else ""
            note = f"{100 * done // max(steps, 1)} %, {left} {', '.join(running[:4])}"
            if errors.is_terminal:
                bar.update(task, completed=done, note=note)
            elif 10 * done // max(steps, 1) > tenth:
                tenth = 10 * done // max(steps, 1)
                errors.print(f"{title}: {note}", soft_wrap=True)

        yield advance


def window_progress(title: str, windows: int) -> AbstractContextManager[Callable[[int], None]]:
    """A bar over 5-s windows of video."""
    return _video_progress(title, windows, GRID.window_ms / 1000)


def frame_progress(title: str, frames: int) -> AbstractContextManager[Callable[[int], None]]:
    """A bar over frames of video."""
    return _video_progress(title, frames, 1 / GRID.fps)


@contextmanager
def _video_progress(title: str, total: int, each_s: float) -> Iterator[Callable[[int], None]]:
    """A bar with video-seconds per second and time left; in a file, a line each tenth of the way."""
    started, done = time.monotonic(), 0

    def note() -> str:
        speed = done * each_s / max(time.monotonic() - started, 1e-9)
        return f"{speed:.1f} s of video a second, {format_duration((total - done) * each_s / max(speed, 1e-9))} left"

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(title, total=total, note="")

        def advance(more: int) -> None:
            nonlocal done
            tenth, done = 10 * done // max(total, 1), done + more
            if errors.is_terminal:
                bar.update(task, completed=done, note=note())
            elif 10 * done // max(total, 1) > tenth:
                errors.print(f"{title}: {min(100, 100 * done // max(total, 1))} %, {note()}", soft_wrap=True)

        yield advance


@contextmanager
def transfer_progress() -> Iterator[Callable[[TransferProgress], None]]:
    """A bar for each file that is fetched or unpacked, with speed and time left."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=errors, refresh_per_second=2) as bar:
        tasks: dict[str, TaskID] = {}

        def show(progress: TransferProgress) -> None:
            if progress.task not in tasks:
                tasks[progress.task] = bar.add_task(progress.task, total=progress.total_bytes)
            bar.update(tasks[progress.task], completed=progress.done_bytes)

        yield show


def score_table(counts: ThresholdCounts, title: str) -> Table:
    """Average precision per class and tolerance, in percent, the mean in the last row and column."""
    ap_DC = 100 * average_precision(counts)[0]
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("action")
    for tolerance_s in TOLERANCES_S:
        table.add_column("@inf" if tolerance_s == TOLERANCES_S[-1] else f"@{tolerance_s}s", justify="right")
    table.add_column("mean", justify="right", style="bold")
    table.add_column("events", justify="right", style="dim")
    for c, action in enumerate(ACTIONS):
        cells = [f"{value:.1f}" for value in ap_DC[:, c]]
        events = int(counts.events_GC[0, c])
        table.add_row(str(action).capitalize(), *cells, f"{ap_DC[:, c].mean():.1f}", f"{events:,}")
    table.add_section()
    cells = [f"{value:.1f}" for value in ap_DC.mean(axis=1)]
    table.add_row("mAP", *cells, f"{ap_DC.mean():.2f}", f"{int(counts.events_GC[0].sum()):,}", style="bold")
    return table


def comparison_table(rows: Sequence[Row], title: str) -> Table:
    """Configurations with their intervals and paired differences; those that can be told stand out."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("configuration, decoding")
    for column in ("mAP [95 %]", "seeds", "difference [95 %]", "area", "difference [95 %]", "guesses"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        seeds = f"{len(row.seeds)}, ±{row.seed_spread:.2f}" if len(row.seeds) > 1 else "1"
        told, area_told = (
            _difference(found, sure) if found else ""
            for found, sure in zip((row.difference, row.area_difference), row.told, strict=True)
        )
        name, area, guesses = f"{row.variant}, {row.decoding}", f"{row.area[0]:.2f}", f"{row.guesses:.1f}"
        table.add_row(name, _interval(row.mean), seeds, told, area, area_told, guesses)
    return table


def _interval(found: Sequence[float]) -> str:
    return f"{found[0]:.2f} [{found[1]:.2f}, {found[2]:.2f}]"


def _difference(found: Sequence[float], sure: bool) -> str:
    plain = f"{found[0]:+.2f} [{found[1]:+.2f}, {found[2]:+.2f}]"
    style = "dim" if not sure else "green" if found[0] > 0 else "red"
    return f"[{style}]{plain.replace('[', chr(92) + '[')}[/]"


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table; the first column is left-aligned, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    return table
