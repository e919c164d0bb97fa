"""The runs of a grid in processes of their own, each with its share of the cores and its output in its folder."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context

from playahead.datasets.dataset import Dataset
from playahead.decoding.choosing import Decoding
from playahead.io.errors import PlayaheadError
from playahead.io.progress import Progress, Show, quiet
from playahead.io.runtime import keep_freed_memory
from playahead.lab.compare.grid import Grid
from playahead.lab.compare.jobs import Job, train_job
from playahead.lab.compare.members import Members


def run_jobs(
    jobs: Sequence[Job], grid: Grid, dataset: Dataset, split: str, processes: int, show: Show = quiet
) -> dict[str, str]:
    """All jobs, a run that others start from before them; what failed, with the reason."""
    failed: dict[str, str] = {}
    waiting, running = list(jobs), dict[Future[str], Job]()
    task, steps = f"{grid.name}: {len(jobs)} runs", sum(job.config.total_steps for job in jobs)
    with _threads(max(1, (os.cpu_count() or 1) // processes)), _pool(processes) as pool:
        while waiting or running:
            ended = {job.folder for job in jobs} - {job.folder for job in (*waiting, *running.values())}
            for job in [job for job in waiting if job.start is None or job.start in ended]:
                waiting.remove(job)
                if job.start and job.start.name in failed:
                    failed[job.folder.name] = f"{job.start.name}, which it starts from, has failed"
                else:
                    decodings = {} if grid.pasts else grid.decodings  # what is seen of a match is not known here
                    running[pool.submit(_work, job, dataset, decodings, split)] = job
            for future in wait(running, timeout=2, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                if reason := _reason(future):
                    failed[job.folder.name] = reason
            under_way = [job.folder.name for job in list(running.values())[:processes]]
            done = sum(_steps_done(job) for job in jobs)
            show(Progress(task, done, steps, "steps", ", ".join(under_way[:4])))
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


def _work(job: Job, dataset: Dataset, decodings: Mapping[str, Decoding], split: str) -> str:
    """In a process of its own: train, score; returns what went wrong, or nothing."""
    keep_freed_memory()
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / "output.txt").open("a") as output:
        tenth = -1

        def show(progress: Progress) -> None:
            nonlocal tenth
            if (now := int(10 * progress.done / max(progress.total, 1))) != tenth:
                tenth = now
                print(f"{progress.task}: {10 * now} % {progress.note}", file=output, flush=True)

        try:
            train_job(job, dataset, show)
            if decodings:
                Members([job.weights], dataset).scores(decodings, split, job.folder)
        except Exception as reason:  # the other runs go on; the table names this one
            print(f"failed: {reason}", file=output)
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
