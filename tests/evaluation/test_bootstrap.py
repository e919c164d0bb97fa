"""Intervals over matches."""

import numpy as np
import pytest

from playahead.evaluation.official import benchmark_average, count_detections, score_videos
from playahead.evaluation.scores import (
    AREA,
    bootstrap_averages,
    least_difference,
    mean_interval,
    paired_difference,
    resample,
)
from playahead.io.errors import InputError
from tests.evaluation.test_official import random_table


def matches(seed, n=6):
    rng = np.random.default_rng(seed)
    return [random_table(rng, 30) for _ in range(n)]


def test_the_figure_is_the_plain_score_and_lies_in_its_interval():
    tables = matches(0)
    found = mean_interval([resample([count_detections(t) for t in tables])])
    assert found.value == pytest.approx(benchmark_average(score_videos(tables)), abs=1e-12)
    assert found.low < found.value < found.high


def test_each_sample_is_the_score_of_the_drawn_matches():
    counts = [count_detections(t) for t in matches(1, n=4)]
    draws = np.random.default_rng(5).multinomial(4, np.full(4, 0.25), size=3)
    expected = []
    for draw in draws:
        drawn = [c for c, times in zip(counts, draw, strict=True) for _ in range(times)]
        expected.append(benchmark_average(sum(drawn[1:], start=drawn[0])))
    np.testing.assert_allclose(bootstrap_averages(counts, samples=3, seed=5), expected, atol=1e-12)


def test_a_system_does_not_differ_from_itself():
    counts = [count_detections(t) for t in matches(2)]
    found = paired_difference([resample(counts)], [resample(counts)])
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_the_mean_of_seeds_and_its_difference_from_one_of_them():
    runs = [resample([count_detections(t) for t in matches(seed)]) for seed in (4, 5)]
    values = [mean_interval([run]).value for run in runs]
    assert mean_interval(runs).value == pytest.approx(np.mean(values))
    found = paired_difference(runs, [runs[0]])
    assert found.value == pytest.approx((values[1] - values[0]) / 2)
    assert found.low < found.value < found.high


def test_pairs_need_the_same_matches():
    counts = [count_detections(t) for t in matches(3)]
    with pytest.raises(InputError, match="6 matches against 5"):
        paired_difference([resample(counts)], [resample(counts[1:])])
    with pytest.raises(InputError, match="no matches"):
        bootstrap_averages([])


def test_the_basic_interval_is_the_percentile_one_mirrored():
    counts = [count_detections(t) for t in matches(6)]
    found = mean_interval([resample(counts, AREA)], AREA)
    low, high = np.percentile(bootstrap_averages(counts, measure=AREA), (2.5, 97.5))
    assert (found.low, found.high) == pytest.approx((2 * found.value - high, 2 * found.value - low))


def test_more_matches_tell_closer_systems_apart():
    counts = [count_detections(t) for t in matches(7, n=12)]
    few, many = (least_difference(counts, size) for size in (2, 50))
    assert few > 2 * many > 0
    with pytest.raises(InputError, match="say nothing"):
        least_difference(counts[:1], 2)
