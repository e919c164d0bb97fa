"""Backbones for tests: a tiny one that encodes in milliseconds, and the golden cases' one.

Golden parameters and frames are made by formula (shared/cases/backbone/README.md).
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from playahead.backbone.checkpoint import save_backbone
from playahead.backbone.network import Backbone, BackboneConfig

TINY = BackboneConfig(
    encoder="test_resnet.r160_in1k", stage=3, maps=16, blocks_3d=1, squeeze=4, projection=8, classes=10
)


def tiny_backbone() -> Backbone:
    """Random weights, plausible statistics."""
    torch.manual_seed(0)
    backbone = Backbone(TINY)
    with torch.no_grad():
        backbone.train().snippet_features(torch.rand(4, 15, 64, 96))
    return backbone.eval()


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return tiny_backbone()


@pytest.fixture(scope="session")
def backbone_file(tmp_path_factory, backbone) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_backbone(path, backbone, {"source": "test", "input_size": "96x64"})
    return path


def golden_backbone(salt: int = 0) -> Backbone:
    """The published network with the golden cases' parameters, in evaluation mode."""
    backbone = Backbone(BackboneConfig(classes=12))
    state = backbone.state_dict()
    for index, name in enumerate(sorted(state)):
        if state[name].is_floating_point():
            state[name] = _value(name, tuple(state[name].shape), index + salt)
    backbone.load_state_dict(state)
    return backbone.eval()


def _value(name: str, shape: tuple[int, ...], index: int) -> Tensor:
    element = np.arange(np.prod(shape), dtype=np.float64)
    x = np.sin(12.9898 * (element + 1) + 78.233 * (index + 1)) * 43758.5453
    v = (x - np.floor(x)) * 2 - 1
    if name.endswith("running_var"):
        v = 1 + 0.25 * v
    elif name.endswith("running_mean"):
        v = 0.1 * v
    elif name == "global_pool.p":
        v = np.full_like(v, 3.0)
    elif len(shape) == 1:
        v = 1 + 0.1 * v if name.endswith("weight") else 0.1 * v
    else:
        v = v * np.sqrt(6 / np.prod(shape[1:]))
    return torch.from_numpy(v.reshape(shape)).float()


def golden_frames(n_frames: int, height: int, width: int, salt: int) -> Tensor:
    """frames_THW, float32 in [0, 1]."""
    t, y, x = np.ogrid[:n_frames, :height, :width]
    values = ((7 * x + 13 * y + 29 * t + 31 * salt) ^ (x * y + 3 * t * t)) % 256
    return torch.from_numpy(values).float() / 255
