"""Gradient boosting on the columns of a moment: python boosting.py DATA (needs pip install lightgbm).

One LightGBM model for each class and second of the 5 s, trained on moments of train and scored on val: what the columns
of ``features/now.py`` give without a network. Prints the exact area and the official figure for each seed.
"""

import argparse
import time
from pathlib import Path

import lightgbm  # type: ignore[missing-import]
import numpy as np

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.slicing import labels_of_half
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, FRAMES_PER_WINDOW, OBSERVATION_MS, RASTER_FRAMES
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.features.forms import Reading
from playahead.sources.feed_tables import read_split

_SECONDS = 5
_READING = Reading("now", hindsight=False)
_SETTINGS = {
    **{"objective": "binary", "learning_rate": 0.08, "num_leaves": 31, "max_bin": 63, "min_data_in_leaf": 100},
    **{"feature_fraction": 0.3, "bagging_fraction": 0.5, "bagging_freq": 1, "verbose": -1, "num_threads": 1},
}
_TREES = 80


def main() -> None:
    """Train and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--moments", type=int, default=150_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    evaluation_set = FeedDataset(options.data).evaluation_set("val")
    asked_OF = np.concatenate([windows[0, :, 0] for windows in evaluation_set.batches(_READING)])
    halves = read_split(options.data, "train")
    for seed in range(options.seeds):
        started = time.monotonic()
        columns_OF, happens_OSC = _moments(halves, options.moments, np.random.default_rng(seed))
        probability_OSC = np.zeros((len(asked_OF), _SECONDS, len(ACTIONS)))
        binned = lightgbm.Dataset(columns_OF, params=_SETTINGS, free_raw_data=False)
        for second in range(_SECONDS):
            for c in range(len(ACTIONS)):
                binned.set_label(happens_OSC[:, second, c])
                model = lightgbm.train({**_SETTINGS, "seed": seed}, binned, _TREES)
                probability_OSC[:, second, c] = np.asarray(model.predict(asked_OF, num_threads=1))
        area, official = _score(evaluation_set, probability_OSC)
        took_min = (time.monotonic() - started) / 60
        print(f"seed {seed}: area {area:.2f}, official {official:.2f}, {took_min:.1f} min", flush=True)


def _moments(halves, count, rng):
    """Columns of random moments, and whether each class happens in each of the next seconds."""
    columns, happens = [], []
    each = -(-count // len(halves))
    for half in halves:
        last_ms = int(half.t_ms[-1]) - ANTICIPATION_MS
        ends = np.sort(rng.integers(OBSERVATION_MS, last_ms, each))
        columns.append(_READING.prepare(_READING.seen(half)).at(ends)[:, 0])
        class_OE, time_OE, *_ = labels_of_half(half).following(ends)
        example, event = np.nonzero(class_OE >= 0)
        second = np.minimum((time_OE[example, event] * _SECONDS).astype(int), _SECONDS - 1)
        found = np.zeros((each, _SECONDS, len(ACTIONS)), np.float32)
        found[example, second, class_OE[example, event]] = 1
        happens.append(found)
    return np.concatenate(columns), np.concatenate(happens)


def _score(evaluation_set, probability_OSC):
    """(exact area, official figure), in percent."""
    second_R = np.minimum((np.arange(RASTER_FRAMES) / FRAMES_PER_WINDOW * _SECONDS).astype(int), _SECONDS - 1)
    rate_OSC = -np.log1p(-np.minimum(probability_OSC, 1 - 1e-6)) / (FRAMES_PER_WINDOW / _SECONDS)
    predictions = DensePredictions(event_probabilities(rate_OSC[:, second_R]))
    table = evaluation_set.table(Decoder().scores(predictions))
    area = score_exactly(evaluation_set.timed_events(), timed_events_of_frames(table)[1]).average_area
    return 100 * area, 100 * benchmark_average(count_detections(table))


if __name__ == "__main__":
    main()
