"""Predictions -> scored frames -> anticipations; one such way is a value that travels with the weights.

Axes: O examples (N clips), R raster frames, V vector entries (background, then classes), K slots, C classes,
P anticipations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.marginal import decode_marginal, near_probabilities
from playahead.decoding.predictions import DensePredictions, Predictions, SlotPredictions
from playahead.decoding.shown import MinConfidence, Shown, min_confidences
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import Possession
from playahead.domain.grid import ANTICIPATION_MS, FRAMES_PER_WINDOW, OBSERVATION_MS, RASTER_FRAME_MS, RASTER_FRAMES
from playahead.domain.records import Anticipation, Clip
from playahead.evaluation.frames import VECTOR_LENGTH, FrameTable, clip_labels, frame_of_ms, rasterise
from playahead.evaluation.official import benchmark_average, count_detections, metrics_from_counts
from playahead.evaluation.score_scale import ScoreScale
from playahead.io.errors import InputError
from playahead.io.settings import check_choices
from playahead.paper.inference import TAU, Confidence, Emitted, SlotTime, anticipate, emit, slot_times


def emitted(p: SlotPredictions, tau: float, confidence: Confidence) -> Emitted:
    """Anticipations of the paper's inference, which reads the network's own objectness."""
    return anticipate(p.network_objectness_OK, p.class_OKC, p.offset_OKT, tau, confidence)


def tau_for(predictions: SlotPredictions, slots_per_clip: float) -> float:
    """The tau above which so many slots of an example emit on average: to compare at equal numbers of predictions."""
    share = min(slots_per_clip / predictions.objectness_OK.shape[1], 1.0)
    tau = float(np.quantile(predictions.network_objectness_OK, 1 - share, method="lower"))
    return min(tau, float(np.nextafter(1.0, 0.0)))


def decode_threshold(
    predictions: SlotPredictions, tau: float = TAU, time: SlotTime = "argmax", rescue: bool = False
) -> NDArray[np.float32]:
    """Slots with a calibrated objectness > tau -> scores_ORV; confidence of a class is objectness x its probability.

    Args:
        predictions: output of the slot heads.
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
    """Slots that emit -> scores_ORV: each puts its class vector into the frame of its time; two there are averaged."""
    frame_P = (found.time_P * FRAMES_PER_WINDOW).astype(np.intp)
    # The classes of a slot share its objectness, or with p_k alone 1: the background has the rest.
    background_P1 = np.maximum(1 - found.confidence_PC.sum(axis=1, keepdims=True), 0)
    vector_PV = np.concatenate([background_P1, found.confidence_PC], axis=1)
    return rasterise(found.example_P, frame_P, vector_PV, n_examples)


_LAST_CENTRE_MS = RASTER_FRAMES * RASTER_FRAME_MS - RASTER_FRAME_MS // 2  # 5040: just outside the 5 s


def shift(scores_NRV: NDArray[np.float32], frames_C: Sequence[int]) -> NDArray[np.float32]:
    """Predictions moved later by so many frames; at the window's edge the higher one of two stays."""
    shifted_NRV = scores_NRV.copy()
    for c, frames in enumerate(frames_C, start=1):
        steps = min(abs(frames), scores_NRV.shape[1] - 1)
        if not steps:
            continue
        # Both in the direction of the move: what would leave the window stays in its last frame.
        later = slice(None, None, 1 if frames > 0 else -1)
        before_NR, after_NR = scores_NRV[:, later, c], shifted_NRV[:, later, c]
        after_NR[:, :steps] = 0
        after_NR[:, steps:] = before_NR[:, :-steps]
        after_NR[:, -1] = before_NR[:, -steps - 1 :].max(axis=1)
    return shifted_NRV


