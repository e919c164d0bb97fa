"""The benchmarks answer with ratios of one run, and their ways agree; ``benchmarks/gpu.py`` runs without a GPU."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from playahead.backbone.fast import BFLOAT16_TOLERANCE
from playahead.cli.main import run
from playahead.datasets.examples import FeedExamples
from playahead.io.progress import quiet
from playahead.lab import bench, capacity
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.simulate import Rendering


def test_sessions_are_served_in_turn_until_one_worker_cannot_carry_them(capsys, monkeypatch):
    assert run(["bench", "live", "--sessions", "[1,3]", "--feed-minutes", "1", "--video-minutes", "0", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["feed"]
    assert [(row["sessions"], row["answers"]) for row in rows] == [(1, 60), (3, 180)]
    assert all(row["average_ms"] > 0 and row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"] for row in rows)
    # Two sessions whose seconds take 0.3 s each, half a second apart, do not wait. Four fall behind by 0.2 s a second.
    clock = iter(np.arange(0, 10_000, 0.3))
    monkeypatch.setattr(capacity, "perf_counter", lambda: next(clock))
    for n, latency_ms, busy in ((2, 300, 0.6), (4, 300 + 30 * 200, 1.2)):
        row = capacity._serve([iter(lambda: None, 0) for _ in range(n)], 60, "", quiet)
        assert (row["average_ms"], row["busy"]) == (pytest.approx(latency_ms, rel=0.02), pytest.approx(busy)), n


@pytest.mark.slow
def test_sessions_of_video_are_served_too(capsys):
    assert run(["bench", "live", "--sessions", "[1]", "--feed-minutes", "0", "--video-minutes", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["video"]
    assert row["answers"] == 60
    assert row["average_ms"] > 0


@pytest.mark.slow
def test_extraction_is_timed_each_way_on_the_same_frames(capsys, monkeypatch):
    best_of = bench.best_of
    monkeypatch.setattr(bench, "best_of", lambda work, *_, **__: best_of(work, 1, warm=False))
    brief = lambda half, seed, width, height, path: Rendering(half, seed, width // 8, height // 8, path)  # noqa: E731
    monkeypatch.setattr(bench, "Rendering", brief)
    assert run(["bench", "extract", "--input-size", "64x64", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    naive, *others = found["window"].values()
    assert naive["times_faster"] == 1
    assert all(row["s"] > 0 for row in found["window"].values())
    assert all(row["relative_error"] < BFLOAT16_TOLERANCE for row in others)
    assert found["parts"]["gflop_2d"] > 0
    assert found["decode"]["frames_per_s_720p"] > 0


SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def test_the_device_alone_is_timed_at_the_papers_width_on_one_batch():
    script = SimpleNamespace(**runpy.run_path(str(SCRIPT)))
    examples = script.OneBatch(FeedExamples([simulate_half(0, minutes=2)], 1), 3, "cpu")
    first, second = (examples.batch(np.arange(3), np.random.default_rng(seed)) for seed in (0, 1))
    assert first is second
    assert first.features_BWNF.shape == (3, 6, 33, 1280)
    rows = list(script._training_on_video("cpu", {"float32": 100.0, "bfloat16": 100.0}, dry=True))
    assert ["1,280 columns" in what for what, _ in rows] == [True, True]
    assert all("examples/s" in figure for _, figure in rows)


@pytest.mark.slow
def test_the_other_parts_of_the_gpu_script_run_on_a_cpu():
    script = SimpleNamespace(**runpy.run_path(str(SCRIPT)))
    peak = {"float32": 100.0, "bfloat16": 100.0}
    parts = (script._parity("cpu"), script._training("cpu", peak, dry=True), script._resuming("cpu"))
    rows = dict(row for part in parts for row in part)
    assert rows["packaged feed model, probabilities, device against CPU"] == "at most 0.0e+00 apart"
    assert sum("examples/s" in figure for figure in rows.values()) == 2
    assert rows["resumed with --deterministic true, against a run that was not stopped"].startswith("the same bits")
