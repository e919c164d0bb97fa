"""The public list is short, sorted, documented, and does not change by accident."""

import subprocess
import sys

import numpy as np
import pytest

import playahead
from playahead.features.feed import N_FEATURES
from playahead.simulation.plays import clips_of, simulate_half
from playahead.submission.write import perfect_answer

FROZEN = [
    "ACTIONS",
    "Action",
    "ActionEvent",
    "Anticipation",
    "Clip",
    "PlayaheadError",
    "anticipate_features",
    "anticipate_feed",
    "check_submission",
    "load",
    "read_wyscout_match",
    "score",
    "write_submission",
]


def test_the_public_list_is_frozen_sorted_and_documented():
    assert playahead.__all__ == FROZEN == sorted(FROZEN)
    assert dir(playahead) == FROZEN
    for name in FROZEN:
        assert getattr(playahead, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = playahead.nonsense


@pytest.mark.parametrize("rooms", ["evaluation.official", "submission.check", "decoding.decoder", "domain.records"])
def test_scoring_decoding_and_submitting_need_no_torch(rooms):
    program = f"import sys, playahead.{rooms}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def loaded():
    return playahead.load()


def test_the_packaged_model_anticipates_a_feed(loaded):
    half = simulate_half(0, minutes=4)
    moments = [30_000, 35_000, 61_234, 200_000]
    listed = playahead.anticipate_feed(loaded, half, moments)
    assert len(listed) == 4
    assert any(listed)
    for records in listed:
        assert all(isinstance(record, playahead.Anticipation) and record.confidence > 0.1 for record in records)


def test_each_moment_is_answered_on_its_own(loaded):
    """One moment or many, at any phase: the same answer (live equals offline)."""
    half = simulate_half(0, minutes=4)
    moments = [40_000, 41_000, 45_000, 46_000, 150_000]
    together = playahead.anticipate_feed(loaded, half, moments, min_confidence=0.2)
    for moment, expected in zip(moments, together, strict=True):
        (alone,) = playahead.anticipate_feed(loaded, half, [moment], min_confidence=0.2)
        assert [(a.action, a.offset_ms) for a in alone] == [(a.action, a.offset_ms) for a in expected]
        assert [a.confidence for a in alone] == pytest.approx([a.confidence for a in expected], abs=1e-4)


@pytest.mark.parametrize("moments", [[29_999], [40_000, 40_000], [50_000, 40_000]])
def test_wrong_moments_are_refused(loaded, moments):
    with pytest.raises(playahead.PlayaheadError, match="must increase"):
        playahead.anticipate_feed(loaded, simulate_half(0, minutes=2), moments)


def test_features_of_the_wrong_shape_or_value_are_refused(loaded):
    with pytest.raises(playahead.PlayaheadError, match="6 or more windows"):
        playahead.anticipate_features(loaded, np.zeros((5, 33, N_FEATURES), np.float32))
    with pytest.raises(playahead.PlayaheadError, match="NaN"):
        playahead.anticipate_features(loaded, np.full((6, 33, N_FEATURES), np.nan, np.float32))


def test_a_score_is_the_official_one():
    clips = clips_of(simulate_half(0, minutes=8))
    answer = perfect_answer(clips)
    perfect = playahead.score(clips, answer)
    assert perfect["atInfty"]["a_mAP"] > 0.6
    assert playahead.score(clips, {})["average"] == 0.0


def test_other_files_are_not_weights(tmp_path):
    with pytest.raises(playahead.PlayaheadError, match="no such file"):
        playahead.load(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"\x80\x04 pickle?")
    with pytest.raises(playahead.PlayaheadError, match="not a readable safetensors"):
        playahead.load(tmp_path / "x.safetensors")


def test_nothing_to_score_is_refused():
    with pytest.raises(playahead.PlayaheadError, match="needs clips"):
        playahead.score([], {})
    withheld = [playahead.Clip("clip_1", "clip_1/224p.mp4", (), None)]
    with pytest.raises(playahead.PlayaheadError, match="withheld"):
        playahead.score(withheld, {})
