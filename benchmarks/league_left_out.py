"""Does a model of feeds memorise teams? python league_left_out.py DATA LEAGUE OUT [--epochs 5].

DATA is a folder of the benchmark's tables. Trains recipe ``now`` with
three seeds with all leagues and without one, and scores both on val: on that league's matches and on the others.
If the model knew its teams, leaving their league out would cost more there than elsewhere.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from fine_tuning import FIRST_MATCH, matches_of  # type: ignore[missing-import]

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.decoding.decoder import Decoder
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.inference.predictor import Predictor
from playahead.lab.recipes import recipe
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.training.run import train


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("league", choices=list(FIRST_MATCH))
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val", "test"):
        halves = read_feed_table(options.data / f"{split}.npz")
        kept = matches_of(halves, options.league, others=True) if split == "train" else halves
        write_feed_table(folder / f"{split}.npz", kept)
    val = FeedDataset(options.data).evaluation_set("val").halves
    theirs = {half.match for half in matches_of(val, options.league)}
    sets = {
        options.league: FeedEvaluationSet([half for half in val if half.match in theirs], "val"),
        "others": FeedEvaluationSet([half for half in val if half.match not in theirs], "val"),
    }
    print(f"{len(theirs)} of {len({half.match for half in val})} matches of val are of {options.league}")
    print(f"| trained | seed | {' | '.join(sets)} |\n|---|---|---|---|")
    for name, data in (("all leagues", options.data), (f"without {options.league}", folder)):
        areas = []
        for seed in range(options.seeds):
            config = replace(recipe("now"), epochs=options.epochs, seed=seed, device="cpu")
            out = options.out / f"{name.split()[0]}-{seed}"
            weights = out / "weights.safetensors"
            if not weights.exists():
                train(FeedDataset(data), config, out)
            areas.append([_area(weights, of_league) for of_league in sets.values()])
            print(f"| {name} | {seed} | {areas[-1][0]:.2f} | {areas[-1][1]:.2f} |", flush=True)
        mean, spread = np.mean(areas, axis=0), np.std(areas, axis=0)
        print(f"| {name} | mean | {mean[0]:.2f} ± {spread[0]:.2f} | {mean[1]:.2f} ± {spread[1]:.2f} |", flush=True)


def _area(weights: Path, evaluation_set: FeedEvaluationSet) -> float:
    scores_ORV = Decoder().scores(Predictor.open(weights).predict_all(evaluation_set))
    detections = timed_events_of_frames(evaluation_set.table(scores_ORV))[1]
    return 100 * score_exactly(evaluation_set.timed_events(), detections).average_area


if __name__ == "__main__":
    main()
