"""How much of what true past labels tell does video tell, on simulated broadcasts? (docs/results.md)

    playahead data simulate --layout baa --video --width 224 --height 124 --matches 14 --minutes 25 --out sim \\
      --sequences DATA/train.npz
    playahead extract sim --out features --precision bfloat16
    benchmarks/simulated_gap.py --minutes 25 --matches 14 --sequences DATA/train.npz --data sim --features features \\
      --out runs/gap --seeds 0 1 2

On the same matches: the video model on stored features; the event-feed model on the true past labels alone, as the
benchmark has them, trained with its own endless windows; and the constant rate. Real sequences, or invented ones
without ``--sequences``, played out by a simulated camera: nothing here says anything about football.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from playahead.allocator import keep_freed_memory
from playahead.baselines.constant_rate import ConstantRate
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.decoder import decoder_of
from playahead.decoding.ensemble import average_readings
from playahead.decoding.readings import Readings
from playahead.domain.feed import UNKNOWN_POSITION, FeedHalf
from playahead.evaluation.exact import moments_of_frames, score_exactly
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import average_precision, benchmark_average, count_detections
from playahead.features.store import FeatureStore
from playahead.learning.checkpoint import load_model
from playahead.learning.engine import TrainConfig
from playahead.learning.inference import join_readings
from playahead.learning.matches import FeedMatches, Matches, RecordedMatches
from playahead.recipes import recipe
from playahead.verbs.recordings import recordings_of
from playahead.verbs.simulate import invented, real_plays
from playahead.verbs.train import run_feed, run_video
from playahead.windows.dataset import FeedWindows


def figures(table: FrameTable) -> dict[str, object]:
    """Official average, exact area and average per tolerance, in percent."""
    counts = count_detections(table)
    return {
        "official": round(100 * benchmark_average(counts), 2),
        "area": round(100 * score_exactly(*moments_of_frames(table)).average_area, 2),
        "by_tolerance": [round(100 * float(v), 1) for v in average_precision(counts)[0].mean(axis=1)],
    }


def score(weights: Path, matches: Matches) -> dict[str, object]:
    """Of a trained model, marginal decoding, on matches that it has not seen."""
    model, about = load_model(weights)
    return figures(matches.table(decoder_of(about, "marginal").scores(join_readings(matches.read(model)))))


def score_together(weights: Sequence[Path], validation: Matches, test: Matches) -> dict[str, object]:
    """Of several models read as one; the score scale is chosen on validation."""
    models = [load_model(path)[0] for path in weights]

    def read(matches: Matches) -> Readings:
        return average_readings([join_readings(matches.read(model)) for model in models])

    decoder = choose(Decoding(), read(validation), validation.table)
    return figures(test.table(decoder.scores(read(test))))


def labels_of(half: FeedHalf) -> FeedHalf:
    """What a label file says of a half: the ten actions, when they happen, and nothing of where."""
    kept = half.is_target
    n = int(kept.sum())
    unknown = np.full(n, UNKNOWN_POSITION, np.uint8)
    zeros = np.zeros(n, np.uint8)
    told = {"t_ms": half.t_ms[kept], "code": half.code[kept], "team": half.team[kept]}
    return replace(half, **told, x=unknown, y=unknown, setpiece=zeros, delay_ms=zeros.astype(np.uint16))


def constant_rate(training: FeedMatches, validation: FeedMatches, test: FeedMatches) -> dict[str, object]:
    """Every class at its mean rate, at every moment."""
    rate = ConstantRate(training.halves, sum(int(half.t_ms[-1]) for half in training.halves))

    def read(matches: FeedMatches) -> Readings:
        return join_readings([rate.read(half, ends) for half, ends in zip(matches.halves, matches.end_ms, strict=True)])

    decoder = choose(Decoding(), read(validation), validation.table)
    return figures(test.table(decoder.scores(read(test))))


def played_halves(options: argparse.Namespace) -> dict[str, list[FeedHalf]]:
    """The halves of each split, as ``data simulate`` has filmed them; the challenge's are left out."""
    seed, count, minutes = options.seed, options.matches, options.minutes
    played = (
        real_plays(options.sequences, count, minutes, 2) if options.sequences else invented(seed, count, minutes, 2)
    )
    parts = {"train": played[:-3], "valid": played[-3:-2], "test": played[-2:-1]}
    return {split: [half for match in chosen for half in match] for split, chosen in parts.items()}


def main() -> None:
    """Train and score everything; a run that is there is not trained again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "features", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--matches", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0, help="of the simulation")
    parser.add_argument("--sequences", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    keep_freed_memory()
    halves = played_halves(options)
    found: dict[str, object] = {"constant rate": constant_rate(*(FeedMatches(halves[split]) for split in halves))}
    store = FeatureStore(options.features)
    video = {split: recordings_of(store, options.data / split) for split in halves}
    for seed in options.seeds:
        config: TrainConfig = replace(recipe("video-small", TrainConfig), seed=seed)
        weights = run_video(config, store, video["train"], video["valid"], options.out / f"video-{seed}")
        found[f"video, seed {seed}"] = score(weights, RecordedMatches(video["test"]))
        config = replace(recipe("feed", TrainConfig), seed=seed, epochs=12, steps_per_epoch=150, validate_every=3)
        known = {split: [labels_of(half) for half in chosen] for split, chosen in halves.items()}
        windows = FeedWindows(known["train"], config.observations)
        weights = run_feed(config, windows, FeedMatches(known["valid"]), 1, options.out / f"labels-{seed}")
        found[f"labels, seed {seed}"] = score(weights, FeedMatches(known["test"]))
    together = [options.out / f"video-{seed}" / "weights.safetensors" for seed in options.seeds]
    matches = [RecordedMatches(video[split]) for split in ("valid", "test")]
    found[f"video, {len(together)} seeds together"] = score_together(together, *matches)
    (options.out / "gap.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1), flush=True)


if __name__ == "__main__":
    main()
