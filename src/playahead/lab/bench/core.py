"""Speed of training and scoring on this machine, each beside what it is compared with, in one run.

The functions that measure are for ``benchmarks/``, too.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import torch

from playahead.datasets.examples import Batch, FeedExamples
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, RASTER_FRAMES, RASTER_HZ
from playahead.evaluation.frames import NO_EVENT, VECTOR_LENGTH, FrameTable
from playahead.evaluation.official import METRICS, count_detections, metrics_from_counts
from playahead.io.errors import InputError
from playahead.io.runtime import pick_device
from playahead.lab.recipes import feed, paper
from playahead.lab.simulation.plays import simulate_match
from playahead.training.trainer import TrainConfig
from playahead.variants.losses import build_criterion, build_optimizers
from playahead.variants.model import build

BENCHMARK_TEST_CLIPS = 2_376
EPOCH_EXAMPLES = 4_587
"""Clips of the benchmark's training split: one epoch of the paper."""


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
