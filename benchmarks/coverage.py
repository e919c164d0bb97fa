"""Which question each interval answers, measured: ``python benchmarks/coverage.py DATA`` (about ten minutes).

Random subsets of a large pool of matches (the 200 training matches of Wyscout-BAA) stand for test sets of every
size; the figure on the whole pool stands for the value on very many matches. For each size: the mean and the
standard deviation of both figures over subsets, how far two systems scored on different sets must be apart, and how
often the percentile and the basic interval made from one subset hold the pool's value, and the figure of another
subset of the same size, which shares no match with it.
"""

import sys
from pathlib import Path

import numpy as np

from playahead import Predictor
from playahead.datasets.dataset import FeedDataset
from playahead.evaluation.official import ThresholdCounts
from playahead.evaluation.scores import AREA, OFFICIAL, Measure, average_of, bootstrap_averages, score

SIZES = (2, 8, 16, 64)
SUBSETS = 100
SAMPLES = 400
APART = 1.96 * np.sqrt(2)


def main(data: Path, split: str = "train") -> None:
    """Print the table."""
    evaluation_set, predictor = FeedDataset(data).evaluation_set(split), Predictor.open()
    scored = score(predictor.decoder().scores(predictor.predict_all(evaluation_set)), evaluation_set.count_by_match)
    print(f"{len(scored.counts_M)} matches of {split}, packaged model, {SUBSETS} subsets of each size")
    held_by = "held by percentile, basic: the pool's value; another set's"
    print(f"{'':10}{'matches':>8}{'mean':>8}{'s.d.':>7}{'apart':>7}   {held_by}")
    for name, measure, matches in (("official", OFFICIAL, scored.counts_M), ("area", AREA, scored.ranked_M)):
        pool = average_of(matches, measure)
        for size in SIZES:
            values, held = _tried(matches, measure, size, pool)
            mean, spread = 100 * values.mean(), 100 * values.std(ddof=1)
            shares = f"{held[0]:.0%}, {held[1]:.0%}; {held[2]:.0%}, {held[3]:.0%}"
            print(f"{name:10}{size:8}{mean:8.2f}{spread:7.2f}{APART * spread:7.2f}   {shares}", flush=True)
        print(f"{name:10}{len(matches):8}{100 * pool:8.2f}")


def _tried(matches: list[ThresholdCounts], measure: Measure, size: int, pool: float) -> tuple[np.ndarray, np.ndarray]:
    """Figures of subsets; shares of intervals that hold the pool's value and another subset's (percentile, basic)."""
    rng = np.random.default_rng(0)
    values, held = [], []
    for _ in range(SUBSETS):
        order = rng.permutation(len(matches))
        ours = [matches[i] for i in order[:size]]
        another = average_of([matches[i] for i in order[-size:]], measure)
        value = average_of(ours, measure)
        low, high = np.percentile(bootstrap_averages(ours, SAMPLES, measure=measure), (2.5, 97.5))
        values.append(value)
        bounds = ((low, high), (2 * value - high, 2 * value - low))
        held.append([start <= figure <= end for figure in (pool, another) for start, end in bounds])
    return np.array(values), np.mean(held, axis=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
