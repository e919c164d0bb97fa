"""Choosing a decoding on validation predictions; what is chosen travels with the weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.decoder import Decoder, Kind
from playahead.decoding.predictions import Predictions, SlotPredictions
from playahead.decoding.shifts import choose_shifts
from playahead.decoding.slots import tau_for
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.evaluation.score_scale import choose_score_scale
from playahead.io.errors import InputError
from playahead.paper.inference import TAU, Confidence, SlotTime

TAUS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Thresholds that are tried, each with both predictions of a slot's time."""

Table = Callable[[NDArray[np.float32]], FrameTable]
"""Puts scores_ORV beside what happened (``EvaluationSet.table``)."""


@dataclass(frozen=True)
class Decoding:
    """What is fixed about a decoding, and what validation may choose.

    Attributes:
        kind: "marginal", "paper" or "tuned-threshold".
        tau: of the paper's (0.3 if None) or the tuned threshold (chosen if None).
        slots_per_clip: instead of the paper's tau: the one above which so many slots emit on average.
        confidence: of the paper's, "product" or "class" (``decoding.slots.Confidence``).
        time, rescue: of the tuned threshold; None is chosen.
        shifts: each class's predictions are moved in time as validation suggests.
        scale: each class's scores are stretched as validation suggests; the paper's never are.
    """

    kind: Kind = "marginal"
    tau: float | None = None
    time: SlotTime | None = None
    rescue: bool | None = None
    shifts: bool = False
    scale: bool = True
    slots_per_clip: float | None = None
    confidence: Confidence = "product"

    def __post_init__(self) -> None:
        if not (self.tau is None or type(self.tau) in (int, float)):
            raise InputError("decoding.tau", f"{self.tau!r} is not a number")
        if not {type(value) for value in (self.shifts, self.scale)} <= {bool} or type(self.rescue) not in (
            bool,
            type(None),
        ):
            raise InputError("decoding", "shifts, scale and rescue are true or false")
        tau = 0.0 if self.tau is None else self.tau
        Decoder(self.kind, tau, self.time or "argmax", confidence=self.confidence)  # refuses what cannot be
        if self.slots_per_clip is not None:
            if self.kind != "paper" or self.tau is not None:
                raise InputError("decoding.slots_per_clip", "is for the paper's decoding, in place of tau")
            if type(self.slots_per_clip) not in (int, float) or not self.slots_per_clip > 0:
                raise InputError("decoding.slots_per_clip", f"{self.slots_per_clip!r} is not a number above 0")
        if self.kind == "marginal" and self.tau is not None:
            raise InputError("decoding", "marginal has no tau")
        if self.kind != "tuned-threshold" and (self.time is not None or self.rescue is not None):
            raise InputError("decoding", "time and rescue are of the tuned threshold")
        if self.kind == "paper" and self.shifts:
            raise InputError("decoding", "the paper's has no shifts")


def choose(decoding: Decoding, predictions: Predictions, table: Table) -> Decoder:
    """The decoder that scores best on these predictions, of those that ``decoding`` allows."""
    if decoding.kind == "paper":
        tau = TAU if decoding.tau is None else decoding.tau
        if decoding.slots_per_clip is not None and isinstance(predictions, SlotPredictions):
            tau = tau_for(predictions, decoding.slots_per_clip)
        return Decoder("paper", tau, confidence=decoding.confidence)
    decoder = Decoder() if decoding.kind == "marginal" else _best_threshold(decoding, predictions, table)
    if decoding.shifts:
        decoder = replace(decoder, shift_frames=choose_shifts(table(decoder.scores(predictions))))
    if decoding.scale:
        decoder = replace(decoder, scale=choose_score_scale(table(decoder.scores(predictions))))
    return decoder


def average(decoder: Decoder, predictions: Predictions, table: Table) -> float:
    """The benchmark's average, in percent."""
    return 100 * benchmark_average(count_detections(table(decoder.scores(predictions))))


def _best_threshold(decoding: Decoding, predictions: Predictions, table: Table) -> Decoder:
    taus = TAUS if decoding.tau is None else (decoding.tau,)
    times: tuple[SlotTime, ...] = ("argmax", "expected") if decoding.time is None else (decoding.time,)
    rescue = bool(decoding.rescue)
    best = _best([Decoder("tuned-threshold", tau, time, rescue) for tau in taus for time in times], predictions, table)
    return _best([best, replace(best, rescue=True)], predictions, table) if decoding.rescue is None else best


def _best(tried: list[Decoder], predictions: Predictions, table: Table) -> Decoder:
    if len(tried) == 1:
        return tried[0]
    return max(tried, key=lambda decoder: average(decoder, predictions, table))
