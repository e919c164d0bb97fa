"""Speed of this machine: training and scoring, and video, each beside what it is compared with.

Every figure is measured in one run. The functions that measure are for ``benchmarks/``, too.

Axes: T frames, H, W, X stacks, N snippets, S stacks of a snippet, F features.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from playahead.backbone.fast import FastBackbone
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.datasets.examples import Batch, FeedExamples
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, RASTER_FRAMES, RASTER_HZ
from playahead.evaluation.frames import NO_EVENT, VECTOR_LENGTH, FrameTable
from playahead.evaluation.official import METRICS, count_detections, metrics_from_counts
from playahead.features.encoder import SnippetStream, WindowEncoder, every, window_key
from playahead.io.errors import InputError
from playahead.io.runtime import pick_device
from playahead.lab.recipes import feed, paper
from playahead.lab.simulation.plays import simulate_half, simulate_match
from playahead.lab.simulation.simulate import Rendering, render
from playahead.training.trainer import TrainConfig
from playahead.variants.losses import build_criterion, build_optimizers
from playahead.variants.model import build
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames

BENCHMARK_TEST_CLIPS = 2_376
EPOCH_EXAMPLES = 4_587  # clips of the benchmark's training split: one epoch of the paper


def bench_core(steps: int = 8) -> dict:
    """Training speed of three configurations (the fastest of ``steps``), and the scorer beside SoccerNet's own."""
    if steps < 1:
        raise InputError("steps", f"{steps} is below 1")
    return {
        "device": pick_device(),
        "threads": torch.get_num_threads(),
        "matmul_gflops": matmul_gflops(),
        "training": {
            "paper's model, 1280 features, batch 32": _time_training(paper(), steps),
            f"feed recipe, sequences of {feed().examples}": _time_training(feed(), steps),
            "feed recipe, single examples": _time_training(replace(feed(), sequences=64, examples=1), steps),
        },
        "scoring": _time_scoring(),
    }


def _time_training(config: TrainConfig, steps: int) -> dict[str, float]:
    device = torch.device(pick_device())
    model = build(config.model).to(device)
    criterion = build_criterion(config.criterion, config.model.head, np.ones(len(ACTIONS), np.float32), device)
    optimizers = build_optimizers(model, config.optim)
    make_batch = _batches(config)

    def step() -> None:
        batch = make_batch()
        with torch.autocast(device.type, torch.bfloat16):
            output = model(batch.features_BWNF.to(device))
        criterion(output, [(1.0, batch.targets)])["total"].backward()
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()

    seconds = best_of(step, steps)
    per_s, parameters = config.sequences * config.examples / seconds, sum(p.numel() for p in model.parameters())
    figures = {"examples_per_s": round(per_s, 1), "seconds_per_epoch": round(EPOCH_EXAMPLES / per_s, 1)}
    return {**figures, "parameters": parameters}


def _batches(config: TrainConfig) -> Callable[[], Batch]:
    """Makes batches of simulated examples; where the model expects longer features, one batch of noise each time."""
    examples = FeedExamples(simulate_match(0, minutes_per_half=20), config.examples)
    rng = np.random.default_rng(0)

    def make() -> Batch:
        return examples.batch(rng.integers(0, len(examples), config.sequences), rng)

    if config.model.feature_dim == examples.feature_dim:
        return make
    shape = (config.sequences, config.examples + GRID.n_windows - 1, config.model.n_snippets)
    noise = rng.standard_normal((*shape, config.model.feature_dim), np.float32)
    widened = replace(make(), features_BWNF=torch.from_numpy(noise))
    return lambda: widened


