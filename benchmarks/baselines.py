"""Baselines as recorded results: python baselines.py DATA OUT [--only NAME] [--moments 60000].

Fits on train of DATA (compact tables), chooses its score scale on val, and writes OUT/baseline-NAME.json for test:

* constant-rate: every class at its mean rate, always;
* markov: what usually follows the last row, and when (Markov renewal);
* neighbours: what followed the most similar situations, by the columns of a moment (its first principal components);
* boosting: gradient boosting on the columns of a moment, a LightGBM model for each class and second (extra ``lab``).
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from playahead.datasets.benchmark import wyscout_baa
from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.slicing import labels_of_half
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, FRAMES_PER_WINDOW, OBSERVATION_MS, RASTER_FRAMES
from playahead.evaluation.scores import Evaluation, score
from playahead.features.forms import Reading
from playahead.lab.baselines import BASELINES, fit_baseline, predict_halves
from playahead.lab.record import record

_READING = Reading("now", hindsight=False)
_NEIGHBOURS, _COMPONENTS, _SMOOTH_FRAMES, _PRIOR = 400, 64, 1.5, 4.0
_TOGETHER = 1_000
_SECONDS, _TREES = 5, 80
_SECOND_R = np.minimum((np.arange(RASTER_FRAMES) / FRAMES_PER_WINDOW * _SECONDS).astype(int), _SECONDS - 1)
_TREE = {
    **{"objective": "binary", "learning_rate": 0.08, "num_leaves": 31, "max_bin": 63, "min_data_in_leaf": 100},
    **{"feature_fraction": 0.3, "bagging_fraction": 0.5, "bagging_freq": 1, "verbose": -1, "num_threads": 1},
}
WORDS = {
    "constant-rate": "constant rate",
    "markov": "Markov renewal from the last row",
    "neighbours": "nearest neighbours of the moment's columns",
    "boosting": "gradient boosting on the moment's columns",
}


def main() -> None:
    """Fit, choose the scale, score, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", choices=WORDS)
    parser.add_argument("--moments", type=int, default=60_000, help="of train, to learn from")
    parser.add_argument("--split", default="test", help="val while trying")
    options = parser.parse_args()
    dataset = FeedDataset(options.data)
    val, asked = dataset.evaluation_set("val"), dataset.evaluation_set(options.split)
    of_split = wyscout_baa().recognise(asked.halves)
    for name in [options.only] if options.only else WORDS:
        if name in BASELINES:
            fitted = fit_baseline(name, *dataset.training_halves())
            predictions = [predict_halves(fitted, of.halves, of.end_ms) for of in (val, asked)]
        else:
            learn: Callable = Situations if name == "neighbours" else Boosted
            learned = learn(*_moments(dataset, options.moments))
            predictions = [learned.predict(of) for of in (val, asked)]
        decoder = choose(Decoding(), predictions[0], val.table)
        by_match = score(decoder.scores(predictions[1]), asked.count_by_match)
        counts = sum(by_match.counts_M[1:], start=by_match.counts_M[0])
        about = {"benchmark": wyscout_baa().name if of_split else "", "split": of_split or options.split, "past": ""}
        learns = name not in BASELINES
        about |= {"model": WORDS[name], "seeds": [], "examples": options.moments if learns else 0}
        command = ["python", "benchmarks/baselines.py", str(options.data), str(options.out), "--only", name]
        command += ["--split", options.split]
        command += ["--moments", str(options.moments)] if learns else []
        path = options.out / f"baseline-{name}{'' if options.split == 'test' else f'-{options.split}'}.json"
        result = record(path, [Evaluation(counts, [], [], by_match)], about, command)
        print(f"{name}: area {result.area}, official {result.official}", file=sys.stderr, flush=True)


