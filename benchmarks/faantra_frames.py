"""FAANTRA end to end from frames, three seeds, on the broadcasts of claims_video.py: python faantra_frames.py MADE OUT.

MADE is the folder that ``claims_video.py`` made. Recipe ``faantra-frames`` trains one network from gray frames of 160 x
96 to anticipations, from random weights; it is scored on the same examples as that grid. A run of today's code that
OUT holds is not trained again, and one that was killed goes on. Never football results.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from playahead.datasets.dataset import VideoDataset
from playahead.evaluation.scores import AREA, Interval, Scores, mean_interval
from playahead.inference.evaluate import evaluate
from playahead.io.runtime import keep_freed_memory
from playahead.lab.compare.compare import score_baseline
from playahead.lab.faantra.end_to_end import EndToEndConfig, open_for_video, train_frames
from playahead.lab.recipes import recipe
from playahead.lab.results import markdown_table, training_key

SEEDS = 3
BUDGET = {"epochs": 4, "steps_per_epoch": 125, "batch": 4, "validate_every": 4, "average_decay": 0.99}


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("made", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    scored = []
    for seed in range(SEEDS):
        weights = options.out / f"{seed}-{training_key()}" / "weights.safetensors"
        config = replace(recipe("faantra-frames", EndToEndConfig), **BUDGET, seed=seed)
        if not weights.exists():
            train_frames(options.made / "sim", config, weights.parent, options.out / "frames")
        found = evaluate(*open_for_video(options.made / "sim" / "test", weights, device="cpu")).by_match
        assert found is not None
        scored.append(found)
        print(f"seed {seed}: area {found.area:.2f}, official {found.average:.2f}", file=sys.stderr, flush=True)
    constant = score_baseline("constant-rate", VideoDataset(options.made / "sim", options.made / "features"), "test")
    rows = [
        (name, str(examples), ", ".join(f"{scores.area:.2f}" for scores in of), *_figures(of))
        for name, examples, of in (
            ("FAANTRA from frames", f"{BUDGET['epochs'] * BUDGET['steps_per_epoch'] * BUDGET['batch']:,}", scored),
            ("constant rate", "", [constant["marginal"]]),
        )
    ]
    head = ("simulated video", "examples a run", "seeds", "exact area [resampled]", "official [resampled]")
    print(markdown_table(head, rows), end="")


def _figures(scored: Sequence[Scores]) -> tuple[str, str]:
    area = mean_interval([scores.resampled_area for scores in scored], AREA)
    return _worded(area), _worded(mean_interval([scores.resampled for scores in scored]))


def _worded(figure: Interval) -> str:
    return f"{100 * figure.value:.2f} [{100 * figure.low:.2f}, {100 * figure.high:.2f}]"


if __name__ == "__main__":
    main()
