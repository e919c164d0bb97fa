"""How much does one more labelled match on video bring? python learning_curve.py OUT [--real-plays DATA/train.npz].

Simulates broadcasts of 10 minutes, extracts their features with the packaged backbone, trains recipe ``video-small``
on 1, 4 and 16 of them with three seeds, and scores the same held-out broadcasts (exact area; official). Beside it: the
constant rate. Simulated video: the shape of the curve may carry over to real matches, its figures do not.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from playahead.datasets.dataset import VideoDataset
from playahead.features.extract import ExtractConfig, extract
from playahead.inference.evaluate import evaluate
from playahead.inference.predictor import Predictor
from playahead.io.runtime import keep_freed_memory
from playahead.lab.compare.compare import score_baseline
from playahead.lab.recipes import recipe
from playahead.lab.simulation.simulate import SimulationConfig, simulate
from playahead.training.run import train

SIZES, MINUTES, TESTED = (1, 4, 16), 10.0, 4


def main() -> None:
    """Simulate, extract, train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--real-plays", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    make_dataset(options.out, options.real_plays, {"train": max(SIZES), "valid": 1, "test": TESTED})
    results: list[dict] = []
    for size in SIZES:
        data = options.out / f"of-{size}"
        for split in ("train", "valid", "test"):
            chosen = sorted(path for path in (options.out / "sim" / split).iterdir() if path.is_dir())
            for match in chosen[:size] if split == "train" else chosen:
                if not (data / split / match.name).exists():
                    shutil.copytree(match, data / split / match.name, copy_function=os.link)
        dataset = VideoDataset(data, options.out / "features")
        for seed in range(options.seeds):
            config = replace(recipe("video-small"), epochs=6, validate_every=2, seed=seed, precision="32-true")
            out = options.out / f"run-{size}-{seed}"
            weights = out / "weights.safetensors"
            if not weights.exists():
                train(dataset, config, out)
            found = evaluate(Predictor.open(weights, device="cpu"), dataset.evaluation_set("test")).by_match
            assert found is not None
            results.append({"matches": size, "seed": seed, "area": found.area, "official": found.average})
            print(json.dumps(results[-1]), file=sys.stderr, flush=True)
        constant = score_baseline("constant-rate", dataset, "test")["marginal"]
        results.append({"matches": size, "seed": "constant rate", "area": constant.area, "official": constant.average})
        (options.out / "results.json").write_text(json.dumps(results, indent=1))
    lines = [
        f"| simulated matches of 10 minutes | exact area, seeds: {options.seeds} | official | constant rate |",
        "|---|---|---|---|",
    ]
    for size in SIZES:
        of = [row for row in results if row["matches"] == size]
        areas = [row["area"] for row in of if row["seed"] != "constant rate"]
        official = np.mean([row["official"] for row in of if row["seed"] != "constant rate"])
        (constant,) = (row["area"] for row in of if row["seed"] == "constant rate")
        listed = ", ".join(f"{area:.2f}" for area in areas)
        lines.append(f"| {size} | {np.mean(areas):.2f} ({listed}) | {official:.2f} | {constant:.2f} |")
    (options.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def make_dataset(
    out: Path, real_plays: Path | None, matches: Mapping[str, int], config: ExtractConfig | None = None
) -> None:
    """Simulated matches of 10 minutes in ``out/sim``, so many in each split, and their features in ``out/features``.

    A simulation has one match of valid and one of test: the others are moved there from its train. Called again, it
    leaves what is made.
    """
    if (out / "dataset-made").exists():
        return
    sizes = {"minutes": MINUTES, "width": 224, "height": 124, "halves": 1}
    simulated = SimulationConfig(
        layout="bas", video=True, real_plays=real_plays, matches=sum(matches.values()) + 1, **sizes
    )
    simulate(out / "sim", simulated)
    extract(out / "sim", out / "features", config or ExtractConfig())
    spare = sorted(path for path in (out / "sim" / "train").iterdir() if path.is_dir())[matches["train"] :]
    for split in ("valid", "test"):
        for match in [spare.pop() for _ in range(matches[split] - 1)]:
            match.rename(out / "sim" / split / match.name)
            stored = out / "features" / "videos" / "train" / match.name
            (out / "features" / "videos" / split).mkdir(exist_ok=True)
            stored.rename(out / "features" / "videos" / split / match.name)
    (out / "dataset-made").touch()


if __name__ == "__main__":
    main()
