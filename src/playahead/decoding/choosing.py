"""Choice of a decoding on validation: thresholds, shifts in time, score scales, the map of confidences.

The chosen decoding travels with the weights.

Axes: O examples (N clips), R frames, V vector entries, C classes, P anticipations, B bins of confidence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.decoder import Decoder, Kind, shift, tau_for
from playahead.decoding.predictions import Predictions, SlotPredictions
from playahead.decoding.shown import fit_shown
from playahead.domain.actions import ACTIONS
from playahead.evaluation.exact import TimedEvents
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import average_precision, benchmark_average, count_detections
from playahead.evaluation.reliability import came_near, rows_of
from playahead.evaluation.score_scale import ScoreScale, choose_score_scale
from playahead.io.errors import InputError
from playahead.paper.inference import TAU, Confidence, SlotTime

TAUS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Thresholds that are tried, each with both predictions of a slot's time."""

Table = Callable[[NDArray[np.float32]], FrameTable]
"""Puts scores_ORV beside what happened (``EvaluationSet.table``)."""


@dataclass(frozen=True)
class Decoding:
    """Settings of a decoding that are fixed, and those that validation may choose.

    Attributes:
        kind: "marginal", "paper" or "tuned-threshold".
        tau: threshold of the paper's decoding (0.3 if None) or of the tuned one (chosen if None).
        slots_per_clip: number of slots that emit on average, which sets the paper's tau.
        confidence: confidence of the paper's decoding (``paper.inference.Confidence``).
        time, rescue: settings of the tuned threshold; None is chosen.
        shifts: move each class's predictions in time as validation suggests.
        scale: stretch each class's scores as validation suggests; the paper's never are.
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
            raise InputError("Decoding.tau", f"{self.tau!r} is not a number")
        flags = [self.shifts, self.scale, *([] if self.rescue is None else [self.rescue])]
        if not all(type(flag) is bool for flag in flags):
            raise InputError("Decoding.shifts", "shifts, scale and rescue are true or false")
        tau = 0.0 if self.tau is None else self.tau
        Decoder(self.kind, tau, self.time or "argmax", confidence=self.confidence)  # refuses what cannot be
        if self.slots_per_clip is not None:
            if self.kind != "paper" or self.tau is not None:
                raise InputError("Decoding.slots_per_clip", "is for the paper's decoding, in place of tau")
            if type(self.slots_per_clip) not in (int, float) or not self.slots_per_clip > 0:
                raise InputError("Decoding.slots_per_clip", f"{self.slots_per_clip!r} is not a number above 0")
        if self.kind == "marginal" and self.tau is not None:
            raise InputError("Decoding.tau", "marginal has no tau")
        if self.kind != "tuned-threshold" and (self.time is not None or self.rescue is not None):
            raise InputError("Decoding.time", "time and rescue are settings of tuned-threshold")
        if self.kind == "paper" and self.shifts:
            raise InputError("Decoding.shifts", "the paper's decoding has none")


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
    tried = [Decoder("tuned-threshold", tau, time, bool(decoding.rescue)) for tau in taus for time in times]
    best = max(tried, key=lambda decoder: average(decoder, predictions, table))
    rescues = [best, replace(best, rescue=True)] if decoding.rescue is None else [best]
    return max(rescues, key=lambda decoder: average(decoder, predictions, table))


_TRIED_FRAMES = (-1, 1, -2, 2, -3, 3)  # of 160 ms; the smallest first
_LEAST_GAIN = 0.002  # in average precision: less is noise


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


_BIN = 0.025  # of confidence: one knot each, where there are anticipations
_PRIOR = 20.0  # anticipations that bear out the model: a bin with few of its own stays near what it says


def calibrate(decoder: Decoder, predictions: Predictions, table: Table, events: TimedEvents) -> Decoder:
    """The decoder with a map of its confidences, and bounds for what is shown; scores stay as they are.

    Args:
        decoder: the marginal one.
        predictions: predictions for matches that the model was not trained on.
        table: puts confidences beside what happened (``EvaluationSet.table``).
        events: actions that happened, to the millisecond.
    """
    plain = replace(decoder, calibration=None, shown=None)
    rows = rows_of(table(plain.probabilities(predictions)).scores_NRV[:, :, 1:], events)
    stated_P, happened_P = np.asarray(rows.score, np.float64), came_near(events, rows)
    by_class = [rows.class_index == c for c in range(len(ACTIONS))]
    knots = [_knots(stated_P[mine], happened_P[mine]) for mine in by_class]
    mapped = replace(plain, calibration=ScoreScale(tuple(k[0] for k in knots), tuple(k[1] for k in knots)))
    return replace(mapped, shown=fit_shown(mapped.probabilities(predictions), events.class_index))


def _knots(stated_P: NDArray[np.float64], happened_P: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """(stated, happened) from (0, 0) to (1, 1): the mean of each bin, pooled with its neighbours where they fall."""
    if not len(stated_P):
        return (), ()
    bin_P = (stated_P / _BIN).astype(int)
    count_B, stated_B, happened_B = (np.bincount(bin_P, weights) for weights in (None, stated_P, happened_P))
    held = count_B > 0
    count_B, stated_B = count_B[held], (stated_B[held] / count_B[held]).round(4)
    happened_B = (happened_B[held] + _PRIOR * stated_B) / (count_B + _PRIOR)
    from scipy.optimize import isotonic_regression  # of training alone

    rising_B = isotonic_regression(happened_B, weights=count_B + _PRIOR).x.round(4)
    inner = (stated_B > 0) & (stated_B < 1)
    return (0.0, *stated_B[inner].tolist(), 1.0), (0.0, *rising_B[inner].tolist(), 1.0)
