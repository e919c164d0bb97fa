"""Calibrate the confidences of weights: ``python benchmarks/calibrate.py DATA [WEIGHTS]`` (two minutes for 40 matches).

Training does this at its end (``training/run.py``). Older weights carry no map, or no bounds for what is shown of each
class, or no map of chances. This fits them for their marginal decoding on the ``val`` split of a folder of feed tables,
and rewrites the description in the file's header. Tensors stay as they are, and so does every score. Without WEIGHTS,
it is the packaged event-feed model.
"""

import sys
from pathlib import Path

from playahead import Predictor
from playahead.datasets.dataset import FeedDataset
from playahead.decoding.chances import fit_chances
from playahead.decoding.choosing import calibrate
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else packaged_weights())
