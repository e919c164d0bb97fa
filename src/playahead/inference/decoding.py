"""Which of the decodings that weights carry, and what of it is to be changed."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from playahead.decoding.decoder import Decoder
from playahead.errors import InputError
from playahead.inference.predictor import Predictor


@dataclass(frozen=True)
class DecodingOptions:
    """How predictions are decoded.

    Attributes:
        decoding: marginal or threshold, as it was chosen on validation.
        tau: threshold decoding with this objectness instead of the chosen one.
        time: threshold decoding with this time of a slot instead of the chosen one.
        rescue: threshold decoding that fills clips left empty with their likeliest slot.
    """

    decoding: str = "marginal"
    tau: float | None = None
    time: Literal["argmax", "expected"] | None = None
    rescue: bool = False

    def __post_init__(self) -> None:
        if self._changes and self.decoding != "threshold":
            option = next(iter(self._changes))
            raise InputError(f"--{option}", "is for threshold decoding", "add --decoding threshold")

    @property
    def _changes(self) -> dict[str, Any]:
        asked = {"tau": self.tau, "time": self.time, "rescue": self.rescue or None}
        return {name: value for name, value in asked.items() if value is not None}

    def decoder(self, predictor: Predictor) -> Decoder:
        """The predictor's own decoding of that name, changed.

        Raises:
            InputError: the weights carry no such decoding.
        """
        return replace(predictor.decoder(self.decoding), **self._changes)
