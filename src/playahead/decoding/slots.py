"""Slots that emit, put into the scorer's frames: the paper's inference, and the same with a tuned threshold.

Axes: O examples, K slots, C classes, R raster frames, V vector entries.
"""

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import SlotPredictions
from playahead.domain.grid import FRAMES_PER_WINDOW
from playahead.evaluation.frames import rasterise
from playahead.paper.inference import TAU, Confidence, Emitted, SlotTime, anticipate, emit, slot_times


def emitted(predictions: SlotPredictions, tau: float, confidence: Confidence) -> Emitted:
    """Anticipations of the paper's inference, which reads the network's own objectness."""
    p = predictions
    return anticipate(p.network_objectness_OK, p.class_OKC, p.offset_OKT, tau, confidence)


def tau_for(predictions: SlotPredictions, slots_per_clip: float) -> float:
    """The tau above which so many slots of an example emit on average: to compare at equal numbers of predictions."""
    share = min(slots_per_clip / predictions.objectness_OK.shape[1], 1.0)
    tau = float(np.quantile(predictions.network_objectness_OK, 1 - share, method="lower"))
    return min(tau, float(np.nextafter(1.0, 0.0)))


def decode_paper(
    predictions: SlotPredictions, tau: float = TAU, confidence: Confidence = "product"
) -> NDArray[np.float32]:
    """The paper's decoding -> scores_ORV, two slots of one frame averaged, as the official scorer does it."""
    return _in_frames(emitted(predictions, tau, confidence), len(predictions))


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
    return _in_frames(emit(emits_OK, slot_times(predictions.offset_OKT, time), confidence_OKC), len(predictions))


def _in_frames(found: Emitted, n_examples: int) -> NDArray[np.float32]:
    """Slots that emit -> scores_ORV: each puts its class vector into the frame of its time."""
    frame_P = (found.time_P * FRAMES_PER_WINDOW).astype(np.intp)
    # The classes of a slot share its objectness, or with p_k alone 1: the background has the rest.
    background_P1 = np.maximum(1 - found.confidence_PC.sum(axis=1, keepdims=True), 0)
    vector_PV = np.concatenate([background_P1, found.confidence_PC], axis=1)
    return rasterise(found.example_P, frame_P, vector_PV, n_examples)
