"""The runs of a grid, each with a folder of its own; a finished one is not trained again."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.errors import InputError
from playahead.experiments.grid import Grid, plain_name
from playahead.files import as_before, file_digest, write_whole
from playahead.progress import Show, quiet
from playahead.training.run import train
from playahead.training.trainer import TrainConfig


@dataclass(frozen=True)
class Job:
    """One run: a variant with a seed.

    Attributes:
        name: of the variant.
        seed: of the run.
        config: all of it.
        folder: its own.
        start: folder of the run that it starts from, or None.
    """

    name: str
    seed: int
    config: TrainConfig
    folder: Path
    start: Path | None

    @property
    def weights(self) -> Path:
        """There when it is trained."""
        return self.folder / "weights.safetensors"


def jobs_of(grid: Grid, out: Path) -> list[Job]:
    """Every variant with the first seed, then with the second ...: a grid that is stopped early still compares."""
    return [
        Job(
            variant.name,
            seed,
            replace(variant.config, seed=seed),
            run_folder(out, variant.name, seed),
            run_folder(out, variant.start, seed) if variant.start else None,
        )
        for seed in grid.seeds
        for variant in grid.variants.values()
    ]


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
    settings = as_before(asdict(job.config))
    assert isinstance(settings, dict)
    wanted = json.dumps({**settings, "start": start, "data": dataset.digest("train", "val")}, sort_keys=True)
    if record.exists() and record.read_text() != wanted:
        raise InputError(job.folder, "holds a run with other settings or data", "choose another --out")
    if record.exists() and job.weights.exists():
        return
    train(dataset, job.config, job.folder, job.start / "weights.safetensors" if job.start else None, show=show)
    write_whole(record, wanted)
