"""Figures beside the benchmark's, each a function of what the official scorer sees.

A new one is a function and an entry of ``FIGURES`` (docs/how-to/add-a-metric.md); ``evaluate`` prints them all.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from playahead.evaluation.frames import NO_EVENT, FrameTable


def mean_predictions(scores_NRV: NDArray[np.float32]) -> float:
    """Frames of a clip with any score, on average."""
    return float((scores_NRV[:, :, 1:] > 0).any(axis=2).sum() / max(len(scores_NRV), 1))


def predictions_per_clip(table: FrameTable) -> float:
    """Frames with any score, on average: what the paper's threshold ablation counts."""
    return mean_predictions(table.scores_NRV)


def events_per_clip(table: FrameTable) -> float:
    """Actions that happened, on average."""
    return float((table.labels_NR != NO_EVENT).sum() / max(len(table.labels_NR), 1))


FIGURES: dict[str, Callable[[FrameTable], float]] = {
    "predictions per clip": predictions_per_clip,
    "events per clip": events_per_clip,
}
