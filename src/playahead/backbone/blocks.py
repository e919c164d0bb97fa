"""The inverted-residual 3D block and GeM pooling, with the published checkpoint's parameter names.

Axes: B snippets, C channels, T stacks, H, W.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_GEM_FLOOR = 1e-6


class NormAct3d(nn.Module):
    """Batch norm, then SiLU unless it is the block's last."""

    def __init__(self, channels: int, act: bool = True) -> None:
        super().__init__()
        self.bn3d = nn.BatchNorm3d(channels)
        self.act = nn.SiLU(inplace=True) if act else nn.Identity()

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Same shape."""
        return self.act(self.bn3d(x_BCTHW))


class SqueezeExcite3d(nn.Module):
    """Channels scaled by a gate that sees their mean over time and space."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv3d(channels, reduced, 1)
        self.conv_expand = nn.Conv3d(reduced, channels, 1)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Same shape."""
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
        """Same shape."""
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
