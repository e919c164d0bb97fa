"""Calibrate the confidences of weights: ``python benchmarks/calibrate.py DATA [WEIGHTS]`` (two minutes for 40 matches).

Training does this at its end (``training/run.py``). Older weights carry no map, or no bounds for what is shown of each
class, or no map of chances. This fits them for their marginal decoding on the ``val`` split of a folder of feed tables,
and rewrites the description in the file's header. Tensors stay as they are, and so does every score. Without WEIGHTS,
it is the packaged event-feed model. Prints what is shown of each class: from which confidence on, what was said on
average, and how often such an action came near.
"""

import sys
from pathlib import Path

import numpy as np

from playahead import Predictor
from playahead.datasets.dataset import FeedDataset
from playahead.decoding.chances import fit_chances
from playahead.decoding.choosing import calibrate
from playahead.domain.actions import ACTIONS
from playahead.evaluation.reliability import came_near, rows_of
from playahead.io.files import packaged_weights
from playahead.io.tensors import read_tensors, write_tensors


def main(data: Path, weights: Path) -> None:
    """Fit the maps and write them into the file."""
    val, predictor = FeedDataset(data).evaluation_set("val"), Predictor.open(weights)
    predictions, events = predictor.predict_all(val), val.timed_events()
    tensors, about = read_tensors(weights)
    decoder = calibrate(predictor.decoder(), predictions, val.table, events)
    about["decoders"]["marginal"] = decoder.as_dict()
    about["chances"] = fit_chances(predictions.intensity(), events)
    write_tensors(weights, tensors, about)
    assert decoder.shown is not None
    rows = rows_of(val.table(decoder.probabilities(predictions)).scores_NRV[:, :, 1:], events)
    near, said = came_near(events, rows), np.asarray(rows.score)
    print("| class | shown from | times the usual | said | came |\n|---|---|---|---|---|")
    for c, (least, usual) in enumerate(zip(decoder.shown.min_C, decoder.shown.usual_C, strict=True)):
        shown = (rows.class_index == c) & (said >= least)
        figures = (
            f"{least:.3f}",
            f"{least / usual:.1f}",
            f"{said[shown].mean():.3f}",
            f"{near[shown].mean():.3f}",
        )
        print(f"| {ACTIONS[c]} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else packaged_weights())
