"""The benchmark answers with ratios of one run, and its ways agree with each other."""

import json

from playahead.backbone.fast import BFLOAT16_TOLERANCE
from playahead.cli.main import run
from playahead.lab.bench import extraction, rates
from playahead.lab.simulation.rendering import Rendering


def test_a_live_session_is_timed_and_its_memory_measured(capsys):
    assert run(["bench", "live", "--feed-minutes", "2", "--video-minutes", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for kind in ("feed", "video"):
        assert 0 < found[kind]["p50_s"] <= found[kind]["p99_s"]
        assert found[kind]["sessions_per_core"] > 0
        assert found[kind]["answers"] > 20
    assert found["feed"]["gflop_an_answer"] > 0


def test_extraction_is_timed_each_way_on_the_same_frames(capsys, monkeypatch):
    monkeypatch.setattr(extraction, "best_of", lambda work, *_, **__: rates.best_of(work, 1, warm=False))
    brief = lambda half, seed, width, height, path: Rendering(half, seed, width // 8, height // 8, path)  # noqa: E731
    monkeypatch.setattr(extraction, "Rendering", brief)
    assert run(["bench", "extract", "--input-size", "64x64", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    naive, *others = found["window"].values()
    assert naive["times_faster"] == 1
    assert all(row["s"] > 0 for row in found["window"].values())
    assert all(row["relative_error"] < BFLOAT16_TOLERANCE for row in others)
    assert found["parts"]["gflop_2d"] > 0
    assert found["decode"]["frames_per_s_720p"] > 0
