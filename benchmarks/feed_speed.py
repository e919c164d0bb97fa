"""Speed of models of feeds, in one run: python feed_speed.py TABLE RECIPE=WEIGHTS [RECIPE=WEIGHTS ...].

For each: examples a second of training (one thread, the recipe's own batches), seconds for an answer every second of
the table's first match, and the time of a live answer. Prints a table.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from playahead.datasets.examples import FeedExamples
from playahead.domain.feed import EVERY_CODE
from playahead.inference.feed import predict_feed
from playahead.inference.open_predictor import open_predictor
from playahead.inference.result import PredictConfig
from playahead.lab.recipes import recipe
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.lines import Reports, Tick, rows_of
from playahead.sources.feed_tables import read_feed_table
from playahead.training.trainer import Trainer

_WARM_UP, _STEPS = 3, 12
_LIVE_S = 1_500


def main(table: Path, named: list[str]) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    halves = read_feed_table(table)
    match = [half for half in halves if half.match == halves[0].match]
    print("| recipe | parameters | training, examples/s | a match every second, s | live answer, ms: median | p99 |")
    print("|---|---|---|---|---|---|")
    for name, weights in (pair.split("=", 1) for pair in named):
        trained, n_parameters = training(name, halves)
        live_ms = live(Path(weights), match[0])
        cells = [f"{trained:,.0f}", f"{predicting(Path(weights), match):.1f}"]
        cells += [f"{np.median(live_ms):.2f}", f"{np.percentile(live_ms, 99):.2f}"]
        print(f"| {name} | {n_parameters / 1e6:.2f} M | {' | '.join(cells)} |", flush=True)


def training(name, halves) -> tuple[float, int]:
    """Examples a second, and the number of parameters."""
    config = replace(recipe(name), device="cpu")
    examples = FeedExamples(halves, config.examples, config.degraded, config.augment, config.reading)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, examples, lambda _: {}, Path(folder))
        times_s = [time.perf_counter()]
        for _ in range(_WARM_UP + _STEPS):
            trainer._train_step()
            trainer.step += 1
            times_s.append(time.perf_counter())
        took_s = times_s[-1] - times_s[_WARM_UP]
        return _STEPS * trainer.per_step / took_s, sum(p.numel() for p in trainer.plain_model.parameters())


def predicting(weights: Path, match) -> float:
    """Seconds for an answer every second, opening the weights included."""
    started = time.perf_counter()
    predict_feed(match, PredictConfig(weights=weights, every=1.0))
    return time.perf_counter() - started


def live(weights: Path, half) -> np.ndarray:
    """Milliseconds of each answer of a session."""
    session = FeedSession(open_predictor(weights))
    session.push(Reports(EVERY_CODE))
    session.push(Tick(half.half, 0))
    took_s = []
    for row in rows_of(half):
        session.push(row)
        for _ in session.answers():
            took_s.append(session.took_s)
        if len(took_s) >= _LIVE_S:
            break
    return 1000 * np.array(took_s[30:])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
