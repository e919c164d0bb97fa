"""Opening a predictor from weights or an exported model, and the options of its decoding."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playahead.decoding.decoder import Decoder, Kind
from playahead.features.forms import FEED_FEATURES
from playahead.inference.any_predictor import AnyPredictor
from playahead.inference.moment_predictor import open_moment_predictor, reads_moments
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.io.hub import weights_file
from playahead.io.settings import check_choices
from playahead.paper.inference import Confidence, SlotTime


def open_predictor(
    weights: Path | str | None = None, features: Mapping[str, object] | None = FEED_FEATURES, device: str = "auto"
) -> AnyPredictor:
    """Open a model that predicts from these features. One that reads moments is computed by NumPy.

    Args:
        weights: a weights file, the folder of an export, or a model's name on the Hugging Face Hub (org/name); the
            packaged event-feed model if None.
        features: see ``AnyPredictor.check``; None checks nothing.
        device: device for weights.

    Raises:
        InputError: missing, damaged or foreign file, other features, or no such device.
    """
    path = packaged_weights() if weights is None else weights_file(weights)
    if path.is_dir():
        from playahead.inference.onnx_predictor import OnnxPredictor

        predictor: AnyPredictor = OnnxPredictor(path)
    elif device in ("auto", "cpu") and reads_moments(path):
        predictor = open_moment_predictor(path)
    else:
        from playahead.inference.predictor import Predictor  # PyTorch takes seconds to import

        predictor = Predictor.open(path, device=device)
    if features is not None:
        predictor.check(features)
    return predictor


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    """Decoding of predictions, and the device that predicts.

    Attributes:
        decoding: marginal or tuned-threshold, as it was chosen on validation; or paper, the paper's own.
        tau: objectness above which a slot emits (paper: 0.3 by default; tuned-threshold: the chosen one).
        confidence: confidence of a class in the paper's decoding: product (objectness times class probability), or
            class (class probability alone).
        time: time of a slot in tuned-threshold, instead of the chosen one.
        rescue: fill clips that tuned-threshold leaves empty with their likeliest slot.
        device: cpu, cuda, cuda:1, mps, or auto.
    """

    decoding: Kind = "marginal"
    tau: float | None = None
    confidence: Confidence = "product"
    time: SlotTime | None = None
    rescue: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        check_choices(self)
        if self.tau is not None and not 0 <= self.tau < 1:
            raise InputError("DecodingOptions.tau", f"{self.tau} is not in [0, 1)")
        if self.decoding == "marginal" and self.tau is not None:
            fix = "set decoding to paper or tuned-threshold"
            raise InputError("DecodingOptions.tau", "is for slots that emit", fix)
        if self.decoding != "paper" and self.confidence != "product":
            raise InputError("DecodingOptions.confidence", "is for the paper's decoding", "set decoding to paper")
        if self.decoding != "tuned-threshold" and (self.time is not None or self.rescue):
            where = "DecodingOptions.time" if self.time is not None else "DecodingOptions.rescue"
            raise InputError(where, "is for the tuned threshold", "set decoding to tuned-threshold")

    def decoder(self, predictor: AnyPredictor) -> Decoder:
        """Decoder of that name which the predictor's weights carry, with these changes.

        Raises:
            InputError: the weights carry no such decoding.
        """
        options: dict[str, Any] = {"tau": self.tau, "time": self.time, "rescue": self.rescue or None}
        options["confidence"] = self.confidence if self.decoding == "paper" else None
        changes = {name: value for name, value in options.items() if value is not None}
        return replace(predictor.decoder(self.decoding), **changes)
