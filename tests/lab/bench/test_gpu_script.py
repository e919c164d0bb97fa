"""``benchmarks/gpu.py`` where there is no GPU: what it times on the paper's 1,280 columns needs nothing of the host."""

import importlib.util
from pathlib import Path

import numpy as np

from playahead.datasets.examples import FeedExamples
from playahead.lab.simulation.plays import simulate_half

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "gpu.py"


def script():
    spec = importlib.util.spec_from_file_location("gpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_batch_of_videos_width_is_made_once():
    examples = script().OneBatch(FeedExamples([simulate_half(0, minutes=2)], 1), 3, "cpu")
    first, second = (examples.batch(np.arange(3), np.random.default_rng(seed)) for seed in (0, 1))
    assert first is second
    assert first.features_BWNF.shape == (3, 6, 33, 1280)


def test_the_device_alone_is_timed_at_the_papers_width():
    rows = list(script()._training_on_video("cpu", {"float32": 100.0, "bfloat16": 100.0}, dry=True))
    assert ["1,280 columns" in what for what, _ in rows] == [True, True]
    assert all("examples/s" in figure for _, figure in rows)
