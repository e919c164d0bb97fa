"""``playahead export``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.io.files import packaged_weights


def export(out: Path, weights: Path | None = None, backbone: Path | None = None) -> None:
    """Write a model as ONNX, checked against PyTorch; ``predict --weights FOLDER`` then runs without PyTorch.

    Args:
        out: folder to write into.
        weights: weights of an anticipator; the packaged event-feed model if not given.
        backbone: backbone to export too, at the input size of the weights' features.
    """
    from playahead.backbone.checkpoint import load_backbone
    from playahead.inference.predictor import Predictor
    from playahead.inference.video import facts_of
    from playahead.live.export import export_anticipator, export_backbone
    from playahead.video.input_size import InputSize

    predictor = Predictor.open(weights or packaged_weights(), device="cpu")
    differences = export_anticipator(predictor, out)
    if backbone is not None:
        network, provenance = load_backbone(backbone)
        differences |= export_backbone(network, provenance, InputSize(*facts_of(predictor).input_size), out)
    rows = [(name, f"{(out / name).stat().st_size / 1e6:.1f}", f"{worst:.1e}") for name, worst in differences.items()]
    terminal.print_table(str(out), ("graph", "MB", "largest difference from PyTorch"), rows)
