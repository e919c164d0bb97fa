"""Every threshold, continuous time: by hand, and as the official scorer's limit."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.evaluation.exact import TimedEvents, score_exactly, timed_events_of_frames
from playahead.evaluation.official import average_precision, count_detections
from tests.support.tables import random_table


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
