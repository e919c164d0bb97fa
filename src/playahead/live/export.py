"""Trained models as ONNX files for programs without PyTorch, each checked against the model that it was made from.

Axes: P windows, N snippets, F features, D model, O examples, W windows of an example, K slots, C classes or channels, T
bins, X stacks, J frames, H, W, B snippets or batch, S stacks of a snippet.
"""

import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from playahead.backbone.checkpoint import weights_digest
from playahead.backbone.exported import ABOUT as BACKBONE, CLASSES, SNIPPETS, STACKS
from playahead.backbone.fast import fold_batch_norms
from playahead.backbone.network import Backbone
from playahead.inference.onnx_predictor import ABOUT, ANSWER, ENCODE
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.files import FORMAT, atomic_write, disk_errors, file_digest, write_whole
from playahead.paper.anticipator import Anticipator
from playahead.paper.slots import SlotLogits
from playahead.variants.moment import RateLogits
from playahead.video.input_size import InputSize

OPSET = 18
TOLERANCE = 1e-4
"""Largest allowed difference between an exported model's answers and PyTorch's."""
_BATCHES = (1, 2, 5)


def export_anticipator(predictor: Predictor, out: Path) -> dict[str, float]:
    """Write an anticipator's two graphs and its description, a folder that ``OnnxPredictor`` opens.

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
    kind = type(network.answer(encoded_OWND).slots)
    names = {SlotLogits: ["objectness", "class", "offset"], RateLogits: ["probability", "where"]}.get(
        kind, ["probability"]
    )
    log_weight = math.log(predictor.objectness_weight)

    def answer(network: Anticipator, encoded_OWND: Tensor) -> tuple[Tensor, ...]:
        """Encoded windows -> probabilities, as ``Predictor`` gives them."""
        slots = network.answer(encoded_OWND).slots
        if isinstance(slots, RateLogits):
            side_OC1, place_OC2 = slots.where_OC3[..., :1].sigmoid(), slots.where_OC3[..., 1:].clamp(-1, 1)
            return -torch.expm1(-slots.log_rate_ORC.exp()), torch.cat([side_OC1, place_OC2], dim=-1)
        if not isinstance(slots, SlotLogits):
            return (slots.sigmoid(),)
        objectness_OK = (slots.objectness_OK - log_weight).sigmoid()
        return objectness_OK, slots.class_OKC.softmax(dim=-1), slots.offset_OKT.softmax(dim=-1)

    encode = _Graph(network, lambda network, windows_PNF: network.encode_windows(windows_PNF))
    differences = {
        ENCODE: _export(encode, windows_PNF, out / ENCODE, ["encoded"]),
        ANSWER: _export(_Graph(network, answer), encoded_OWND, out / ANSWER, names),
    }
    digests = {name: file_digest(out / name) for name in differences}
    write_whole(out / ABOUT, json.dumps({**predictor.about, "format": FORMAT, "sha256": digests}, indent=1) + "\n")
    return differences


class _Graph(nn.Module):
    """A function of a network as a module, which the exporter needs."""

    def __init__(self, network: nn.Module, compute: Callable[..., Tensor | tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network, self.compute = network, compute

    def forward(self, inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.compute(self.network, inputs)


def export_backbone(
    backbone: Backbone, provenance: Mapping[str, object], input_size: InputSize, out: Path
) -> dict[str, float]:
    """Write a backbone's graphs for frames of one size (stacks of frames; snippets of five stacks' maps; the spotting
    classifier) and its description, a folder that ``ExportedBackbone`` opens.

    Returns, and raises, as ``export_anticipator``.
    """
    folded, config = fold_batch_norms(backbone), backbone.config
    stacks_XJHW = torch.zeros(2, config.stack_frames, input_size.height, input_size.width, dtype=torch.uint8)
    with torch.inference_mode():
        maps_XCHW = folded.encode_stacks(stacks_XJHW.float())
    maps_BSCHW = torch.zeros(2, config.stacks, *maps_XCHW.shape[1:])
    # uint8 stacks_XJHW -> maps_XCHW; maps_BSCHW -> features_BF
    stacks = _Graph(folded, lambda network, stacks_XJHW: network.encode_stacks(stacks_XJHW.float() / 255))
    snippets = _Graph(folded, lambda network, maps_BSCHW: network.fuse(maps_BSCHW))
    classes = _Graph(backbone, lambda network, features_BF: network.classifier(features_BF).sigmoid())
    differences = {
        STACKS: _export(stacks, stacks_XJHW, out / STACKS, ["maps"]),
        SNIPPETS: _export(snippets, maps_BSCHW, out / SNIPPETS, ["snippet_features"]),
        CLASSES: _export(classes, torch.zeros(2, config.feature_dim), out / CLASSES, ["scores"]),
    }
    about = {
        "format": FORMAT,
        "feature_dim": config.feature_dim,
        "weights": weights_digest(backbone),
        "provenance": dict(provenance),
        "input_size": [input_size.width, input_size.height],
        "sha256": {name: file_digest(out / name) for name in differences},
    }
    write_whole(out / BACKBONE, json.dumps(about, indent=1) + "\n")
    return differences


def _export(module: nn.Module, example: Tensor, path: Path, names: Sequence[str]) -> float:
    """Write one graph with a dynamic batch, and run it beside the module on random inputs; their largest difference.

    ``example`` is an input of batch 2, ``names`` are those of the outputs.
    """
    import onnxruntime
    import onnxscript  # noqa: F401 - the exporter needs it, and says so less clearly

    module = module.eval()
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part, warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            part,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
            input_names=["features"],
            output_names=list(names),
            opset_version=OPSET,
            external_data=False,
        )
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    worst = max(_difference(module, session, example, batch) for batch in _BATCHES)
    if worst > TOLERANCE:
        path.unlink()
        raise InputError(path, f"answers differ from PyTorch's by {worst:.1e}", "please report it with the weights")
    return worst


@torch.inference_mode()
def _difference(module: nn.Module, session: object, example: Tensor, batch: int) -> float:
    generator = torch.Generator().manual_seed(batch)
    shape = (batch, *example.shape[1:])
    if example.is_floating_point():
        inputs = torch.randn(shape, generator=generator)
    else:
        inputs = torch.randint(0, 256, shape, generator=generator, dtype=example.dtype)
    theirs = session.run(None, {"features": inputs.numpy()})  # type: ignore[missing-attribute]
    ours = module(inputs)
    pairs = zip(ours if isinstance(ours, tuple) else (ours,), theirs, strict=True)
    return max(float(np.abs(our.numpy() - their).max()) for our, their in pairs)
