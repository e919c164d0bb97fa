"""The next action on one split: a model beside Markov renewal and beside always guessing the commonest class."""

from playahead.datasets.dataset import FeedDataset
from playahead.datasets.next_actions import NextActions
from playahead.decoding.predictions import join_predictions
from playahead.evaluation.next_action import NextScores, evaluate_next, majority, score_next
from playahead.inference.predictor import Predictor
from playahead.io.progress import Show, quiet
from playahead.lab.baselines.fit import fit_baseline

MODEL, MARKOV, COMMONEST = "model", "Markov renewal", "commonest class"


def score_next_actions(
    dataset: FeedDataset, split: str, predictor: Predictor, show: Show = quiet
) -> dict[str, NextScores]:
    """Scores by name: the model, Markov renewal fitted on train (where there is one), and the commonest class.

    Args:
        dataset: of compact feed tables.
        split: train, val or test.
        predictor: of event feeds.
        show: told how far predicting is.

    Raises:
        InputError: the split cannot be read or has no such moment, or the weights are of other features.
    """
    moments = NextActions(dataset.evaluation_set(split).halves, split)
    found = {MODEL: evaluate_next(predictor, moments, show)}
    if (dataset.folder / "train.npz").exists():
        markov = fit_baseline("markov", *dataset.training_halves())
        predicted = [markov.predict(half, end) for half, end in zip(moments.halves, moments.end_ms, strict=True)]
        found[MARKOV] = score_next(join_predictions(predicted).intensity(), moments)
    return {**found, COMMONEST: majority(moments)}
