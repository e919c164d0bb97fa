"""One road for labels: what features are evaluated on is what a submission is scored on."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.datasets.evaluation_set import VideoEvaluationSet
from playahead.datasets.slicing import frames_of_following, labels_of_clip, labels_of_match
from playahead.datasets.stored import LabelledFeatures
from playahead.decoding.decoder import Decoder, Kind
from playahead.decoding.predictions import SlotPredictions
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import feed_of_actions
from playahead.domain.records import ActionEvent, Clip, in_time_order
from playahead.evaluation.frames import clip_labels
from playahead.evaluation.official import count_detections, metrics_from_counts
from playahead.evaluation.submission import frame_table, read_results, write_submission

NO_WINDOWS = [np.zeros((33, 1), np.float16)] * 6


def events(least_ms: int, most_ms: int) -> st.SearchStrategy[tuple[ActionEvent, ...]]:
    edges = st.sampled_from([least_ms, least_ms + 1, most_ms - 1, most_ms])
    event = st.builds(
        ActionEvent,
        st.one_of(edges, st.integers(least_ms, most_ms)),
        st.sampled_from(ACTIONS),
        st.none(),
        st.booleans(),
    )
    return st.lists(event, max_size=6).map(in_time_order)


CLIPS = st.lists(st.tuples(events(0, 30_000), events(30_000, 35_000)), min_size=1, max_size=4).map(
    lambda parts: [Clip(f"clip_{n}", f"clip_{n}/224p.mp4", *part) for n, part in enumerate(parts, 1)]
)


def features_of(clips: list[Clip]) -> VideoEvaluationSet:
    videos = []
    for clip in clips:
        actions = feed_of_actions([*clip.observation, *(clip.anticipation or ())])
        videos.append(LabelledFeatures(clip.name, NO_WINDOWS, actions, labels_of_clip(clip), 30_000))
    return VideoEvaluationSet(videos, {"kind": "video"})


def said(n_examples: int, seed: int) -> SlotPredictions:
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(10), (n_examples, 5)).astype(np.float32)
    offset = rng.dirichlet(np.full(20, 0.2), (n_examples, 5)).astype(np.float32)
    return SlotPredictions(rng.random((n_examples, 5), np.float32), share, offset)


@settings(max_examples=60, deadline=None)
@given(clips=CLIPS, seed=st.integers(0, 2**16), kind=st.sampled_from(["marginal", "tuned-threshold", "paper"]))
def test_evaluating_features_is_submitting_and_evaluating_the_submission(clips: list[Clip], seed: int, kind: Kind):
    decoder, predictions = Decoder(kind, tau=0.4), said(len(clips), seed)
    ours = features_of(clips).table(decoder.scores(predictions))
    listed = decoder.anticipations(predictions, for_scorer=True)
    with TemporaryDirectory() as folder:
        answer = dict(zip([clip.name for clip in clips], listed, strict=True))
        results, _ = write_submission(Path(folder), answer)
        theirs = frame_table(clips, read_results(results), results)
    np.testing.assert_array_equal(ours.labels_NR, theirs.labels_NR)
    np.testing.assert_array_equal(ours.visibility_NR, theirs.visibility_NR)
    np.testing.assert_array_equal(ours.scores_NRV[..., 1:], theirs.scores_NRV[..., 1:])
    figures, submitted = (metrics_from_counts(count_detections(table)) for table in (ours, theirs))
    assert repr(figures) == repr(submitted)


def test_an_action_at_a_clips_thirty_thousandth_ms_is_to_be_anticipated():
    """As the official scorer does; one of the *observed* list there is not."""
    seen, coming = ActionEvent(30_000, Action.SHOT), ActionEvent(30_000, Action.PASS, visible=False)
    clip = Clip("clip_1", "clip_1/224p.mp4", (seen,), (coming,))
    following = labels_of_clip(clip).following(np.array([30_000]))
    assert following.class_OE.tolist() == [[Action.PASS.class_index]]
    assert following.time_OE.tolist() == [[0.0]]
    labels_NR, visibility_NR = frames_of_following(following)
    assert (labels_NR[0, 0], visibility_NR[0, 0]) == (Action.PASS.class_index + 1, -1)
    np.testing.assert_array_equal(labels_NR, clip_labels([clip])[0])


def test_every_action_of_a_match_follows_one_example():
    labels = labels_of_match([ActionEvent(ms, Action.PASS, visible=ms < 40_000) for ms in (30_000, 35_000, 40_000)])
    following = labels.following(np.array([25_000, 30_000, 35_000, 40_000]))
    assert (following.class_OE >= 0).sum(axis=1).tolist() == [1, 1, 1, 0]
    assert following.visible_OE.sum(axis=1).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("end_ms", [20_000, 29_999, 30_000])
def test_a_clip_without_actions_has_none_to_follow(end_ms):
    following = labels_of_clip(Clip("clip_1", "clip_1/224p.mp4", (), None)).following(np.array([end_ms]))
    assert following.class_OE.shape == (1, 0)
