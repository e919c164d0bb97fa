"""The next action: its class and its wait, from intensities; and the times at which it is scored."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import RASTER_FRAMES
from playahead.io.errors import InputError
from playahead.lab.next_action import NextActions, next_action, score_answers, score_commonest
from playahead.lab.simulation.plays import simulate_half
from tests.conftest import simulate


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
    assert "macro F1 [95 %]" in capsys.readouterr().out


def test_a_feed_without_a_next_action_is_refused():
    with pytest.raises(InputError, match="in no half does an action follow"):
        NextActions([simulate_half(0, minutes=0.4)])
