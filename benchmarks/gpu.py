"""What ``benchmarks/gpu.sh`` measures: ``python benchmarks/gpu.py [--dry]``.

Everything is measured in one run on one machine. "Of peak" is the share of the rate of the machine's largest matrix
product in the same precision.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from playahead.backbone.checkpoint import load_backbone
from playahead.backbone.fast import FastBackbone
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.examples import Batch, FeedExamples
from playahead.features.encoder import WindowEncoder
from playahead.features.feed import N_FEATURES
from playahead.features.forms import FEED_FEATURES
from playahead.inference.predictor import Predictor
from playahead.io.files import packaged_weights
from playahead.io.runtime import emulates_bfloat16, environment, pick_device
from playahead.lab.bench import best_of, matmul_gflops
from playahead.lab.recipes import feed, paper
from playahead.lab.simulation.plays import simulate_half
from playahead.training.trainer import TrainConfig, Trainer

Row = tuple[str, str]
KINDS = {"bf16-mixed": "bfloat16", "32-true": "float32"}


def main(dry: bool) -> None:
    """Print the table."""
    device = pick_device()
    if device == "cpu" and not dry:
        sys.exit("playahead: --device: no accelerator on this machine (add --dry to try the script)")
    peak = matmul_gflops()
    print("| what | figure |\n|---|---|")
    about = environment()
    print(f"| machine | {device}: {about['accelerator'] or about['processor']}, torch {about['torch']} |")
    print(f"| peak, matrix product | {', '.join(f'{name} {rate:,.0f} GFLOP/s' for name, rate in peak.items())} |")
    for rows in (
        _parity(device),
        _extraction(device, peak, dry),
        _training(device, peak, dry),
        _training_on_video(device, peak, dry),
        _resuming(device),
    ):
        for what, figure in rows:
            print(f"| {what} | {figure} |", flush=True)


def _parity(device: str) -> Iterator[Row]:
    evaluation_set = FeedEvaluationSet([simulate_half(seed, minutes=4) for seed in range(4)])
    here, there = (Predictor.open(None, FEED_FEATURES, name).predict_all(evaluation_set) for name in ("cpu", device))
    apart = max(float(np.abs(getattr(here, part) - getattr(there, part)).max()) for part in vars(here))
    yield "packaged feed model, probabilities, device against CPU", f"at most {apart:.1e} apart"
    backbone, _ = load_backbone(packaged_weights("simulated-backbone"))
    frames_THW = np.random.default_rng(0).integers(0, 255, (125, 128, 224), np.uint8)
    expected = WindowEncoder(FastBackbone(backbone), 41).encode(frames_THW).astype(np.float32)
    for precision in ("float32", "tf32", "bfloat16"):
        if precision == "tf32" and not device.startswith("cuda"):
            continue
        features = WindowEncoder(FastBackbone(backbone, precision, device=device), 41).encode(frames_THW)
        error = np.linalg.norm(features - expected) / np.linalg.norm(expected)
        yield f"features of a window, {precision} on the device against float32 on the CPU", f"{error:.1e} relative"


def _extraction(device: str, peak: dict[str, float], dry: bool) -> Iterator[Row]:
    height, width = (96, 160) if dry else (736, 1280)
    backbone = Backbone(BackboneConfig()).eval()
    frames_THW = np.random.default_rng(0).integers(0, 255, (125, height, width), np.uint8)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        encoder = WindowEncoder(FastBackbone(backbone), 41)
        maps = encoder.backbone.encoded(encoder.stacks(frames_THW[:, :64, :64]))
        encoder.backbone.snippets(maps, encoder.stacks_NS)
    gflop = counter.get_total_flops() / 1e9 * (height * width) / (64 * 64)
    for precision in ("float32",) if emulates_bfloat16(device) else ("float32", "bfloat16"):
        _forget_memory(device)
        fast = WindowEncoder(FastBackbone(backbone, precision, device=device), 41)
        seconds = best_of(lambda fast=fast: fast.encode(frames_THW), 1 if dry else 5)
        share = gflop / seconds / peak[precision]
        figure = f"{seconds:.3f} s, {5 / seconds:.1f} times real time, {share:.0%} of peak, {_memory(device)}"
        yield f"a 5-s window at {width} x {height}, {precision}", figure


def _training(device: str, peak: dict[str, float], dry: bool) -> Iterator[Row]:
    halves = [simulate_half(seed, minutes=8) for seed in range(8)]
    recipes = {"paper, batch 32 (on a feed's features)": paper(N_FEATURES), "feed": feed()}
    for name, config in recipes.items():
        for batches in (1,) if dry else (1, 8):
            _forget_memory(device)
            config = replace(config, sequences=config.sequences * batches, epochs=1, steps_per_epoch=100)
            config = replace(config, precision="32-true" if emulates_bfloat16(device) else config.precision)
            with tempfile.TemporaryDirectory() as folder:
                trainer = _trainer(config, halves, Path(folder), device)
                figure = _step(trainer, device, peak, 2 if dry else 20)
            yield f"training {name}, {trainer.per_step} examples a step", figure


def _step(trainer: Trainer, device: str, peak: dict[str, float], times: int) -> str:
    """Speed of a training step, which ends with a copy of its losses."""
    with FlopCounterMode(display=False) as counter:
        trainer._train_step()
    seconds = best_of(trainer._train_step, times)
    share = counter.get_total_flops() / 1e9 / seconds / peak[KINDS[trainer.config.precision]]
    return f"{trainer.per_step / seconds:,.0f} examples/s, {share:.1%} of peak, {_memory(device)}"


class OneBatch:
    """Examples of video's shape, 1,280 random columns over a feed's labels: one batch, made once, so that the host does
    next to nothing in a step. Its features lie on the device, or on the host, from where each step copies them.
    """

    feature_dim = 1280
    digest = "one batch"

    def __init__(self, examples: FeedExamples, sequences: int, place: str) -> None:
        self.classes, self.counts_C, self.rare_weight_A = examples.classes, examples.counts_C, examples.rare_weight_A
        self.n_examples = examples.n_examples
        batch = examples.batch(np.arange(sequences) % len(examples.rare_weight_A), np.random.default_rng(0))
        features_BWNF = torch.randn(*batch.features_BWNF.shape[:3], self.feature_dim, device=place)
        self._batch = replace(batch, features_BWNF=features_BWNF)

    def batch(self, anchors: NDArray[np.integer], rng: np.random.Generator) -> Batch:  # noqa: ARG002 - it is the one
        """The batch."""
        return self._batch


def _training_on_video(device: str, peak: dict[str, float], dry: bool) -> Iterator[Row]:
    """The paper's recipe at its own width: what the device alone does, then with each batch copied from the host."""
    halves = [simulate_half(seed, minutes=6) for seed in range(2)]
    sizes = ((2, "32-true"),) if dry else ((32, "bf16-mixed"), (256, "bf16-mixed"), (32, "32-true"))
    for sequences, precision in sizes:
        # MixUp is arithmetic on the host and the rare sampler a draw there: neither is the device's.
        config = replace(paper(), mixup_alpha=0.0, rare_sampler=False, device=device, epochs=1, steps_per_epoch=100)
        config = replace(config, sequences=sequences, precision=precision)
        for place in (device, "cpu"):
            _forget_memory(device)
            examples = OneBatch(FeedExamples(halves, config.examples), sequences, place)
            with tempfile.TemporaryDirectory() as folder:
                trainer = Trainer(config, examples, lambda _: {"map": 0.0}, Path(folder))
                figure = _step(trainer, device, peak, 1 if dry else 20)
            where = "on the device" if place == device else "copied from the host"
            yield (
                f"training paper on 1,280 columns {where}, {trainer.per_step} examples a step, {KINDS[precision]}",
                figure,
            )


