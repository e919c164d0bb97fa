"""The paper's decoding, score scales, and decoders as values."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.decoder import (
    Decoder,
    anticipations_of,
    decode_threshold,
    decoder_of,
    frames_of,
    slot_times,
)
from playahead.decoding.predictions import DensePredictions, SlotPredictions, join_predictions
from playahead.evaluation.frames import FrameTable
from playahead.evaluation.official import average_precision, benchmark_average, count_detections
from playahead.evaluation.score_scale import ScoreScale, choose_score_scale, fit_log_ranks
from playahead.io.errors import InputError
from tests.evaluation.test_official import random_table


def predictions(objectness, classes, bins) -> SlotPredictions:
    """One observation with sure classes and bins."""
    return SlotPredictions(
        np.array([objectness], np.float32),
        np.eye(10, dtype=np.float32)[classes][None],
        np.eye(20, dtype=np.float32)[bins][None],
    )


def test_slots_above_tau_emit_at_their_bins_centre():
    """Bin 10 of 20 is 2625 ms: frame 16 of 32 (156 ms each) after the observation."""
    said = predictions([0.9, 0.2], [4, 7], [10, 3])
    scores = decode_threshold(said, tau=0.3)
    assert np.argwhere(scores[0, :, 1:] > 0).tolist() == [[16, 4]]
    assert scores[0, 16, [5, 0]] == pytest.approx([0.9, 0.1]), "the background holds the rest"
    assert (decode_threshold(said, tau=0.1)[0, :, 1:] > 0).sum() == 2
    shared = decode_threshold(predictions([0.8, 0.4], [4, 7], [10, 10]), tau=0.3)
    assert shared[0, 16, [5, 8]] == pytest.approx([0.4, 0.2]), "two slots in one frame are averaged"


def test_rescue_fills_empty_clips_with_their_likeliest_slot():
    quiet = predictions([0.05, 0.2], [4, 7], [10, 3])
    assert not decode_threshold(quiet, tau=0.3)[:, :, 1:].any()
    assert (decode_threshold(quiet, tau=0.3, rescue=True)[0, :, 8] > 0).sum() == 1


def test_expected_time_lies_between_the_bins():
    split = predictions([1.0], [0], [0])
    split.offset_OKT[0, 0] = 0
    split.offset_OKT[0, 0, [0, 19]] = 0.6, 0.4
    assert slot_times(split.offset_OKT, "argmax")[0, 0] == pytest.approx(0.025)
    assert slot_times(split.offset_OKT, "expected")[0, 0] == pytest.approx(0.6 * 0.025 + 0.4 * 0.975)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_score_scale_keeps_the_order_within_a_class(seed):
    table = random_table(np.random.default_rng(seed), 30)
    scaled = fit_log_ranks(table.scores_NRV)(table.scores_NRV)
    assert ((scaled[:, :, 1:] == 0) == (table.scores_NRV[:, :, 1:] == 0)).all()
    assert scaled.max() <= 1
    for c in range(1, 11):
        before, after = table.scores_NRV[:, :, c].ravel(), scaled[:, :, c].ravel()
        order = np.argsort(before, kind="stable")
        assert (np.diff(after[order]) >= 0).all()


def test_a_scale_gives_tiny_scores_thresholds_of_their_own():
    """A class whose scores all lie below 0.005 has one threshold; stretched, its best guesses are seen."""
    table = random_table(np.random.default_rng(0), 200)
    tiny = FrameTable(table.labels_NR, table.visibility_NR, table.scores_NRV * np.float32(0.004))
    scale = choose_score_scale(tiny)
    scaled = FrameTable(tiny.labels_NR, tiny.visibility_NR, scale(tiny.scores_NRV))
    before, after = (average_precision(count_detections(t))[0].mean(axis=0) for t in (tiny, scaled))
    assert (after >= before).all(), "per class the better of the two is taken"
    assert benchmark_average(count_detections(scaled)) > benchmark_average(count_detections(tiny))


def test_scales_that_are_not_monotone_are_refused():
    empty = ((),) * 9
    with pytest.raises(InputError, match="do not increase"):
        ScoreScale(((0.1, 0.2), *empty), ((0.5, 0.4), *empty))
    with pytest.raises(InputError, match="as many"):
        ScoreScale(((0.1, 0.2), *empty), ((0.5,), *empty))


def test_a_decoder_survives_json():
    table = random_table(np.random.default_rng(1), 60)
    decoder = Decoder("tuned-threshold", 0.2, "expected", True, choose_score_scale(table))
    restored = decoder_of({"decoders": {"x": json.loads(json.dumps(decoder.as_dict()))}}, "x")
    assert restored == decoder


def test_wrong_decoders_are_refused():
    with pytest.raises(InputError, match="is not one of marginal, paper, tuned-threshold"):
        Decoder("best")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs slots"):
        Decoder("tuned-threshold").scores(DensePredictions(np.zeros((1, 32, 10), np.float32)))
    with pytest.raises(InputError, match="no 'x' decoding"):
        decoder_of({"decoders": {"marginal": {}}}, "x")
    assert decoder_of({}, "paper") == Decoder("paper", 0.3)


def test_the_papers_decoding_is_the_papers():
    """docs/paper.md 1.3 i-k: o > tau, the likeliest class, the whole vector, the centre of the likeliest bin."""
    said = predictions([0.9, 0.31, 0.3, 0.8], [4, 7, 1, 2], [10, 3, 5, 3])
    said.class_OKC[0, 0] = [0, 0.1, 0, 0, 0.6, 0.3, 0, 0, 0, 0]
    (records,) = Decoder("paper", 0.3).anticipations(said)
    assert [(r.action.class_index, r.offset_ms) for r in records] == [(7, 875), (2, 875), (4, 2625)]
    assert records[-1].confidence == pytest.approx(0.9 * 0.6)
    assert records[-1].class_confidence == pytest.approx([0, 0.09, 0, 0, 0.54, 0.27, 0, 0, 0, 0])
    assert Decoder("paper", 0.95).anticipations(said) == [[]], "no rescue"


def weighed(objectness: list[float]) -> SlotPredictions:
    """Slots of a network whose matched slots weighed 5: calibrated objectness; passes mostly, in bins 2, 6, 10 ..."""
    count = len(objectness)
    class_OKC = np.full((1, count, 10), 0.03, np.float32)
    class_OKC[..., 0] = 0.73
    offset_OKT = np.eye(20, dtype=np.float32)[np.arange(count) * 4 + 2][None]
    return SlotPredictions(np.array([objectness], np.float32), class_OKC, offset_OKT, positive_weight=5.0)


@pytest.mark.parametrize(("confidence", "wanted"), [("product", [0.6818 * 0.73, 0.3571 * 0.73]), ("class", [0.73] * 2)])
def test_the_papers_threshold_is_on_the_networks_own_objectness(confidence, wanted):
    """1.3 i, j: calibrated 0.3, 0.1, 0.05 are the network's 0.68, 0.36 and 0.21; frames and records agree."""
    said, decoder = weighed([0.3, 0.1, 0.05]), Decoder("paper", 0.3, confidence=confidence)
    assert said.network_objectness_OK[0].tolist() == pytest.approx([1.5 / 2.2, 0.5 / 1.4, 0.25 / 1.2])
    (records,) = decoder.anticipations(said)
    assert [record.confidence for record in records] == pytest.approx(wanted, abs=1e-4)
    scores_ORV = decoder.scores(said)
    assert sorted(scores_ORV[0, :, 1][scores_ORV[0, :, 1] > 0]) == pytest.approx(sorted(wanted), abs=1e-4)
    assert (scores_ORV >= 0).all()
    assert (Decoder("tuned-threshold", 0.2).scores(said)[0, :, 1] > 0).sum() == 1, "there it is the calibrated one"


