"""A backbone that encodes in milliseconds, and a small benchmark on video."""

from pathlib import Path

import pytest
import torch

from playahead.backbone.checkpoint import save_backbone
from playahead.backbone.network import Backbone, BackboneConfig
from tests.conftest import simulate

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


@pytest.fixture(scope="session")
def benchmark(tmp_path_factory) -> Path:
    """Four splits of a few clips each."""
    folder = tmp_path_factory.mktemp("baa")
    simulate(folder, "baa", matches=4, minutes=0.75, halves=1, video=True, width=96, height=54)
    return folder
