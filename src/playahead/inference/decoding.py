"""Which of the decodings that weights carry, and what of it is to be changed."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playahead.decoding.decoder import Decoder, Kind
from playahead.decoding.slots import Confidence, SlotTime
from playahead.io.errors import InputError
from playahead.io.settings import check_choices

if TYPE_CHECKING:
    from playahead.inference.any_predictor import AnyPredictor


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    """How predictions are decoded.

    Attributes:
        decoding: marginal or tuned-threshold, as it was chosen on validation; or paper, the paper's own.
        tau: slots with a larger objectness emit (paper: 0.3 if not given; tuned-threshold: the chosen one).
        confidence: of a class in the paper's decoding: product (objectness times class probability), or class (class
            probability alone).
        time: tuned-threshold with this time of a slot instead of the chosen one.
        rescue: tuned-threshold that fills clips left empty with their likeliest slot.
        device: that predicts: cpu, cuda, cuda:1, mps, or auto.
    """

    decoding: Kind = "marginal"
    tau: float | None = None
    confidence: Confidence = "product"
    time: SlotTime | None = None
    rescue: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        check_choices(self, "-")
        if self.decoding == "marginal" and self.tau is not None:
            raise InputError("--tau", "is for slots that emit", "add --decoding paper or tuned-threshold")
        if self.decoding != "paper" and self.confidence != "product":
            raise InputError("--confidence", "is for the paper's decoding", "add --decoding paper")
        if self.decoding != "tuned-threshold" and (self.time is not None or self.rescue):
            option = "time" if self.time is not None else "rescue"
            raise InputError(f"--{option}", "is for the tuned threshold", "add --decoding tuned-threshold")

    def decoder(self, predictor: "AnyPredictor") -> Decoder:
        """The predictor's own decoding of that name, changed.

        Raises:
            InputError: the weights carry no such decoding.
        """
        asked: dict[str, Any] = {"tau": self.tau, "time": self.time, "rescue": self.rescue or None}
        asked["confidence"] = self.confidence if self.decoding == "paper" else None
        changes = {name: value for name, value in asked.items() if value is not None}
        return replace(predictor.decoder(self.decoding), **changes)
