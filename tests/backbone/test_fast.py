"""The fast backbone gives the plain one's features."""

import numpy as np
import pytest
import torch
from torch import nn

from playahead.backbone.fast import BFLOAT16_TOLERANCE, FastBackbone, fold_batch_norms
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.features.encoder import WindowEncoder, window_key

ENCODERS = ["tf_efficientnetv2_b0", "regnetx_002", "mobilenetv3_small_050"]


def statistics_of(backbone: Backbone) -> Backbone:
    torch.manual_seed(1)
    with torch.no_grad():
        backbone.train().snippet_features(torch.rand(2, 15, 96, 96))
        for module in backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
    return backbone.eval()


def window(seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (125, 64, 96), np.uint8)


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours.astype(np.float32) - theirs) / np.linalg.norm(theirs))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_fast_features_are_the_plain_ones(encoder):
    backbone = statistics_of(Backbone(BackboneConfig(encoder=encoder, stage=3, blocks_3d=2, maps=48)))
    frames = window()
    plain = WindowEncoder(FastBackbone(backbone), 41)
    with torch.inference_mode():
        expected = backbone.window_features(
            torch.from_numpy(plain.stacks(frames)).float() / 255, torch.from_numpy(plain.stacks_NS)
        ).numpy()
    assert apart(plain.encode(frames), expected) < 1e-3  # what float16 keeps
    assert apart(WindowEncoder(FastBackbone(backbone, "bfloat16"), 41).encode(frames), expected) < BFLOAT16_TOLERANCE


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-3), ("bfloat16", BFLOAT16_TOLERANCE)])
def test_the_batch_changes_rounding_only(small, precision, tolerance):
    fast = FastBackbone(small, precision)
    whole = WindowEncoder(fast, 41).encode(window()).astype(np.float32)
    for batch in (5, 16):
        assert apart(WindowEncoder(fast, batch).encode(window()), whole) < tolerance


def test_folding_leaves_the_backbone_as_it_was_and_does_not_round_gems_exponent(small):
    """bfloat16 would make 2.7183 of it 2.7188, and features move by a quarter of a percent."""
    before = {name: value.clone() for name, value in small.state_dict().items()}
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in fold_batch_norms(small).modules())
    exponent = FastBackbone(small, "bfloat16").fuse.__self__.global_pool.p
    assert exponent.dtype == torch.float32
    assert torch.equal(exponent, small.global_pool.p)
    assert all(torch.equal(value, before[name]) for name, value in small.state_dict().items())


def test_a_key_is_of_pixels_and_size():
    frames, other = window(), window()
    other[124, 63, 95] ^= 1
    assert window_key(frames) == window_key(frames.copy())
    assert len({window_key(array) for array in (frames, other, frames.reshape(125, 96, 64))}) == 3


@pytest.fixture(scope="module")
def small() -> Backbone:
    return statistics_of(Backbone(BackboneConfig(encoder="regnetx_002", stage=3, maps=48)))


def test_a_batch_norm_that_nothing_feeds_is_not_folded_in_silence():
    backbone = Backbone(BackboneConfig(encoder="regnetx_002", stage=3)).eval()
    backbone.conv2d_projection = nn.Sequential(nn.BatchNorm2d(152), *backbone.conv2d_projection)
    with pytest.raises(RuntimeError, match="no convolution feeds"):
        fold_batch_norms(backbone)