def test_the_networks_own_objectness_survives_selection_and_joining():
    both = join_predictions([weighed([0.3, 0.1]), weighed([0.05, 0.2])]).select(np.array([False, True]))
    assert isinstance(both, SlotPredictions)
    assert both.network_objectness_OK[0].tolist() == pytest.approx([0.25 / 1.2, 1 / 1.8])


@pytest.mark.parametrize("slots_per_clip", [0.5, 2, 3.5, 4])
def test_a_threshold_can_be_set_by_how_many_slots_emit(slots_per_clip):
    """As the paper's ablation counts: slots of a clip, on average."""
    drawn = np.random.default_rng(0).random((200, 4)).astype(np.float32)
    said = SlotPredictions(drawn, np.full((200, 4, 10), 0.1, np.float32), np.full((200, 4, 5), 0.2, np.float32), 5.0)
    decoder = choose(
        Decoding("paper", slots_per_clip=slots_per_clip, confidence="class"),
        said,
        lambda _: pytest.fail("nothing is scored"),
    )
    emitted = sum(len(records) for records in decoder.anticipations(said))
    assert decoder.confidence == "class"
    assert emitted / 200 == pytest.approx(slots_per_clip, abs=0.01)


def test_a_confidence_and_a_number_of_slots_are_the_papers_alone():
    with pytest.raises(InputError, match="confidence: class is for the paper's"):
        Decoder("marginal", confidence="class")
    with pytest.raises(InputError, match="in place of tau"):
        Decoding("paper", tau=0.3, slots_per_clip=2.9)
    with pytest.raises(InputError, match="in place of tau"):
        Decoding("tuned-threshold", slots_per_clip=2.9)
    with pytest.raises(InputError, match="not a number above 0"):
        Decoding("paper", slots_per_clip="2.9")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "extra",
    [
        {"time": "expected"},
        {"rescue": True},
        {"shift_frames": (1,) * 10},
        {"scale": ScoreScale(((0.1,),) * 10, ((0.1,),) * 10)},
        {"calibration": ScoreScale(((0.1,),) * 10, ((0.1,),) * 10)},
    ],
)
def test_the_papers_decoding_takes_nothing_else(extra):
    with pytest.raises(InputError, match="nothing else to choose"):
        Decoder("paper", **extra)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_frames_to_records_and_back(seed):
    scores = random_table(np.random.default_rng(seed), 5).scores_NRV
    scores[:, :, 0] = 0
    listed = anticipations_of(scores)
    np.testing.assert_array_equal(frames_of(listed), scores)
    assert {record.offset_ms for records in listed for record in records} <= {*range(80, 5000, 160), 5000}


def test_a_class_is_named_before_its_scores_are_scaled():
    """Each class has a scale of its own: on it a rarer class may score higher, and yet it is not the likelier one."""
    probabilities = np.zeros((1, 32, 11), np.float32)
    probabilities[0, 4, [1, 3]] = 0.5, 0.2
    scaled = probabilities.copy()
    scaled[0, 4, [1, 3]] = 0.4, 0.9
    ((record,),) = anticipations_of(scaled, probabilities_NRV=probabilities)
    assert (record.action.class_index, record.confidence) == (0, pytest.approx(0.4))
    assert record.class_confidence[2] == pytest.approx(0.9)


def test_frame_centres_stay_within_five_seconds():
    scores = np.zeros((1, 32, 11), np.float32)
    scores[0, :, 1] = 0.5
    centres = [record.offset_ms for record in anticipations_of(scores)[0]]
    assert centres[0] == 80
    assert centres[-1] == 5000
    assert (np.diff(centres) > 0).all()
