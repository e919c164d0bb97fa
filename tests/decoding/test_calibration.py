"""The map of confidences: it is right on matches that it was not fitted on, and no score depends on it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from playahead.decoding.choosing import calibrate
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.decoding.predictions import DensePredictions
from playahead.evaluation.exact import TimedEvents
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.evaluation.reliability import reliability
from playahead.evaluation.score_scale import ScoreScale, fit_log_ranks


def played(seed: int, n=4_000) -> tuple[DensePredictions, TimedEvents, FrameTable]:
    """A model that is too modest of passes, too bold of shots and knows no other class; and what happened."""
    rng = np.random.default_rng(seed)
    true_NC = np.zeros((n, 10))
    true_NC[:, [0, 6]] = rng.random((n, 2)) * (0.95, 0.6)
    frame_NC = rng.integers(6, 26, (n, 10))
    said_NRC = np.zeros((n, 32, 10), np.float32)
    clip, c = np.nonzero(true_NC)
    said_NC = np.where(np.arange(10) == 0, true_NC**2, true_NC**0.5)
    said_NRC[clip, frame_NC[clip, c], c] = said_NC[clip, c]
    # Of clips in the order of their probability, every so many-th: any tenth holds as many actions as it should.
    happens_NC = np.zeros((n, 10), bool)
    for c in (0, 6):
        order = np.argsort(true_NC[:, c])
        happens_NC[order, c] = np.diff(np.floor(true_NC[order, c].cumsum() + rng.random()), prepend=0) > 0
    clip, c = np.nonzero(happens_NC)
    labels = np.full((n, 32), NO_EVENT, np.int32)
    labels[clip, frame_NC[clip, c]] = c + 1
    table = FrameTable(labels, (labels != NO_EVENT).astype(np.int32), np.zeros((n, 32, 11), np.float32))
    return DensePredictions(said_NRC), TimedEvents(clip, c, 160.0 * frame_NC[clip, c] + 80), table


def rows_of(decoder: Decoder, predictions, events, table):
    return [
        row
        for row in reliability(events, replace(table, scores_NRV=decoder.probabilities(predictions)))
        if row.anticipations >= 300
    ]


@pytest.fixture(scope="module")
def fitted() -> Decoder:
    return fit(Decoder(), *played(0))


def test_confidences_say_how_often_on_matches_not_used_to_fit(fitted):
    fresh = played(1)
    plain, mapped = rows_of(Decoder(), *fresh), rows_of(fitted, *fresh)
    assert max(abs(row.happened - row.stated) for row in plain) > 0.1, "the case needs mending"
    assert len(mapped) > 5
    assert max(abs(row.happened - row.stated) for row in mapped) < 0.04


def test_the_map_keeps_the_order_of_a_class_and_leaves_classes_without_rows_alone(fitted):
    calibration = fitted.calibration
    assert [bool(knots) for knots in calibration.score_CJ] == [c in (0, 6) for c in range(10)]
    for c in (0, 6):
        stated, happened = np.array(calibration.score_CJ[c]), np.array(calibration.confidence_CJ[c])
        assert (stated[0], happened[0], stated[-1], happened[-1]) == (0, 0, 1, 1)
        assert (np.diff(stated) > 0).all()
        assert (np.diff(happened) >= 0).all()


def test_no_score_and_no_submission_depends_on_the_map(fitted):
    predictions, _, _ = played(2, n=300)
    scale = fit_log_ranks(Decoder().scores(predictions))
    plain, mapped = Decoder(scale=scale), replace(fitted, scale=scale)
    np.testing.assert_array_equal(mapped.scores(predictions), plain.scores(predictions))
    assert mapped.anticipations(predictions, for_scorer=True) == plain.anticipations(predictions, for_scorer=True)
    assert mapped.anticipations(predictions) != plain.anticipations(predictions)


def fit(decoder: Decoder, predictions, events, table) -> Decoder:
    return calibrate(decoder, predictions, lambda scores: replace(table, scores_NRV=scores), events)


def test_fitting_again_starts_from_the_model_not_from_the_old_map(fitted):
    assert fit(fitted, *played(0)) == fitted


def test_a_bin_with_next_to_no_anticipations_stays_near_what_the_model_says():
    few = fit(Decoder(), *played(0, n=3)).calibration
    for stated, happened in zip(few.score_CJ, few.confidence_CJ, strict=True):
        assert np.abs(np.array(stated) - happened).max(initial=0) < 0.15


def test_the_map_travels_with_the_weights(fitted):
    about = {"decoders": {"marginal": json.loads(json.dumps(fitted.as_dict()))}}
    assert decoder_of(about, "marginal") == fitted
    del about["decoders"]["marginal"]["calibration"], about["decoders"]["marginal"]["shown"]
    assert decoder_of(about, "marginal") == Decoder(), "weights from before there was a map"
    assert isinstance(fitted.calibration, ScoreScale)
