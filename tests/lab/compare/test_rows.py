"""Counts kept and read back; differences in pairs."""

import numpy as np
import pytest

from playahead.evaluation.exact import area_of_counts, score_exactly, timed_events_of_frames
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.evaluation.scores import Scores, load_scores, save_scores, score
from playahead.lab.compare.compare import summarise


def match(rng, skill: float, n=60) -> FrameTable:
    labels_NR = np.full((n, 32), NO_EVENT, np.int32)
    scores_NRV = np.zeros((n, 32, 11), np.float32)
    for clip in range(n):
        c, frame = rng.integers(0, 10), rng.integers(0, 32)
        labels_NR[clip, frame] = c + 1
        guessed = frame if rng.random() < skill else rng.integers(0, 32)
        scores_NRV[clip, guessed, c + 1] = rng.random()
        scores_NRV[clip, rng.integers(0, 32), rng.integers(1, 11)] = 0.8 * rng.random()
    return FrameTable(labels_NR, (labels_NR != NO_EVENT).astype(np.int32), scores_NRV)


def scored(seed: int, skill: float) -> Scores:
    rng = np.random.default_rng(seed)
    tables = [match(rng, skill) for _ in range(8)]
    scores = np.concatenate([table.scores_NRV for table in tables])

    def by_match(scores_ORV):
        parts = np.split(scores_ORV, 8)
        return [
            count_detections(FrameTable(table.labels_NR, table.visibility_NR, part))
            for table, part in zip(tables, parts, strict=True)
        ]

    return score(scores, by_match)


def test_what_is_kept_is_what_was_scored(tmp_path):
    found = scored(0, 0.5)
    save_scores(tmp_path / "scores.npz", {"marginal": found}, "key")
    read = load_scores(tmp_path / "scores.npz", "key")
    assert read is not None
    assert (read["marginal"].average, read["marginal"].area) == (found.average, found.area)
    assert read["marginal"].predictions_per_clip == found.predictions_per_clip
    assert load_scores(tmp_path / "scores.npz", "another key") is None
    assert load_scores(tmp_path / "none.npz", "key") is None


def test_a_damaged_file_is_made_again(tmp_path):
    path = tmp_path / "scores.npz"
    save_scores(path, {"marginal": scored(0, 0.5)}, "key")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(10):
        path.write_bytes(whole[: rng.integers(0, len(whole))])
        assert load_scores(path, "key") is None


def test_the_area_of_counts_is_near_the_exact_one():
    rng = np.random.default_rng(3)
    table = match(rng, 0.6, n=3000)
    exact = 100 * score_exactly(*timed_events_of_frames(table)).average_area
    found = score(table.scores_NRV, lambda s: [count_detections(FrameTable(table.labels_NR, table.visibility_NR, s))])
    assert found.area == pytest.approx(exact, abs=1.0)
    assert found.area < exact  # steps are counted from below
    assert found.average == pytest.approx(100 * benchmark_average(count_detections(table)))
    assert area_of_counts(found.ranked_M[0]).shape == (1, 6, 10)


def test_rows_are_compared_with_the_reference_in_the_same_decoding():
    runs = {
        ("good", "marginal"): [scored(0, 0.9), scored(1, 0.9)],
        ("good", "threshold"): [scored(0, 0.7), scored(1, 0.7)],
        ("poor", "marginal"): [scored(0, 0.1), scored(1, 0.1)],
        ("poor", "threshold"): [scored(0, 0.1)],
        ("baseline", "other"): [scored(0, 0.0)],
    }
    rows = {
        (r.variant, r.decoding): r
        for r in summarise(runs, ("good", "marginal"), dict.fromkeys(("good", "poor", "baseline"), 5))
    }
    assert {key: row.against for key, row in rows.items()} == {
        ("good", "marginal"): None,
        ("good", "threshold"): ("good", "marginal"),
        ("poor", "marginal"): ("good", "marginal"),
        ("poor", "threshold"): ("good", "threshold"),
        ("baseline", "other"): ("good", "marginal"),
    }
    assert rows["good", "marginal"].difference is None
    poor = rows["poor", "marginal"]
    assert poor.difference is not None
    assert poor.difference[0] == pytest.approx(poor.mean[0] - rows["good", "marginal"].mean[0], abs=0.02)
    assert poor.difference[2] < 0
    assert poor.area_difference is not None
    assert poor.area_difference[2] < 0
    assert rows["poor", "threshold"].seed_spread == 0


def test_one_seed_shows_nothing_and_another_seed_widens_the_interval():
    one = {("good", "marginal"): [scored(0, 0.9)], ("poor", "marginal"): [scored(0, 0.1)]}
    two = {key: [*runs, scored(0, 0.2)] for key, runs in one.items()}
    windows = {"good": 5, "poor": 5}
    alone, spread = (summarise(runs, ("good", "marginal"), windows)[1] for runs in (one, two))
    assert alone.significant == (False, False)
    assert alone.difference is not None
    assert spread.difference is not None
    assert spread.difference[2] - spread.difference[1] > alone.difference[2] - alone.difference[1]
    baseline = summarise(one, ("good", "marginal"), {"good": 5, "poor": 0})[1]
    assert baseline.significant == (True, True)  # it has no seed to vary
