"""How much of what true past labels tell does video tell, on simulated broadcasts? (docs/results.md)

    playahead data simulate --layout baa --video --width 224 --height 124 --matches 8 --minutes 25 --out sim
    playahead extract sim --out features
    benchmarks/simulated_gap.py --minutes 25 --matches 8 --data sim --features features --out runs/gap --seeds 0 1 2

On the same matches: the video model on stored features; the event-feed model on every past row with its place, trained
with its own endless windows; the same with the labels alone, as the benchmark has them; and the constant rate. Nothing
here says anything about football.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from playahead.allocator import keep_freed_memory
from playahead.decoding.calibrate import choose_score_scale
from playahead.decoding.decoder import decoder_of
from playahead.decoding.marginal import decode_marginal
from playahead.domain.feed import UNKNOWN_POSITION, FeedHalf
from playahead.domain.grid import RASTER_FRAMES
from playahead.evaluation.exact import moments_of_frames, score_exactly
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import average_precision, benchmark_average, count_detections
from playahead.features.store import FeatureStore
from playahead.learning.checkpoint import load_model
from playahead.learning.engine import TrainConfig
from playahead.learning.inference import join_readings
from playahead.learning.matches import FeedMatches, Matches, RecordedMatches
from playahead.recipes import recipe
from playahead.sources.simulation.plays import simulate_half
from playahead.verbs.recordings import recordings_of
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
    """Of several models whose intensities are averaged; the score scale is chosen on validation."""
    models = [load_model(path)[0] for path in weights]

    def table(matches: Matches) -> FrameTable:
        intensity = np.mean([join_readings(matches.read(model)).intensity() for model in models], axis=0)
        return matches.table(decode_marginal(intensity))

    scale, unscaled = choose_score_scale(table(validation)), table(test)
    return figures(FrameTable(unscaled.labels_NR, unscaled.visibility_NR, scale(unscaled.scores_NRV)))


def without_places(half: FeedHalf) -> FeedHalf:
    """What a label file says of a half."""
    unknown = np.full(len(half), UNKNOWN_POSITION, np.uint8)
    return replace(half, x=unknown, y=unknown)


def constant_rate(training: FeedMatches, validation: FeedMatches, test: FeedMatches) -> dict[str, object]:
    """Every class at its mean rate, at every moment."""
    counts_C = sum(np.bincount(half.code[half.is_target], minlength=10)[:10] for half in training.halves)
    rate_C = counts_C / sum(half.t_ms[-1] for half in training.halves) * 160

    def table(matches: FeedMatches) -> FrameTable:
        intensity = np.broadcast_to(rate_C, (len(matches), RASTER_FRAMES, 10)).astype(np.float32)
        return matches.table(decode_marginal(intensity))

    scale = choose_score_scale(table(validation))
    unscaled = table(test)
    return figures(FrameTable(unscaled.labels_NR, unscaled.visibility_NR, scale(unscaled.scores_NRV)))


def main() -> None:
    """Train and score everything; a run that is there is not trained again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "features", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--matches", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--simulation_seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    keep_freed_memory()
    last = options.matches
    played = {"train": range(1, last - 2), "valid": [last - 2], "test": [last - 1]}
    halves = {
        split: [simulate_half(options.simulation_seed, m, h, options.minutes) for m in chosen for h in (1, 2)]
        for split, chosen in played.items()
    }
    found: dict[str, object] = {"constant rate": constant_rate(*(FeedMatches(halves[split]) for split in halves))}
    store = FeatureStore(options.features)
    video = {split: recordings_of(store, options.data / split) for split in halves}
    for seed in options.seeds:
        config: TrainConfig = replace(recipe("video-small", TrainConfig), seed=seed)
        weights = run_video(config, store, video["train"], video["valid"], options.out / f"video-{seed}")
        found[f"video, seed {seed}"] = score(weights, RecordedMatches(video["test"]))
        config = replace(recipe("feed", TrainConfig), seed=seed, epochs=12, steps_per_epoch=150, validate_every=3)
        for name, seen in (("labels", without_places), ("labels and places", lambda half: half)):
            known = {split: [seen(half) for half in chosen] for split, chosen in halves.items()}
            windows = FeedWindows(known["train"], config.observations)
            out = options.out / f"{name.replace(' ', '-')}-{seed}"
            weights = run_feed(config, windows, FeedMatches(known["valid"]), 1, out)
            found[f"{name}, seed {seed}"] = score(weights, FeedMatches(known["test"]))
    together = [options.out / f"video-{seed}" / "weights.safetensors" for seed in options.seeds]
    matches = [RecordedMatches(video[split]) for split in ("valid", "test")]
    found[f"video, {len(together)} seeds together"] = score_together(together, *matches)
    (options.out / "gap.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1), flush=True)


if __name__ == "__main__":
    main()
