"""By hand, and blind to what is not visible yet."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.io.errors import InputError
from playahead.lab.baselines import ConstantRate, MarkovRenewal, fit_baseline
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
