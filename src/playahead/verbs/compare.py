"""``playahead compare``: a grid of recipes, seeds and decodings, trained, scored and compared in pairs."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from json import dumps
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from playahead.allocator import keep_freed_memory
from playahead.comparison.grid import Grid, narrowed, read_grid
from playahead.comparison.jobs import Job, jobs_of, run_folder, score_members, train
from playahead.comparison.scored import Scored
from playahead.comparison.summary import Key, Row, summarise
from playahead.decoding.choosing import Decoding
from playahead.errors import InputError, PlayaheadError
from playahead.verbs import show
from playahead.verbs.compared_data import Source
from playahead.verbs.train import prepare_folder

_FEW_MATCHES = 5


def compare(
    grid: str,
    data: Path,
    features: Path | None = None,
    out: Path = Path("runs/compare"),
    split: Literal["val", "test"] = "val",
    processes: int = 1,
    only: str = "",
    json: bool = False,
) -> int:
    """Train every variant with every seed, score them, and say which differences can be told; run again to go on.

    Args:
        grid: paper, decoding, winner, or a YAML file like those in playahead/grids.
        data: folder of compact feed tables, or with --features the dataset's splits.
        features: store of video features to compare on instead.
        out: a folder for each run, and comparison-SPLIT.json.
        split: what is scored; decodings are chosen on val either way, so look at test once.
        processes: runs at a time, each with its share of the cores.
        only: names of variants, separated by commas, to leave out the others (the reference stays).
        json: the comparison as JSON on standard output.
    """
    asked = read_grid(grid)
    if only:
        asked = narrowed(asked, [name.strip() for name in only.split(",")])
    if processes < 1:
        raise InputError("--processes", f"{processes} is below 1")
    source = Source(data.absolute(), features.absolute() if features else None)
    source.check(asked)
    prepare_folder(out)
    _write(out / "grid.json", {"name": asked.name, "about": asked.about, "variants": _changes(asked)})
    failed = _run_jobs(jobs_of(asked, out), asked, source, split, processes)
    rows = _summary(asked, out, source, split, failed)
    _write(out / f"comparison-{split}.json", _document(asked, rows, split, failed))
    _show(asked, rows, split, len(source.matches(split).matches), out, failed, json)
    return 2 if failed else 0


def _work(job: Job, source: Source, decodings: Mapping[str, Decoding], split: str) -> str:
    """In a process of its own: train, score; returns what went wrong, or nothing."""
    keep_freed_memory()
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / "output.txt").open("a") as told:
        show.errors.file = told
        try:
            train(job, source.train, source.digest("train", "val"))
            score_members(job.folder, [job.weights], dict(decodings), split, source)
        except (PlayaheadError, OSError) as reason:
            show.errors.print(f"failed: {reason}")
            return str(reason)
    return ""


def _run_jobs(jobs: Sequence[Job], grid: Grid, source: Source, split: str, processes: int) -> dict[str, str]:
    """All jobs, a run that others start from before them; what failed, with the reason."""
    failed: dict[str, str] = {}
    waiting, running = list(jobs), dict[Future[str], Job]()
    title, steps = f"{grid.name}: {len(jobs)} runs", sum(job.config.total_steps for job in jobs)
    with (
        _threads(max(1, (os.cpu_count() or 1) // processes)),
        ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool,
        show.grid_progress(title, steps) as advance,
    ):
        while waiting or running:
            ended = {job.folder for job in jobs} - {job.folder for job in (*waiting, *running.values())}
            for job in [job for job in waiting if job.start is None or job.start in ended]:
                running[pool.submit(_work, job, source, grid.decodings, split)] = job
                waiting.remove(job)
            for future in wait(running, timeout=2, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                if reason := future.result():
                    failed[job.folder.name] = reason
            under_way = [job.folder.name for job in list(running.values())[:processes]]
            advance(sum(_steps_done(job) for job in jobs), under_way)
    return failed


@contextmanager
def _threads(each: int) -> Iterator[None]:
    """Processes that are started within have so many threads each."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(each)
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _steps_done(job: Job) -> int:
    """As its log says; a log is a few kB."""
    if job.weights.exists():
        return job.config.total_steps
    try:
        with (job.folder / "log.csv").open(newline="") as file:
            return max((int(row["step"]) for row in csv.DictReader(file)), default=0)
    except (OSError, KeyError, ValueError):
        return 0


def _summary(grid: Grid, out: Path, source: Source, split: str, failed: Mapping[str, str]) -> list[Row]:
    """A row for each variant, ensemble and baseline with each decoding."""
    scored: dict[Key, list[Scored]] = {}
    windows: dict[str, int] = {}
    of = partial(score_members, decodings=grid.decodings, split=split, data=source)

    def add(name: str, found: Mapping[str, Scored], budget: int) -> None:
        windows[name] = budget
        for decoding, one in found.items():
            scored.setdefault((name, decoding), []).append(one)

    for job in jobs_of(grid, out):
        if job.folder.name not in failed:
            add(job.name, of(job.folder, [job.weights]), grid.budget(grid.variants[job.name]))
    for name, members in grid.ensembles.items():
        paths = [run_folder(out, member, seed) / "weights.safetensors" for member in members for seed in grid.seeds]
        if all(path.exists() for path in paths):
            budget = len(grid.seeds) * sum(grid.budget(grid.variants[member]) for member in members)
            add(name, of(out / f"ensemble-{name}".replace(" ", "-"), paths), budget)
    for name in grid.baselines:
        add(name, {"marginal": source.baseline(name, split)}, 0)
    return summarise(scored, grid.reference, windows)


def _changes(grid: Grid) -> dict[str, object]:
    return {name: {**asdict(variant.config), "start": variant.start} for name, variant in grid.variants.items()}


def _document(grid: Grid, rows: Sequence[Row], split: str, failed: Mapping[str, str]) -> dict[str, object]:
    return {
        "grid": grid.name,
        "about": grid.about,
        "split": split,
        "reference": list(grid.reference),
        "seeds": list(grid.seeds),
        "rows": [row.as_dict() for row in rows],
        "failed": dict(failed),
    }


def _write(path: Path, document: object) -> None:
    part = path.with_name(f".{path.name}")
    part.write_text(dumps(document, indent=1))
    part.replace(path)


def _show(
    grid: Grid, rows: Sequence[Row], split: str, n_matches: int, out: Path, failed: Mapping[str, str], as_json: bool
) -> None:
    for name, reason in failed.items():
        show.errors.print(f"[red]{name}:[/] {reason}", soft_wrap=True)
    if as_json:
        show.print_json(_document(grid, rows, split, failed))
        return
    show.out(140).print(show.comparison_table(rows, f"{grid.name}, {split}, {n_matches} matches"))
    if n_matches < _FEW_MATCHES:
        show.errors.print(f"[yellow]note:[/] intervals over {n_matches} matches say little")
    show.out(140).print(
        f"95 % intervals: matches drawn again, in pairs; ± is the standard deviation over seeds. Differences are to "
        f"{grid.reference[0]!r} with the same decoding. Everything is in {out / f'comparison-{split}.json'}"
    )
