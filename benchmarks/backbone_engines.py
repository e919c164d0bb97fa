"""The backbone in PyTorch, onnxruntime and OpenVINO: how long it takes, and whether anticipations are equal.

``python benchmarks/backbone_engines.py CALIBRATION_VIDEO VIDEO [--input-size 1280x736]`` needs the extras ``export``
and ``openvino``. The packaged backbone runs on one thread in every engine; rounds take turns. int8 is calibrated on the
first video, as ``playahead export --int8-on`` does it. At the packaged size, the second video is anticipated every
second with each.

Axes: X stacks, J frames, B snippets, S stacks of a snippet, H, W, T times, R raster frames, C classes.
"""

import argparse
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

from playahead.backbone.checkpoint import load_backbone
from playahead.backbone.exported import SNIPPETS, STACKS
from playahead.backbone.fast import FastBackbone
from playahead.domain.grid import GRID
from playahead.features.encoder import VideoEncoder, WindowEncoder
from playahead.inference.video import VideoModel
from playahead.io.files import packaged_weights
from playahead.io.runtime import emulates_bfloat16
from playahead.live.export import export_backbone, quantize_backbone, windows_of
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames

PIECE, ROUNDS = 8, 15
Run = Callable[[Any], Any]


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


def main() -> None:
    """Print a line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--input-size", default="")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_backbone(packaged_weights("simulated-backbone"))
    model = VideoModel.open(None, None, "cpu")
    size = size_of(options.input_size) if options.input_size else model.input_size
    plain, windows = by_torch(FastBackbone(network)), windows_of(options.calibration, size)
    encoder = WindowEncoder(FastBackbone(network), PIECE)
    stacks_XJHW = encoder.stacks(windows[0])
    maps_XCHW = plain.stacks(stacks_XJHW)
    with tempfile.TemporaryDirectory() as folder:
        floats, ints = Path(folder) / "float32", Path(folder) / "int8"
        for made in (floats, ints):
            export_backbone(network, {}, size, made)
        difference = quantize_backbone(ints, windows)
        engines = [
            plain,
            by_torch(FastBackbone(network, "bfloat16")),
            by_onnxruntime("float32", floats / STACKS, floats / SNIPPETS),
            by_onnxruntime("int8", ints / STACKS, ints / SNIPPETS),
            by_openvino("float32", floats / STACKS, floats / SNIPPETS),
            by_openvino("int8", ints / STACKS, ints / SNIPPETS),
        ]
        took = timed(engines, stacks_XJHW[:PIECE], maps_XCHW[encoder.stacks_NS[:PIECE]])
        bfloat16 = "emulated" if emulates_bfloat16("cpu") else "in hardware"
        print(f"{size.width} x {size.height}, {torch.backends.cpu.get_cpu_capability()}, bfloat16 {bfloat16};")
        print(f"int8 features differ by {difference:.1%}\n")
        print("| engine | a stack, ms | a snippet, ms | times faster | intensities differ by | most events in 5 s |")
        print("|---|---|---|---|---|---|")
        frames = [gray for _, gray in read_frames(options.video, size)] if size == model.input_size else []
        expected_TRC = anticipated(model, frames, plain) if frames else None
        for engine, (stack_ms, snippet_ms) in zip(engines, took, strict=True):
            cells = [f"{stack_ms:.2f}", f"{snippet_ms:.2f}", f"{sum(took[0]) / (stack_ms + snippet_ms):.2f}"]
            if expected_TRC is not None:
                difference_TC = np.abs(anticipated(model, frames, engine) - expected_TRC).sum(axis=1)
                cells += [f"{difference_TC.sum() / expected_TRC.sum():.2%}", f"{difference_TC.max():.3f}"]
            else:
                cells += ["", ""]
            print(f"| {engine.name} | {' | '.join(cells)} |", flush=True)


def size_of(text: str) -> InputSize:
    """Frame size as 1280x736."""
    width, height = map(int, text.split("x"))
    return InputSize(width, height)


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
    main()
