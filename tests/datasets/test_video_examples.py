"""Recorded windows: the future stays in the future, labels fall into the right steps."""

import numpy as np
import pytest

from playahead.datasets.evaluation_set import VideoEvaluationSet
from playahead.datasets.examples import VideoExamples
from playahead.datasets.stored import LabelledFeatures, nearest_snippet
from playahead.domain.actions import Action
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.paper.anticipator import Anticipator
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import build
from tests.support.recordings import F, recording


def model() -> Anticipator:
    config = AnticipatorConfig(feature_dim=F, d_model=16, heads=2, ffn_dim=16, slots=4, decoder_layers=1)
    return build(config).eval()


def objectness(sources: list[LabelledFeatures], network: Anticipator) -> np.ndarray:
    return Predictor(network, {}).predict_all(VideoEvaluationSet(sources, {"kind": "video"})).objectness_OK


def test_observations_end_where_a_future_is_labelled():
    assert recording(8).end_ms_O.tolist() == [30_000, 35_000]
    assert recording(6, last_end_ms=30_000).end_ms_O.tolist() == [30_000]
    assert recording(6).end_ms_O.tolist() == []
    assert recording(6, last_end_ms=0).end_ms_O.tolist() == []


def test_targets_are_what_follows_and_presence_what_was_seen():
    events = [(100, Action.PASS), (29_999, Action.DRIVE), (31_000, Action.SHOT), (35_000, Action.OUT)]
    windows = VideoExamples([recording(6, events, last_end_ms=30_000)], 1)
    batch = windows.batch(np.array([0]), np.random.default_rng(0))
    assert batch.features_BWNF.shape == (1, 6, 33, F)
    assert batch.targets.class_OE.tolist() == [[Action.SHOT.class_index, Action.OUT.class_index]]
    assert batch.targets.time_OE.tolist() == [[pytest.approx(0.2), 1.0]]
    seen = batch.targets.presence_BWNC[0].nonzero().tolist()
    assert seen == [[0, 0, Action.PASS.class_index], [5, 32, Action.DRIVE.class_index]]


def test_a_sequence_in_the_middle_takes_its_own_windows():
    source = recording(12, [(42_000, Action.PASS)])
    windows = VideoExamples([source], 3)
    assert len(windows.rare_weight_A) == len(source.end_ms_O) - 2
    batch = windows.batch(np.array([2]), np.random.default_rng(0))
    assert np.allclose(batch.features_BWNF[0].numpy(), np.stack(source.windows[2:10]).astype(np.float32))
    assert batch.targets.class_OE.tolist() == [[Action.PASS.class_index], [-1], [-1]]


def test_rare_actions_weigh_more_and_counts_are_right():
    plain, rare = recording(7, [(31_000, Action.PASS)]), recording(7, [(31_000, Action.TACKLE)])
    windows = VideoExamples([plain, rare], 1)
    assert windows.counts_C[Action.PASS.class_index] == windows.counts_C[Action.TACKLE.class_index] == 1
    assert windows.rare_weight_A.tolist() == [1.0, 4.0]


def test_recordings_that_are_too_short_are_refused():
    with pytest.raises(InputError, match="long enough"):
        VideoExamples([recording(6)], 1)
    with pytest.raises(InputError, match="35 s"):
        VideoEvaluationSet([recording(6)], {"kind": "video"})


def test_a_clip_is_read_without_its_neighbours():
    """What the next clip shows of a clip's future changes nothing; those of one length are read together."""
    sources, network = [recording(n, seed=seed) for seed, n in enumerate((7, 7, 7, 9, 7))], model()
    alone = np.concatenate([objectness([source], network) for source in sources])
    assert np.allclose(objectness(sources, network), alone, atol=1e-5)
    assert not np.allclose(alone[0], alone[1], atol=1e-6)


def test_an_action_is_present_at_the_snippet_whose_centre_is_nearest():
    """Snippets start every 3 frames and span 29: the first one's centre is frame 14, the last one's 110."""
    centre_N = np.arange(33) * 3 + 14
    frames = np.arange(125)
    nearest = nearest_snippet(frames)
    distance = np.abs(frames[:, None] - centre_N)
    assert (distance[frames, nearest] == distance.min(axis=1)).all()
    within = (frames >= 13) & (frames <= 111)
    assert distance[frames, nearest][within].max() == 1  # 40 ms
