"""Slow fusion: a 2D encoder over stacks of gray frames, 3D blocks over a snippet's stacks (docs/paper.md 1.1).

Parameter names are the published checkpoint's (lRomul/ball-action-spotting, MIT), so that it loads strictly.

Axes: B snippets, S stacks of a snippet, J frames of a stack, X stacks to encode, C channels, H, W, F features.
"""

import torch
from torch import Tensor, nn

from playahead.backbone.blocks import GeneralizedMean, InvertedResidual3d
from playahead.backbone.config import BackboneConfig
from playahead.backbone.timm_guard import import_timm
from playahead.io.errors import InputError


class Backbone(nn.Module):
    """Frames -> snippet features, in two halves so that a stack shared by several snippets is encoded once."""

    def __init__(self, config: BackboneConfig, imagenet: bool = False) -> None:
        """``imagenet`` starts the 2D encoder from timm's published weights.

        Raises:
            InputError: timm knows no such encoder or stage, or its weights cannot be fetched.
        """
        super().__init__()
        self.config = config
        self.conv2d_encoder = _encoder(config, imagenet)
        encoded: int = self.conv2d_encoder.feature_info.channels()[-1]  # type: ignore[missing-attribute]
        self.conv2d_projection = _projection(encoded, config.maps)
        self.conv3d_encoder = nn.Sequential(
            *(InvertedResidual3d(config.maps, config.expansion, config.squeeze) for _ in range(config.blocks_3d))
        )
        self.conv3d_projection = _projection(config.maps, config.projection)
        self.global_pool = GeneralizedMean()
        self.classifier = nn.Linear(config.feature_dim, config.classes)

    def encode_stacks(self, stacks_XJHW: Tensor) -> Tensor:
        """Stacks of frames with values in [0, 1] -> maps_XCHW, each stack on its own."""
        return self.conv2d_projection(self.conv2d_encoder(stacks_XJHW)[-1])

    def fuse(self, maps_BSCHW: Tensor) -> Tensor:
        """Maps of each snippet's stacks -> features_BF."""
        n_snippets = maps_BSCHW.shape[0]  # an exporter would take len() for a constant
        fused_BSCHW = self.conv3d_encoder(maps_BSCHW.transpose(1, 2)).transpose(1, 2)
        projected = self.conv3d_projection(fused_BSCHW.flatten(0, 1))
        return self.global_pool(projected.reshape(n_snippets, self.config.feature_dim, *projected.shape[2:]))

    def window_features(self, stacks_XJHW: Tensor, stack_of_snippet_BS: Tensor, batch_stacks: int = 8) -> Tensor:
        """Features of snippets that share stacks: each stack is encoded once.

        Args:
            stacks_XJHW: the distinct stacks (41 of a 5-s window).
            stack_of_snippet_BS: which stacks make each snippet, as int64 indices.
            batch_stacks: stacks encoded together; changes speed and memory only.

        Returns:
            features_BF.
        """
        maps_XCHW = torch.cat([self.encode_stacks(part) for part in stacks_XJHW.split(batch_stacks)])
        return torch.cat([self.fuse(maps_XCHW[part]) for part in stack_of_snippet_BS.split(batch_stacks)])

    def forward(self, frames_BTHW: Tensor) -> Tensor:
        """Snippets of consecutive frames of a snippet's step (15 of them) -> spotting logits, for pre-training."""
        return self.classifier(self.snippet_features(frames_BTHW))

    def snippet_features(self, frames_BTHW: Tensor) -> Tensor:
        """Snippets of 15 frames -> features_BF."""
        stacks_XJHW = frames_BTHW.reshape(-1, self.config.stack_frames, *frames_BTHW.shape[2:])
        maps_XCHW = self.encode_stacks(stacks_XJHW)
        return self.fuse(maps_XCHW.unflatten(0, (len(frames_BTHW), self.config.stacks)))


def _encoder(config: BackboneConfig, imagenet: bool) -> nn.Module:
    create = import_timm().create_model
    sizes = {"in_chans": config.stack_frames, "features_only": True, "out_indices": [config.stage]}
    try:
        return create(config.encoder, pretrained=imagenet, **sizes)
    except (OSError, ValueError) as reason:
        if not imagenet:
            raise
        said = str(reason).split("\n")[0]
        fix = "connect, or train without --imagenet true"
        raise InputError(config.encoder, f"its ImageNet weights cannot be fetched ({said})", fix) from None
    except (RuntimeError, AssertionError, IndexError) as reason:
        raise InputError("backbone.encoder", f"{config.encoder!r}: timm has no such encoder ({reason})") from None


def _projection(incoming: int, outgoing: int) -> nn.Sequential:
    convolution = nn.Conv2d(incoming, outgoing, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outgoing), nn.SiLU(inplace=True))
