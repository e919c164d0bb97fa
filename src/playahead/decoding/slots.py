"""The paper's inference (docs/paper.md 1.3 i-m): slots above a threshold emit. And the same with a tuned threshold.

The paper's symbols: o_k objectness, p_k class probabilities, r_k offset bins, tau. For each slot k with o_k > tau,
one anticipation: class argmax p_k, time of the bin argmax r_k, and the whole class vector as confidences.

Axes: O examples, K slots, C classes, T bins, R raster frames, V vector entries, P predictions.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import SlotPredictions
from playahead.domain.grid import FRAMES_PER_WINDOW
from playahead.evaluation.frames import rasterise

SlotTime = Literal["argmax", "expected"]
Confidence = Literal["product", "class"]
"""Of class c from slot k: o_k * p_k(c), or p_k(c) alone. The paper says that the class vector is kept, not which."""

TAU = 0.3
"""Objectness above which a slot emits (printed by the paper, but not in the text we had)."""


def slot_times(predictions: SlotPredictions, time: SlotTime) -> NDArray[np.float32]:
    """When each slot means, as a share of the 5 s: centre of its likeliest bin, or the expectation over bins."""
    n_bins = predictions.offset_OKT.shape[-1]
    centre_T = ((np.arange(n_bins) + 0.5) / n_bins).astype(np.float32)
    if time == "expected":
        return predictions.offset_OKT @ centre_T
    return centre_T[predictions.offset_OKT.argmax(axis=-1)]


def emitted(
    predictions: SlotPredictions, tau: float, confidence: Confidence
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which slots emit, (O, K), and how confident each is of each class, (O, K, C): the paper's reading.

    The paper's o_k is the network's own sigmoid. Training weighs matched slots by 5, so it lies far above the
    probability that marginal decoding reads: a calibrated 0.3 is 0.68 here.
    """
    o_OK = predictions.network_objectness_OK
    return o_OK > tau, predictions.class_OKC * o_OK[..., None] if confidence == "product" else predictions.class_OKC


def tau_for(predictions: SlotPredictions, slots_per_clip: float) -> float:
    """The tau above which so many slots of an example emit on average: to compare at equal numbers of predictions."""
    share = min(slots_per_clip / predictions.objectness_OK.shape[1], 1.0)
    tau = float(np.quantile(predictions.network_objectness_OK, 1 - share, method="lower"))
    return min(tau, float(np.nextafter(1.0, 0.0)))


def decode_paper(
    predictions: SlotPredictions, tau: float = TAU, confidence: Confidence = "product"
) -> NDArray[np.float32]:
    """The paper's decoding -> scores_ORV, two slots of one frame averaged, as the official scorer does it."""
    emits_OK, confidence_OKC = emitted(predictions, tau, confidence)
    return _in_frames(emits_OK, slot_times(predictions, "argmax"), confidence_OKC)


def decode_threshold(
    predictions: SlotPredictions, tau: float = TAU, time: SlotTime = "argmax", rescue: bool = False
) -> NDArray[np.float32]:
    """Slots with a calibrated objectness > tau -> scores_ORV; confidence of a class is objectness x its probability.

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
    confidence_OKC = predictions.class_OKC * predictions.objectness_OK[..., None]
    return _in_frames(emits_OK, slot_times(predictions, time), confidence_OKC)


def _in_frames(
    emits_OK: NDArray[np.bool_], time_OK: NDArray[np.float32], confidence_OKC: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Slots that emit -> scores_ORV: each puts its class vector into the frame of its time."""
    example_P, slot_P = np.nonzero(emits_OK)
    frame_P = (time_OK[example_P, slot_P] * FRAMES_PER_WINDOW).astype(np.intp)
    class_PC = confidence_OKC[example_P, slot_P]
    # The classes of a slot share its objectness, or with p_k alone 1: the background has the rest.
    background_P1 = np.maximum(1 - class_PC.sum(axis=1, keepdims=True), 0)
    return rasterise(example_P, frame_P, np.concatenate([background_P1, class_PC], axis=1), len(emits_OK))
