"""Predictions: what the heads say, as probabilities in NumPy; several models as one; how healthy a model is.

Axes: O examples, K slots, C classes, T bins, R raster frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import FRAMES_PER_WINDOW, RASTER_FRAMES
from playahead.io.errors import InputError


@dataclass(frozen=True)
class SlotPredictions:
    """Predictions of the slots, Eqs. (2)-(4) of docs/paper.md; float32.

    Attributes:
        objectness_OK: o_k as a calibrated probability: the effect of ``positive_weight`` is taken out.
        class_OKC: p_k, sums to 1.
        offset_OKT: r_k, sums to 1.
        positive_weight: weight of matched slots' objectness loss in training.
    """

    objectness_OK: NDArray[np.float32]
    class_OKC: NDArray[np.float32]
    offset_OKT: NDArray[np.float32]
    positive_weight: float = 1.0

    @property
    def network_objectness_OK(self) -> NDArray[np.float32]:
        """o_k of Eq. (2) as the network says it, sigmoid(logit): the paper's threshold and confidence read this.

        The calibrated logit is the network's less log w, so its odds are the calibrated odds times w.
        """
        if self.positive_weight == 1:
            return self.objectness_OK
        w, o_OK = self.positive_weight, self.objectness_OK
        return (w * o_OK / (1 + (w - 1) * o_OK)).astype(np.float32, copy=False)

    def __len__(self) -> int:
        return len(self.objectness_OK)

    def select(self, kept_O: NDArray[np.bool_]) -> "SlotPredictions":
        """The predictions of some examples."""
        arrays = self.objectness_OK[kept_O], self.class_OKC[kept_O], self.offset_OKT[kept_O]
        return SlotPredictions(*arrays, self.positive_weight)

    def intensity(self) -> NDArray[np.float32]:
        """Slots added up: lambda_c(frame) = sum_k o_k p_k(c) q_k(frame), intensity_ORC in events per frame."""
        mass_OKC = self.objectness_OK[..., None] * self.class_OKC
        offset_OKR = self.offset_OKT @ bins_to_frames(self.offset_OKT.shape[-1])
        return (offset_OKR.transpose(0, 2, 1) @ mass_OKC).astype(np.float32, copy=False)


@dataclass(frozen=True)
class DensePredictions:
    """Predictions of a dense head, float32.

    Attributes:
        probability_ORC: probability that a class's action happens in a frame.
        where_OC3: probability that the side in possession acts, and place in the acting side's attack, -1 to 1 along
            and across, for an action of each class. None of models that say nothing of it.
    """

    probability_ORC: NDArray[np.float32]
    where_OC3: NDArray[np.float32] | None = None

    @classmethod
    def of_rates(cls, rate_ORC: NDArray[np.float32], where_OC3: NDArray[np.float32]) -> "DensePredictions":
        """Predictions from actions per frame, and what ``variants.moment.RateLogits`` says of where."""
        side_OC1, place_OC2 = sigmoid(where_OC3[..., :1]), where_OC3[..., 1:].clip(-1, 1)
        return cls(event_probabilities(rate_ORC), np.concatenate([side_OC1, place_OC2], axis=-1))

    def __len__(self) -> int:
        return len(self.probability_ORC)

    def select(self, kept_O: NDArray[np.bool_]) -> "DensePredictions":
        """The predictions of some examples."""
        return DensePredictions(
            self.probability_ORC[kept_O], None if self.where_OC3 is None else self.where_OC3[kept_O]
        )

    def intensity(self) -> NDArray[np.float32]:
        """Events per frame: -log(1 - p), the rate at which an event has probability p."""
        return -np.log1p(-np.minimum(self.probability_ORC, np.float32(1 - 1e-6)))


Predictions = SlotPredictions | DensePredictions


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several sequences, one after the other."""
    if isinstance(parts[0], DensePredictions):
        dense = [p for p in parts if isinstance(p, DensePredictions)]
        where = [p.where_OC3 for p in dense if p.where_OC3 is not None]
        joined_ORC = np.concatenate([p.probability_ORC for p in dense])
        return DensePredictions(joined_ORC, np.concatenate(where) if where else None)
    slots = [p for p in parts if isinstance(p, SlotPredictions)]
    columns = zip(*((p.objectness_OK, p.class_OKC, p.offset_OKT) for p in slots), strict=True)
    return SlotPredictions(*map(np.concatenate, columns), positive_weight=slots[0].positive_weight)


def sigmoid(logit: NDArray[np.floating]) -> NDArray[np.floating]:
    """Logits -> probabilities, without overflow."""
    return np.tanh(logit / 2) / 2 + 0.5


def event_probabilities(intensity_ORC: NDArray[np.floating]) -> NDArray[np.float32]:
    """Events per frame -> the probability of at least one: what ``DensePredictions`` holds."""
    return -np.expm1(-np.asarray(intensity_ORC, np.float32))


def bins_to_frames(n_bins: int) -> NDArray[np.float32]:
    """Share of each offset bin that falls into each raster frame: share_TR, rows sum to 1."""
    bin_edge = np.linspace(0, 1, n_bins + 1)
    frame_edge = np.minimum(np.arange(RASTER_FRAMES + 1) / FRAMES_PER_WINDOW, 1)
    low = np.maximum(bin_edge[:-1, None], frame_edge[None, :-1])
    high = np.minimum(bin_edge[1:, None], frame_edge[None, 1:])
    return (np.maximum(high - low, 0) * n_bins).astype(np.float32)


_LEAST = np.float32(1e-7)  # a probability of exactly 0 or 1 would silence every other model


def average_predictions(members: Sequence[Predictions]) -> DensePredictions:
    """The members' event_probabilities, averaged as logits.

    Raises:
        InputError: no members, or they have predicted different numbers of examples.
    """
    if len({len(predictions) for predictions in members}) != 1:
        raise InputError("ensemble", f"members have predicted {[len(predictions) for predictions in members]} examples")
    probabilities = (np.clip(event_probabilities(p.intensity()), _LEAST, 1 - _LEAST) for p in members)
    logit_ORC = np.mean([np.log(p_ORC / (1 - p_ORC)) for p_ORC in probabilities], axis=0)
    return DensePredictions(sigmoid(logit_ORC).astype(np.float32))


@dataclass(frozen=True)
class Health:
    """Figures of a model's health, from its predictions.

    Attributes:
        expected: mean number of events that the model expects in an example (its intensity added up).
        happened: actual events per example.
        live_slots: number of slots that share the work: exp of the entropy of their objectness mass (1: all but one are
            dead; 0 where there are no slots).
        top_probability: 99th percentile of the examples' highest slot objectness, or frame probability: near 0, the
            model is never certain; near 1 from the start, always.
    """

    expected: float
    happened: float
    live_slots: float
    top_probability: float


def health(predictions: Predictions, n_events: int) -> Health:
    """Health from predictions of examples that were followed by ``n_events`` events in all."""
    if isinstance(predictions, SlotPredictions):
        share_K = predictions.objectness_OK.mean(axis=0).astype(np.float64)
        share_K = share_K / max(share_K.sum(), 1e-12)
        live = float(np.exp(-(share_K * np.log(np.maximum(share_K, 1e-12))).sum()))
        expected, top_O = float(predictions.objectness_OK.sum(axis=1).mean()), predictions.objectness_OK.max(axis=1)
    else:
        expected, live = float(predictions.intensity().sum(axis=(1, 2)).mean()), 0.0
        top_O = predictions.probability_ORC.max(axis=(1, 2))
    return Health(expected, n_events / len(predictions), live, float(np.percentile(top_O, 99)))
