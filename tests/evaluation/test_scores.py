"""Every threshold in continuous time; confidences beside what happened; counts that are kept, and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.evaluation.exact import TimedEvents, area_of_counts, score_exactly, timed_events_of_frames
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import (
    TOLERANCES_S,
    average_precision,
    benchmark_average,
    count_detections,
    score_videos,
)
from playahead.evaluation.reliability import came_near, reliability, rows_of
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
from tests.support.tables import random_table, table_of


def moments(*rows, scored=False):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return TimedEvents(columns[0], columns[1], columns[2], columns[3] if scored else None)


def test_a_guess_within_half_the_tolerance_counts_to_the_millisecond():
    events = moments((0, 0, 1000))
    inside = score_exactly(events, moments((0, 0, 1500, 0.3), scored=True))
    outside = score_exactly(events, moments((0, 0, 1501, 0.3), scored=True))
    assert inside.area_DC[0, 0] == 1.0
    assert outside.area_DC[0, 0] == 0.0
    assert outside.area_DC[1, 0] == 1.0


def test_tiny_confidences_are_still_told_apart():
    """The official scorer sees one threshold here (its test expects 0.5); every threshold sees the hit first."""
    found = score_exactly(moments((0, 0, 800)), moments((0, 0, 800, 0.004), (0, 0, 4900, 0.001), scored=True))
    assert found.eleven_point_DC[0, 0] == 1.0


def test_area_by_hand():
    """Hit, miss, hit of two events: precision 1 to recall 1/2, then 2/3."""
    events = moments((0, 0, 1000), (1, 0, 1000))
    predicted = moments((0, 0, 1000, 0.9), (0, 0, 4000, 0.8), (1, 0, 1000, 0.7), scored=True)
    assert score_exactly(events, predicted).area_DC[0, 0] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_no_predictions_score_zero():
    none = TimedEvents(np.zeros(0, int), np.zeros(0, int), np.zeros(0), np.zeros(0))
    assert score_exactly(moments((0, 0, 1000)), none).average == 0.0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_agrees_with_the_official_scorer_where_its_thresholds_tell_scores_apart(seed):
    """On a scale where every score is a threshold of its own and times are frame centres, both are one."""
    table = random_table(np.random.default_rng(seed), 12)
    steps = np.ceil(table.scores_NRV * 150) / 199 + np.float32(2e-6)
    scores = np.where(table.scores_NRV > 0, steps, 0).astype(np.float32)
    table = type(table)(table.labels_NR, table.visibility_NR, scores)
    exact = score_exactly(*timed_events_of_frames(table))
    np.testing.assert_allclose(exact.eleven_point_DC, average_precision(count_detections(table))[0], atol=1e-12)


def events(*found: tuple[int, int, float], classes=tuple(range(10))) -> TimedEvents:
    """(clip, class, ms) each."""
    clip, class_index, time_ms = (np.array(column) for column in zip(*found, strict=True))
    return TimedEvents(clip, class_index, time_ms.astype(float), classes=classes)


def table(*rows: tuple[int, int, int, float], classes=tuple(range(10))) -> FrameTable:
    """(clip, frame, class, confidence) each."""
    return table_of((), rows, classes=classes)


def test_a_row_is_right_at_the_tolerances_whose_half_reaches_an_action():
    """Frame 0 is shown at 80 ms: an action 500 ms later is reached by +- 0.5 s, one 501 ms later only from 2 s on."""
    guess = table((0, 0, 3, 0.4))
    (row,) = reliability(events((0, 3, 580)), guess)
    assert (row.low, row.high, row.anticipations, row.stated) == (0.4, 0.5, 1, pytest.approx(0.4))
    assert row.happened == 1
    assert reliability(events((0, 3, 581)), guess)[0].happened == pytest.approx(5 / 6)
    assert reliability(events((0, 2, 580)), guess)[0].happened == 0, "of another class"


def test_the_last_frame_is_shown_within_the_five_seconds():
    assert reliability(events((0, 3, 4_500)), table((0, 31, 3, 0.4)))[0].happened == 1


def test_each_row_is_read_by_itself_and_once_counts_an_action_once():
    rows = table((0, 10, 0, 0.62), (0, 12, 0, 0.61))
    (row,) = reliability(events((0, 0, 1_680)), rows)
    assert (row.anticipations, row.happened, row.once) == (2, 1, 0.5)
    (row,) = reliability(events((0, 0, 1_680), (0, 0, 2_000)), rows)
    assert row.once == 1


def test_only_what_people_are_shown_counts():
    """Of a frame, the likeliest class; of no class that nobody annotated."""
    rows = table((0, 4, 1, 0.3), (0, 4, 2, 0.7), (0, 9, 5, 0.2), classes=(1, 2))
    (row,) = reliability(events((0, 1, 720), classes=(1, 2)), rows)
    assert (row.low, row.anticipations, row.happened) == (0.7, 1, 0)


def test_certainty_lies_in_the_last_tenth_and_nothing_gives_no_rows():
    assert reliability(events((0, 1, 720)), table((0, 4, 1, 1.0)))[0].high == 1.0
    assert reliability(events((0, 1, 720)), table()) == []
    nothing = TimedEvents(*(np.zeros(0, int) for _ in range(3)))
    assert reliability(nothing, table((0, 4, 1, 0.5)))[0].happened == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_near_is_what_trying_every_action_finds(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    found = TimedEvents(rng.integers(0, 6, n), rng.integers(0, 10, n), rng.uniform(0, 5_000, n))
    rows = rows_of(random_table(rng, 6).scores_NRV[:, :, 1:], found)
    for row, share in enumerate(came_near(found, rows)):
        mine = (found.clip == rows.clip[row]) & (found.class_index == rows.class_index[row])
        away = np.abs(np.rint(found.time_ms[mine]) - rows.time_ms[row]).min(initial=np.inf)
        assert share == pytest.approx(np.mean([away <= 500 * tolerance for tolerance in TOLERANCES_S]))


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
