"""The packaged model on single matches of other providers, beside baselines fitted on the training matches.

``python benchmarks/zero_shot.py DATA MATCH...`` prints the rows of each class, then the exact area and the official
figure of the model, of Markov renewal and of a constant rate on the same match, over the classes that its provider
reports. One match has no interval.
"""

import sys
from pathlib import Path

import numpy as np

from playahead.baselines.fit import BASELINES, fit_baseline
from playahead.datasets.dataset import FeedDataset, feed_evaluation_set
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.predictions import join_predictions
from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.evaluation.scores import score
from playahead.inference.predictor import Predictor
from playahead.sources.feeds import read_feed

LABELS = (*map(str, ACTIONS), *OBSERVED_TOKENS)


def predicted(baseline, found):
    """Predictions of a baseline on an evaluation set."""
    return join_predictions([baseline.predict(half, end) for half, end in zip(found.halves, found.end_ms, strict=True)])


def main(data: Path, matches: list[Path]) -> None:
    """Print a line for each match and system."""
    dataset, predictor = FeedDataset(data), Predictor.open()
    val, decoders = dataset.evaluation_set("val"), {}
    fitted = {name: fit_baseline(name, *dataset.training_halves()) for name in BASELINES}
    for name, baseline in fitted.items():
        decoders[name] = choose(Decoding(), predicted(baseline, val), val.table)
    for path in matches:
        halves = read_feed(path)
        counts = np.bincount(np.concatenate([half.code for half in halves]), minlength=len(LABELS))
        print(path.name, ", ".join(f"{label} {n:,}" for label, n in zip(LABELS, counts, strict=True) if n))
        found = feed_evaluation_set(path)
        systems = {"model": predictor.decoder().scores(predictor.predict_all(found))}
        systems |= {name: decoders[name].scores(predicted(fitted[name], found)) for name in BASELINES}
        for name, scores_ORV in systems.items():
            scored = score(scores_ORV, found.count_by_match)
            print(f"  {name}: area {scored.area:.2f}, official {scored.average:.2f}, {len(found.classes)} classes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
