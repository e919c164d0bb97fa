"""A running video encoded as it comes gives what the same clips give on their own."""

import numpy as np
import torch
from hypothesis import given, settings, strategies as st

from playahead.backbone.fast import FastBackbone
from playahead.features.encoder import SnippetStream, WindowEncoder, every, of_windows
from tests.support.backbone import tiny_backbone

FAST = FastBackbone(tiny_backbone())


def frames_of(count: int, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (count, 64, 96), np.uint8)


def run(wanted, frames, batch=8) -> tuple[list[int], np.ndarray]:
    starts, features = [], [np.zeros((0, 40), np.float16)]
    for first, features_BF in SnippetStream(FAST, wanted, batch).encode(frames):
        starts += first
        features.append(features_BF)
    return starts, np.concatenate(features)


def alone(frames, start) -> np.ndarray:
    clip = torch.from_numpy(frames[start : start + 29 : 2]).float()[None] / 255
    with torch.inference_mode():
        return tiny_backbone().snippet_features(clip).numpy()[0]


@settings(max_examples=8, deadline=None)
@given(count=st.integers(0, 90), stride=st.sampled_from([1, 2, 3, 6, 7, 25]), batch=st.sampled_from([1, 4, 32]))
def test_every_wanted_clip_comes_once_in_order(count, stride, batch):
    frames = frames_of(count)
    starts, features = run(every(stride), frames, batch)
    assert starts == list(range(0, max(count - 28, 0), stride))
    for index in range(0, len(starts), 5):
        assert np.allclose(features[index], alone(frames, starts[index]), rtol=2e-3, atol=2e-3)


@settings(max_examples=8, deadline=None)
@given(asked=st.lists(st.integers(1, 60), max_size=8))
def test_features_do_not_depend_on_when_they_are_asked_for(asked):
    frames = frames_of(90)
    stream, starts, features = SnippetStream(FAST, every(2)), [], []
    for index, frame_HW in enumerate(frames):
        stream.push(frame_HW)
        if index in asked or index == len(frames) - 1:
            found, features_BF = stream.ready()
            starts += found
            features.append(features_BF)
    expected_starts, expected = run(every(2), frames)
    assert starts == expected_starts
    np.testing.assert_array_equal(np.concatenate(features), expected)


def test_windows_through_the_stream_are_the_stored_ones():
    frames = frames_of(260)
    starts, features = run(of_windows(125), frames)
    expected = [w + 3 * n for w in (0, 125) for n in range(33)]
    assert starts == expected
    for index in range(2):
        stored = WindowEncoder(FAST, 41).encode(frames[125 * index : 125 * index + 125])
        assert np.allclose(features[33 * index : 33 * index + 33], stored, rtol=2e-3, atol=2e-3)
