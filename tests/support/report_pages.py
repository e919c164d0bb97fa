"""Made-up pages of the report."""

import numpy as np

from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import SlotPredictions
from playahead.domain.feed import FeedHalf
from playahead.evaluation.frames import NO_EVENT
from playahead.lab.report.diagnose import diagnose
from playahead.lab.report.examples import example
from playahead.lab.report.write import Page, Split
from tests.support.halves import half_of
from tests.support.tables import with_labels


def predictions(rng: np.random.Generator, n=60, slots=5) -> SlotPredictions:
    return SlotPredictions(
        rng.random((n, slots)).astype(np.float32) ** 3,
        rng.dirichlet(np.ones(10), (n, slots)).astype(np.float32),
        rng.dirichlet(np.ones(20), (n, slots)).astype(np.float32),
    )


def labels(rng: np.random.Generator, n=60) -> np.ndarray:
    happens_NR = rng.random((n, 32)) < 0.05
    return np.where(happens_NR, rng.integers(1, 11, (n, 32)), NO_EVENT).astype(np.int32)


def half(rng: np.random.Generator, n=400) -> FeedHalf:
    return half_of(np.sort(rng.integers(0, 400_000, n)), rng.integers(0, 14, n), match=7)


def row(variant: str, mean: float, **changes) -> dict:
    interval = [mean, mean - 0.5, mean + 0.5]
    return {
        "variant": variant,
        "decoding": "marginal",
        "seeds": [mean, mean + 0.1],
        "seed_spread": 0.07,
        "mean": interval,
        "area": interval,
        "predictions_per_clip": 12.0,
        "examples": 115_200,
        "difference": [mean - 20, mean - 20.5, mean - 19.5],
        "area_difference": [mean - 20, mean - 20.5, mean - 19.5],
        "significant": (mean != 20, mean > 20),
        **changes,
    }


def page(runs=3, **changes) -> Page:
    rng = np.random.default_rng(0)
    read, happened = predictions(rng), labels(rng)
    probabilities = with_labels(happened, Decoder().probabilities(read))
    played, scores = half(rng), probabilities.scores_NRV
    shown = [example(played, f"match 7, {n}", 30_000 + 5000 * n, scores[n], float(n)) for n in range(10)]
    steps = list(range(300, 300 * 55, 300))
    curve = {"step": steps, "loss": [10 / (1 + s / 300) for s in steps], "validated_step": steps[8::9]}
    rows = [row("plain", 20.0, difference=None, area_difference=None)]
    rows += [row(f"variant <{n}>", 19 + n % 3) for n in range(1, runs)]
    settings = {
        "title": "Ball action anticipation: paper",
        "about": "One change each.",
        "split": "val",
        "n_matches": 40,
        "n_examples": 45_000,
        "simulated": False,
        "rows": rows,
        "reference": ("plain", "marginal"),
        "chosen": ("plain-0", "marginal"),
        "diagnosis": diagnose(read, probabilities, probabilities),
        "best": shown,
        "worst": shown,
        "importance_W": [0.2, 0.3, 0.4, 0.5, 0.6, 0.9],
        "curves": {f"run-{n}": {**curve, "map": [15.0 + n % 5 for _ in steps[8::9]]} for n in range(runs)},
        "splits": [Split("val", 40, 45_000, 1.54, 0.37, [1000] * 10)],
        "settings": {"model.slots": 16, "optim.restart_epochs": None},
        "environment": {"torch": "2.13", "accelerator": None},
    }
    return Page(**{**settings, **changes})
