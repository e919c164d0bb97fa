"""The same answers, judged 1, 2 and 5 s ahead: python horizons.py DATA [WEIGHTS] [--split test].

For the model, a Markov renewal baseline and a constant rate, and each horizon: the exact area of what was expected
within it, against what came within it; how often the class of an action that came was among the likeliest one, two and
three (recall at k); and how far the chance of each class lies from how often it came, on average over the tenths of the
times and the classes (reliability, in percentage points). Each system's map from rates to chances is fitted on val.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.decoding.chances import HORIZONS_S, ChanceMap, expected_within, fit_chances
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAME_MS, RASTER_FRAMES
from playahead.evaluation.exact import TimedEvents, score_exactly, timed_events_of_frames
from playahead.inference.open_predictor import open_predictor
from playahead.lab.baselines import fit_baseline, predict_halves
from playahead.lab.results import markdown_table

MOST = 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path, nargs="?")
    parser.add_argument("--split", default="test")
    options = parser.parse_args()
    dataset = FeedDataset(options.data)
    val, scored = dataset.evaluation_set("val"), dataset.evaluation_set(options.split)
    predictor = open_predictor(options.weights)
    systems = {"model": (predictor.predict_all(scored).intensity(), predictor.chance_map)}
    for name, words in (("markov", "Markov renewal"), ("constant-rate", "constant rate")):
        fitted = fit_baseline(name, *dataset.training_halves())
        on_val, on_scored = (predict_halves(fitted, one.halves, one.end_ms).intensity() for one in (val, scored))
        systems[words] = (on_scored, ChanceMap(fit_chances(on_val, val.timed_events())))
    events = scored.timed_events()
    head = ["within", "actions", "system", "exact area"]
    head += [f"recall at {k}" for k in range(1, MOST + 1)] + ["chances off by, points"]
    rows = []
    for h, horizon_s in enumerate(HORIZONS_S):
        soon = _of(events, events.time_ms <= 1000 * horizon_s)
        for name, (intensity_ORC, chances) in systems.items():
            cells = [f"{_area(scored, intensity_ORC, soon, horizon_s):.2f}"]
            cells += [f"{100 * share:.1f} %" for share in recalls(intensity_ORC, soon, h)]
            cells.append(f"{100 * off_by(chances(intensity_ORC)[:, h], soon):.2f}")
            rows.append([f"{horizon_s} s", f"{len(soon.clip):,}", name, *cells])
    print(markdown_table(head, rows), end="")


def _of(events: TimedEvents, chosen: NDArray[np.bool_]) -> TimedEvents:
    score = None if events.score is None else events.score[chosen]
    return replace(
        events,
        clip=events.clip[chosen],
        class_index=events.class_index[chosen],
        time_ms=events.time_ms[chosen],
        score=score,
    )


def _area(scored: FeedEvaluationSet, intensity_ORC: NDArray, soon: TimedEvents, horizon_s: int) -> float:
    """Exact area (percent) of what marginal decoding expects within the horizon."""
    begins_R = np.arange(RASTER_FRAMES) * RASTER_FRAME_MS < 1000 * horizon_s
    predictions = DensePredictions(event_probabilities(intensity_ORC * begins_R[:, None]))
    detections = timed_events_of_frames(scored.table(Decoder().scores(predictions)))[1]
    return 100 * float(score_exactly(soon, detections).area_DC.mean())


def recalls(intensity_ORC: NDArray, soon: TimedEvents, h: int) -> list[float]:
    """Shares of the actions whose class was among the k that were expected most within the horizon."""
    expected_OC = expected_within(intensity_ORC)[:, h]
    likelier_X = (expected_OC[soon.clip] > expected_OC[soon.clip, soon.class_index][:, None]).sum(axis=1)
    return [float((likelier_X < k).mean()) for k in range(1, MOST + 1)]


def off_by(chance_OC: NDArray, soon: TimedEvents) -> float:
    """Mean distance of the stated chance from how often it came, over tenths of the times and classes."""
    came_OC = np.zeros(chance_OC.shape, bool)
    came_OC[soon.clip, soon.class_index] = True
    distances = []
    for c in range(len(ACTIONS)):
        tenths = np.array_split(np.argsort(chance_OC[:, c], kind="stable"), 10)
        distances += [abs(float(chance_OC[t, c].mean() - came_OC[t, c].mean())) for t in tenths]
    return float(np.mean(distances))


if __name__ == "__main__":
    main()
