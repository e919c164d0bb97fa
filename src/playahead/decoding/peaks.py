"""Scores over time -> spotted actions.

Axes: T moments, C classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RADIUS_MS = 500
"""Of two peaks of one class closer than this the lower is dropped: mAP@1 pays within half a second."""


@dataclass(frozen=True)
class Spotted:
    """Actions seen: when, which class, how surely; by class, then by falling score."""

    time_ms: NDArray[np.int64]
    class_index: NDArray[np.intp]
    score: NDArray[np.float32]


def pick_peaks(
    scores_TC: NDArray[np.floating],
    time_ms_T: NDArray[np.integer],
    min_confidence: float = 0.01,
    radius_ms: int = RADIUS_MS,
) -> Spotted:
    """Greedy non-maximum suppression of each class on its own."""
    found: list[tuple[int, int, float]] = []
    for c in range(scores_TC.shape[1]):
        free_T = scores_TC[:, c] >= min_confidence
        for t in np.argsort(-scores_TC[:, c], kind="stable"):
            if scores_TC[t, c] < min_confidence:
                break
            if free_T[t]:
                found.append((int(time_ms_T[t]), c, float(scores_TC[t, c])))
                free_T &= np.abs(time_ms_T - time_ms_T[t]) >= radius_ms
    times, classes, scores = zip(*found, strict=True) if found else ((), (), ())
    return Spotted(np.array(times, np.int64), np.array(classes, np.intp), np.array(scores, np.float32))
