"""The backbone in PyTorch, onnxruntime and OpenVINO: how long it takes, and whether anticipations are equal.

``python benchmarks/backbone_engines.py CALIBRATION_VIDEO VIDEO`` needs the extras ``video,backbone,export`` and
``openvino``. The packaged backbone (224 x 128) runs on one thread in every engine; rounds take turns. int8 is static:
weights by channel, activations calibrated on the first video. The second video is anticipated every second with each.

Axes: X stacks, J frames, B snippets, S stacks of a snippet, H, W, T times, R raster frames, C classes.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import openvino  # type: ignore[missing-import]
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from playahead.backbone.checkpoint import load_backbone
from playahead.backbone.exported import SNIPPETS, STACKS
from playahead.backbone.fast import FastBackbone
from playahead.domain.grid import GRID
from playahead.features.encoder import VideoEncoder
from playahead.inference.video import VideoModel
from playahead.io.files import packaged_weights
from playahead.io.runtime import emulates_bfloat16
from playahead.live.export import export_backbone
from playahead.video.reader import read_frames

PIECE, ROUNDS, CALIBRATED = 8, 15, 64
Run = Callable[[Any], Any]


class Calibration(CalibrationDataReader):
    """Pieces of stacks, or of maps."""

    def __init__(self, name: str, pieces: list[np.ndarray]) -> None:
        self.name, self.left = name, list(pieces)

    def get_next(self) -> dict[str, Any]:
        """The next piece; nothing at the end."""
        return {self.name: self.left.pop()} if self.left else {}


@dataclass
class Engine:
    """Two functions: uint8 stacks_XJHW -> maps, maps_BSCHW -> features."""

    name: str
    stacks: Run
    snippets: Run


class InEngine(FastBackbone):
    """The backbone's frozen copy, its networks run by another engine."""

    engine: Engine

    def maps(self, stacks_XJHW: torch.Tensor) -> torch.Tensor:
        """uint8 stacks -> maps_XCHW."""
        return torch.from_numpy(np.ascontiguousarray(self.engine.stacks(stacks_XJHW.numpy())))

    def fused(self, maps_XCHW: torch.Tensor, stack_of_snippet_BS: torch.Tensor, batch_snippets: int) -> np.ndarray:
        """features_BF of snippets made of these maps."""
        parts = [self.engine.snippets(maps_XCHW[p].numpy()) for p in stack_of_snippet_BS.split(batch_snippets)]
        return np.concatenate(parts).astype(np.float16)


def by_torch(fast: FastBackbone) -> Engine:
    """PyTorch, in the copy's own precision."""

    @torch.inference_mode()
    def stacks(stacks_XJHW: np.ndarray) -> np.ndarray:
        return fast.maps(torch.from_numpy(stacks_XJHW)).float().numpy()

    @torch.inference_mode()
    def snippets(maps_BSCHW: np.ndarray) -> np.ndarray:
        return fast.fuse(torch.from_numpy(maps_BSCHW).to(fast.kind)).float().numpy()

    return Engine(f"torch {fast.precision}", stacks, snippets)


