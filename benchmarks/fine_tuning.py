"""What do a few matches of one's own league bring? python fine_tuning.py DATA LEAGUE OUT [--seeds 3].

DATA is a folder of the benchmark's tables, LEAGUE France, Germany, Spain or Italy. A model is trained on every
league but LEAGUE, then on 5, 20 and 80 matches of LEAGUE (``train feed --start``), and as long on these alone; a fifth
of them chooses checkpoint and decoding. Scored on 40 other matches of LEAGUE: as they are, and as a provider would tell
them whose drives are only those of 5 m or more. Runs of today's code that OUT holds are not trained again;
OUT/results.json has all.
"""

import argparse
import hashlib
import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.decoding.decoder import Decoder
from playahead.domain.actions import Action
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.inference.predictor import Predictor
from playahead.io.files import file_digest
from playahead.lab.recipes import recipe
from playahead.lab.results import markdown_table, training_key
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.training.run import train

FIRST_MATCH = {"France": 2500686, "Germany": 2516739, "Spain": 2565548, "Italy": 2575959}
SIZES, TESTED = (5, 20, 80), 40
LENGTH_M, WIDTH_M, LONG_M = 105, 68, 5
BASE = {"epochs": 10, "validate_every": 10}
ALONE = {"epochs": 2, "validate_every": 1}
TUNED = {"epochs": 8, "steps_per_epoch": 25, "validate_every": 1}
TUNED_LR = 3e-4


def main() -> None:
    """Train, score, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("league", choices=list(FIRST_MATCH))
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    of_league = matches_of(read_feed_table(options.data / "train.npz"), options.league)
    theirs = sorted({half.match for half in of_league})
    order = np.random.default_rng(0).permutation(theirs).tolist()
    tested, pool = set(order[:TESTED]), order[TESTED:]
    results: list[dict] = []
    for seed in range(options.seeds):
        start = trained_without(options.league, options.data, options.out, seed)
        for drives, change in (("as they are", None), (f"{LONG_M} m or longer", _long_drives)):
            halves = [change(half) if change else half for half in of_league]
            test = FeedEvaluationSet([half for half in halves if half.match in tested], "test")
            rows = [("none", "other leagues", start)]
            for size in SIZES:
                chosen = pool[:size]
                kept = set(chosen[: max(size // 5, 1)])  # they choose checkpoint and decoding
                data = _write(
                    options.out / "tables" / f"{options.league}-{size}-{'long' if change else 'all'}",
                    [half for half in halves if half.match in set(chosen) - kept],
                    [half for half in halves if half.match in kept],
                )
                for name, settings, begin in (("fine-tuned", TUNED, start), ("these alone", ALONE, None)):
                    out = options.out / f"{name.split()[0]}-{data.name}-{seed}"
                    rows.append((str(size), name, train_briefly(FeedDataset(data), out, seed, settings, begin)))
            for size, name, weights in rows:
                area, drive = _score(weights, test)
                results.append({"drives": drives, "matches": size, "trained": name, "seed": seed})
                results[-1] |= {"area": round(area, 3), "drive": round(drive, 3)}
                print(json.dumps(results[-1]), file=sys.stderr, flush=True)
                (options.out / "results.json").write_text(json.dumps(results, indent=1))
    head = ("drives", "own matches", "trained on", f"exact area ({options.seeds} seeds)", "of DRIVE")
    rows = []
    for key in dict.fromkeys((row["drives"], row["matches"], row["trained"]) for row in results):
        of = [row for row in results if (row["drives"], row["matches"], row["trained"]) == key]
        areas, drive = [row["area"] for row in of], np.mean([row["drive"] for row in of])
        listed = ", ".join(f"{area:.2f}" for area in areas)
        rows.append((*key, f"{np.mean(areas):.2f} ({listed})", f"{drive:.2f}"))
    print(markdown_table(head, rows), end="")


def matches_of(halves: Sequence[FeedHalf], league: str, others: bool = False) -> list[FeedHalf]:
    """Halves of a league, or of all others; a league's matches are numbered consecutively in the public events."""
    first = FIRST_MATCH[league]
    last = min((other for other in FIRST_MATCH.values() if other > first), default=np.inf)
    return [half for half in halves if (first <= half.match < last) != others]


def trained_without(league: str, data: Path, out: Path, seed: int, settings: dict = BASE) -> Path:
    """Weights of a short training on every league but one."""
    train_halves, val_halves = (
        matches_of(read_feed_table(data / f"{split}.npz"), league, others=True) for split in ("train", "val")
    )
    tables = _write(out / "tables" / f"without-{league}", train_halves, val_halves)
    return train_briefly(FeedDataset(tables), out / f"without-{league}-{seed}", seed, settings)


def train_briefly(dataset: FeedDataset, out: Path, seed: int, settings: dict, start: Path | None = None) -> Path:
    """Weights of the recipe ``feed`` in float32 with other settings.

    A folder beside ``out`` keeps them, for this code of training and of the dataset, these settings and these data.
    """
    made_by = [training_key(), file_digest(Path(inspect.getfile(type(dataset)))), start and file_digest(start)]
    key = hashlib.sha256(repr([*made_by, settings, dataset.digest("train", "val")]).encode()).hexdigest()[:8]
    weights = out.with_name(f"{out.name}-{key}") / "weights.safetensors"
    if not weights.exists():
        made = recipe("feed")
        optim = replace(made.optim, warmup_epochs=0.5, lr=made.optim.lr if start is None else TUNED_LR)
        made = replace(made, optim=optim, seed=seed, device="cpu", precision="32-true", **settings)
        train(dataset, made, weights.parent, start)
    return weights


def _long_drives(half: FeedHalf) -> FeedHalf:
    """The half without drives that end less than 5 m from where they began: at the next row of known place."""
    # Each row's place beside the next row's, which is mirrored if the other team acts there.
    xy_m = np.stack([half.x / 100 * LENGTH_M, half.y / 100 * WIDTH_M], axis=1)
    next_m = np.where((half.team[1:] == half.team[:-1])[:, None], xy_m[1:], np.array([LENGTH_M, WIDTH_M]) - xy_m[1:])
    known = (half.x != UNKNOWN) & (half.y != UNKNOWN)
    length_m = np.zeros(len(half))
    length_m[:-1] = np.where(known[:-1] & known[1:], np.hypot(*(next_m - xy_m[:-1]).T), 0)
    return half.take((half.code != Action.DRIVE.class_index) | (length_m >= LONG_M))


def _write(folder: Path, train_halves: list[FeedHalf], val_halves: list[FeedHalf]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_feed_table(folder / "train.npz", train_halves)
    write_feed_table(folder / "val.npz", val_halves)
    return folder


def _score(weights: Path, test: FeedEvaluationSet) -> tuple[float, float]:
    """Exact area, and that of DRIVE."""
    scores_ORV = Decoder().scores(Predictor.open(weights).predict_all(test))
    exact = score_exactly(test.timed_events(), timed_events_of_frames(test.table(scores_ORV))[1])
    return 100 * exact.average_area, 100 * float(exact.area_DC.mean(axis=0)[Action.DRIVE.class_index])


if __name__ == "__main__":
    main()
