"""Which question each interval answers: python coverage.py {coverage,stability} DATA LEAGUE OUT.

DATA is a folder of the benchmark's tables. A short training (``fine_tuning.py``), or three of a fifth of its length,
leave out LEAGUE, whose matches are then a pool that the models have not seen. OUT keeps the weights, and they are
trained again if that code changes.

``coverage``: random subsets stand for test sets of every size, and the figure on all *other* matches for the value on
very many: for each size, mean and standard deviation of the official figure and of the exact area, how far two
systems scored on different sets must be apart, and how often the percentile and the basic interval hold the figure of
the other matches, and that of another subset of the same size, which shares no match with it.

``stability``: why the official figure moves more than the area. For each model, the figure as the benchmark has it,
with scores whose ranks are spread over its 200 thresholds, without thresholds, and with the whole curve instead of
eleven of its points; and the standard deviation of each over the same subsets of 64 matches.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from fine_tuning import BASE, FIRST_MATCH, matches_of, trained_without  # type: ignore[missing-import]

from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.evaluation.exact import ExactScores, TimedEvents, score_exactly, timed_events_of_frames
from playahead.evaluation.official import ThresholdCounts
from playahead.evaluation.scores import AREA, OFFICIAL, Measure, average_of, bootstrap_averages, score
from playahead.inference.open_predictor import open_predictor
from playahead.lab.results import markdown_table
from playahead.sources.feed_tables import read_feed_table

SIZES = (2, 8, 16, 64)
SUBSETS, SAMPLES, STUDIED, FEW, MODELS = 100, 400, 64, 24, 3
SHORTER = {"epochs": 2, "validate_every": 2}
APART = 1.96 * np.sqrt(2)


def main() -> None:
    """Train what is not there, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["coverage", "stability"])
    parser.add_argument("data", type=Path)
    parser.add_argument("league", choices=list(FIRST_MATCH))
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds, settings = (range(MODELS), SHORTER) if options.table == "stability" else (range(1), BASE)
    weights = [trained_without(options.league, options.data, options.out, seed, settings) for seed in seeds]
    pool = FeedEvaluationSet(matches_of(read_feed_table(options.data / "train.npz"), options.league), "pool")
    print(coverage(weights[0], pool) if options.table == "coverage" else stability(weights, pool), end="")


def coverage(weights: Path, pool: FeedEvaluationSet) -> str:
    """Mean, spread, and share of intervals that hold, for each size of the test set, as Markdown."""
    predictor = open_predictor(weights)
    scored = score(predictor.decoder().scores(predictor.predict_all(pool)), pool.count_by_match)
    held_by = ("all others: percentile, basic", "another set: percentile, basic")
    rows = []
    for name, measure, matches in (("official", OFFICIAL, scored.counts_M), ("area", AREA, scored.ranked_M)):
        for size in SIZES:
            values, held = _tried(matches, measure, size)
            mean, spread = 100 * values.mean(), 100 * values.std(ddof=1)
            shares = f"{held[0]:.0%}, {held[1]:.0%}", f"{held[2]:.0%}, {held[3]:.0%}"
            rows.append([name, str(size), f"{mean:.2f}", f"{spread:.2f}", f"{APART * spread:.2f}", *shares])
            print(*rows[-1], file=sys.stderr, flush=True)
        rows.append([name, str(len(matches)), f"{100 * average_of(matches, measure):.2f}", *["–"] * 4])
    return markdown_table(("figure", "matches", "mean", "s.d.", "apart", *held_by), rows)


def stability(weights: Sequence[Path], pool: FeedEvaluationSet) -> str:
    """Each model's official figure computed in four ways, and its area, as Markdown."""
    rng = np.random.default_rng(1)
    subsets = [rng.permutation(len(pool.matches))[:STUDIED].tolist() for _ in range(FEW)]
    whole = list(range(len(pool.matches)))
    # Of the first model the whole pool and its subsets, of the others the whole pool.
    first, *others = (_figures(path, pool, [whole, *(() if n else subsets)]) for n, path in enumerate(weights))
    rows = []
    for name in first[0]:
        spread = np.std([one[name] for one in first[1:]], ddof=1)
        rows.append([name, *(f"{model[0][name]:.2f}" for model in (first, *others)), f"{spread:.2f}"])
    models = (f"model {number + 1}" for number in range(len(weights)))
    return markdown_table(["figure", *models, f"s.d. over {STUDIED} matches"], rows)


def _tried(matches: list[ThresholdCounts], measure: Measure, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Figures of subsets; shares of intervals that hold the others' figure and another subset's (percentile, basic)."""
    rng = np.random.default_rng(0)
    values, held = [], []
    for _ in range(SUBSETS):
        order = rng.permutation(len(matches))
        ours = [matches[i] for i in order[:size]]
        others = average_of([matches[i] for i in order[size:]], measure)
        another = average_of([matches[i] for i in order[-size:]], measure)
        value = average_of(ours, measure)
        low, high = np.percentile(bootstrap_averages(ours, SAMPLES, measure=measure), (2.5, 97.5))
        values.append(value)
        bounds = ((low, high), (2 * value - high, 2 * value - low))
        held.append([start <= figure <= end for figure in (others, another) for start, end in bounds])
    return np.array(values), np.mean(held, axis=0)


def _figures(weights: Path, pool: FeedEvaluationSet, subsets: Sequence[Sequence[int]]) -> list[dict[str, float]]:
    """A model's figures on each subset of the pool's matches."""
    predictor = open_predictor(weights)
    predictions = predictor.predict_all(pool)
    as_it_is, raw = (
        predictor.decoder().scores(predictions),
        replace(predictor.decoder(), scale=None).scores(predictions),
    )
    scored, plain = score(as_it_is, pool.count_by_match), score(raw, pool.count_by_match)
    events, found = pool.timed_events(), timed_events_of_frames(pool.table(as_it_is))[1]
    match_of_O = np.repeat([half.match for half in pool.halves], [len(ends) for ends in pool.end_ms])
    matches = list(dict.fromkeys(match_of_O.tolist()))
    print(f"{weights.parent.name}: answers to {len(pool)} examples", file=sys.stderr, flush=True)

    def of(chosen: Sequence[int]) -> dict[str, float]:
        kept = np.isin(match_of_O, [matches[i] for i in chosen])
        exact: ExactScores = score_exactly(_only(events, kept), _only(found, kept))
        figures = {
            "official, raw probabilities": 100 * average_of([plain.counts_M[i] for i in chosen]),
            "official, scale chosen on val": 100 * average_of([scored.counts_M[i] for i in chosen]),
            "official, ranks spread over the thresholds": 100 * average_of([scored.ranked_M[i] for i in chosen]),
            "eleven points of the exact curve": 100 * float(exact.eleven_point_DC.mean()),
            "area under the exact curve": 100 * exact.average_area,
        }
        print(f"{len(chosen)} matches:", *(f"{one:.2f}" for one in figures.values()), file=sys.stderr, flush=True)
        return figures

    return [of(chosen) for chosen in subsets]


def _only(timed: TimedEvents, kept_O: np.ndarray) -> TimedEvents:
    """Events or predictions of the examples that are kept."""
    chosen = kept_O[timed.clip]
    score_P = None if timed.score is None else timed.score[chosen]
    return TimedEvents(timed.clip[chosen], timed.class_index[chosen], timed.time_ms[chosen], score_P, timed.classes)


if __name__ == "__main__":
    main()
