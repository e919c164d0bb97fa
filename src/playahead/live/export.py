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
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playahead.backbone.checkpoint import weights_digest
from playahead.backbone.exported import ABOUT as BACKBONE, CLASSES, SNIPPETS, STACKS, ExportedBackbone
from playahead.backbone.fast import fold_batch_norms
from playahead.backbone.network import Backbone
from playahead.domain.grid import GRID
from playahead.features.encoder import WindowEncoder
from playahead.inference.onnx_predictor import ABOUT, ANSWER, ENCODE
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.files import FORMAT, atomic_write, disk_errors, file_digest, write_whole
from playahead.paper.anticipator import Anticipator
from playahead.paper.slots import SlotLogits
from playahead.variants.moment import RateLogits
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames

OPSET = 18
TOLERANCE = 1e-4
"""Largest allowed difference between an exported model's answers and PyTorch's."""
_BATCHES = (1, 2, 5)
_QUANTIZED_TOGETHER, _CALIBRATED = 8, 16  # stacks, windows


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


def quantize_backbone(out: Path, windows: Sequence[NDArray[np.uint8]]) -> float:
    """Replace the graphs of an exported backbone by int8 ones: weights by channel, activations by what frames show.

    Args:
        out: folder of ``export_backbone``.
        windows: frames of two or more windows (T, H, W); every second is calibrated on, the others are compared on.

    Returns:
        How far features are from float32's, as a share of their size.

    Raises:
        InputError: the folder cannot be written.
    """
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    exact = WindowEncoder(ExportedBackbone(out), _QUANTIZED_TOGETHER)
    expected = np.concatenate([exact.encode(frames_THW) for frames_THW in windows[1::2]]).astype(np.float32)
    inputs: dict[str, list[NDArray]] = {STACKS: [], SNIPPETS: []}
    for frames_THW in windows[::2]:
        stacks_XJHW = exact.stacks(frames_THW)
        maps_XCHW = np.stack(exact.backbone.encoded(stacks_XJHW))
        inputs[STACKS] += np.array_split(stacks_XJHW, 4)
        inputs[SNIPPETS] += [maps_XCHW[stack_S][None] for stack_S in exact.stacks_NS[::4]]
    kinds = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, "per_channel": True}
    # Without VNNI, eight bits of both overflow.
    reduced = torch.backends.cpu.get_cpu_capability() in ("AVX2", "DEFAULT")
    about = json.loads((out / BACKBONE).read_text())
    with TemporaryDirectory() as folder:
        for name, of_graph in inputs.items():
            prepared, made = (str(Path(folder) / f"{step}.onnx") for step in ("prepared", "made"))
            quant_pre_process(str(out / name), prepared, skip_symbolic_shape=True)
            reader: Any = _Calibration(of_graph)
            quantize_static(prepared, made, reader, reduce_range=reduced, **kinds)
            with atomic_write(out / name) as part:
                part.write_bytes(Path(made).read_bytes())
    about["sha256"] |= {name: file_digest(out / name) for name in inputs}
    write_whole(out / BACKBONE, json.dumps(about, indent=1) + "\n")
    rough = WindowEncoder(ExportedBackbone(out), _QUANTIZED_TOGETHER)
    found = np.concatenate([rough.encode(frames_THW) for frames_THW in windows[1::2]]).astype(np.float32)
    difference = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    about["notice"] = f"the backbone computes in int8: its features differ by {difference:.1%} from float32's"
    write_whole(out / BACKBONE, json.dumps(about, indent=1) + "\n")
    return difference


def windows_of(video: Path, size: InputSize) -> list[NDArray[np.uint8]]:
    """Windows of a video (T, H, W), evenly spread: half of them to calibrate on, the others to compare on.

    Raises:
        InputError: it cannot be read, or is too short.
    """
    lasts_s, window_s = probe(video).duration_s or 0.0, GRID.window_ms / 1000
    n = min(_CALIBRATED, int(lasts_s / window_s))
    if n < 2:
        raise InputError(video, f"lasts {lasts_s:.0f} s", f"calibration needs {2 * window_s:.0f}")
    starts_s = np.linspace(0, lasts_s - window_s, n)
    return [np.stack([gray for _, gray in read_frames(video, size, s, s + window_s)]) for s in starts_s.tolist()]


class _Calibration:
    """Inputs of a graph one by one, as the quantiser asks for them."""

    def __init__(self, inputs: Sequence[NDArray]) -> None:
        self._left = list(inputs)

    def get_next(self) -> dict[str, NDArray] | None:
        """The next input; None at the end."""
        return {"features": self._left.pop()} if self._left else None


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
        # Captured here, a GRU becomes ONNX's; the exporter's own capture makes a loop of it, and fails where a second
        # GRU starts from the first one's output (PyTorch 2.13).
        batch = torch.export.Dim("batch", min=1, max=4096)
        torch.onnx.export(
            torch.export.export(module, (example,), dynamic_shapes=({0: batch},), strict=False),
            (),
            part,
            dynamo=True,
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
