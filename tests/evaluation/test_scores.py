"""Scores: counts that are kept and read back, and the intervals made from them."""

import numpy as np
import pytest

from playahead.evaluation.exact import area_of_counts, score_exactly, timed_events_of_frames
from playahead.evaluation.official import benchmark_average, count_detections, score_videos
from playahead.evaluation.scores import (
    AREA,
    bootstrap_averages,
    load_scores,
    mean_interval,
    min_difference,
    paired_difference,
    resample,
    save_scores,
)
from playahead.io.errors import InputError
from tests.support.scores import skilled_scores, skilled_table
from tests.support.tables import random_table


def matches(seed, n=6):
    rng = np.random.default_rng(seed)
    return [count_detections(random_table(rng, 30)) for _ in range(n)]


def test_what_is_saved_is_what_was_scored_and_damage_is_made_again(tmp_path):
    scores = skilled_scores(0, 0.5)
    save_scores(tmp_path / "scores.npz", {"marginal": scores}, "key")
    read = load_scores(tmp_path / "scores.npz", "key")
    assert (read["marginal"].average, read["marginal"].area) == (scores.average, scores.area)
    assert read["marginal"].predictions_per_clip == scores.predictions_per_clip
    assert load_scores(tmp_path / "scores.npz", "another key") is None
    assert load_scores(tmp_path / "none.npz", "key") is None
    path = tmp_path / "scores.npz"
    whole = path.read_bytes()
    for cut in np.random.default_rng(0).integers(0, len(whole), 10):
        path.write_bytes(whole[:cut])
        assert load_scores(path, "key") is None


def test_the_area_of_counts_is_near_the_exact_one():
    table = skilled_table(np.random.default_rng(3), 0.6, n=3000)
    exact = 100 * score_exactly(*timed_events_of_frames(table)).average_area
    scores = skilled_scores(3, 0.6, n=3000, n_matches=1)
    assert scores.area == pytest.approx(exact, abs=1.0)
    assert scores.area < exact  # steps are counted from below
    assert scores.average == pytest.approx(100 * benchmark_average(count_detections(table)))
    assert area_of_counts(scores.ranked_M[0]).shape == (1, 6, 10)


def test_the_figure_is_the_plain_score_and_lies_in_its_interval():
    rng = np.random.default_rng(0)
    tables = [random_table(rng, 30) for _ in range(6)]
    interval = mean_interval([resample([count_detections(t) for t in tables])])
    assert interval.value == pytest.approx(benchmark_average(score_videos(tables)), abs=1e-12)
    assert interval.low < interval.value < interval.high


def test_each_sample_is_the_score_of_the_drawn_matches():
    counts = matches(1, n=4)
    draws = np.random.default_rng(5).multinomial(4, np.full(4, 0.25), size=3)
    expected = []
    for draw in draws:
        drawn = [c for c, times in zip(counts, draw, strict=True) for _ in range(times)]
        expected.append(benchmark_average(sum(drawn[1:], start=drawn[0])))
    np.testing.assert_allclose(bootstrap_averages(counts, samples=3, seed=5), expected, atol=1e-12)


def test_the_mean_of_seeds_and_its_difference_from_one_of_them():
    runs = [resample(matches(seed)) for seed in (4, 5)]
    values = [mean_interval([run]).value for run in runs]
    assert mean_interval(runs).value == pytest.approx(np.mean(values))
    difference = paired_difference(runs, [runs[0]])
    assert difference.value == pytest.approx((values[1] - values[0]) / 2)
    assert difference.low < difference.value < difference.high
    itself = paired_difference([runs[0]], [runs[0]])
    assert (itself.value, itself.low, itself.high) == (0, 0, 0)


def test_pairs_need_the_same_matches():
    counts = matches(3)
    with pytest.raises(InputError, match="scored on 6 matches and on 5"):
        paired_difference([resample(counts)], [resample(counts[1:])])
    with pytest.raises(InputError, match="none to draw from"):
        bootstrap_averages([])


def test_the_basic_interval_is_the_percentile_one_mirrored():
    counts = matches(6)
    interval = mean_interval([resample(counts, AREA)], AREA)
    low, high = np.percentile(bootstrap_averages(counts, measure=AREA), (2.5, 97.5))
    assert (interval.low, interval.high) == pytest.approx((2 * interval.value - high, 2 * interval.value - low))


def test_more_matches_tell_closer_systems_apart():
    counts = matches(7, n=12)
    few, many = (min_difference(counts, size) for size in (2, 50))
    assert few > 2 * many > 0
    with pytest.raises(InputError, match="noise_at: 2 matches drawn from 1 say nothing"):
        min_difference(counts[:1], 2)
