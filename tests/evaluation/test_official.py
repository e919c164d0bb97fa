"""The official scorer: golden cases to the last bit, small cases by hand, and the upstream code where installed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.evaluation.frames import NO_EVENT, FrameTable, load_frame_case, rasterise
from playahead.evaluation.official import (
    THRESHOLDS_H,
    TOLERANCES_S,
    average_precision,
    benchmark_average,
    count_detections,
    match_rows,
    metrics_from_counts,
    score_videos,
)
from playahead.io.errors import InputError
from tests.support.tables import random_table, table_of

COMMITTED = sorted((Path(__file__).parents[1] / "goldens" / "scorer").glob("*.npz"))
SHARED = sorted((Path(__file__).parents[3] / "shared" / "cases" / "scorer").glob("*.npz"))


@pytest.mark.parametrize("case", COMMITTED + SHARED, ids=lambda path: f"{path.parts[-2]}-{path.stem}")
def test_golden_case_to_the_last_bit(case):
    assert len(COMMITTED) == 5
    golden = json.loads(case.with_suffix(".json").read_text())["metrics"]
    assert metrics_from_counts(score_videos(load_frame_case(case))) == golden
    with np.load(case) as arrays:
        scores, vectors = arrays["v0_pred_scores"], arrays["v0_raw_vector"].astype(np.float32)
        frames = rasterise(arrays["v0_raw_clip"], arrays["v0_raw_frame"], vectors, len(scores))
    np.testing.assert_array_equal(frames, scores)


def ap(table: FrameTable) -> np.ndarray:
    return average_precision(count_detections(table))[0]


def test_one_event_found_in_the_right_frame_is_perfect_and_nothing_is_zero():
    found = ap(table_of([(0, 10, 0)], [(0, 10, 0, 0.5)]))
    np.testing.assert_array_equal(found, np.tile([1.0] + [0.0] * 9, (6, 1)))
    assert benchmark_average(count_detections(table_of([], []))) == 0.0


@pytest.mark.parametrize(("distance_frames", "reached"), [(3, 6), (4, 5), (7, 4), (10, 3), (13, 2), (16, 1)])
def test_a_guess_counts_within_half_the_tolerance(distance_frames, reached):
    """delta * 6.25 / 2 frames: 3.1, 6.25, 9.4, 12.5, 15.6, 34.4."""
    found = ap(table_of([(0, 0, 0)], [(0, distance_frames, 0, 0.5)]))
    assert (found[:, 0] > 0).sum() == reached


@pytest.mark.parametrize(
    ("events", "predictions", "expected"),
    [
        # Thresholds up to 0.5 see one hit of two, those up to 0.9 none: precision 1/2 at every recall level.
        ([(0, 5, 0)], [(0, 5, 0, 0.5), (0, 31, 0, 0.9)], 0.5),
        # Half of the events reach six of eleven recall levels.
        ([(0, 5, 0), (1, 5, 0)], [(0, 5, 0, 0.9)], 6 / 11),
        # 0.004 and 0.001 lie between thresholds 0 and 1/199: the false alarm counts although it is less sure.
        ([(0, 5, 0)], [(0, 5, 0, 0.004), (0, 31, 0, 0.001)], 0.5),
        ([(0, 5, 0)], [(0, 5, 0, 0.4), (0, 31, 0, 0.1)], 1.0),
    ],
)
def test_precision_by_hand(events, predictions, expected):
    assert ap(table_of(events, predictions, n_clips=2))[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "event_times", "expected"),
    [
        ([0.9, 0.8, -1.0], [0.0, 1.0], [True, True, False]),  # two events take two predictions in time order
        ([0.5, 0.5], [1.0], [True, False]),  # the first of equal scores is taken
    ],
)
def test_matching(scores, event_times, expected):
    times, present = np.arange(len(scores), dtype=float), np.ones(len(event_times), bool)
    hits = match_rows(np.array([scores]), times[None], np.array([event_times]), present[None], reach=5)
    np.testing.assert_array_equal(hits, [expected])


def test_counts_add_up_over_videos():
    rng = np.random.default_rng(0)
    tables = [random_table(rng, 40), random_table(rng, 50)]
    joined = FrameTable(*(np.concatenate(parts) for parts in zip(*(vars(t).values() for t in tables), strict=True)))
    together, apart = count_detections(joined), score_videos(tables)
    for name in ("hits_GDCH", "detections_GCH", "events_GC"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), n_clips=st.integers(1, 40))
def test_histograms_equal_counting_one_by_one(seed, n_clips):
    table = random_table(np.random.default_rng(seed), n_clips)
    counts = count_detections(table)
    shifted = (table.scores_NRV - np.float32(1e-6))[:, :, 1:].astype(np.float64)
    for h in (0, 1, 57, 199):
        expected = (shifted >= max(THRESHOLDS_H[h], 0)).sum(axis=(0, 1))
        np.testing.assert_array_equal(counts.detections_GCH[0, :, h], expected)
    assert (counts.hits_GDCH[0].max(axis=-1) <= counts.events_GC[0]).all()


@pytest.mark.parametrize("seed", range(4))
def test_upstream_code_agrees(seed):
    """Against PyPI SoccerNet itself, where it is installed (``make oracle``)."""
    spotting = pytest.importorskip("SoccerNet.Evaluation.ActionSpotting", reason="make oracle installs it")
    table = random_table(np.random.default_rng(seed), 45)
    shifted = table.scores_NRV - np.float32(1e-6)
    targets = np.zeros((len(shifted), 32, 11))
    clip, frame = np.nonzero(table.labels_NR != NO_EVENT)
    targets[clip, frame, table.labels_NR[clip, frame]] = table.visibility_NR[clip, frame]
    lists = [list(values[..., 1:]) for values in (targets, shifted, np.full(targets.shape, -1.0))]
    for delta, precision_C in zip(TOLERANCES_S, ap(table), strict=True):
        expected = spotting.average_mAP(*lists, 6.25, deltas=np.array([delta]))[1]
        np.testing.assert_array_equal(precision_C, expected)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n_videos": np.int64(0)}, "n_videos is 0"),
        ({"v0_target_labels": np.full((1, 32), 77, np.int32)}, "a label is not in"),
        ({"v0_target_labels": np.full((1, 32), 1.5)}, "not whole numbers"),
        ({"v0_target_labels": np.full((1, 32), "PASS")}, "not whole numbers"),
        ({"v0_target_visibility": np.full((1, 32), 3, np.int32)}, "a visibility is not"),
        ({"v0_pred_scores": np.zeros((1, 32, 10), np.float32)}, "have shape"),
    ],
)
def test_cases_that_cannot_be_scored(tmp_path, change, reason):
    golden = Path(__file__).parents[1] / "goldens" / "scorer" / "case09_one_clip.npz"
    with np.load(golden) as arrays:
        np.savez(tmp_path / "case.npz", **{**arrays, **change})
    with pytest.raises(InputError, match=reason):
        load_frame_case(tmp_path / "case.npz")
