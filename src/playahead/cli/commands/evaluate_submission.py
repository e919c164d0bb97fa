"""``playahead evaluate submission``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.evaluation.submission import evaluate_submission


def command(results: Path, labels: Path, exact: bool = False, json: bool = False) -> None:
    """Score a submission by the official metric, to the last bit.

    Args:
        results: results_anticipation.json or the zip.
        labels: Labels-ball.json of the split, or its folder.
        exact: also every threshold and continuous time (slower).
        json: one JSON document on standard output.
    """
    terminal.print_evaluation(evaluate_submission(results, labels), str(results), exact, json)
