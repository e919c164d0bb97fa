"""An anticipator -> a folder that ``OnnxPredictor`` opens.

Axes: P windows, N snippets, F features, D model, O examples, W windows of an example, K slots, C classes, T bins.
"""

import json
import math
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from playahead.inference.onnx_predictor import ABOUT, ANSWER, ENCODE
from playahead.inference.predictor import Predictor
from playahead.io.files import FORMAT, file_digest, write_whole
from playahead.live.export.graphs import export_graph
from playahead.paper.anticipator import Anticipator
from playahead.paper.slots import SlotLogits


def export_anticipator(predictor: Predictor, out: Path) -> dict[str, float]:
    """Write both graphs and what is known of them.

    Args:
        predictor: from weights.
        out: folder.

    Returns:
        The largest difference from PyTorch of each graph.

    Raises:
        InputError: the folder cannot be written, or answers differ.
    """
    network = cast(Anticipator, predictor.network.cpu())
    config = network.config
    windows_PNF = torch.zeros(2, config.n_snippets, config.feature_dim)
    with torch.inference_mode():
        encoded_PND = network.encode_windows(windows_PNF)
    encoded_OWND = torch.zeros(2, config.n_windows, *encoded_PND.shape[1:])
    names = (
        ["objectness", "class", "offset"]
        if isinstance(network.answer(encoded_OWND).slots, SlotLogits)
        else ["probability"]
    )
    differences = {
        ENCODE: export_graph(_Encode(network), windows_PNF, out / ENCODE, ["encoded"]),
        ANSWER: export_graph(_Answer(network, predictor.objectness_weight), encoded_OWND, out / ANSWER, names),
    }
    digests = {name: file_digest(out / name) for name in differences}
    write_whole(out / ABOUT, json.dumps({**predictor.about, "format": FORMAT, "sha256": digests}, indent=1) + "\n")
    return differences


class _Encode(nn.Module):
    def __init__(self, network: Anticipator) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows_PNF: Tensor) -> Tensor:
        return self.network.encode_windows(windows_PNF)


class _Answer(nn.Module):
    """Probabilities, as ``Predictor`` gives them."""

    def __init__(self, network: Anticipator, objectness_weight: float) -> None:
        super().__init__()
        self.network, self.log_weight = network, math.log(objectness_weight)

    def forward(self, encoded_OWND: Tensor) -> tuple[Tensor, ...]:
        slots = self.network.answer(encoded_OWND).slots
        if not isinstance(slots, SlotLogits):
            return (slots.sigmoid(),)
        objectness_OK = (slots.objectness_OK - self.log_weight).sigmoid()
        return objectness_OK, slots.class_OKC.softmax(dim=-1), slots.offset_OKT.softmax(dim=-1)
