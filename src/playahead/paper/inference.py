"""1.3 i-m: for each slot k with o_k > tau one anticipation: class argmax p_k, time of the bin argmax r_k.

NumPy alone: nothing from here on knows tensors.

Axes: O examples, K slots, C classes, T bins, P anticipations.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

TAU = 0.3
"""Objectness above which a slot emits (L; 1.3 m)."""

Confidence = Literal["product", "class"]
"""Of class c from slot k: o_k p_k(c), or p_k(c) alone. The paper says that the class vector is kept, not which (C)."""
SlotTime = Literal["argmax", "expected"]
"""Time of a slot: the centre of its likeliest bin, or the expectation over bins (an option; 1.3 k)."""


class Emitted(NamedTuple):
    """Anticipations of slots that emit, by example, then slot.

    Attributes:
        example_P, slot_P: which slot of which example.
        time_P: time as a share of the 5 s; the anticipation's is 30000 + 5000 time_P ms.
        confidence_PC: the whole class vector; its largest entry names the class.
    """

    example_P: NDArray[np.intp]
    slot_P: NDArray[np.intp]
    time_P: NDArray[np.float32]
    confidence_PC: NDArray[np.float32]


def emit(emits_OK: NDArray[np.bool_], time_OK: NDArray[np.float32], confidence_OKC: NDArray[np.float32]) -> Emitted:
    """Anticipations of the slots that emit."""
    example_P, slot_P = np.nonzero(emits_OK)
    return Emitted(example_P, slot_P, time_OK[example_P, slot_P], confidence_OKC[example_P, slot_P])


def anticipate(
    o_OK: NDArray[np.float32],
    p_OKC: NDArray[np.float32],
    r_OKT: NDArray[np.float32],
    tau: float = TAU,
    confidence: Confidence = "product",
) -> Emitted:
    """The paper's inference.

    Args:
        o_OK: objectness, the network's own sigmoid. Training weighs matched slots by 5, so it lies far above a
            probability: a calibrated 0.3 is 0.68 here.
        p_OKC: class probabilities.
        r_OKT: probabilities of the offset bins.
        tau: objectness above which a slot emits.
        confidence: "product" or "class".
    """
    confidence_OKC = p_OKC * o_OK[..., None] if confidence == "product" else p_OKC
    return emit(o_OK > tau, slot_times(r_OKT), confidence_OKC)


def slot_times(r_OKT: NDArray[np.float32], time: SlotTime = "argmax") -> NDArray[np.float32]:
    """Time of each slot as a share of the 5 s: (b + 0.5) / T of its likeliest bin b, or the expectation over bins."""
    n_bins = r_OKT.shape[-1]
    centre_T = ((np.arange(n_bins) + 0.5) / n_bins).astype(np.float32)
    return r_OKT @ centre_T if time == "expected" else centre_T[r_OKT.argmax(axis=-1)]
