"""The backbone: the published names and shapes, the published answers, and each stack encoded once."""

import gzip
import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from playahead.backbone.network import Backbone, BackboneConfig
from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from tests.support.backbone import golden_backbone, golden_frames
from tests.support.paths import DATA

CASES = DATA / "backbone"
pytestmark = pytest.mark.skipif(find_spec("timm") is None, reason="needs the extra 'backbone'")
STACKS_OF_CLIPS = torch.tensor(GRID.stacks_of_snippets)


@pytest.fixture(scope="module")
def backbone():
    return golden_backbone()


@pytest.fixture(scope="module")
def golden():
    with np.load(CASES / "golden_64x96.npz") as arrays:
        return {name: arrays[name] for name in arrays}


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    return float(np.abs(ours.numpy() - golden).max() / np.abs(golden).max())


def window_stacks(frames_THW: torch.Tensor) -> torch.Tensor:
    offsets = torch.arange(GRID.stack_frames) * GRID.snippet_step
    return frames_THW[torch.tensor(GRID.stack_starts_frames)[:, None] + offsets]


def test_names_and_shapes_are_the_published_ones(backbone):
    published = json.loads(gzip.decompress((CASES / "parameters.json.gz").read_bytes()))
    assert {name: list(tensor.shape) for name, tensor in backbone.state_dict().items()} == published


@torch.inference_mode()
def test_a_clips_features_are_the_published_ones(backbone, golden):
    frames_THW = golden_frames(15, int(golden["height"]), int(golden["width"]), int(golden["salt"]))
    maps_SCHW = backbone.encode_stacks(frames_THW.unflatten(0, (5, 3)))
    assert relative_error(maps_SCHW.mean((2, 3)), golden["stack_feature_map_mean"]) < 1e-4
    assert relative_error(backbone.snippet_features(frames_THW[None])[0], golden["clip_features"]) < 1e-4


@torch.inference_mode()
def test_a_windows_features_are_the_published_ones(backbone, golden):
    frames_THW = golden_frames(125, int(golden["height"]), int(golden["width"]), int(golden["salt"]) + 1)
    features = backbone.window_features(window_stacks(frames_THW), STACKS_OF_CLIPS)
    assert relative_error(features[golden["snippets"]], golden["window_features"]) < 1e-4


@torch.inference_mode()
def test_shared_stacks_give_what_single_clips_give(backbone):
    """41 stacks encoded once, against every clip on its own, at another batch size."""
    frames_THW = golden_frames(125, 64, 64, salt=5)
    features = backbone.window_features(window_stacks(frames_THW), STACKS_OF_CLIPS, batch_stacks=5)
    assert features.shape == (GRID.n_snippets, backbone.config.feature_dim)
    for clip in (0, 17, 32):
        start = clip * GRID.snippet_stride
        frames = frames_THW[start : start + GRID.snippet_span_frames : GRID.snippet_step]
        torch.testing.assert_close(features[clip], backbone.snippet_features(frames[None])[0], rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_a_smaller_network_for_small_machines():
    config = BackboneConfig(encoder="mobilenetv3_small_050", maps=16, blocks_3d=1, squeeze=4, projection=8, classes=10)
    backbone = Backbone(config).eval()
    assert backbone(torch.rand(2, 15, 64, 64)).shape == (2, 10)
    assert backbone.snippet_features(torch.rand(2, 15, 64, 64)).shape == (2, 40)
    with pytest.raises(InputError, match=r"BackboneConfig\.maps: 0 is below 1"):
        BackboneConfig(maps=0)
