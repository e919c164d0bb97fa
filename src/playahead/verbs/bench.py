"""``playahead bench``: how fast training and scoring are here, each beside what it is compared with, in one run."""

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Literal

import numpy as np
import torch

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, RASTER_FRAMES, RASTER_HZ
from playahead.errors import InputError
from playahead.evaluation.frames import NO_EVENT, VECTOR_LENGTH, FrameTable
from playahead.evaluation.official import METRICS, count_detections, metrics_from_counts
from playahead.learning.criterion import Criterion
from playahead.learning.engine import TrainConfig
from playahead.learning.optim import build_optimizers
from playahead.model.anticipator import Anticipator
from playahead.recipes import feed, paper
from playahead.sources.simulation.plays import simulate_match
from playahead.verbs import show
from playahead.verbs.rates import best_of, matmul_gflops
from playahead.windows.batch import Batch
from playahead.windows.dataset import FeedWindows

BENCHMARK_TEST_CLIPS = 2_376
EPOCH_WINDOWS = 4_587
"""Clips of the benchmark's training split: one epoch of the paper."""


def bench(
    what: Literal["core", "extract"] | None = None,
    steps: int = 8,
    canvas: str = "416x224",
    compile: bool = False,
    json: bool = False,
) -> None:
    """How fast this machine is, as ratios measured in one run.

    Args:
        what: core (training and scoring, if not given) or extract (decoding and encoding video).
        steps: training steps to time for each model.
        canvas: of the windows that are encoded; 1280x736 is the published one (minutes for the naive way).
        compile: also through torch.compile.
        json: one JSON document on standard output.
    """
    if steps < 1:
        raise InputError("--steps", f"{steps} is below 1")
    if what == "extract":
        from playahead.verbs.bench_extract import bench_extraction, print_extraction
        from playahead.verbs.extract import parse_canvas

        results = bench_extraction(parse_canvas(canvas, "limited"), compile)
        show.print_json(results) if json else print_extraction(results)
        return
    results = _bench_core(steps)
    show.print_json(results) if json else _print(results)


def _bench_core(steps: int) -> dict:
    return {
        "threads": torch.get_num_threads(),
        "matmul_gflops": matmul_gflops(),
        "training": {
            "paper's model, 1280 features, batch 32": _time_training(paper(), steps),
            f"feed recipe, passages of {feed().observations}": _time_training(feed(), steps),
            "feed recipe, single observations": _time_training(replace(feed(), passages=64, observations=1), steps),
        },
        "scoring": _time_scoring(),
    }


def _time_training(config: TrainConfig, steps: int) -> dict[str, float]:
    model = Anticipator(config.model)
    criterion = Criterion(config.criterion, torch.ones(len(ACTIONS)))
    optimizers = build_optimizers(model, config.optim)
    make_batch = _batches(config)

    def step() -> None:
        batch = make_batch()
        with torch.autocast("cpu", torch.bfloat16):
            output = model(batch.features_BWNF)
        criterion(output, batch.targets)["total"].backward()
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()

    seconds = best_of(step, steps)
    windows_per_s = config.passages * config.observations / seconds
    return {
        "windows_per_s": round(windows_per_s, 1),
        "seconds_per_epoch": round(EPOCH_WINDOWS / windows_per_s, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def _batches(config: TrainConfig) -> Callable[[], Batch]:
    """Makes batches of simulated windows; where the model expects longer features, one batch of noise each time."""
    windows = FeedWindows(simulate_match(0, minutes_per_half=20), config.observations)
    rng = np.random.default_rng(0)

    def make() -> Batch:
        return windows.batch(rng.integers(0, len(windows), config.passages), rng)

    if config.model.feature_dim == windows.feature_dim:
        return make
    shape = (config.passages, config.observations + GRID.n_windows - 1, config.model.n_clips)
    noise = rng.standard_normal((*shape, config.model.feature_dim), np.float32)
    widened = replace(make(), features_BWNF=torch.from_numpy(noise))
    return lambda: widened


def _time_scoring() -> dict[str, float | None]:
    """All eight metrics of a table the size of the benchmark's test split, here and upstream."""
    table = _random_table(BENCHMARK_TEST_CLIPS)
    ours = best_of(lambda: metrics_from_counts(count_detections(table)), 5)
    if find_spec("SoccerNet") is None:
        return {"playahead_s": round(ours, 4), "soccernet_s": None, "times_faster": None}
    theirs = _time_upstream(table)
    return {
        "playahead_s": round(ours, 4),
        "soccernet_s": round(theirs, 2),
        "times_faster": round(theirs / ours, 1),
    }


def _random_table(n_clips: int) -> FrameTable:
    rng = np.random.default_rng(0)
    shape = (n_clips, RASTER_FRAMES)
    labels = np.where(rng.random(shape) < 0.05, rng.integers(1, 11, shape), NO_EVENT).astype(np.int32)
    visibility = np.where(labels == NO_EVENT, 0, 1).astype(np.int32)
    emitted = rng.random((*shape, 1)) < 0.25
    scores = (rng.random((*shape, VECTOR_LENGTH)) ** 4 * emitted).astype(np.float32)
    return FrameTable(labels, visibility, scores)


def _time_upstream(table: FrameTable) -> float:
    """Seconds that ``SoccerNet``'s own code takes for the same metrics (its input made beforehand)."""
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


def _print(results: dict) -> None:
    console = show.out()
    rates = results["matmul_gflops"]
    console.print(
        f"{results['threads']} threads; matrix rate {rates['float32']:.0f} GFLOP/s float32, "
        f"{rates['bfloat16']:.0f} bfloat16"
    )
    rows = [
        (name, f"{r['windows_per_s']:.0f}", f"{r['seconds_per_epoch']:.1f}", f"{r['parameters']:,}")
        for name, r in results["training"].items()
    ]
    columns = ("training, bfloat16", "windows/s", f"s per {EPOCH_WINDOWS:,} windows", "parameters")
    console.print(show.plain_table("", columns, rows))
    scoring = results["scoring"]
    upstream = (
        f"{scoring['soccernet_s']:.2f} s for SoccerNet 0.2.0: {scoring['times_faster']:.0f} times faster"
        if scoring["soccernet_s"]
        else "SoccerNet not installed (make oracle)"
    )
    console.print(
        f"scoring {BENCHMARK_TEST_CLIPS:,} clips, all eight metrics: {scoring['playahead_s']:.3f} s; {upstream}"
    )
