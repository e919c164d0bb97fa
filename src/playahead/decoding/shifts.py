"""Each class's predictions moved in time by as much as validation says (one of the 2026 winner's steps).

A model that is late by habit, or labels that are, cost nothing once they are known.

Axes: N clips, R frames, V vector entries, C classes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import average_precision, count_detections

_TRIED_FRAMES = (-1, 1, -2, 2, -3, 3)  # of 160 ms; the smallest first
_LEAST_GAIN = 0.002  # in average precision: less is noise


def shift(scores_NRV: NDArray[np.float32], frames_C: Sequence[int]) -> NDArray[np.float32]:
    """Predictions moved later by so many frames; at the window's edge the higher one of two stays."""
    shifted_NRV = scores_NRV.copy()
    for c, frames in enumerate(frames_C, start=1):
        if frames:
            shifted_NRV[:, :, c] = _moved(scores_NRV[:, :, c], frames)
    return shifted_NRV


def _moved(scores_NR: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    ordered_NR = scores_NR if frames > 0 else scores_NR[:, ::-1]
    steps = min(abs(frames), scores_NR.shape[1] - 1)
    moved_NR = np.zeros_like(ordered_NR)
    moved_NR[:, steps:] = ordered_NR[:, :-steps]
    moved_NR[:, -1] = ordered_NR[:, -steps - 1 :].max(axis=1)
    return moved_NR if frames > 0 else moved_NR[:, ::-1]


def choose_shifts(validation: FrameTable) -> tuple[int, ...]:
    """Per class, the shift that scores best on validation by the official metric; 0 unless another clearly does."""
    best_C = _by_class(validation) + _LEAST_GAIN
    chosen_C = np.zeros(len(ACTIONS), np.int64)
    for frames in _TRIED_FRAMES:
        moved = shift(validation.scores_NRV, [frames] * len(ACTIONS))
        found_C = _by_class(replace(validation, scores_NRV=moved))
        chosen_C = np.where(found_C > best_C, frames, chosen_C)
        best_C = np.maximum(best_C, found_C)
    return tuple(int(frames) for frames in chosen_C)


def _by_class(table: FrameTable) -> NDArray[np.float64]:
    precision_C = np.zeros(len(ACTIONS))
    precision_C[list(table.classes)] = average_precision(count_detections(table))[0].mean(axis=0)
    return precision_C
