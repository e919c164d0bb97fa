"""How close does video come to true past labels, on simulated broadcasts? (docs/measurements.md)

    playahead data simulate --layout baa --video --width 224 --height 124 --matches 14 --minutes 25 --out sim \\
      --real-plays DATA/train.npz
    playahead extract sim --out features --precision bfloat16
    benchmarks/simulated_gap.py --minutes 25 --matches 14 --real-plays DATA/train.npz --data sim --features features \\
      --out runs/gap --seeds 0 1 2

On the same matches: the video model on stored features; the event-feed model on the true past labels alone, as the
benchmark has them; and the constant rate. Real sequences, or invented ones
without ``--real-plays``, played out by a simulated camera: no figure here is about football.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from playahead.datasets.dataset import FeedDataset, VideoDataset
from playahead.decoding.choosing import Decoding
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.evaluation.scores import Scores
from playahead.io.runtime import keep_freed_memory
from playahead.lab.compare.compare import score_baseline
from playahead.lab.compare.runs import Members
from playahead.lab.recipes import recipe
from playahead.lab.simulation.simulate import SimulationConfig, play
from playahead.sources.feed_tables import write_feed_table
from playahead.training.run import train


def labels_of(half: FeedHalf) -> FeedHalf:
    """What a label file says of a half: the ten actions, when they happen, and nothing of where."""
    chosen = half.is_target
    n = int(chosen.sum())
    unknown, zeros = np.full(n, UNKNOWN, np.uint8), np.zeros(n, np.uint8)
    known = {"t_ms": half.t_ms[chosen], "code": half.code[chosen], "team": half.team[chosen]}
    return replace(half, **known, x=unknown, y=unknown, setpiece=zeros, delay_ms=zeros.astype(np.uint16))


def write_labels(options: argparse.Namespace) -> FeedDataset:
    """The labels of the halves that ``data simulate`` has rendered, as feed tables; the challenge's are left out."""
    config = SimulationConfig(
        seed=options.seed, matches=options.matches, minutes=options.minutes, real_plays=options.real_plays
    )
    played = play(config)
    folder = options.out / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    for split, matches in {"train": played[:-3], "val": played[-3:-2], "test": played[-2:-1]}.items():
        write_feed_table(folder / f"{split}.npz", [labels_of(half) for match in matches for half in match])
    return FeedDataset(folder)


def figures(scores: Scores) -> dict[str, object]:
    """Official average, exact area and average per tolerance, in percent."""
    by_tolerance = [round(float(value), 1) for value in scores.precision_DC.mean(axis=1)]
    return {"official": round(scores.average, 2), "area": round(scores.area, 2), "by_tolerance": by_tolerance}


def main() -> None:
    """Train and score everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "features", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--matches", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0, help="of the simulation")
    parser.add_argument("--real-plays", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    keep_freed_memory()
    labels, video = write_labels(options), VideoDataset(options.data, options.features)
    rows: dict[str, object] = {"constant rate": figures(score_baseline("constant-rate", labels, "test")["marginal"])}
    weights = []
    for seed in options.seeds:
        config = replace(recipe("video-small"), seed=seed)
        weights.append(train(video, config, options.out / f"video-{seed}", validation_matches=1).weights)
        rows[f"video, seed {seed}"] = figures(Members([weights[-1]], video).score(Decoding(), "test"))
        config = replace(recipe("feed"), seed=seed, epochs=12, steps_per_epoch=150, validate_every=3)
        of_labels = train(labels, config, options.out / f"labels-{seed}", validation_matches=1).weights
        rows[f"labels, seed {seed}"] = figures(Members([of_labels], labels).score(Decoding(), "test"))
    rows[f"video, {len(weights)} seeds together"] = figures(Members(weights, video).score(Decoding(), "test"))
    (options.out / "gap.json").write_text(json.dumps(rows, indent=1))
    print(json.dumps(rows, indent=1), flush=True)


if __name__ == "__main__":
    main()
