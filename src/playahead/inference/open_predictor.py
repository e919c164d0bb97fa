"""Weights or an exported model -> a predictor; PyTorch is imported for weights alone."""

from collections.abc import Mapping
from pathlib import Path

from playahead.inference.any_predictor import AnyPredictor


def open_predictor(weights: Path | None, features: Mapping[str, object], device: str = "auto") -> AnyPredictor:
    """Open what is to predict from these features.

    Args:
        weights: a weights file, or the folder of an export; the packaged event-feed model if None.
        features: see ``AnyPredictor.check``.
        device: of weights.

    Raises:
        InputError: missing, damaged or foreign file, other features, or no such device.
    """
    if weights is not None and Path(weights).is_dir():
        from playahead.inference.onnx_predictor import OnnxPredictor

        predictor = OnnxPredictor(Path(weights))
        predictor.check(features)
        return predictor
    from playahead.inference.predictor import Predictor  # PyTorch takes seconds to import

    return Predictor.open(weights, features, device)
