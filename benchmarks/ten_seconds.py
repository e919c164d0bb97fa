"""What comes within 10 s, FAANTRA's longer task: python ten_seconds.py DATA OUT [--split test].

The packaged model's rates are those of the first five seconds. A model of the same recipe and an eighth of its budget
learns what comes 5 to 10 s after what it sees. Both observe the same, and each is decoded on its own. Beside them, a
Markov renewal baseline and a constant rate. The columns are those of ``horizons.py``; each system's map from rates to
chances is fitted on val. OUT keeps the weights, and they are trained again if that code changes.

Axes: O examples, R frames of five seconds, J frames of ten, C classes.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fine_tuning import BASE, train_briefly  # type: ignore[missing-import]
from horizons import MOST, off_by, recalls  # type: ignore[missing-import]
from numpy.typing import NDArray

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import EvaluationSet, FeedEvaluationSet
from playahead.datasets.examples import FeedExamples
from playahead.datasets.slicing import Labels, labels_of_half
from playahead.decoding.chances import ChanceMap, fit_chances
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, RASTER_FRAME_MS, RASTER_FRAMES
from playahead.evaluation.exact import TimedEvents, score_exactly, timed_events_of_frames
from playahead.features.forms import AS_RECORDED, Reading
from playahead.inference.any_predictor import AnyPredictor
from playahead.inference.open_predictor import open_predictor
from playahead.lab.baselines import ConstantRate, MarkovRenewal, fit_baseline, predict_halves
from playahead.lab.results import markdown_table
from playahead.sources.feed_tables import read_split

AFTER_MS = (0, ANTICIPATION_MS)
System = Callable[["LaterSet"], NDArray[np.floating]]
"""Actions per frame, intensity_ORC, of the five seconds that a set asks for."""


def main() -> None:
    """Train what is not there, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="test")
    options = parser.parse_args()
    torch.set_num_threads(1)
    later = train_briefly(LaterDataset(options.data), options.out / "later-0", 0, BASE)
    halves, lasted_ms = FeedDataset(options.data).training_halves()
    slow = [_at_half_speed(half) for half in halves]
    systems: dict[str, System] = {
        "two models": partial(_of_models, (open_predictor(), open_predictor(later))),
        "Markov renewal": partial(_of_baseline, fit_baseline("markov", slow, lasted_ms // 2)),
        "constant rate": partial(_of_baseline, fit_baseline("constant-rate", slow, lasted_ms // 2)),
    }
    val, scored = (
        [LaterSet(read_split(options.data, split), split, after_ms) for after_ms in AFTER_MS]
        for split in ("val", options.split)
    )
    rows = []
    for name, rates in systems.items():
        on_val, on_scored = ([rates(five) for five in ten] for ten in (val, scored))
        # Whether an action comes within ten seconds: the rates of both parts add up, and so do the actions.
        summed = np.add(*on_scored)
        chances = ChanceMap(fit_chances(np.add(*on_val), _together([five.timed_events() for five in val])))
        came = _together([five.timed_events() for five in scored])
        cells = [f"{_area(scored, on_scored):.2f}"]
        cells += [f"{100 * share:.1f} %" for share in recalls(summed, came, -1)]
        cells.append(f"{100 * off_by(chances(summed)[:, -1], came):.2f}")
        rows.append(["10 s", f"{len(came.clip):,}", name, *cells])
        print(*rows[-1], file=sys.stderr, flush=True)
    head = ["within", "actions", "system", "exact area", *(f"recall at {k}" for k in range(1, MOST + 1))]
    print(markdown_table([*head, "chances off by, points"], rows), end="")


class LaterSet(FeedEvaluationSet):
    """The examples that 10 s follow, and what comes in the five that begin ``after_ms`` later."""

    def __init__(self, halves: Sequence[FeedHalf], split: str, after_ms: int) -> None:
        super().__init__(halves, split)
        self.after_ms = after_ms
        ends = [end_ms[:-1] for end_ms in self.end_ms]
        EvaluationSet.__init__(self, self.halves, [_labels(half, after_ms) for half in self.halves], ends, split)

    def first_matches(self, count: int) -> "LaterSet":
        """Examples of its first matches alone."""
        first = self.matches[:count]
        return LaterSet([half for half in self.halves if half.match in first], self.split, self.after_ms)


class LaterExamples(FeedExamples):
    """Training examples whose labels lie 5 to 10 s after what is observed; none lies in a half's last 10 s."""

    def __init__(self, halves: Sequence[FeedHalf], *settings: Any) -> None:
        super().__init__([half.take(half.t_ms <= half.t_ms[-1] - ANTICIPATION_MS) for half in halves], *settings)
        self._labels = [_labels(half, ANTICIPATION_MS) for half in halves]
        self._where = FeedExamples(halves, *settings)._where


class LaterDataset(FeedDataset):
    """A folder of feed tables, to train on what comes 5 to 10 s later."""

    def training_examples(
        self, examples: int, degraded: float = 0.0, augment: bool = True, reading: Reading = AS_RECORDED
    ) -> LaterExamples:
        """Sequences of any half of train."""
        return LaterExamples(read_split(self.folder, "train"), examples, degraded, augment, reading)

    def evaluation_set(self, split: str) -> LaterSet:
        """Every example that 10 s follow."""
        if split not in self._read:
            self._read[split] = LaterSet(read_split(self.folder, split), split, ANTICIPATION_MS)
        return self._read[split]


def _labels(half: FeedHalf, after_ms: int) -> Labels:
    """Labels of a half, that much earlier: what follows an example by these comes so much later."""
    labels = labels_of_half(half)
    return Labels(labels.t_ms_A - after_ms, labels.class_A, labels.visible_A, labels.after_ms_A - after_ms)


def _of_models(models: Sequence[AnyPredictor], five: LaterSet) -> NDArray[np.floating]:
    return models[AFTER_MS.index(five.after_ms)].predict_all(five).intensity()


def _of_baseline(fitted: ConstantRate | MarkovRenewal, five: LaterSet) -> NDArray[np.floating]:
    """Rates of a baseline that was fitted at half speed: each of its 32 frames lasts two of ours."""
    slow = [_at_half_speed(half) for half in five.halves]
    slow_OJC = predict_halves(fitted, slow, [end_ms // 2 for end_ms in five.end_ms]).intensity()
    starts_R, frames_J = five.after_ms + np.arange(RASTER_FRAMES) * RASTER_FRAME_MS, np.arange(RASTER_FRAMES)
    # The share of each long frame that falls into each of ours.
    long_ms = 2 * RASTER_FRAME_MS
    ends_JR = np.minimum(starts_R + RASTER_FRAME_MS, (frames_J[:, None] + 1) * long_ms)
    inside_JR = np.maximum(ends_JR - np.maximum(starts_R, frames_J[:, None] * long_ms), 0) / long_ms
    return np.einsum("jr,ojc->orc", inside_JR, slow_OJC)


def _at_half_speed(half: FeedHalf) -> FeedHalf:
    """The half with all times halved: what comes within 10 s comes within 5 s, and no row is seen earlier."""
    delays = {name: half.columns[name] - half.columns[name] // 2 for name in ("delay_ms", "late_ms")}
    return half.changed(t_ms=half.t_ms // 2, **delays)


def _together(parts: Sequence[TimedEvents], apart_ms: int = 0) -> TimedEvents:
    """Actions or predictions of both parts, those of the second so much later."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("clip", "class_index", "score")
        if getattr(parts[0], name) is not None
    }
    time_ms = np.concatenate([part.time_ms + number * apart_ms for number, part in enumerate(parts)])
    return TimedEvents(**columns, time_ms=time_ms, classes=parts[0].classes)


def _area(ten: Sequence[LaterSet], rates: Sequence[NDArray[np.floating]]) -> float:
    """Exact area (percent) of what marginal decoding expects in each part, on the whole ten seconds."""
    scores = [Decoder().scores(DensePredictions(event_probabilities(of))) for of in rates]
    found = [timed_events_of_frames(five.table(of))[1] for five, of in zip(ten, scores, strict=True)]
    events = [five.timed_events() for five in ten]
    whole = (_together(parts, ANTICIPATION_MS) for parts in (events, found))
    return 100 * score_exactly(*whole).average_area


if __name__ == "__main__":
    main()
