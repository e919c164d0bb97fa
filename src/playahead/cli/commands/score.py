"""``playahead evaluate frames`` and ``evaluate submission``: no model, no PyTorch."""

from pathlib import Path

from playahead.cli import terminal
from playahead.evaluation.scores import evaluate_frame_case
from playahead.evaluation.submission import evaluate_submission as score_submission


def evaluate_frames(case: Path, exact: bool = False, json: bool = False) -> None:
    """Score frame tables by the official metric, to the last bit.

    Args:
        case: .npz in the golden cases' layout: labels, visibility and scores of 32 frames a clip.
        exact: score every threshold in continuous time, too (slower).
        json: one JSON document on standard output.
    """
    terminal.print_evaluation(evaluate_frame_case(case), case.name, exact, json)


def evaluate_submission(results: Path, labels: Path, exact: bool = False, json: bool = False) -> None:
    """Score a submission by the official metric, to the last bit.

    Args:
        results: results_anticipation.json or the zip.
        labels: Labels-ball.json of the split, or its folder.
        exact: score every threshold in continuous time, too (slower).
        json: one JSON document on standard output.
    """
    terminal.print_evaluation(score_submission(results, labels), str(results), exact, json)
