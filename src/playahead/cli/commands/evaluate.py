"""``playahead evaluate feed``, ``evaluate next`` and ``evaluate video``."""

from dataclasses import asdict
from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.benchmark import wyscout_baa
from playahead.datasets.dataset import FeedDataset, feed_evaluation_set
from playahead.inference.evaluate import evaluate
from playahead.inference.open_predictor import DecodingOptions, open_predictor
from playahead.lab.next_action import MODEL, NextScores, score_next_actions


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
        options: decoding of the predictions.
        split: split of a folder: train, val or test.
        seen: file to observe instead, such as an action spotter's output for the same match; labels still come from
            DATA.
        weights: model to score; the packaged one if not given.
        exact: score every threshold in continuous time, too (slower).
        json: one JSON document on standard output.
        noise_at: number of matches, as 2 (the benchmark's test split), for which to report the smallest significant
            difference between two systems.
    """
    evaluation_set, predictor = feed_evaluation_set(data, split, seen), open_predictor(weights, device=options.device)
    with terminal.progress() as show:
        evaluation = evaluate(predictor, evaluation_set, options.decoder(predictor), show)
    terminal.show_notices(evaluation_set.notices)
    matches = len(evaluation_set.matches)
    counted = f"{matches} match{'es' if matches > 1 else ''}, {len(evaluation_set):,} examples"
    of_split = "" if seen is not None else wyscout_baa().recognise(evaluation_set.halves)
    name = f"{wyscout_baa().name}, {of_split}" if of_split else evaluation_set.split
    title = f"{name}: {counted}, {options.decoding} decoding"
    terminal.print_evaluation(evaluation, title, exact, json, noise_at)


def evaluate_next(
    data: Path, split: str = "val", weights: Path | None = None, device: str = "auto", json: bool = False
) -> None:
    """Score which action comes next, and when, at every moment at which one has just happened.

    Beside the model: Markov renewal (fitted on train, if the folder has it), and always guessing the commonest class.

    Args:
        data: folder of compact feed tables.
        split: train, val or test.
        weights: model to score; the packaged one if not given.
        device: cpu, cuda, cuda:1, mps, or auto.
        json: one JSON document on standard output.
    """
    predictor = open_predictor(weights, device=device)
    with terminal.progress() as show:
        found = score_next_actions(FeedDataset(data), split, predictor, show)
    if json:
        terminal.print_json({"split": split, "systems": {name: asdict(scores) for name, scores in found.items()}})
        return
    title = f"next action, {split}: after each of {found[MODEL].times:,} actions"
    columns = (
        "system",
        "accuracy [resampled]",
        "macro F1 [resampled]",
        "of five groups",
        "F1",
        "time error, s [resampled]",
    )
    terminal.out(130).print(terminal.plain_table(title, columns, [_row(*item) for item in found.items()]))


def _row(name: str, found: NextScores) -> tuple[str, ...]:
    grouped = (f"{100 * interval.value:.2f}" for interval in (found.grouped_accuracy, found.grouped_f1))
    error = found.time_error_s
    return (
        name,
        str(found.accuracy),
        str(found.macro_f1),
        *grouped,
        f"{error.value:.2f} [{error.low:.2f}, {error.high:.2f}]",
    )


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
    from playahead.lab.faantra.end_to_end import open_for_video  # needs the extra "video"

    terminal.notice_leak(features)
    predictor, evaluation_set = open_for_video(labels, weights, features, options.device)
    with terminal.progress() as show:
        evaluation = evaluate(predictor, evaluation_set, options.decoder(predictor), show)
    terminal.show_notices(evaluation_set.notices)
    title = f"{evaluation_set.split}: {len(evaluation_set):,} examples, {options.decoding} decoding"
    terminal.print_evaluation(evaluation, title, exact, json, noise_at)