def _moments(dataset: FeedDataset, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns of random moments of train, and whether each class happens in each of the frames that follow."""
    halves, rng = dataset.training_halves()[0], np.random.default_rng(0)
    each = -(-count // len(halves))
    columns, happens = [], []
    for half in halves:
        ends = np.sort(rng.integers(OBSERVATION_MS, int(half.t_ms[-1]) - ANTICIPATION_MS, each))
        columns.append(_READING.prepare(_READING.seen(half)).at(ends)[:, 0])
        class_OE, time_OE, *_ = labels_of_half(half).following(ends)
        example, event = np.nonzero(class_OE >= 0)
        frame = np.minimum((time_OE[example, event] * FRAMES_PER_WINDOW).astype(int), RASTER_FRAMES - 1)
        found = np.zeros((each, RASTER_FRAMES, len(ACTIONS)), np.float32)
        found[example, frame, class_OE[example, event]] = 1
        happens.append(found)
    return np.concatenate(columns), np.concatenate(happens)


class Boosted:
    """A model of trees for each class and second."""

    def __init__(self, columns_OF: np.ndarray, happens_ORC: np.ndarray) -> None:
        import lightgbm  # type: ignore[missing-import]

        binned = lightgbm.Dataset(columns_OF, params=_TREE, free_raw_data=False)
        self.models = []
        for second in range(_SECONDS):
            happens_OC = happens_ORC[:, second == _SECOND_R].max(axis=1)
            for c in range(len(ACTIONS)):
                binned.set_label(happens_OC[:, c])
                self.models.append(lightgbm.train({**_TREE, "seed": 0}, binned, _TREES))

    def predict(self, evaluation_set: FeedEvaluationSet) -> DensePredictions:
        """Each second's rate, the same in all of its frames."""
        asked_OF = np.concatenate([windows[0, :, 0] for windows in evaluation_set.batches(_READING)])
        chance_OM = np.stack([np.asarray(model.predict(asked_OF)) for model in self.models], axis=1)
        rate_OM = -np.log1p(-np.minimum(chance_OM, 1 - 1e-6)) * _SECONDS / FRAMES_PER_WINDOW
        rate_OSC = rate_OM.reshape(-1, _SECONDS, len(ACTIONS)).astype(np.float32)
        return DensePredictions(event_probabilities(rate_OSC[:, _SECOND_R]))


class Situations:
    """Moments of train, and what followed each."""

    def __init__(self, columns_OF: np.ndarray, happens_ORC: np.ndarray) -> None:
        # Columns at equal spread, then the directions in which situations differ most.
        self.mean_F, self.spread_F = columns_OF.mean(axis=0), columns_OF.std(axis=0) + 1e-3
        scaled_OF = (columns_OF - self.mean_F) / self.spread_F
        _, vectors = np.linalg.eigh(scaled_OF.T @ scaled_OF)
        self.components_FK = vectors[:, -_COMPONENTS:].astype(np.float32)
        self.placed_OK = scaled_OF @ self.components_FK
        # What followed, blurred a little in time: no two situations go on at the same frame.
        apart = np.subtract.outer(np.arange(RASTER_FRAMES), np.arange(RASTER_FRAMES))
        blur_RR = np.exp(-0.5 * (apart / _SMOOTH_FRAMES) ** 2).astype(np.float32)
        blur_RR /= blur_RR.sum(axis=0)
        self.happens_ORC = np.einsum("rs,osc->orc", blur_RR, happens_ORC)
        self.usual_RC = self.happens_ORC.mean(axis=0)

    def predict(self, evaluation_set: FeedEvaluationSet) -> DensePredictions:
        """Mean of what followed the nearest moments, with a little of what follows any."""
        rates = []
        squared_O = (self.placed_OK**2).sum(axis=1)
        for windows in evaluation_set.batches(_READING):
            asked_OK = ((windows[0, :, 0] - self.mean_F) / self.spread_F) @ self.components_FK
            for start in range(0, len(asked_OK), _TOGETHER):
                far_QO = squared_O - 2 * asked_OK[start : start + _TOGETHER] @ self.placed_OK.T
                nearest_QN = np.argpartition(far_QO, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
                followed_QRC = np.stack([self.happens_ORC[nearest].sum(axis=0) for nearest in nearest_QN])
                rates.append((followed_QRC + _PRIOR * self.usual_RC) / (_NEIGHBOURS + _PRIOR))
        return DensePredictions(event_probabilities(np.concatenate(rates)))


if __name__ == "__main__":
    main()
