"""Gate, shift, fuse: a 2D network's features exchange information in time (Sudhakaran et al., 2022).

Axes: P frames (B clips x T), B clips, T frames of a clip, C channels that take part, D half of them, H, W.
"""

import torch
from torch import Tensor, nn

_SHARE = 4  # one channel in so many takes part


class GateShiftFuse(nn.Module):
    """Half of the channels that take part look one frame ahead, half one frame back, as much as a gate lets them.

    Args:
        channels: of the features.
        frames: T, so that a clip's frames can be distinguished in the batch.
    """

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.taking_part = max(channels // _SHARE // 2 * 2, 2)
        half = self.taking_part // 2
        self.norm = nn.BatchNorm3d(self.taking_part)
        self.gate = nn.Conv3d(self.taking_part, 2, 3, padding=1, groups=2)
        self.fuse = nn.ModuleList(nn.Conv2d(2, 1, 3, padding=1) for _ in range(2))
        self.half_taking_part = half

    def forward(self, features_PCHW: Tensor) -> Tensor:
        """The same shape; channels that take no part as they were."""
        moving, resting = features_PCHW[:, : self.taking_part], features_PCHW[:, self.taking_part :]
        moving_BCTHW = moving.unflatten(0, (-1, self.frames)).transpose(1, 2)
        gate_B2THW = self.gate(self.norm(moving_BCTHW).relu()).tanh()
        parts = []
        for index, step in enumerate((-1, 1)):
            own_BDTHW = moving_BCTHW[:, index * self.half_taking_part : (index + 1) * self.half_taking_part]
            gated = own_BDTHW * gate_B2THW[:, index : index + 1]
            parts.append(self._fused(_shifted(gated, step), own_BDTHW - gated, self.fuse[index]))
        return torch.cat([torch.cat(parts, dim=1).transpose(1, 2).flatten(0, 1), resting], dim=1)

    @staticmethod
    def _fused(shifted_BDTHW: Tensor, rest_BDTHW: Tensor, weigh: nn.Module) -> Tensor:
        """What came from the neighbour and what stayed, weighed per channel and frame."""
        pooled_B2DT = torch.stack([shifted_BDTHW.mean(dim=(3, 4)), rest_BDTHW.mean(dim=(3, 4))], dim=1)
        weight_BDT11 = weigh(pooled_B2DT).sigmoid()[:, 0, :, :, None, None]
        return shifted_BDTHW * weight_BDT11 + rest_BDTHW * (1 - weight_BDT11)


def _shifted(x_BDTHW: Tensor, step: int) -> Tensor:
    """Moved by one frame; what leaves the clip is gone, zeros come in."""
    nothing = torch.zeros_like(x_BDTHW[:, :, :1])
    if step > 0:
        return torch.cat([nothing, x_BDTHW[:, :, :-1]], dim=2)
    return torch.cat([x_BDTHW[:, :, 1:], nothing], dim=2)
