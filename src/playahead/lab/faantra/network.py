"""Frames -> steps -> anticipations: FAANTRA's network, from gray frames on.

Axes: B clips, T frames of a clip, H, W, P = B x T frames, C channels that are exchanged, D half of them, F features.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from playahead.backbone.fast import channels_last
from playahead.backbone.network import import_timm
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.runtime import pick_device
from playahead.io.settings import build, check_counts
from playahead.io.tensors import fill, read_tensors
from playahead.paper.anticipator import AnticipatorOutput
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import build as build_anticipator

KIND = "end to end"
_SHARE = 4  # one channel in so many takes part
_LATER_STAGES = ("s3", "s4")


class GateShiftFuse(nn.Module):
    """Half of the channels that take part look one frame ahead, half one frame back, as much as a gate lets them."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.taking_part = max(channels // _SHARE // 2 * 2, 2)
        self.norm = nn.BatchNorm3d(self.taking_part)
        self.gate = nn.Conv3d(self.taking_part, 2, 3, padding=1, groups=2)
        self.fuse = nn.ModuleList(nn.Conv2d(2, 1, 3, padding=1) for _ in range(2))

    def forward(self, features_PCHW: Tensor) -> Tensor:
        """Features of the same shape; channels that take no part are unchanged."""
        moving, resting = features_PCHW[:, : self.taking_part], features_PCHW[:, self.taking_part :]
        moving_BCTHW = moving.unflatten(0, (-1, self.frames)).transpose(1, 2)
        gate_B2THW = self.gate(self.norm(moving_BCTHW).relu()).tanh()
        parts = []
        for own_BDTHW, gate_B1THW, weigh, back in zip(
            moving_BCTHW.chunk(2, dim=1), gate_B2THW.chunk(2, dim=1), self.fuse, (False, True), strict=True
        ):
            # What the gate lets through moves by one frame; zeros come in at the other end.
            gated = own_BDTHW * gate_B1THW
            rest, nothing = own_BDTHW - gated, torch.zeros_like(gated[:, :, :1])
            shifted = torch.cat([nothing, gated[:, :, :-1]] if back else [gated[:, :, 1:], nothing], dim=2)
            # What came from the neighbour and what stayed are weighted for each channel and frame.
            pooled_B2DT = torch.stack([shifted.mean(dim=(3, 4)), rest.mean(dim=(3, 4))], dim=1)
            weight_BDT11 = weigh(pooled_B2DT).sigmoid()[:, 0, :, :, None, None]
            parts.append(shifted * weight_BDT11 + rest * (1 - weight_BDT11))
        return torch.cat([torch.cat(parts, dim=1).transpose(1, 2).flatten(0, 1), resting], dim=1)


@dataclass(frozen=True, kw_only=True)
class EndToEndModelConfig:
    """Settings of the network.

    Attributes:
        encoder: name of a RegNet in timm (published: regnety_004 and larger).
        frames: T, frames of an example (published: 64).
        stride_frames: step between them, at 25 frames a second (published: 4, 6.25 a second).
        input_size: size of the frames, as 224x128.
        imagenet: start the encoder from ImageNet weights, through timm's hub.
        anticipator: settings of what reads the steps; its feature_dim, n_windows and n_snippets are set by the rest.
    """

    encoder: str = "regnety_004"
    frames: int = 64
    stride_frames: int = 4
    input_size: str = "224x128"
    imagenet: bool = False
    anticipator: AnticipatorConfig = field(default_factory=lambda: AnticipatorConfig(feature_dim=1, encoder="steps"))

    def __post_init__(self) -> None:
        check_counts(self, "frames", "stride_frames")
        if self.anticipator.encoder != "steps":
            raise InputError("AnticipatorConfig.encoder", "is not steps, which end to end must be read")

    @property
    def span_frames(self) -> int:
        """Frames of video from the first frame of an example to its end."""
        return self.frames * self.stride_frames


class EndToEnd(nn.Module):
    """A RegNet with gate-shift-fuse in its later half, then FAANTRA's encoder and decoder."""

    def __init__(self, config: EndToEndModelConfig) -> None:
        super().__init__()
        self.config = config
        self.frame_encoder = _frame_encoder(config)
        features = int(self.frame_encoder.num_features)  # type: ignore[arg-type]
        sized = replace(config.anticipator, feature_dim=features, n_windows=1, n_snippets=config.frames)
        self.anticipator = build_anticipator(sized)

    def forward(self, frames_BTHW: Tensor) -> AnticipatorOutput:
        """Gray frames, uint8 or in [0, 1], the oldest first -> logits, as of any anticipator."""
        if not frames_BTHW.is_floating_point():
            frames_BTHW = frames_BTHW.float() / 255
        features_PF = self.frame_encoder(frames_BTHW.flatten(0, 1)[:, None])
        return self.anticipator.answer(self.anticipator.encode(features_PF.unflatten(0, (len(frames_BTHW), 1, -1))))


def _frame_encoder(config: EndToEndModelConfig) -> nn.Module:
    where, name = "EndToEndModelConfig.encoder", config.encoder
    try:
        encoder = import_timm().create_model(config.encoder, pretrained=config.imagenet, in_chans=1, num_classes=0)
    except (OSError, ValueError) as reason:
        first_line, fix = str(reason).split("\n")[0], "connect, or train without ImageNet weights"
        raise InputError(name, f"its ImageNet weights cannot be fetched ({first_line})", fix) from None
    except RuntimeError as reason:
        raise InputError(where, f"{name!r}: timm has no such encoder ({reason})") from None
    stages = [getattr(encoder, stage, None) for stage in _LATER_STAGES]
    if None in stages:
        raise InputError(where, f"{name!r} is no RegNet: it has no stages {_LATER_STAGES}")
    for stage in stages:
        for block in stage.children():  # type: ignore[union-attr]
            first = block.conv1
            block.conv1 = nn.Sequential(GateShiftFuse(first.conv.in_channels, config.frames), first)
    return channels_last(encoder)


def open_end_to_end(path: Path, device: str = "auto") -> Predictor:
    """Open weights that were trained end to end, as a predictor on frames."""
    tensors, about = read_tensors(path)
    if about.get("kind") != KIND:
        raise InputError(path, "was not trained end to end", "give the store of features that it was trained on")
    config = replace(build(EndToEndModelConfig, about.get("model"), f"{path}: model"), imagenet=False)
    return Predictor(fill(lambda: EndToEnd(config), tensors, path).to(pick_device(device)), about, path)
