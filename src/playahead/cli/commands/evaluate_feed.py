"""``playahead evaluate feed``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.dataset import feed_evaluation_set
from playahead.evaluation.evaluate import evaluate
from playahead.inference.open_predictor import DecodingOptions
from playahead.inference.predictor import Predictor


def evaluate_feed(
    data: list[Path],
    options: DecodingOptions,
    split: str = "val",
    seen: Path | None = None,
    weights: Path | None = None,
    exact: bool = False,
    json: bool = False,
    noise_at: int | None = None,
) -> None:
    """Score weights on a split of an event feed.

    Args:
        data: folder of compact feed tables; or a match as its provider ships it, with its second file if it has one.
        options: how predictions are decoded.
        split: of a folder: train, val or test.
        seen: what is observed instead, such as an action spotter's output for the same match; scored is what DATA says.
        weights: of the model; the packaged ones if not given.
        exact: also every threshold and continuous time (slower).
        json: one JSON document on standard output.
        noise_at: also say how far apart two systems must be to be told apart on so many matches, as 2 (the
            benchmark's test split).
    """
    found, predictor = feed_evaluation_set(data, split, seen), Predictor.open(weights, device=options.device)
    with terminal.progress() as show:
        evaluation = evaluate(predictor, found, options.decoder(predictor), show)
    for note in found.notes:
        terminal.notice(note)
    title = f"{found.split}: {len(found.matches)} matches, {len(found):,} examples, {options.decoding} decoding"
    terminal.print_evaluation(evaluation, title, exact, json, noise_at)