def by_onnxruntime(name: str, stacks: Path, snippets: Path) -> Engine:
    """onnxruntime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def run(path: Path) -> Run:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]

    return Engine(f"onnxruntime {name}", run(stacks), run(snippets))


def by_openvino(name: str, stacks: Path, snippets: Path) -> Engine:
    """OpenVINO on one thread."""
    core, settings = openvino.Core(), {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_PRECISION_HINT"] = "bf16" if name == "bfloat16" else "f32"

    def run(path: Path) -> Run:
        compiled = core.compile_model(core.read_model(path), "CPU", settings)
        return lambda x: compiled(x)[0]

    return Engine(f"openvino {name}", run(stacks), run(snippets))


def int8(source: Path, pieces: list[np.ndarray]) -> Path:
    """The graph with int8 weights and activations."""
    prepared, made = source.with_suffix(".prepared.onnx"), source.with_suffix(".int8.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    given = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"]).get_inputs()[0].name
    kinds = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    reduced = torch.backends.cpu.get_cpu_capability() == "AVX2"  # without VNNI, eight bits of both overflow
    quantize_static(prepared, made, Calibration(given, pieces), per_channel=True, reduce_range=reduced, **kinds)
    return made


def anticipated(model: VideoModel, frames: list[np.ndarray], engine: Engine) -> np.ndarray:
    """intensity_TRC of a video, every second, its features encoded by an engine."""
    backbone = InEngine(load_backbone(packaged_weights("simulated-backbone"))[0])
    backbone.engine = engine
    encoder = VideoEncoder(backbone, GRID.fps)
    for gray_HW in frames:
        encoder.push(gray_HW)
    before_W = np.arange(GRID.n_windows - 1, -1, -1, dtype=np.int64) * GRID.window_frames
    ends = np.arange(0, encoder.n_frames + 1, GRID.fps)
    encoded = (model.predictor.encode(encoder.windows(end - before_W)) for end in ends)
    together = np.arange(GRID.n_windows)[None]
    return np.concatenate([model.predictor.answer(windows_WND, together).intensity() for windows_WND in encoded])


def main(calibration: Path, video: Path) -> None:
    """Print a line for each engine."""
    torch.set_num_threads(1)
    network, _ = load_backbone(packaged_weights("simulated-backbone"))
    model = VideoModel.open(None, None, "cpu")
    config, read = network.config, lambda path: [gray for _, gray in read_frames(path, model.input_size)]
    seen, frames = read(calibration), read(video)
    plain = by_torch(FastBackbone(network))
    starts = np.linspace(0, len(seen) - config.stack_frames, CALIBRATED).astype(int)
    stacks_XJHW = np.stack([np.stack(seen[start : start + config.stack_frames]) for start in starts])
    pieces = np.split(stacks_XJHW, CALIBRATED // PIECE)
    maps = [np.repeat(plain.stacks(piece)[:, None], config.stacks, 1) for piece in pieces]
    with tempfile.TemporaryDirectory() as folder:
        export_backbone(network, {}, model.input_size, Path(folder))
        floats = Path(folder) / STACKS, Path(folder) / SNIPPETS
        ints = int8(floats[0], pieces), int8(floats[1], maps)
        engines = [
            plain,
            by_torch(FastBackbone(network, "bfloat16")),
            by_onnxruntime("float32", *floats),
            by_onnxruntime("int8", *ints),
            by_openvino("float32", *floats),
            by_openvino("bfloat16", *floats),
            by_openvino("int8", *ints),
        ]
        took = timed(engines, pieces[0], maps[0])
        expected_TRC = anticipated(model, frames, plain)
        bfloat16 = "emulated" if emulates_bfloat16("cpu") else "in hardware"
        print(f"{torch.backends.cpu.get_cpu_capability()}, bfloat16 {bfloat16}; ms of a stack, of a snippet")
        for engine, (stack_ms, snippet_ms) in zip(engines, took, strict=True):
            difference_TC = np.abs(anticipated(model, frames, engine) - expected_TRC).sum(axis=1)
            share = difference_TC.sum() / expected_TRC.sum()
            print(
                f"{engine.name:22} {stack_ms:7.2f} {snippet_ms:7.2f}  {sum(took[0]) / (stack_ms + snippet_ms):.2f} x; "
                f"intensities differ by {share:.2%} of their sum, at most {difference_TC.max():.3f} events in 5 s"
            )


def timed(engines: list[Engine], stacks: np.ndarray, maps: np.ndarray) -> list[tuple[float, float]]:
    """Median ms of one stack and one snippet; the engines take turns, so that a busy moment hits all alike."""
    took = np.zeros((len(engines), 2, ROUNDS))
    for engine in engines:
        engine.stacks(stacks), engine.snippets(maps)
    for turn in range(ROUNDS):
        for place, engine in enumerate(engines):
            for part, (run, given) in enumerate(((engine.stacks, stacks), (engine.snippets, maps))):
                started_s = time.perf_counter()
                run(given)
                took[place, part, turn] = (time.perf_counter() - started_s) * 1000 / PIECE
    return [tuple(np.median(parts, axis=1)) for parts in took]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
