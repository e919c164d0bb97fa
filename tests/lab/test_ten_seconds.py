"""``benchmarks/ten_seconds.py``: what comes 5 to 10 s later is asked for, and nothing of it is seen."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from playahead.domain.grid import ANTICIPATION_MS
from playahead.features.forms import Reading
from playahead.lab.baselines import fit_baseline, predict_halves
from playahead.sources.feeds import read_feed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("ten_seconds")


def test_what_comes_later_is_what_the_next_example_asks_for(script, real_match):
    near, later = (script.LaterSet(read_feed(real_match), "test", after_ms) for after_ms in script.AFTER_MS)
    assert len(near) == len(later)
    for sooner, of_later, ends in zip(near.following, later.following, near.end_ms, strict=True):
        n_events = min(sooner.class_OE.shape[1], of_later.class_OE.shape[1])
        assert (np.diff(ends) == ANTICIPATION_MS).all()
        for name in ("class_OE", "time_OE"):
            wanted, found = getattr(sooner, name)[1:, :n_events], getattr(of_later, name)[:-1, :n_events]
            np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_training_asks_for_what_comes_5_to_10_s_after_each_example(script, real_match):
    halves = read_feed(real_match)
    examples = script.LaterExamples(halves, 8, 0.0, False, Reading("rows"))
    batch = examples.batch(np.arange(len(examples)), np.random.default_rng(0))
    asked = batch.targets
    for number, name in enumerate(batch.names_B):
        half = halves[int(name.split("half ")[1][0]) - 1]
        start_ms = int(name.split(", ")[2].removesuffix(" ms"))
        labels = half.take(half.is_target)
        ends_O = start_ms + np.arange(8) * ANTICIPATION_MS
        seen = Reading("rows").prepare(half.take(half.t_ms < ends_O[-1])).windows(ends_O)
        np.testing.assert_array_equal(batch.features_BWNF[number], seen)
        for place in range(8):
            end_ms = start_ms + (place + 1) * ANTICIPATION_MS
            assert end_ms + ANTICIPATION_MS <= half.t_ms[-1]
            soon = (labels.t_ms > end_ms) & (labels.t_ms <= end_ms + ANTICIPATION_MS)
            found = asked.class_OE[8 * number + place]
            assert found[found >= 0].tolist() == labels.code[soon].tolist()


@pytest.mark.parametrize("name", ["constant-rate", "markov"])
def test_a_baseline_at_half_speed_says_the_same_of_five_seconds_and_goes_on(script, real_match, name):
    halves = read_feed(real_match)
    lasted_ms = sum(int(half.t_ms[-1]) for half in halves)
    near, later = (script.LaterSet(halves, "test", after_ms) for after_ms in script.AFTER_MS)
    slow_halves = [script._at_half_speed(half) for half in halves]
    slow = fit_baseline(name, slow_halves, lasted_ms // 2)
    usual_ORC = predict_halves(fit_baseline(name, halves, lasted_ms), near.halves, near.end_ms).intensity()
    found_ORC, after_ORC = (script._of_baseline(slow, five) for five in (near, later))
    in_five_OC, usual_OC = found_ORC[:, :31].sum(axis=1), usual_ORC[:, :31].sum(axis=1)
    assert np.corrcoef(in_five_OC.ravel(), usual_OC.ravel())[0, 1] > 0.99
    assert in_five_OC.sum() == pytest.approx(usual_OC.sum(), rel=0.03)
    # Its long frames 16 to 30 lie between 5.12 and 9.92 s, our 31 frames after five seconds between 5 and 9.96.
    slow_OC = predict_halves(slow, slow_halves, [ends // 2 for ends in later.end_ms]).intensity()[:, 16:31].sum(axis=1)
    after_OC = after_ORC[:, :31].sum(axis=1)
    assert np.abs(after_OC - slow_OC * 31 / 30).mean() < 0.01 * slow_OC.mean()
