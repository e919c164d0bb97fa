"""``playahead evaluate video``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.inference.evaluate import evaluate
from playahead.inference.open_predictor import DecodingOptions
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
        weights: model to score.
        options: decoding of the predictions.
        features: store of the videos' features; weights trained end to end need none.
        exact: score every threshold in continuous time, too (slower).
        json: one JSON document on standard output.
        noise_at: number of matches, as 2 (the benchmark's test split), for which to report the smallest significant
            difference between two systems.
    """
    terminal.notice_leak(features)
    predictor, evaluation_set = open_for_video(labels, weights, features, options.device)
    with terminal.progress() as show:
        evaluation = evaluate(predictor, evaluation_set, options.decoder(predictor), show)
    terminal.show_notices(evaluation_set.notices)
    title = f"{evaluation_set.split}: {len(evaluation_set):,} examples, {options.decoding} decoding"
    terminal.print_evaluation(evaluation, title, exact, json, noise_at)