def anticipations_of(
    scores_NRV: NDArray[np.float32], probabilities_NRV: NDArray[np.float32] | None = None
) -> list[list[Anticipation]]:
    """One record per frame with a score, in time order, at the frame's centre.

    Args:
        scores_NRV: decoded frames.
        probabilities_NRV: scores that name the class, where ``scores_NRV`` has another scale for every class.
    """
    named_by_NRC = (scores_NRV if probabilities_NRV is None else probabilities_NRV)[:, :, 1:]
    listed: list[list[Anticipation]] = [[] for _ in scores_NRV]
    for clip, frame in zip(*np.nonzero(scores_NRV[:, :, 1:].max(axis=2) > 0), strict=True):
        vector, likeliest = scores_NRV[clip, frame, 1:], int(named_by_NRC[clip, frame].argmax())
        listed[clip].append(_record(vector, likeliest, frame_centre_ms(int(frame))))
    return listed


def _record(vector_C: NDArray[np.float32], c: int, offset_ms: int, **about: Any) -> Anticipation:
    confidences = tuple(vector_C.tolist())
    return Anticipation(ACTIONS[c], offset_ms, confidences[c], confidences, **about)


def _side_and_place(where_3: NDArray[np.float32], side: int, teams: tuple[str, str]) -> dict[str, Any]:
    is_own, x, y = where_3.tolist()
    acts = side if is_own >= 0.5 else 1 - side
    return {"team": teams[acts] if side >= 0 else None, "x": round(50 * x + 50), "y": round(50 * y + 50)}


def slots_that_emit(
    predictions: SlotPredictions, tau: float, confidence: Confidence, min_C: NDArray[np.floating]
) -> list[list[Anticipation]]:
    """The paper's inference, one record for each slot above tau, in time order (docs/paper.md 1.3 i-k).

    The class is the likeliest one, the whole class vector is kept, and the time is the centre of the likeliest bin to
    the millisecond. Records that are less confident than ``min_C`` are left out.
    """
    found = emitted(predictions, tau, confidence)
    offset_ms_P = np.rint(found.time_P.astype(np.float64) * ANTICIPATION_MS).astype(np.int64)
    listed: list[list[Anticipation]] = [[] for _ in range(len(predictions))]
    for example, offset_ms, vector_C in zip(found.example_P, offset_ms_P, found.confidence_PC, strict=True):
        likeliest = int(vector_C.argmax())
        if vector_C[likeliest] >= min_C[likeliest]:
            listed[example].append(_record(vector_C, likeliest, int(offset_ms)))
    for records in listed:
        records.sort(key=lambda record: record.offset_ms)
    return listed


def frame_centre_ms(frame: int) -> int:
    """Middle of a frame, kept within the 5 s (the last frame reaches 120 ms beyond)."""
    centre_ms = frame * RASTER_FRAME_MS + RASTER_FRAME_MS // 2
    return centre_ms if centre_ms < _LAST_CENTRE_MS else 5_000


def frames_of(listed: Sequence[Sequence[Anticipation]]) -> NDArray[np.float32]:
    """Records -> scores_NRV, two in one frame averaged, as in the official scorer."""
    clip = np.array([n for n, records in enumerate(listed) for _ in records], np.int64)
    records = [record for clip_records in listed for record in clip_records]
    frame = frame_of_ms(np.array([OBSERVATION_MS + r.offset_ms for r in records], np.int64))
    vectors = np.zeros((len(records), VECTOR_LENGTH), np.float32)
    for row, record in zip(vectors, records, strict=True):
        row[1:] = record.class_confidence
    return rasterise(clip, frame, vectors, len(listed))


Kind = Literal["marginal", "paper", "tuned-threshold"]


class Decoded(NamedTuple):
    """Predictions as scored frames, twice.

    Attributes:
        scores_ORV: scores for the official scorer: every row, on the scale chosen for it.
        probabilities_ORV: confidences for people (docs/metric.md), 0 where a row would tell nothing new.
    """

    scores_ORV: NDArray[np.float32]
    probabilities_ORV: NDArray[np.float32]