def _time_scoring() -> dict[str, float | None]:
    """All eight metrics of a table the size of the benchmark's test split, here and upstream."""
    rng, shape = np.random.default_rng(0), (BENCHMARK_TEST_CLIPS, RASTER_FRAMES)
    labels = np.where(rng.random(shape) < 0.05, rng.integers(1, 11, shape), NO_EVENT).astype(np.int32)
    emitted = rng.random((*shape, 1)) < 0.25
    scores = (rng.random((*shape, VECTOR_LENGTH)) ** 4 * emitted).astype(np.float32)
    table = FrameTable(labels, (labels != NO_EVENT).astype(np.int32), scores)
    ours = best_of(lambda: metrics_from_counts(count_detections(table)), 5)
    theirs = _time_upstream(table) if find_spec("SoccerNet") else None
    return {
        "playahead_s": round(ours, 4),
        "soccernet_s": None if theirs is None else round(theirs, 2),
        "times_faster": None if theirs is None else round(theirs / ours, 1),
    }


def _time_upstream(table: FrameTable) -> float:
    """Seconds that SoccerNet's own code takes for the same metrics (its input made beforehand)."""
    from SoccerNet.Evaluation.ActionSpotting import average_mAP  # type: ignore[import-not-found]

    shifted = table.scores_NRV - np.float32(1e-6)
    target = np.zeros(shifted.shape)
    clip, frame = np.nonzero(table.labels_NR != NO_EVENT)
    target[clip, frame, table.labels_NR[clip, frame]] = 1
    closest = np.ones_like(target)
    lists = [[clip_NV[:, 1:] for clip_NV in array] for array in (target, closest, shifted)]
    started = time.perf_counter()
    for deltas in METRICS.values():
        average_mAP(lists[0], lists[2], lists[1], RASTER_HZ, deltas=np.array(deltas))
    return time.perf_counter() - started


_PATIENCE_S = 1.0


def best_of(work: Callable[[], object], times: int, warm: bool = True) -> float:
    """Seconds of the fastest of so many calls, after one to warm up."""
    if warm:
        work()
    seconds = []
    for _ in range(times):
        finish_queued()
        started = time.perf_counter()
        work()
        finish_queued()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def finish_queued() -> None:
    """Wait until an accelerator has done what it was given: it answers before it is done."""
    if (kind := pick_device()) != "cpu":
        getattr(torch, kind).synchronize()


def matmul_gflops() -> dict[str, float]:
    """The machine's rate of matrix products, GFLOP/s; other speeds are given as shares of it."""
    rates = {}
    for kind in (torch.float32, torch.bfloat16):
        # The largest product that takes less than a second; bfloat16 may be emulated, slowly.
        for size in (256, 512, 1024, 2048, 4096, 8192):
            a = torch.randn(size, size).to(pick_device(), kind)
            seconds = best_of(lambda a=a: a @ a, 4)
            rates[str(kind).removeprefix("torch.")] = round(2 * size**3 / seconds / 1e9, 1)
            if 8 * seconds > _PATIENCE_S:
                break
    return rates


FRAMES_ANSWERED = 25  # by the frame-by-frame predictor: a second of video


@dataclass(frozen=True)
class Window:
    """Frames that everything is timed on, and the stacks of its snippets."""

    frames_THW: NDArray[np.uint8]
    stacks_XJHW: torch.Tensor
    stacks_NS: torch.Tensor


def bench_extraction(input_size: InputSize, compiled: bool) -> dict:
    """Time one window each way, and decoding, on this machine."""
    # The published network with random weights; batch norm has seen noise, so that features are of usual size.
    torch.manual_seed(0)
    backbone = Backbone(BackboneConfig())
    with torch.inference_mode():
        backbone.train().snippet_features(torch.rand(2, 15, 96, 96))
    backbone = backbone.eval().to(pick_device())
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
    window = Window(frames_THW, *map(torch.from_numpy, (encoder.stacks(frames_THW), encoder.stacks_NS)))
    per_s = len(frames) / seconds
    return window, {"frames_per_s_720p": round(per_s, 1), "s_per_window": round(GRID.window_frames / per_s, 3)}


@torch.inference_mode()
def _time_window(backbone: Backbone, window: Window, compiled: bool) -> dict:
    """Seconds a window, and how far the features are from those of the naive way."""
    device = next(backbone.parameters()).device

    def naive() -> NDArray:
        """Encode every snippet on its own, as the published code does."""
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
    """Time of each part of the fast ways, and which share of the matrix rate each part reaches."""
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
