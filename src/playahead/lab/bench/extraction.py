"""Cost of a window of video, each way of encoding it beside the naive one, on the same frames.

Axes: T frames, H, W, X stacks, N snippets, S stacks of a snippet, F features.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from playahead.backbone.fast import FastBackbone
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.domain.grid import GRID
from playahead.features.encoder import SnippetStream, WindowEncoder, every, window_key
from playahead.io.runtime import pick_device
from playahead.lab.bench.core import best_of, matmul_gflops
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import Rendering, render
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames

FRAMES_ANSWERED = 25  # by the frame-by-frame predictor: a second of video


@dataclass(frozen=True)
class Window:
    """Frames that everything is timed on, and the stacks of its snippets."""

    frames_THW: NDArray[np.uint8]
    stacks_XJHW: torch.Tensor
    stacks_NS: torch.Tensor


def bench_extraction(input_size: InputSize, compiled: bool) -> dict:
    """Time one window each way, and decoding, on this machine."""
    backbone = _backbone()
    with tempfile.TemporaryDirectory() as folder:
        # Ten seconds of a simulated broadcast at 1280 x 720.
        rendering = Rendering(simulate_half(0, minutes=10 / 60), 0, 1280, 720, Path(folder) / "720p.mp4")
        render(rendering)
        window, decode = _decode(rendering.path, input_size, backbone)
    peak = matmul_gflops()
    return {
        "device": pick_device(),
        "threads": torch.get_num_threads(),
        "input_size": [input_size.width, input_size.height],
        "matmul_gflops": peak,
        "decode": decode,
        "window": _time_window(backbone, window, compiled),
        "every_frame": _time_every_frame(backbone, window),
        "parts": _parts(backbone, window, peak),
    }


def _decode(video: Path, input_size: InputSize, backbone: Backbone) -> tuple[Window, dict]:
    started = time.perf_counter()
    frames = [gray_HW for _, gray_HW in read_frames(video, input_size)]
    seconds = time.perf_counter() - started
    frames_THW = np.stack(frames[: GRID.window_frames])
    encoder = WindowEncoder(FastBackbone(backbone), 1)  # for the stacks alone
    window = Window(frames_THW, encoder.stacks(frames_THW), encoder.stacks_NS)
    per_s = len(frames) / seconds
    return window, {"frames_per_s_720p": round(per_s, 1), "s_per_window": round(GRID.window_frames / per_s, 3)}


def _backbone() -> Backbone:
    """The published network with random weights; batch norm has seen noise, so that features are of usual size."""
    torch.manual_seed(0)
    backbone = Backbone(BackboneConfig()).eval()
    with torch.inference_mode():
        backbone.train().snippet_features(torch.rand(2, 15, 96, 96))
    return backbone.eval().to(pick_device())


@torch.inference_mode()
def _time_window(backbone: Backbone, window: Window, compiled: bool) -> dict:
    """Seconds a window, and how far the features are from those of the naive way."""
    device = next(backbone.parameters()).device

    def naive() -> NDArray:
        """As the published code would: every snippet on its own."""
        snippets_NTHW = window.stacks_XJHW[window.stacks_NS].flatten(1, 2)
        made = [backbone.snippet_features(snippet[None].to(device).float() / 255) for snippet in snippets_NTHW]
        return torch.cat(made).cpu().numpy()

    def distinct() -> NDArray:
        stacks_XJHW = window.stacks_XJHW.to(device).float() / 255
        return backbone.window_features(stacks_XJHW, window.stacks_NS.to(device)).cpu().numpy()

    ways: dict[str, Callable[[], NDArray]] = {"naive: 33 snippets x 5 stacks, float32": naive}
    ways["41 distinct stacks, float32"] = distinct
    for precision in ("float32", "bfloat16"):
        for is_compiled in (False, True) if compiled else (False,):
            fast = FastBackbone(backbone, precision, is_compiled, pick_device())
            encoder = WindowEncoder(fast, len(window.stacks_XJHW))
            name = f"folded, channels-last, {precision}" + (", compiled" if is_compiled else "")
            ways[name] = lambda encoder=encoder: encoder.encode(window.frames_THW).astype(np.float32)
    rows: dict = {}
    expected = None
    for name, way in ways.items():
        features_NF = way()
        expected = features_NF if expected is None else expected
        seconds = best_of(way, 1 if name.startswith("naive") else 3, warm=False)
        error = float(np.linalg.norm(features_NF - expected) / np.linalg.norm(expected))
        first = next(iter(rows.values()), {"s": seconds})["s"]
        rows[name] = {"s": round(seconds, 3), "times_faster": round(first / seconds, 2), "relative_error": error}
    return rows


@torch.inference_mode()
def _time_every_frame(backbone: Backbone, window: Window) -> dict:
    """An answer at every frame: one frame at a time with cached stacks, as the published predictor; and in batches."""
    frames = window.frames_THW[: FRAMES_ANSWERED + GRID.snippet_span_frames - 1]

    def one_by_one() -> None:
        maps = {}
        for last in range(len(frames)):
            if last >= 4:
                stack = torch.from_numpy(frames[last - 4 : last + 1 : 2])[None].to(pick_device()).float() / 255
                maps[last - 4] = backbone.encode_stacks(stack)
            snippet = last - GRID.snippet_span_frames + 1
            if snippet >= 0:
                backbone.fuse(torch.stack([maps[snippet + offset] for offset in range(0, 30, 6)], dim=1))

    rows = {}
    naive = best_of(one_by_one, 1)
    for precision in ("float32", "bfloat16"):
        stream_backbone = FastBackbone(backbone, precision, device=pick_device())
        seconds = best_of(lambda b=stream_backbone: list(SnippetStream(b, every(1)).encode(frames)), 2)
        rows[f"in batches, {precision}"] = {"s": round(seconds, 2), "times_faster": round(naive / seconds, 2)}
    return {"frames": FRAMES_ANSWERED, "frame by frame, float32": {"s": round(naive, 2), "times_faster": 1.0}, **rows}


@torch.inference_mode()
def _parts(backbone: Backbone, window: Window, peak: dict[str, float]) -> dict:
    """Where the time of the fast ways goes, and which share of the matrix rate each part reaches."""
    with FlopCounterMode(display=False) as counter:
        maps_XCHW = backbone.encode_stacks(window.stacks_XJHW[:1].to(pick_device()).float() / 255)
    flops_2d = counter.get_total_flops() * len(window.stacks_XJHW)
    with FlopCounterMode(display=False) as counter:
        backbone.fuse(maps_XCHW.expand(GRID.snippet_frames // GRID.stack_frames, -1, -1, -1)[None])
    flops_3d = counter.get_total_flops() * GRID.n_snippets
    parts: dict = {"hash_s": round(best_of(lambda: window_key(window.frames_THW), 2), 3)}
    for precision, rate in peak.items():
        fast = FastBackbone(backbone, precision, device=pick_device())  # type: ignore[bad-argument-type]
        maps = fast.maps(window.stacks_XJHW)
        copy_s = best_of(lambda f=fast: f.scaled(window.stacks_XJHW), 3)
        first_s = best_of(lambda f=fast: f.maps(window.stacks_XJHW), 3) - copy_s
        second_s = best_of(lambda f=fast, m=maps: f.fused(m, window.stacks_NS, GRID.n_snippets), 3)
        parts[precision] = {
            "copy_s": round(copy_s, 3),
            "2d_s": round(first_s, 3),
            "2d_share_of_peak": round(flops_2d / first_s / 1e9 / rate, 3),
            "3d_s": round(second_s, 3),
            "3d_share_of_peak": round(flops_3d / second_s / 1e9 / rate, 3),
            "floor_s": round((flops_2d + flops_3d) / 1e9 / rate, 3),
        }
    return {"gflop_2d": round(flops_2d / 1e9, 1), "gflop_3d": round(flops_3d / 1e9, 1), **parts}
