"""Models on single matches of other providers, beside baselines fitted on the training matches.

``python benchmarks/zero_shot.py DATA FILE... --weights FILE... --out docs/tables/providers.md`` makes two tables: the
rows of each class in 90 minutes beside the usual ones; and the exact area and the official figure of each model, of
Markov renewal and of a constant rate on the same match, over the classes that its provider reports. The files are
matches and their companions (line-ups, match information), in any order. One match has no interval.
"""

import argparse
from pathlib import Path

import numpy as np

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.decoding.choosing import Decoding, choose
from playahead.domain.actions import ACTIONS
from playahead.evaluation.scores import score
from playahead.inference.predictor import Predictor
from playahead.io.files import packaged_weights
from playahead.lab.baselines import BASELINES, fit_baseline, predict_halves
from playahead.lab.results import markdown_table
from playahead.sources.feeds import USUAL_PER_90_MIN, choose_reader, matches_among, read_feed


def main(data: Path, files: list[Path], weights: list[Path]) -> str:
    """Both tables, as Markdown."""
    dataset = FeedDataset(data)
    predictors = {path.stem: Predictor.open(path) for path in weights}
    val, decoders = dataset.evaluation_set("val"), {}
    fitted = {name: fit_baseline(name, *dataset.training_halves()) for name in BASELINES}
    for name, baseline in fitted.items():
        decoders[name] = choose(Decoding(), predict_halves(baseline, val.halves, val.end_ms), val.table)
    rates, figures = [], []
    for path, companions in matches_among(files):
        provider, halves = choose_reader(path).provider, read_feed(path, companions=companions)
        minutes = sum(int(half.t_ms[-1]) for half in halves) / 60_000
        codes = np.concatenate([half.code[half.is_target] for half in halves])
        counts = np.bincount(codes, minlength=len(ACTIONS)) * 90 / minutes
        match = FeedEvaluationSet(halves, path.name)
        rates.append([provider, *(f"{n:.0f}" if c in match.classes else f"({n:.0f})" for c, n in enumerate(counts))])
        systems = {name: one.decoder().scores(one.predict_all(match)) for name, one in predictors.items()}
        guessed = {name: predict_halves(fitted[name], match.halves, match.end_ms) for name in BASELINES}
        systems |= {name: decoders[name].scores(predictions) for name, predictions in guessed.items()}
        scored = {name: score(scores_ORV, match.count_by_match) for name, scores_ORV in systems.items()}
        cells = (f"{one.area:.2f} ({one.average:.2f})" for one in scored.values())
        figures.append([provider, path.name, str(len(match.classes)), *cells])
    usual = ["usual", *(f"{n:.0f}" for n in USUAL_PER_90_MIN)]
    of_rates = markdown_table(["rows in 90 minutes", *map(str, ACTIONS)], [usual, *rates])
    return f"{of_rates}\n{markdown_table(['provider', 'match', 'classes', *predictors, *BASELINES], figures)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, nargs="+", default=[packaged_weights()])
    parser.add_argument("--out", type=Path, help="write the tables to this file, too")
    given = parser.parse_args()
    tables = main(given.data, given.files, given.weights)
    print(tables)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(tables)
