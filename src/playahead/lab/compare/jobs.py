"""The runs of a grid, each with a folder of its own; what is trained already is not trained again."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.io.errors import InputError
from playahead.io.files import file_digest, write_whole
from playahead.io.progress import Show, quiet
from playahead.lab.compare.grid import Grid, plain_name
from playahead.training.run import train
from playahead.training.trainer import TrainConfig


@dataclass(frozen=True)
class Run:
    """A variant with a seed.

    Attributes:
        name: of the variant.
        seed: of the run.
        folder: its own.
        weights: there when it is trained.
    """

    name: str
    seed: int
    folder: Path
    weights: Path


@dataclass(frozen=True)
class Job(Run):
    """A run to train.

    Attributes:
        config: all of it.
        start: folder of the run that it starts from, or None.
    """

    config: TrainConfig
    start: Path | None


def runs_of(grid: Grid, out: Path) -> list[Run]:
    """Every variant with the first seed, then with the second ...: a grid that is stopped early still compares."""
    every = [(seed, name) for name in grid.variants for seed in grid.seeds_of(name)]
    order = list(grid.variants)
    return [_run(grid, out, name, seed) for seed, name in sorted(every, key=lambda run: (run[0], order.index(run[1])))]


def jobs_of(grid: Grid, out: Path) -> list[Job]:
    """Those of them that are trained here."""
    return [run for run in runs_of(grid, out) if isinstance(run, Job)]


def _run(grid: Grid, out: Path, name: str, seed: int) -> Run:
    variant, folder = grid.variants[name], run_folder(out, name, seed)
    if variant.config is None:
        return Run(name, seed, folder, variant.weights[seed])
    start = run_folder(out, variant.start, seed) if variant.start else None
    config = replace(variant.config, seed=seed)
    return Job(name, seed, folder, folder / "weights.safetensors", config, start)


def run_folder(out: Path, variant: str, seed: int | str) -> Path:
    """``out/static-0``."""
    return out / f"{plain_name(variant)}-{seed}"


def train_job(job: Job, dataset: Dataset, show: Show = quiet) -> None:
    """Train a run, unless its weights are there and were made by this configuration on this data.

    Raises:
        InputError: the folder holds a run with other settings or data.
    """
    record = job.folder / "trained.json"
    start = file_digest(job.start / "weights.safetensors") if job.start else None
    settings = asdict(job.config)
    assert isinstance(settings, dict)
    wanted = json.dumps({**settings, "start": start, "data": dataset.digest("train", "val")}, sort_keys=True)
    if record.exists() and record.read_text() != wanted:
        raise InputError(job.folder, "holds a run with other settings or data", "choose another --out")
    if record.exists() and job.weights.exists():
        return
    train(dataset, job.config, job.folder, job.start / "weights.safetensors" if job.start else None, show=show)
    write_whole(record, wanted)
