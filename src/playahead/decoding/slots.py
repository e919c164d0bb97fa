"""The paper's decoding: slots above a threshold emit (docs/paper.md 1.3, inference).

Axes: O examples, K slots, C classes, T bins, R raster frames, V vector entries, P predictions.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import SlotPredictions
from playahead.domain.grid import FRAMES_PER_WINDOW
from playahead.evaluation.frames import rasterise

SlotTime = Literal["argmax", "expected"]

TAU = 0.3
"""Objectness above which a slot emits (C)."""


def slot_times(predictions: SlotPredictions, time: SlotTime) -> NDArray[np.float32]:
    """When each slot means, as a share of the 5 s: centre of its likeliest bin, or the expectation over bins."""
    n_bins = predictions.offset_OKT.shape[-1]
    centre_T = ((np.arange(n_bins) + 0.5) / n_bins).astype(np.float32)
    if time == "expected":
        return predictions.offset_OKT @ centre_T
    return centre_T[predictions.offset_OKT.argmax(axis=-1)]


def decode_threshold(
    predictions: SlotPredictions, tau: float = TAU, time: SlotTime = "argmax", rescue: bool = False
) -> NDArray[np.float32]:
    """Slots with objectness > tau -> scores_ORV; confidence of a class is objectness x its probability.

    Args:
        predictions: what the slot heads say.
        tau: objectness above which a slot emits.
        time: "argmax", or the expectation over bins.
        rescue: an example left empty emits its likeliest slot all the same.
    """
    emits_OK = predictions.objectness_OK > tau
    if rescue:
        empty = np.flatnonzero(~emits_OK.any(axis=1))
        emits_OK[empty, predictions.objectness_OK[empty].argmax(axis=1)] = True
    example_P, slot_P = np.nonzero(emits_OK)
    share_P = slot_times(predictions, time)[example_P, slot_P]
    frame_P = (share_P * FRAMES_PER_WINDOW).astype(np.intp)
    objectness_P = predictions.objectness_OK[example_P, slot_P]
    class_PC = predictions.class_OKC[example_P, slot_P] * objectness_P[:, None]
    vector_PV = np.concatenate([(1 - objectness_P)[:, None], class_PC], axis=1)
    return rasterise(example_P, frame_P, vector_PV, len(predictions))
