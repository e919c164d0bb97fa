"""``playahead evaluate video``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.evaluation.evaluate import evaluate
from playahead.inference.decoding import DecodingOptions
from playahead.lab.faantra.end_to_end import open_for_video


def evaluate_video(
    labels: Path,
    weights: Path,
    options: DecodingOptions,
    features: Path | None = None,
    exact: bool = False,
    json: bool = False,
    noise_at: int | None = None,
) -> None:
    """Score weights on labelled video: clips, or whole matches.

    Args:
        labels: a split's folder (or its Labels-ball.json), or its annotations in OSL JSON.
        weights: of the model.
        options: how predictions are decoded.
        features: store of the videos' features; weights trained end to end need none.
        exact: also every threshold and continuous time (slower).
        json: one JSON document on standard output.
        noise_at: also say how far apart two systems must be to be told apart on so many matches, as 2 (the
            benchmark's test split).
    """
    terminal.notice_leak(features)
    predictor, found = open_for_video(labels, weights, features, options.device)
    with terminal.progress() as show:
        evaluation = evaluate(predictor, found, options.decoder(predictor), show)
    for note in found.notes:
        terminal.notice(note)
    title = f"{found.split}: {len(found):,} examples, {options.decoding} decoding"
    terminal.print_evaluation(evaluation, title, exact, json, noise_at)
