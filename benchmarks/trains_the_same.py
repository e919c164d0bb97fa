"""Does today's code train as the code before did? python trains_the_same.py BEFORE FEED VIDEO FEATURES.

What other code has trained is stale, though that code may differ in what its runs never use. This trains the first
steps of every variant of both tables of claims, and of FAANTRA from frames, with both codes, and compares the weights,
to the bit. Where all of a table's are equal, its file notes today's code of training; what scores and compares stays
stale if it has changed.

BEFORE is a checkout of the code before, with the figures' own digests. FEED is a folder of feed tables (small ones do),
VIDEO and FEATURES labelled videos and their features.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from playahead.datasets.dataset import open_dataset
from playahead.io.files import file_digest, write_whole
from playahead.io.progress import Progress
from playahead.lab.compare.grid import open_grid
from playahead.lab.faantra.end_to_end import EndToEndConfig, train_frames
from playahead.lab.recipes import recipe
from playahead.lab.results import TABLES, changed_since, code_in_use
from playahead.training.run import train

ROOT = Path(__file__).parents[1]
STEPS = 6
SHORT: dict[str, Any] = {
    "epochs": 1,
    "steps_per_epoch": STEPS,
    "validate_every": 1,
    "precision": "32-true",
    "device": "cpu",
}
GRIDS = {"claims-feed": "claims", "claims-video": "claims_video"}
FRAMES = "faantra-frames"
SCORES = ("decoding/", "evaluation/", "inference/", "lab/compare/", "benchmarks/")
"""Code that six steps of training do not try."""


def main() -> None:
    """Train with both codes, compare, note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("before", "feed", "video", "features"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--print", choices=[*GRIDS, FRAMES], help="train with the code that runs, and print digests")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.print:
        print(json.dumps({"runs": dict(_runs(options)), "code": code_in_use()}))
        return
    if not (options.before / "src" / "playahead").is_dir():
        parser.error(f"{options.before} is no checkout: it has no src/playahead")
    for name in (*GRIDS, FRAMES):
        if not changed_since(_noted(name)[2]):
            continue
        before, today = (_trained_with(tree, name) for tree in (options.before, ROOT))
        for run, digest in today["runs"].items():
            print(f"{name}, {run}: {'the same weights' if before['runs'].get(run) == digest else 'other weights'}")
        if before["runs"] == today["runs"]:
            path, written, noted = _noted(name)
            # Only what trains, and only if the table was made by the code before; and files that were not there then.
            noted |= {
                file: digest
                for file, digest in today["code"].items()
                if not file.startswith(SCORES) and before["code"].get(file) == noted.get(file)
            }
            write_whole(path, json.dumps(written, indent=1) + "\n")


def _noted(name: str) -> tuple[Path, dict, dict[str, str]]:
    """A table's file, what it holds, and of that the digests of code."""
    path = ROOT / "results" / (f"{name}.json" if name in GRIDS else TABLES)
    written = json.loads(path.read_text())
    return path, written, written["code"] if name in GRIDS else written[f"{name}.md"]["code"]


def _runs(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Digest of each variant's weights after the first steps."""
    if options.print == FRAMES:
        config = replace(recipe("faantra-frames", EndToEndConfig), **SHORT, batch=2, average_decay=0.9)
        yield FRAMES, _digest(partial(train_frames, options.video, config))
        return
    is_feed = options.print == "claims-feed"
    dataset = open_dataset(options.feed) if is_feed else open_dataset(options.video, options.features)
    for name, variant in open_grid(str(ROOT / "benchmarks" / f"{GRIDS[options.print]}.yaml")).variants.items():
        assert variant.config is not None  # no variant of these is trained elsewhere
        config = replace(variant.config, **SHORT, seed=0, sequences=1)
        yield name, _digest(partial(train, dataset, config, validation_matches=1))


def _digest(trained: Callable[..., object]) -> str:
    def stop(progress: Progress) -> None:
        if progress.unit == "steps" and progress.done == STEPS:
            raise KeyboardInterrupt  # the choice of a decoding that would follow takes longer than all before it

    with TemporaryDirectory() as folder:
        with suppress(KeyboardInterrupt):
            trained(Path(folder), show=stop)
        return file_digest(Path(folder) / "last.safetensors")


def _trained_with(tree: Path, name: str) -> dict:
    words = [sys.executable, "-W", "ignore", __file__, *sys.argv[1:], "--print", name]
    environment = os.environ | {"PYTHONPATH": str(tree.absolute() / "src")}
    return json.loads(subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
