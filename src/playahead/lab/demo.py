"""The whole pipeline on simulated broadcasts, in one function: what ``playahead demo`` shows."""

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch

from playahead.datasets.dataset import VideoDataset
from playahead.evaluation.scores import Evaluation
from playahead.features.extract import ExtractConfig, extract, find_videos, prepare
from playahead.inference.evaluate import evaluate
from playahead.inference.predictor import Predictor
from playahead.inference.result import PredictConfig, PredictResult
from playahead.inference.video import predict_video
from playahead.io.progress import Show, counter, quiet
from playahead.io.runtime import emulates_bfloat16, pick_device
from playahead.lab.recipes import demo as demo_recipe
from playahead.lab.simulation.simulate import SimulationConfig, simulate
from playahead.training.run import train
from playahead.training.trainer import TrainConfig


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Sizes of the demo: broadcasts of one half each, and the stretch of the held-out match that is shown."""

    epochs: int | None = None
    seed: int = 7
    matches: int = 8
    minutes: float = 3.0
    width: int = 224
    height: int = 124
    start: str = "1:00"
    end: str = "1:40"


@dataclass(frozen=True)
class Demo:
    """Results of the demo, and their files."""

    prediction: PredictResult
    evaluation: Evaluation
    n_examples: int
    overlay: Path
    weights: Path
    log: Path
    features: Path
    broadcasts: Path


def demo(out: Path, config: DemoConfig | None = None, show: Show = quiet) -> Demo:
    """Simulate broadcasts, extract, train, score a held-out match, draw what is expected under its video; resumes."""
    config = config or DemoConfig()
    overlay, features, broadcasts = out / "ahead.mp4", out / "features", out / "broadcasts"
    sizes = {name: getattr(config, name) for name in ("matches", "minutes", "width", "height", "seed")}
    simulate(broadcasts, SimulationConfig(layout="bas", halves=1, video=True, **sizes), show)
    _extract(broadcasts, features, show)
    dataset = VideoDataset(broadcasts, features)
    trained = train(dataset, _settings(config), out / "run", show=show)
    test = dataset.evaluation_set("test")
    evaluation = evaluate(Predictor.open(trained.weights), test, show=show)
    (video,) = (broadcasts / "test").rglob("*.mp4")
    shown = PredictConfig(weights=trained.weights, start=config.start, end=config.end, overlay=overlay)
    prediction = predict_video(video, shown, show)
    return Demo(prediction, evaluation, len(test), overlay, trained.weights, trained.log, features, broadcasts)


def _extract(broadcasts: Path, features: Path, show: Show) -> None:
    """Extract every broadcast, on CPUs in a process for each core: a network this small gains little from threads."""
    config = ExtractConfig(precision="float32" if emulates_bfloat16() else "bfloat16")
    if pick_device() != "cpu":
        extract(broadcasts, features, config, show=show)
        return
    prepare(config, features)  # the processes find the store there
    n = len(find_videos(broadcasts))
    advance = counter(show, f"extracting {n} broadcasts", n)
    start = {"mp_context": get_context("spawn"), "initializer": torch.set_num_threads, "initargs": (1,)}
    with ProcessPoolExecutor(os.cpu_count(), **start) as pool:
        for job in as_completed([pool.submit(extract, broadcasts, features, config, f"{i + 1}/{n}") for i in range(n)]):
            job.result()
            advance()


def _settings(config: DemoConfig) -> TrainConfig:
    recipe = demo_recipe()
    precision = "32-true" if emulates_bfloat16() else recipe.precision
    epochs = recipe.epochs if config.epochs is None else config.epochs
    return replace(recipe, seed=config.seed, epochs=epochs, precision=precision)
