"""``playahead evaluate next``."""

from dataclasses import asdict
from pathlib import Path

from playahead.cli import terminal
from playahead.datasets.dataset import FeedDataset
from playahead.inference.predictor import Predictor
from playahead.lab.next_action import MODEL, NextScores, score_next_actions


def command(
    data: Path, split: str = "val", weights: Path | None = None, device: str = "auto", json: bool = False
) -> None:
    """Score which action comes next, and when, at every moment at which one has just happened.

    Beside the model: Markov renewal (fitted on train, if the folder has it), and always guessing the commonest class.

    Args:
        data: folder of compact feed tables.
        split: train, val or test.
        weights: of the model; the packaged ones if not given.
        device: cpu, cuda, cuda:1, mps, or auto.
        json: one JSON document on standard output.
    """
    predictor = Predictor.open(weights, device=device)
    with terminal.progress() as show:
        found = score_next_actions(FeedDataset(data), split, predictor, show)
    if json:
        terminal.print_json({"split": split, "systems": {name: asdict(scores) for name, scores in found.items()}})
        return
    title = f"next action, {split}: after each of {found[MODEL].times:,} actions"
    columns = ("system", "accuracy [95 %]", "macro F1 [95 %]", "of five groups", "F1", "time error, s [95 %]")
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