@dataclass(frozen=True)
class Decoder:
    """A way of turning predictions into anticipations.

    Attributes:
        kind: "marginal" (either head); "paper" (slots only: docs/paper.md 1.3, and nothing else); or "tuned-threshold",
            the paper's with its threshold, its times and more chosen on validation.
        tau: objectness above which a slot emits: the network's own (paper), or calibrated (tuned-threshold).
        time, rescue: settings of the tuned threshold, see ``decode_threshold``.
        confidence: confidence in the paper's decoding: "product", o_k * p_k(c), or "class", p_k(c) alone.
        scale: monotone map per class for the official scorer, or None.
        calibration: monotone map per class of the confidences that people are shown, or None. No score depends on it.
        shown: confidences from which on people are shown each class, or None.
        shift_frames: number of frames by which each class's predictions are moved later; empty for none.
    """

    kind: Kind = "marginal"
    tau: float = TAU
    time: SlotTime = "argmax"
    rescue: bool = False
    scale: ScoreScale | None = None
    shift_frames: tuple[int, ...] = ()
    confidence: Confidence = "product"
    calibration: ScoreScale | None = None
    shown: Shown | None = None

    def __post_init__(self) -> None:
        check_choices(self)
        if not 0 <= self.tau < 1:
            raise InputError("Decoder.tau", f"{self.tau} is not in [0, 1)")
        if self.kind != "paper" and self.confidence != "product":
            raise InputError("Decoder.confidence", f"{self.confidence} is for the paper's decoding")
        chosen = self.time != "argmax" or self.rescue or self.shift_frames
        chosen = chosen or self.scale or self.calibration or self.shown
        if self.kind == "paper" and chosen:
            what = "paper has a tau, a confidence and nothing else to choose"
            raise InputError("Decoder.kind", what, "use tuned-threshold")
        if len(self.shift_frames) not in (0, len(ACTIONS)):
            raise InputError("Decoder.shift_frames", f"{len(self.shift_frames)} of {len(ACTIONS)} classes")

    def decode(self, predictions: Predictions) -> Decoded:
        """Scores for the scorer and confidences for people, of the same rows."""
        ranked_ORV = self._ranked(predictions)
        return Decoded(self._scaled(ranked_ORV), self._stated(predictions, ranked_ORV))

    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """Confidences for people: see ``Decoded``."""
        return self._stated(predictions, self._ranked(predictions))

    def _stated(self, predictions: Predictions, ranked_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
        """Confidences for people, of rows where they were placed."""
        is_marginal = self.kind == "marginal"
        stated_ORV = near_probabilities(predictions.intensity(), ranked_ORV) if is_marginal else ranked_ORV
        stated_ORV = self._moved(stated_ORV)
        return self.calibration(stated_ORV) if self.calibration else stated_ORV

    def scores(self, predictions: Predictions) -> NDArray[np.float32]:
        """Scores for the official scorer: see ``Decoded``."""
        return self._scaled(self._ranked(predictions))

    def _ranked(self, predictions: Predictions) -> NDArray[np.float32]:
        """Scores that rank rows, where each row was placed."""
        if self.kind == "marginal":
            return decode_marginal(predictions.intensity())
        if self.kind == "paper":
            return _in_frames(emitted(self._slots(predictions), self.tau, self.confidence), len(predictions))
        return decode_threshold(self._slots(predictions), self.tau, self.time, self.rescue)

    def _moved(self, rows_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
        return shift(rows_ORV, self.shift_frames) if self.shift_frames else rows_ORV

    def _scaled(self, ranked_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
        moved_ORV = self._moved(ranked_ORV)
        return self.scale(moved_ORV) if self.scale else moved_ORV

    def _slots(self, predictions: Predictions) -> SlotPredictions:
        if not isinstance(predictions, SlotPredictions):
            what = f"{self.kind} needs slots, and this model has a dense head"
            raise InputError("Decoder.kind", what, "use marginal")
        return predictions

    def anticipations(
        self,
        predictions: Predictions,
        min_confidence: MinConfidence = 0.0,
        for_scorer: bool = False,
        possession: Possession | None = None,
    ) -> list[list[Anticipation]]:
        """Records of each example, in time order.

        Args:
            predictions: output of the heads.
            min_confidence: confidence from which on a record is listed, see ``min_confidences``.
            for_scorer: give every row, on the scale chosen for the official scorer, instead of confidences.
            possession: who has the ball at each example's end; records say who is expected to act, and where, if it is
                given and the model knows.
        """
        min_C = min_confidences(min_confidence, self.shown)
        if self.kind == "paper":
            return slots_that_emit(self._slots(predictions), self.tau, self.confidence, min_C)
        if for_scorer:
            ranked_ORV = self._ranked(predictions)
            return anticipations_of(self._scaled(ranked_ORV), self._moved(ranked_ORV))
        stated_ORV = self.probabilities(predictions)
        stated_ORC = stated_ORV[:, :, 1:]
        is_shown_ORC = (stated_ORC > 0) & (stated_ORC >= min_C)
        if self.kind != "marginal":  # a slot is one action, whose likeliest class alone is named
            is_shown_ORC &= stated_ORC == stated_ORC.max(axis=2, keepdims=True)
        where_OC3 = predictions.where_OC3 if isinstance(predictions, DensePredictions) else None
        listed: list[list[Anticipation]] = [[] for _ in stated_ORV]
        for o, r, c in np.argwhere(is_shown_ORC).tolist():
            about: dict[str, Any] = {}
            if self.shown is not None and self.shown.usual_C[c]:
                about["times_usual"] = round(float(stated_ORC[o, r, c]) / self.shown.usual_C[c], 1)
            if possession is not None and where_OC3 is not None:
                about |= _side_and_place(where_OC3[o, c], int(possession.side_O[o]), possession.teams)
            listed[o].append(_record(stated_ORC[o, r], c, frame_centre_ms(r), **about))
        return listed

    def as_dict(self) -> dict[str, object]:
        """Settings as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Decoder":
        """Read what ``as_dict`` gave, also after JSON has made lists of its tuples.

        Raises:
            InputError: it is not that.
        """
        try:
            fields = dict(values)
            for name in ("scale", "calibration"):
                if (knots := fields.get(name)) is not None:
                    fields[name] = ScoreScale(**{axis: tuple(map(tuple, knots[axis])) for axis in knots})  # type: ignore[index]
            if (bounds := fields.get("shown")) is not None:
                fields["shown"] = Shown(**{name: tuple(bounds[name]) for name in bounds})  # type: ignore[index]
            shifts = tuple(int(frames) for frames in fields.pop("shift_frames", ()))  # type: ignore[union-attr]
            return cls(**fields, shift_frames=shifts)  # type: ignore[arg-type]
        except (TypeError, ValueError, AttributeError, IndexError, KeyError) as reason:
            raise InputError("Decoder", f"not a description of one ({reason})") from None


def decoder_of(about: Mapping[str, object], kind: str) -> Decoder:
    """The decoding that was chosen on validation for these weights; the paper's leaves nothing to choose.

    Raises:
        InputError: the weights carry no such decoding.
    """
    if kind == "paper":
        return Decoder("paper")
    decoders = about.get("decoders")
    if not isinstance(decoders, Mapping) or kind not in decoders:
        known = ", ".join(["paper", *(decoders or ())]) if isinstance(decoders, Mapping) else "paper"
        raise InputError("DecodingOptions.decoding", f"these weights have no {kind!r} decoding", f"they have: {known}")
    return Decoder.from_dict(decoders[kind])


def score_clips(clips: Sequence[Clip], anticipations: Mapping[str, Sequence[Anticipation]]) -> dict[str, object]:
    """Score anticipations by clip name; a clip that they lack is empty.

    Raises:
        InputError: no clips, or labels that are withheld.

    Returns:
        The upstream scorer's metric names (``at1`` ... ``tightV2``) and ``"average"`` of the six tolerances.
    """
    if not clips or any(clip.anticipation is None for clip in clips):
        raise InputError("clips", "needs clips, and none whose labels are withheld")
    scores_NRV = frames_of([anticipations.get(clip.name, ()) for clip in clips])
    counts = count_detections(FrameTable(*clip_labels(clips), scores_NRV))
    return {"average": benchmark_average(counts), **metrics_from_counts(counts)}
