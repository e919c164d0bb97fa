"""``playahead evaluate frames``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.evaluation.evaluate import evaluate_frame_case


def evaluate_frames(case: Path, exact: bool = False, json: bool = False) -> None:
    """Score frame tables by the official metric, to the last bit.

    Args:
        case: a .npz of the golden cases' layout: labels, visibility and scores of 32 frames a clip.
        exact: also every threshold and continuous time (slower).
        json: one JSON document on standard output.
    """
    terminal.print_evaluation(evaluate_frame_case(case), case.name, exact, json)
