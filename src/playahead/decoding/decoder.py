"""One way of turning predictions into scored frames, as a value that travels with the weights.

Axes: O examples, R frames, V vector entries.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.anticipations import anticipations_of, slots_that_emit
from playahead.decoding.marginal import decode_marginal, near_probabilities
from playahead.decoding.predictions import Predictions, SlotPredictions
from playahead.decoding.shifts import shift
from playahead.decoding.slots import TAU, Confidence, SlotTime, decode_paper, decode_threshold
from playahead.domain.actions import ACTIONS
from playahead.domain.records import Anticipation
from playahead.evaluation.score_scale import ScoreScale
from playahead.io.errors import InputError
from playahead.io.settings import check_choices

Kind = Literal["marginal", "paper", "tuned-threshold"]
_KIND_BEFORE = {"threshold": "tuned-threshold"}
"""Names that weights from before 0.1 carry."""


class Decoded(NamedTuple):
    """Predictions as scored frames, twice.

    Attributes:
        scores_ORV: for the official scorer: every row, ranked, on the scale chosen for it.
        probabilities_ORV: for people: confidences (docs/metric.md), 0 where a row would tell nothing new.
    """

    scores_ORV: NDArray[np.float32]
    probabilities_ORV: NDArray[np.float32]


@dataclass(frozen=True)
class Decoder:
    """How predictions become anticipated actions.

    Attributes:
        kind: "marginal" (either head); "paper" (slots only: docs/paper.md 1.3, and nothing else); or "tuned-threshold",
            the paper's with its threshold, its times and more chosen on validation.
        tau: objectness above which a slot emits: the network's own (paper), or calibrated (tuned-threshold).
        time, rescue: of the tuned threshold.
        confidence: of the paper's: "product", o_k * p_k(c), or "class", p_k(c) alone.
        scale: monotone per-class map for the official scorer, or None.
        calibration: monotone per-class map of the confidences that people are shown, or None. No score depends on it.
        shift_frames: by how many frames each class's predictions are moved later; none if empty.
    """

    kind: Kind = "marginal"
    tau: float = TAU
    time: SlotTime = "argmax"
    rescue: bool = False
    scale: ScoreScale | None = None
    shift_frames: tuple[int, ...] = ()
    confidence: Confidence = "product"
    calibration: ScoreScale | None = None

    def __post_init__(self) -> None:
        check_choices(self, "decoding")
        if not 0 <= self.tau < 1:
            raise InputError("decoding.tau", f"{self.tau} is not in [0, 1)")
        if self.kind != "paper" and self.confidence != "product":
            raise InputError("decoding.confidence", f"{self.confidence} is for the paper's decoding")
        chosen = self.time != "argmax" or self.rescue or self.scale or self.shift_frames or self.calibration
        if self.kind == "paper" and chosen:
            what = "the paper's has a tau, a confidence and nothing else to choose"
            raise InputError("decoding", what, "use tuned-threshold")
        if len(self.shift_frames) not in (0, len(ACTIONS)):
            raise InputError("decoding.shift_frames", f"{len(self.shift_frames)} of {len(ACTIONS)} classes")

    def decode(self, predictions: Predictions) -> Decoded:
        """What the scorer gets and what people are shown, of the same rows."""
        ranked_ORV = stated_ORV = self._ranked(predictions)
        if self.kind == "marginal":
            stated_ORV = near_probabilities(predictions.intensity(), ranked_ORV)
        stated_ORV = self._moved(stated_ORV)
        return Decoded(self._scaled(ranked_ORV), self.calibration(stated_ORV) if self.calibration else stated_ORV)

    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """What people are shown: see ``Decoded``."""
        return self.decode(predictions).probabilities_ORV

    def scores(self, predictions: Predictions) -> NDArray[np.float32]:
        """What the official scorer gets: see ``Decoded``."""
        return self._scaled(self._ranked(predictions))

    def _ranked(self, predictions: Predictions) -> NDArray[np.float32]:
        """Every row where it was placed, with what ranks it."""
        if self.kind == "marginal":
            return decode_marginal(predictions.intensity())
        if self.kind == "paper":
            return decode_paper(self._slots(predictions), self.tau, self.confidence)
        return decode_threshold(self._slots(predictions), self.tau, self.time, self.rescue)

    def _moved(self, rows_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
        return shift(rows_ORV, self.shift_frames) if self.shift_frames else rows_ORV

    def _scaled(self, ranked_ORV: NDArray[np.float32]) -> NDArray[np.float32]:
        moved_ORV = self._moved(ranked_ORV)
        return self.scale(moved_ORV) if self.scale else moved_ORV

    def _slots(self, predictions: Predictions) -> SlotPredictions:
        if not isinstance(predictions, SlotPredictions):
            raise InputError("decoding", f"{self.kind} needs the slot head", "use marginal")
        return predictions

    def anticipations(
        self, predictions: Predictions, min_confidence: float = 0.0, for_scorer: bool = False
    ) -> list[list[Anticipation]]:
        """Records of each example, in time order.

        Args:
            predictions: what the heads say.
            min_confidence: records less confident than this are left out.
            for_scorer: every row on the scale chosen for the official scorer, not confidences.
        """
        if self.kind == "paper":
            return slots_that_emit(self._slots(predictions), self.tau, self.confidence, min_confidence)
        if for_scorer:
            ranked_ORV = self._ranked(predictions)
            return anticipations_of(self._scaled(ranked_ORV), min_confidence, self._moved(ranked_ORV))
        return anticipations_of(self.probabilities(predictions), min_confidence)

    def as_dict(self) -> dict[str, object]:
        """For a weights file's description."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Decoder":
        """What ``as_dict`` gave, also after JSON has made lists of its tuples.

        Raises:
            InputError: it is not that.
        """
        try:
            fields = dict(values)
            fields["kind"] = _KIND_BEFORE.get(str(fields.get("kind")), fields.get("kind"))
            for name in ("scale", "calibration"):
                if (knots := fields.get(name)) is not None:
                    fields[name] = ScoreScale(**{axis: tuple(map(tuple, knots[axis])) for axis in knots})  # type: ignore[index]
            shifts = tuple(int(frames) for frames in fields.pop("shift_frames", ()))  # type: ignore[union-attr]
            return cls(**fields, shift_frames=shifts)  # type: ignore[arg-type]
        except (TypeError, ValueError, AttributeError, IndexError, KeyError) as reason:
            raise InputError("decoding", f"not a description of one ({reason})") from None


def decoder_of(about: Mapping[str, object], kind: str) -> Decoder:
    """The decoding that was chosen on validation for these weights; the paper's leaves nothing to choose.

    Raises:
        InputError: the weights carry no such decoding.
    """
    if kind == "paper":
        return Decoder("paper")
    decoders = about.get("decoders")
    if isinstance(decoders, Mapping):
        decoders = {_KIND_BEFORE.get(name, name): found for name, found in decoders.items()}
    if not isinstance(decoders, Mapping) or kind not in decoders:
        known = ", ".join(["paper", *(decoders or ())]) if isinstance(decoders, Mapping) else "paper"
        raise InputError("decoding", f"these weights have no {kind!r} decoding", f"they have: {known}")
    return Decoder.from_dict(decoders[kind])
