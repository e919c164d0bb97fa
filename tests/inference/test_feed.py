"""The packaged model through the public functions."""

from dataclasses import replace

import numpy as np
import pytest

import playahead
from playahead.evaluation.submission import perfect_answer
from playahead.features.feed import N_FEATURES
from playahead.lab.simulation.plays import clips_of, simulate_half


@pytest.fixture(scope="module")
def predictor():
    return playahead.open_predictor()


def test_the_packaged_model_anticipates_a_feed(predictor):
    half = simulate_half(0, minutes=4)
    times_ms = [30_000, 35_000, 61_234, 200_000]
    listed = predictor.anticipate_at(predictor.prepare(half), times_ms)
    assert (len(listed), any(listed)) == (4, True)
    assert all(isinstance(one, playahead.Anticipation) and one.confidence > 0 for ones in listed for one in ones)


def test_each_time_is_answered_on_its_own(predictor):
    """One time or many, at any phase: the same answer (live equals offline)."""
    track = predictor.prepare(simulate_half(0, minutes=4))
    times_ms = [40_000, 41_000, 45_000, 46_000, 150_000]
    together = predictor.anticipate_at(track, times_ms, min_confidence=0.2)
    for time_ms, expected in zip(times_ms, together, strict=True):
        (alone,) = predictor.anticipate_at(track, [time_ms], min_confidence=0.2)
        assert [(a.action, a.offset_ms) for a in alone] == [(a.action, a.offset_ms) for a in expected]
        assert [a.confidence for a in alone] == pytest.approx([a.confidence for a in expected], abs=1e-4)


@pytest.mark.parametrize("times_ms", [[0], [40_000, 40_000], [50_000, 40_000]])
def test_wrong_times_are_refused(predictor, times_ms):
    with pytest.raises(playahead.PlayaheadError, match="must increase"):
        predictor.anticipate_at(predictor.prepare(simulate_half(0, minutes=2)), times_ms)


def test_features_of_the_wrong_shape_or_value_are_refused(predictor):
    n_features = predictor.reading.n_features
    with pytest.raises(playahead.PlayaheadError, match=f"moments, 1, {n_features:d} columns"):
        predictor.anticipate(np.zeros((6, 33, N_FEATURES), np.float32))
    with pytest.raises(playahead.PlayaheadError, match="NaN"):
        predictor.anticipate(np.full((6, 1, n_features), np.nan, np.float32))


def test_a_score_is_the_official_one():
    clips = clips_of(simulate_half(0, minutes=8))
    assert playahead.score_clips(clips, perfect_answer(clips))["atInfty"]["a_mAP"] > 0.6
    assert playahead.score_clips(clips, {})["average"] == 0.0
    for no_clips, said in (([], "needs clips"), ([playahead.Clip("clip_1", "clip_1/224p.mp4", (), None)], "withheld")):
        with pytest.raises(playahead.PlayaheadError, match=said):
            playahead.score_clips(no_clips, {})


def test_other_files_are_not_weights(tmp_path):
    with pytest.raises(playahead.PlayaheadError, match="no such file"):
        playahead.Predictor.open(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"\x80\x04 pickle?")
    with pytest.raises(playahead.PlayaheadError, match="not a readable safetensors"):
        playahead.Predictor.open(tmp_path / "x.safetensors")


def test_short_feeds_are_answered_when_asked():
    half = simulate_half(0, minutes=0.4)
    assert not playahead.predict_feed([half]).expected
    found = playahead.predict_feed([half], playahead.PredictConfig(short=True, min_confidence=0.0))
    assert min(line.observed_until_ms for line in found.expected) == 1_000
    assert {line.seen_ms for line in found.expected} == {line.observed_until_ms for line in found.expected}
    assert "rest on less than 30 s (the first on 1 s)" in found.notices[0]


def test_what_began_late_is_not_seen():
    """An observation that begins within a half rests on what it has seen, and says so."""
    half = replace(simulate_half(0, minutes=2), seen_from_ms=60_000)
    lines = playahead.predict_feed([half], playahead.PredictConfig(min_confidence=0.0)).expected
    seen = {line.observed_until_ms: line.seen_ms for line in lines}
    assert [seen[ms] for ms in (60_000, 65_000, 90_000, 95_000)] == [0, 5_000, 30_000, 30_000]
