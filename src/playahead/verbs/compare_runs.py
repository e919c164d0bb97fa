"""The runs of a grid in processes of their own, each with its share of the cores and its output in its folder."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context

from playahead.allocator import keep_freed_memory
from playahead.comparison.grid import Grid
from playahead.comparison.jobs import Job, score_members, train
from playahead.decoding.choosing import Decoding
from playahead.errors import PlayaheadError
from playahead.verbs import show
from playahead.verbs.compared_data import Source


def run_jobs(jobs: Sequence[Job], grid: Grid, source: Source, split: str, processes: int) -> dict[str, str]:
    """All jobs, a run that others start from before them; what failed, with the reason."""
    failed: dict[str, str] = {}
    waiting, running = list(jobs), dict[Future[str], Job]()
    title, steps = f"{grid.name}: {len(jobs)} runs", sum(job.config.total_steps for job in jobs)
    with (
        _threads(max(1, (os.cpu_count() or 1) // processes)),
        _pool(processes) as pool,
        show.grid_progress(title, steps) as advance,
    ):
        while waiting or running:
            ended = {job.folder for job in jobs} - {job.folder for job in (*waiting, *running.values())}
            for job in [job for job in waiting if job.start is None or job.start in ended]:
                waiting.remove(job)
                if job.start and job.start.name in failed:
                    failed[job.folder.name] = f"{job.start.name}, which it starts from, has failed"
                else:
                    running[pool.submit(_work, job, source, grid.decodings, split)] = job
            for future in wait(running, timeout=2, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                if reason := _reason(future):
                    failed[job.folder.name] = reason
            under_way = [job.folder.name for job in list(running.values())[:processes]]
            advance(sum(_steps_done(job) for job in jobs), under_way)
    return failed


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """What waits is dropped when the work is broken off; runs resume where they were."""
    pool = ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _reason(future: Future[str]) -> str:
    """What went wrong in a job, also where its process died."""
    try:
        return future.result()
    except Exception as reason:
        return f"{type(reason).__name__}: {reason}"


def _work(job: Job, source: Source, decodings: Mapping[str, Decoding], split: str) -> str:
    """In a process of its own: train, score; returns what went wrong, or nothing."""
    keep_freed_memory()
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / "output.txt").open("a") as told:
        show.errors.file = told
        try:
            train(job, source.train, source.digest("train", "val"))
            score_members(job.folder, [job.weights], dict(decodings), split, source)
        except Exception as reason:  # the other runs go on; the table names this one
            show.errors.print(f"failed: {reason}", markup=False)
            return str(reason) if isinstance(reason, PlayaheadError) else f"{type(reason).__name__}: {reason}"
    return ""


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
    except (OSError, KeyError, ValueError, TypeError, csv.Error):
        return 0
