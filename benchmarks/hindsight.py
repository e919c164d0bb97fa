"""What area rests on hindsight: python hindsight.py DATA WEIGHTS [WEIGHTS ...] [--split val].

Each model observes the split as it was recorded, then with one rule of ``features/hindsight.py`` at a time, then with
all. Labels stay as they are. Prints a table of exact areas. A second table has labels and spotters of rows without
hindsight, and of rows as they were recorded: real ones hold what their makers saw.
"""

import argparse
from functools import partial
from pathlib import Path

import torch

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.pasts import past_of
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import join_predictions
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.features.forms import Reading
from playahead.features.hindsight import RULES, seen_live
from playahead.inference.predictor import Predictor

_MADE_BY_OTHERS = ("labels only", "careful spotter", "greedy spotter")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--split", default="val")
    options = parser.parse_args()
    torch.set_num_threads(1)
    halves = FeedDataset(options.data).evaluation_set(options.split).halves
    seen = {"as recorded": (), **{rule: (rule,) for rule in RULES}, "all rules": RULES}
    models = [(path.parent.name, Predictor.open(path)) for path in options.weights]
    print(f"| rows | {' | '.join(name for name, _ in models)} |\n|---|{'---|' * len(models)}")
    for name, rules in seen.items():
        evaluation_set = FeedEvaluationSet(halves, options.split, partial(seen_live, rules=rules))
        areas = [f"{area(predictor, evaluation_set):.2f}" for _, predictor in models]
        print(f"| {name} | {' | '.join(areas)} |", flush=True)
    print("\n| model | past | without hindsight | as recorded |\n|---|---|---|---|")
    for model, predictor in models:
        for made_by in _MADE_BY_OTHERS:
            past = past_of(made_by)
            without = FeedEvaluationSet(halves, options.split, lambda half, past=past: past.observe(seen_live(half)))
            recorded = FeedEvaluationSet(halves, options.split, past.observe)
            cells = [f"{area(predictor, shown):.2f}" for shown in (without, recorded)]
            print(f"| {model} | {made_by} | {' | '.join(cells)} |", flush=True)


def area(predictor: Predictor, evaluation_set: FeedEvaluationSet) -> float:
    """Exact area, in percent, of what the set says is observed, whatever the model is shown otherwise."""
    reading = Reading(predictor.reading.form)
    predictions = [predictor.predict(windows) for windows in evaluation_set.batches(reading)]
    scores_ORV = Decoder().scores(join_predictions(predictions))
    detections = timed_events_of_frames(evaluation_set.table(scores_ORV))[1]
    return 100 * score_exactly(evaluation_set.timed_events(), detections).average_area


if __name__ == "__main__":
    main()
