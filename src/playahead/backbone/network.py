"""Slow fusion: a 2D encoder over stacks of gray frames, 3D blocks over a snippet's stacks (docs/paper.md 1.1).

Parameter names are the published checkpoint's (lRomul/ball-action-spotting, MIT), so that it loads strictly.

Axes: B snippets, S (in 3D blocks T) stacks of a snippet, J frames of a stack, X stacks to encode, C channels, H, W,
F features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playahead.io.errors import InputError
from playahead.io.settings import check_counts

_MAX_BLOCKS = 64
_GEM_FLOOR = 1e-6
_MISSING_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a declaration lasts as long as its library object


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Sizes of the slow-fusion network. Defaults are the published checkpoint's.

    Attributes:
        encoder: timm's name of the 2D encoder.
        stage: stage of the encoder whose maps are used, at 1/2^(stage + 1) of the input size; small inputs need a finer
            one.
        stacks: stacks in a snippet.
        stack_frames: gray frames in a stack.
        maps: channels of a stack's maps after the 2D projection.
        blocks_3d: number of inverted-residual 3D blocks.
        expansion: channel expansion in those blocks.
        squeeze: channel reduction in their squeeze-and-excitation.
        projection: features of a stack; a snippet has ``stacks`` times as many.
        classes: classes of the spotting classifier, which features do not pass through.
    """

    encoder: str = "tf_efficientnetv2_b0"
    stage: int = 4
    stacks: int = 5
    stack_frames: int = 3
    maps: int = 192
    blocks_3d: int = 4
    expansion: int = 3
    squeeze: int = 24
    projection: int = 256
    classes: int = 2

    def __post_init__(self) -> None:
        check_counts(self, *(name for name in vars(self) if name not in ("encoder", "stage")))
        if self.blocks_3d > _MAX_BLOCKS:
            raise InputError("BackboneConfig.blocks_3d", f"{self.blocks_3d} is over {_MAX_BLOCKS}")
        if not 0 <= self.stage <= 4:
            raise InputError("BackboneConfig.stage", f"{self.stage} is not in 0..4")

    @property
    def feature_dim(self) -> int:
        """F of a snippet: 5 x 256 = 1280."""
        return self.stacks * self.projection


class NormAct3d(nn.Module):
    """Batch norm, then SiLU except after a block's last convolution."""

    def __init__(self, channels: int, act: bool = True) -> None:
        super().__init__()
        self.bn3d = nn.BatchNorm3d(channels)
        self.act = nn.SiLU(inplace=True) if act else nn.Identity()

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        return self.act(self.bn3d(x_BCTHW))


class SqueezeExcite3d(nn.Module):
    """Channels scaled by a gate that sees their mean over time and space."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv3d(channels, reduced, 1)
        self.conv_expand = nn.Conv3d(reduced, channels, 1)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        mean = x_BCTHW.mean((2, 3, 4), keepdim=True)
        return x_BCTHW * self.conv_expand(F.silu(self.conv_reduce(mean))).sigmoid()


class InvertedResidual3d(nn.Module):
    """Widen, depth-wise 3 x 3 x 3, squeeze and excite, narrow, add."""

    def __init__(self, channels: int, expansion: int, squeeze: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.conv_pw = nn.Conv3d(channels, wide, 1, bias=False)
        self.bn1 = NormAct3d(wide)
        self.conv_dw = nn.Conv3d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.bn2 = NormAct3d(wide)
        self.se = SqueezeExcite3d(wide, wide // squeeze)
        self.conv_pwl = nn.Conv3d(wide, channels, 1, bias=False)
        self.bn3 = NormAct3d(channels, act=False)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        wide = self.bn2(self.conv_dw(self.bn1(self.conv_pw(x_BCTHW))))
        return x_BCTHW + self.bn3(self.conv_pwl(self.se(wide)))


class GeneralizedMean(nn.Module):
    """GeM: (mean of x^p)^(1/p) over space, one learned p (docs/paper.md 1.1)."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """x_BCHW -> pooled_BC, in float32 whatever came in: a third power in bfloat16 loses a percent."""
        return x_BCHW.float().clamp(min=_GEM_FLOOR).pow(self.p).mean((2, 3)).pow(1 / self.p)


class Backbone(nn.Module):
    """Frames -> snippet features, in two halves so that a stack shared by several snippets is encoded once."""

    def __init__(self, config: BackboneConfig, imagenet: bool = False) -> None:
        """Make the network; ``imagenet`` starts the 2D encoder from timm's published weights.

        Raises:
            InputError: timm has no such encoder or stage, or its weights cannot be fetched.
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
            stack_of_snippet_BS: int64 indices of each snippet's stacks.
            batch_stacks: number of stacks encoded together; changes speed and memory only.

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
        what = "its ImageNet weights cannot be fetched ({})".format(str(reason).split("\n")[0])
        raise InputError(config.encoder, what, "connect, or train without ImageNet weights") from None
    except (RuntimeError, AssertionError, IndexError) as reason:
        raise InputError("BackboneConfig.encoder", f"{config.encoder!r}: timm has no such encoder ({reason})") from None


def _projection(incoming: int, outgoing: int) -> nn.Sequential:
    convolution = nn.Conv2d(incoming, outgoing, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outgoing), nn.SiLU(inplace=True))


def import_timm():
    """Import timm, also where the installed torchvision was built for another torch.

    timm imports torchvision, whose import fails where its compiled operators do not load. Nothing here calls those
    operators: declaring them is enough.

    Raises:
        InputError: timm is not installed.
    """
    try:
        try:
            import timm
        except RuntimeError as reason:
            if "torchvision::" not in str(reason):
                raise
            library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in _MISSING_OPERATORS:
                library.define(operator)
            _declared.append(library)
            import timm
    except ImportError as reason:
        raise InputError("timm", f"cannot be imported ({reason})", "pip install 'playahead[train]'") from None
    return timm
