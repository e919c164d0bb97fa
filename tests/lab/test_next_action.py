"""Baselines, by hand and blind to what is not visible yet; the next action, its wait, and the times that are scored."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAMES
from playahead.io.errors import InputError
from playahead.lab.baselines import ConstantRate, MarkovRenewal, fit_baseline
from playahead.lab.next_action import NextActions, next_action, score_answers, score_commonest
from playahead.lab.simulation.plays import simulate_half
from tests.conftest import simulate
from tests.support.halves import half_of


def test_a_constant_rate_counts():
    passes = half_of(np.arange(1, 101) * 1000, [0] * 100)  # one a second
    intensity_ORC = ConstantRate([passes], 100_000).predict(passes, np.array([30_000, 50_000])).intensity()
    assert intensity_ORC.shape == (2, 32, 10)
    np.testing.assert_allclose(intensity_ORC[..., 0], 0.16, rtol=1e-5)
    assert not intensity_ORC[..., 1:].any()


def test_a_clock_is_anticipated_to_the_frame():
    """A pass 0.8 s after every shot, a shot 1.6 s after every pass."""
    times = np.cumsum([800, 1600] * 60)
    played = half_of(times, [0, 6] * 60)
    markov = MarkovRenewal([played])
    end = int(times[40]) + 330  # 330 ms after a pass: the shot is due in 1270 ms
    intensity_RC = markov.predict(played, np.array([end])).intensity()[0]
    assert intensity_RC[:, 6].argmax() == 1600 // 160 - 330 // 160
    assert intensity_RC[8, 6] == pytest.approx(1.0, abs=1e-5)
    assert intensity_RC[8 + 5, 0] == pytest.approx(1.0, abs=1e-5)
    assert intensity_RC.sum() == pytest.approx(5.0 - 1.0, abs=1e-4)  # shot, pass, shot, pass within 32 frames


def test_a_steady_stream_is_expected_whole_also_within_a_frame():
    """One a second on average, many of them in the same frame."""
    rng = np.random.default_rng(0)
    played = half_of(np.cumsum(rng.exponential(1000, 9_000)).astype(int), [0] * 9_000)
    expected = MarkovRenewal([played]).predict(played, np.arange(1, 50) * 100_000).intensity().sum(axis=(1, 2))
    assert expected.mean() == pytest.approx(5.12, rel=0.05)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_the_future_changes_nothing(data):
    gaps = data.draw(st.lists(st.integers(0, 4000), min_size=30, max_size=60))
    codes = data.draw(st.lists(st.integers(0, 13), min_size=len(gaps), max_size=len(gaps)))
    delays = np.array(data.draw(st.lists(st.sampled_from([0, 0, 700]), min_size=len(gaps), max_size=len(gaps))))
    times = np.cumsum(gaps)
    markov = MarkovRenewal([half_of(times, codes, delays)])
    end = int(times[20])
    hidden = times + delays >= end
    other = half_of(times[~hidden], np.array(codes)[~hidden], delays[~hidden])
    now = np.array([end])
    seen = markov.predict(half_of(times, codes, delays), now).probability_ORC
    np.testing.assert_array_equal(seen, markov.predict(other, now).probability_ORC)
    assert (seen >= 0).all()
    assert (seen <= 1).all()


def test_nothing_to_count_is_refused():
    with pytest.raises(InputError, match="constant rate"):
        ConstantRate([half_of([], [])], 0)
    with pytest.raises(InputError, match="Markov"):
        MarkovRenewal([half_of([100], [0])])
    with pytest.raises(InputError, match="'oracle' is not one of constant-rate, markov"):
        fit_baseline("oracle", [half_of([100], [0])], 200)


@given(st.lists(st.floats(0.001, 2), min_size=len(ACTIONS), max_size=len(ACTIONS)))
def test_a_constant_rate_waits_log_2_over_the_rate(rates):
    """Also where half of the mass lies beyond the 5 s; the classes are shares of the rate."""
    rate_C = np.array(rates)
    intensity_ORC = np.broadcast_to(rate_C * 0.16, (1, RASTER_FRAMES, len(ACTIONS)))
    class_OC, wait_s_O = next_action(intensity_ORC)
    assert wait_s_O[0] == pytest.approx(np.log(2) / rate_C.sum(), rel=1e-6)
    assert class_OC[0] == pytest.approx(rate_C / rate_C.sum(), rel=1e-6)


def test_what_comes_first_is_next_even_where_more_of_another_comes_later():
    intensity_ORC = np.zeros((1, RASTER_FRAMES, len(ACTIONS)))
    intensity_ORC[0, 2, 1], intensity_ORC[0, 10, 0] = 1.5, 9.0
    class_OC, wait_s_O = next_action(intensity_ORC)
    assert class_OC[0].argmax() == 1
    assert 0.32 <= wait_s_O[0] <= 0.48
    assert all(np.isfinite(values).all() for values in next_action(np.zeros((3, RASTER_FRAMES, len(ACTIONS)))))


def test_each_time_sees_what_has_just_happened_and_nothing_later():
    half = simulate_half(0, minutes=3)
    times = NextActions([half])
    actions_ms = half.t_ms[half.is_target]
    for end_ms, wait_s in zip(times.end_ms[0], times.wait_s_O, strict=True):
        assert end_ms - 1 in half.visible_ms
        coming = actions_ms[actions_ms > end_ms - 1]
        assert wait_s == pytest.approx((coming[0] - end_ms + 1) / 1000)
    windows = np.concatenate(list(times.batches()))
    assert windows.shape[:2] == (len(times), 6)
    assert (windows[:, -1, -1, : len(ACTIONS)].sum(axis=1) >= 1).all()  # the last step holds the row


def test_right_answers_score_1_and_the_commonest_class_its_share():
    columns = {"match_O": [1, 1, 2, 2], "class_O": [0, 0, 0, 9], "wait_s_O": [1.0, 2.0, 3.0, 8.0]}
    times = SimpleNamespace(**{name: np.array(values) for name, values in columns.items()})
    perfect = score_answers(times.class_O, times.wait_s_O, times)
    assert (perfect.accuracy.value, perfect.macro_f1.value, perfect.time_error_s.value) == (1, 1, 0)
    floor = score_commonest(times)
    assert (floor.accuracy.value, floor.grouped_accuracy.value) == (0.75, 0.75)
    assert floor.macro_f1.value == pytest.approx((2 * 3 / 7) / 2)
    assert floor.time_error_s.value == pytest.approx((1.5 + 0.5 + 0.5 + 5.5) / 4)


def test_from_the_command_line(tmp_path, capsys):
    simulate(tmp_path, matches=4, minutes=2.0, halves=1)
    assert run(["evaluate", "next", str(tmp_path), "--split", "test", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["systems"]
    assert list(found) == ["model", "Markov renewal", "commonest class"]
    assert found["Markov renewal"]["accuracy"]["value"] > found["commonest class"]["accuracy"]["value"]
    assert run(["evaluate", "next", str(tmp_path), "--split", "test"]) == 0
    assert "macro F1 [resampled]" in capsys.readouterr().out


def test_a_feed_without_a_next_action_is_refused():
    with pytest.raises(InputError, match="in no half does an action follow"):
        NextActions([simulate_half(0, minutes=0.4)])
