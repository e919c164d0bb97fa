"""1.3 i to m: each slot k with o_k > tau gives one anticipation, of class argmax p_k, at the centre of bin argmax r_k.

Decoding uses NumPy alone, no tensors.
Axes: O examples, K slots, C classes, T bins, P anticipations.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

TAU = 0.3
"""Objectness above which a slot emits (L; 1.3 m)."""
Confidence = Literal["product", "class"]
"""Confidence of class c from slot k: o_k p_k(c), or p_k(c) alone. The paper does not say which (C; 1.3 j)."""
SlotTime = Literal["argmax", "expected"]
"""Time of a slot: the centre of its most probable bin, or the expectation over bins (an option)."""


class Emitted(NamedTuple):
    """Anticipations of the slots that emit, ordered by example, then slot."""

    example_P: NDArray[np.intp]
    slot_P: NDArray[np.intp]
    time_P: NDArray[np.float32]  # fraction of the 5 s: 30000 + 5000 time_P ms
    confidence_PC: NDArray[np.float32]  # the whole class vector; its largest entry names the class


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
    """The paper's inference (1.3 i), on the probabilities of Eqs. (2) to (4).

    o_k is the network's own sigmoid. Training gives matched slots a weight of 5, which inflates o_k: what would be
    0.3 as a probability is 0.68 here.
    """
    confidence_OKC = p_OKC * o_OK[..., None] if confidence == "product" else p_OKC
    return emit(o_OK > tau, slot_times(r_OKT), confidence_OKC)


def slot_times(r_OKT: NDArray[np.float32], time: SlotTime = "argmax") -> NDArray[np.float32]:
    """Time as a fraction of the 5 s: (b + 0.5) / T of the most probable bin b, or the expectation over bins (1.3 k)."""
    n_bins = r_OKT.shape[-1]
    centre_T = ((np.arange(n_bins) + 0.5) / n_bins).astype(np.float32)
    return r_OKT @ centre_T if time == "expected" else centre_T[r_OKT.argmax(axis=-1)]
