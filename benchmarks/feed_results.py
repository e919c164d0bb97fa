"""Figures of docs/results.md on real matches: every run x decoding on one split, with intervals and paired differences.

    .venv/bin/python benchmarks/feed_results.py --data DATA --runs runs --split test --out runs/results-test.json

A run is a folder ``RECIPE-SEED`` of ``playahead train feed``. Readings are made once per run and kept in ``--out``'s
folder, so that a second call only scores runs that are new.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from playahead.allocator import keep_freed_memory
from playahead.decoding.decoder import decoder_of
from playahead.evaluation.bootstrap import Interval, mean_interval, paired_difference
from playahead.evaluation.exact import moments_of_frames, score_exactly
from playahead.evaluation.official import ThresholdCounts, average_precision
from playahead.learning.checkpoint import load_model
from playahead.learning.inference import join_readings
from playahead.learning.matches import FeedMatches
from playahead.sources.feed_tables import read_split

COMPARISONS: tuple[tuple["Key", "Key"], ...] = (
    (("feed", "marginal"), ("feed", "threshold")),
    (("feed", "marginal"), ("feed-static", "marginal")),
    (("feed", "threshold"), ("feed-static", "threshold")),
    (("feed", "marginal"), ("feed-dense", "marginal")),
)
Key = tuple[str, str]


def score_run(folder: Path, matches: FeedMatches) -> dict[str, dict]:
    """Counts by match and exact scores of each decoding that the run's weights carry."""
    model, about = load_model(folder / "weights.safetensors")
    readings = join_readings(matches.read(model))
    scored = {}
    for kind in about["decoders"]:  # type: ignore[union-attr]
        scores_ORV = decoder_of(about, kind).scores(readings)
        counts = matches.count_by_match(scores_ORV)
        exact = score_exactly(*moments_of_frames(matches.table(scores_ORV)))
        validation = about["validation"][kind]  # type: ignore[index]
        scored[kind] = {"counts": counts, "area": exact.average_area, "validation": validation}
    return scored


def summarise(runs: dict[Key, list[dict]]) -> dict[str, dict]:
    """Per configuration: each seed's figure, their mean with its interval, and the mean per tolerance and class."""
    rows = {}
    for (name, kind), seeds in sorted(runs.items()):
        counts = [s["counts"] for s in seeds]
        ap_SDC = np.stack([average_precision(sum(c[1:], start=c[0]))[0] for c in counts])
        rows[f"{name}, {kind}"] = {
            "seeds": [round(100 * float(ap.mean()), 2) for ap in ap_SDC],
            "mean": _percent(mean_interval(counts)),
            "by_tolerance": [round(100 * float(v), 1) for v in ap_SDC.mean(axis=(0, 2))],
            "by_class": [round(100 * float(v), 1) for v in ap_SDC.mean(axis=(0, 1))],
            "exact_area": [round(100 * s["area"], 2) for s in seeds],
            "validation": [round(s["validation"], 2) for s in seeds],
        }
    return rows


def compare(runs: dict[Key, list[dict]]) -> dict[str, list[float]]:
    """Mean over seeds of ours - theirs, matches drawn in pairs: [difference, low, high]."""
    return {
        f"{', '.join(ours)} - {', '.join(theirs)}": _percent(
            paired_difference([s["counts"] for s in runs[ours]], [s["counts"] for s in runs[theirs]])
        )
        for ours, theirs in COMPARISONS
        if ours in runs and theirs in runs
    }


def _percent(found: Interval) -> list[float]:
    return [round(100 * value, 2) for value in (found.value, found.low, found.high)]


def main() -> None:
    """Score, summarise, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--split", default="val")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    keep_freed_memory()
    matches = FeedMatches(read_split(options.data, options.split))
    runs: dict[Key, list[dict]] = defaultdict(list)
    for folder in sorted(options.runs.glob("*-[0-9]")):
        if (folder / "weights.safetensors").exists():
            for kind, scored in _cached(folder, matches, options.split).items():
                runs[folder.name.rsplit("-", 1)[0], kind].append(scored)
    document = {
        "split": options.split,
        "matches": len(matches.matches),
        "windows": len(matches),
        "configurations": summarise(runs),
        "paired_differences": compare(runs),
    }
    options.out.write_text(json.dumps(document, indent=1))
    print(json.dumps(document, indent=1))


def _cached(folder: Path, matches: FeedMatches, split: str) -> dict[str, dict]:
    """A run's scores, from ``counts-SPLIT-KIND.npz`` in its folder where they were made before."""
    kept = sorted(folder.glob(f"counts-{split}-*.npz"))
    if not kept:
        print(f"scoring {folder.name} on {split}", flush=True)
        for kind, scored in score_run(folder, matches).items():
            arrays = {
                name: np.stack([getattr(c, name) for c in scored["counts"]])
                for name in ("detections_GCH", "hits_GDCH", "events_GC")
            }
            path = folder / f"counts-{split}-{kind}.npz"
            figures = {figure: np.float64(scored[figure]) for figure in ("area", "validation")}
            np.savez_compressed(path, allow_pickle=False, **figures, **arrays)
        kept = sorted(folder.glob(f"counts-{split}-*.npz"))
    scored = {}
    for path in kept:
        with np.load(path) as saved:
            arrays = (saved["detections_GCH"], saved["hits_GDCH"], saved["events_GC"])
            counts = [ThresholdCounts(*match) for match in zip(*arrays, strict=True)]
            kind = path.stem.rsplit("-", 1)[1]
            scored[kind] = {"counts": counts, "area": float(saved["area"]), "validation": float(saved["validation"])}
    return scored


if __name__ == "__main__":
    main()
