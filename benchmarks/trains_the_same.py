"""Does today's code train a grid's runs as theirs did? python trains_the_same.py GRID DATA RUNS [--only A,B].

A comparison of runs that other code has trained is stale, though the other code may differ in what they never use. This
trains the first epoch of every variant again, with its first seed, and compares its losses with the run's log, to the
last digit. Where they are equal, the variant's runs are noted as today's (``code.json``); others stay as they are.
"""

import argparse
import csv
import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from playahead.datasets.dataset import open_dataset
from playahead.io.files import write_whole
from playahead.io.progress import Progress
from playahead.lab.compare.grid import open_grid
from playahead.lab.compare.runs import CODE, runs_of
from playahead.lab.results import code_of_training
from playahead.training.run import train


def main() -> None:
    """Train the first epochs, compare, note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid")
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--features", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(1)  # as in a grid's processes
    dataset = open_dataset(options.data, options.features)
    runs = [run for run in runs_of(open_grid(options.grid), options.runs) if run.config and run.weights.exists()]
    for name in dict.fromkeys(run.name for run in runs):
        if options.only and name not in options.only.split(","):
            continue
        of_variant = [run for run in runs if run.name == name]
        first = of_variant[0]
        assert first.config is not None
        steps = first.config.steps_per_epoch

        def stop(progress: Progress, steps: int = steps) -> None:
            if progress.done > steps:
                raise KeyboardInterrupt

        with TemporaryDirectory() as folder:
            with suppress(KeyboardInterrupt):
                train(dataset, first.config, Path(folder), show=stop)
            ours, theirs = (_first_epoch(place / "log.csv") for place in (Path(folder), first.folder))
        is_same = ours == theirs
        print(f"{name}: {'the same losses' if is_same else f'{ours} instead of {theirs}'}", flush=True)
        for run in of_variant if is_same else []:
            write_whole(run.folder / CODE, json.dumps(code_of_training(), indent=1))


def _first_epoch(log: Path) -> dict[str, str]:
    """Rate and losses of the first epoch, as the log writes them."""
    with log.open(newline="") as file:
        row = next(csv.DictReader(file))
    return {name: value for name, value in row.items() if name == "lr" or name.startswith("loss_")}


if __name__ == "__main__":
    main()
