"""One way of turning predictions into scored frames, as a value that travels with the weights.

Axes: O examples, R frames, V vector entries.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.marginal import decode_marginal
from playahead.decoding.predictions import Predictions, SlotPredictions
from playahead.decoding.shifts import shift
from playahead.decoding.slots import TAU, SlotTime, decode_threshold
from playahead.domain.actions import ACTIONS
from playahead.errors import InputError
from playahead.evaluation.score_scale import ScoreScale


@dataclass(frozen=True)
class Decoder:
    """How predictions become anticipated actions.

    Attributes:
        kind: "marginal" (either head) or "threshold" (the paper's, slots only).
        tau, time, rescue: of threshold decoding.
        scale: monotone per-class map for the official scorer, or None.
        shift_frames: by how many frames each class's predictions are moved later; none if empty.
    """

    kind: Literal["marginal", "threshold"] = "marginal"
    tau: float = TAU
    time: SlotTime = "argmax"
    rescue: bool = False
    scale: ScoreScale | None = None
    shift_frames: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("marginal", "threshold"):
            raise InputError("decoding", f"{self.kind!r} is neither marginal nor threshold")
        if not 0 <= self.tau < 1:
            raise InputError("decoding.tau", f"{self.tau} is not in [0, 1)")
        if self.time not in ("argmax", "expected"):
            raise InputError("decoding.time", f"{self.time!r} is neither argmax nor expected")
        if len(self.shift_frames) not in (0, len(ACTIONS)):
            raise InputError("decoding.shift_frames", f"{len(self.shift_frames)} of {len(ACTIONS)} classes")

    def probabilities(self, predictions: Predictions) -> NDArray[np.float32]:
        """scores_ORV as probabilities: what people are shown."""
        decoded = self._decoded(predictions)
        return shift(decoded, self.shift_frames) if self.shift_frames else decoded

    def _decoded(self, predictions: Predictions) -> NDArray[np.float32]:
        if self.kind == "marginal":
            return decode_marginal(predictions.intensity())
        if not isinstance(predictions, SlotPredictions):
            raise InputError("decoding", "threshold decoding needs the slot head", "use marginal")
        return decode_threshold(predictions, self.tau, self.time, self.rescue)

    def scores(self, predictions: Predictions) -> NDArray[np.float32]:
        """scores_ORV on the scale chosen for the official scorer."""
        probabilities = self.probabilities(predictions)
        return self.scale(probabilities) if self.scale else probabilities

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
            scale = fields.pop("scale", None)
            if scale is not None:
                rows = {name: tuple(tuple(row) for row in scale[name]) for name in scale}  # type: ignore[union-attr]
                scale = ScoreScale(**rows)
            shifts = tuple(int(frames) for frames in fields.pop("shift_frames", ()))  # type: ignore[union-attr]
            return cls(**fields, shift_frames=shifts, scale=scale)  # type: ignore[arg-type]
        except (TypeError, ValueError, AttributeError, IndexError, KeyError) as reason:
            raise InputError("decoding", f"not a description of one ({reason})") from None


def decoder_of(about: Mapping[str, object], kind: str) -> Decoder:
    """The decoding that was chosen on validation for these weights.

    Raises:
        InputError: the weights carry no such decoding.
    """
    decoders = about.get("decoders")
    if not isinstance(decoders, Mapping) or kind not in decoders:
        known = ", ".join(decoders) if isinstance(decoders, Mapping) else "none"
        raise InputError("decoding", f"these weights have no {kind!r} decoding", f"they have: {known}")
    return Decoder.from_dict(decoders[kind])