def _resuming(device: str) -> Iterator[Row]:
    """Stopped half-way and gone on with, against a run that was not."""
    halves = [simulate_half(seed, minutes=8) for seed in range(2)]  # a sequence of the recipe lasts six minutes
    config = replace(feed(), epochs=2, steps_per_epoch=10, save_every=5, validate_every=2, deterministic=True)
    config = replace(config, precision="32-true" if emulates_bfloat16(device) else config.precision)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        whole = _trainer(config, halves, Path(folder) / "whole", device)
        whole.run()
        stopped = _trainer(config, halves, Path(folder) / "stopped", device)

        def stop(_: object) -> None:
            if stopped.step == 10:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            stopped.run(stop)
        resumed = _trainer(config, halves, Path(folder) / "stopped", device)
        assert resumed.step == 10
        resumed.run()
        ours, theirs = whole.plain_model.state_dict(), resumed.plain_model.state_dict()
        same = all(torch.equal(value, theirs[name]) for name, value in ours.items())
    seconds = time.perf_counter() - started
    figure = f"{'the same bits' if same else 'OTHER BITS'} ({seconds:.0f} s)"
    yield "resumed with --deterministic true, against a run that was not stopped", figure


def _trainer(config: TrainConfig, halves: list, folder: Path, device: str) -> Trainer:
    examples = FeedExamples(halves, config.examples, config.degraded, config.augment, config.reading)
    return Trainer(replace(config, device=device), examples, lambda _: {"map": 0.0}, folder)


def _forget_memory(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _memory(device: str) -> str:
    if not device.startswith("cuda"):
        return "memory not measured here"
    return f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB at most"


if __name__ == "__main__":
    main("--dry" in sys.argv[1:])
