"""``playahead export``."""

from pathlib import Path

from playahead.cli import terminal
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights


def export(out: Path, weights: Path | None = None, backbone: Path | None = None, int8_on: Path | None = None) -> None:
    """Write a model as ONNX, checked against PyTorch; ``predict --weights FOLDER`` then runs without PyTorch.

    Args:
        out: folder to write into.
        weights: weights of an anticipator; the packaged event-feed model if not given.
        backbone: backbone to export too, at the input size of the weights' features.
        int8_on: video to calibrate an int8 backbone on, best of the matches that it will see: faster, less exact.
    """
    from playahead.backbone.checkpoint import load_backbone
    from playahead.inference.predictor import Predictor
    from playahead.inference.video import input_size_of
    from playahead.live.export import export_anticipator, export_backbone, quantize_backbone, windows_of

    if int8_on is not None and backbone is None:
        raise InputError("int8_on", "calibrates a backbone", "give a backbone, too")
    predictor = Predictor.open(weights or packaged_weights(), device="cpu")
    differences = export_anticipator(predictor, out)
    if backbone is not None:
        network, provenance = load_backbone(backbone)
        differences |= export_backbone(network, provenance, input_size_of(predictor), out)
    if int8_on is not None:
        difference = quantize_backbone(out, windows_of(int8_on, input_size_of(predictor)))
        terminal.notice(f"int8: features differ by {difference:.1%} from float32's")
    rows = [(name, f"{(out / name).stat().st_size / 1e6:.1f}", f"{worst:.1e}") for name, worst in differences.items()]
    terminal.print_table(str(out), ("graph", "MB", "largest difference from PyTorch"), rows)
