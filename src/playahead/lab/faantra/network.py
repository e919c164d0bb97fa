"""Frames -> steps -> anticipations.

Axes: B clips, T frames of a clip, H, W, P = B x T, F features.
"""

from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from playahead.backbone.fast import channels_last
from playahead.backbone.timm_guard import import_timm
from playahead.io.errors import InputError
from playahead.lab.faantra.gate_shift_fuse import GateShiftFuse
from playahead.paper.anticipator import AnticipatorOutput
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import build

_LATER_STAGES = ("s3", "s4")


@dataclass(frozen=True, kw_only=True)
class EndToEndModelConfig:
    """The network.

    Attributes:
        encoder: a RegNet of timm's (published: regnety_004 and larger).
        frames: T, frames of an example (published: 64).
        stride_frames: between them, at 25 a second (published: 4, 6.25 a second).
        input_size: of the frames, as 224x128.
        imagenet: start the encoder from ImageNet weights, through timm's hub.
        anticipator: what reads the steps; its feature_dim, n_windows and n_snippets are set by the rest.
    """

    encoder: str = "regnety_004"
    frames: int = 64
    stride_frames: int = 4
    input_size: str = "224x128"
    imagenet: bool = False
    anticipator: AnticipatorConfig = field(default_factory=lambda: AnticipatorConfig(feature_dim=1, encoder="steps"))

    def __post_init__(self) -> None:
        for name in ("frames", "stride_frames"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name}", f"{getattr(self, name)} is below 1")
        if self.anticipator.encoder != "steps":
            raise InputError("model.anticipator.encoder", "end to end it reads steps")

    @property
    def span_frames(self) -> int:
        """Frames of video from the first frame of an example to its end."""
        return self.frames * self.stride_frames


class EndToEnd(nn.Module):
    """A RegNet with gate-shift-fuse in its later half, then FAANTRA's encoder and decoder."""

    def __init__(self, config: EndToEndModelConfig) -> None:
        """
        Raises:
            InputError: timm knows no such encoder, it is no RegNet, or its weights cannot be fetched.
        """
        super().__init__()
        self.config = config
        self.frame_encoder = _frame_encoder(config)
        features = int(self.frame_encoder.num_features)  # type: ignore[arg-type]
        sized = replace(config.anticipator, feature_dim=features, n_windows=1, n_snippets=config.frames)
        self.anticipator = build(sized)

    def forward(self, frames_BTHW: Tensor) -> AnticipatorOutput:
        """Gray frames, uint8 or in [0, 1], the oldest first -> logits, as of any anticipator."""
        if not frames_BTHW.is_floating_point():
            frames_BTHW = frames_BTHW.float() / 255
        features_PF = self.frame_encoder(frames_BTHW.flatten(0, 1)[:, None])
        return self.anticipator.answer(self.anticipator.encode(features_PF.unflatten(0, (len(frames_BTHW), 1, -1))))


def _frame_encoder(config: EndToEndModelConfig) -> nn.Module:
    create = import_timm().create_model
    try:
        encoder = create(config.encoder, pretrained=config.imagenet, in_chans=1, num_classes=0)
    except (OSError, ValueError) as reason:
        said, fix = str(reason).split("\n")[0], "connect, or train without ImageNet weights"
        raise InputError(config.encoder, f"its ImageNet weights cannot be fetched ({said})", fix) from None
    except RuntimeError as reason:
        raise InputError("model.encoder", f"{config.encoder!r}: timm has no such encoder ({reason})") from None
    stages = [getattr(encoder, name, None) for name in _LATER_STAGES]
    if None in stages:
        raise InputError("model.encoder", f"{config.encoder!r} is no RegNet: its later half is not found")
    for stage in stages:
        for block in stage.children():  # type: ignore[union-attr]
            first = block.conv1
            block.conv1 = nn.Sequential(GateShiftFuse(first.conv.in_channels, config.frames), first)
    return channels_last(encoder)
