"""The backbone made fast for inference; the same features within float32's or bfloat16's rounding.

Batch norms are folded into the convolutions before them, and tensors lie channels-last in two and three dimensions.

Axes: X stacks, J frames of a stack, B snippets, S stacks of a snippet, C channels, H, W, F features.
"""

import copy
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from playahead.backbone.exported import SPOT_BATCH
from playahead.backbone.network import Backbone
from playahead.io.errors import InputError
from playahead.io.runtime import float32_as

Precision = Literal["float32", "tf32", "bfloat16"]
Conv = nn.Conv2d | nn.Conv3d
Norm = nn.BatchNorm2d | nn.BatchNorm3d
BFLOAT16_TOLERANCE = 0.01
"""Relative error (norm of the difference over the norm) that bfloat16 features stay within."""


class FastBackbone:
    """A frozen copy of a backbone. Uint8 frames in, float16 features out.

    Args:
        backbone: in evaluation mode; it is left as it is.
        precision: precision of the arithmetic. On CUDA, "float32" never rounds to TF32, and "tf32" does so only during
            a call: an anticipator beside a TF32 backbone stays float32.
        compiled: whether to use ``torch.compile``; the first window takes a minute or two.
        device: "cpu", "cuda" ...
    """

    def __init__(
        self, backbone: Backbone, precision: Precision = "float32", compiled: bool = False, device: str = "cpu"
    ) -> None:
        self.config, self.precision, self.device = backbone.config, precision, torch.device(device)
        if precision == "tf32" and self.device.type != "cuda":
            raise InputError("precision", "tf32 is for CUDA", "choose float32 or bfloat16")
        self.kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self.classifier = copy.deepcopy(backbone.classifier).to(self.device)
        folded = channels_last(fold_batch_norms(backbone).to(self.device, self.kind))
        folded.global_pool = copy.deepcopy(backbone.global_pool).to(self.device, torch.float32)  # bfloat16 rounds p
        self.encode_stacks = torch.compile(folded.encode_stacks) if compiled else folded.encode_stacks
        self.fuse = torch.compile(folded.fuse) if compiled else folded.fuse

    @property
    def feature_dim(self) -> int:
        """F."""
        return self.config.feature_dim

    @torch.inference_mode()
    def encoded(self, stacks_XJHW: NDArray[np.uint8]) -> list[Tensor]:
        """Maps of uint8 stacks, on the device."""
        return [maps_CHW.clone() for maps_CHW in self.maps(torch.from_numpy(stacks_XJHW))]

    @torch.inference_mode()
    def snippets(self, maps: Sequence[Tensor], stack_of_snippet_BS: NDArray[np.intp]) -> NDArray[np.float16]:
        """features_BF of snippets made of these maps."""
        maps_XCHW = torch.stack(list(maps)).contiguous(memory_format=torch.channels_last)
        return self.fused(maps_XCHW, torch.from_numpy(stack_of_snippet_BS), len(stack_of_snippet_BS))

    def spot(self, features_BF: NDArray[np.float16]) -> NDArray[np.float32]:
        """scores_BC of the spotting classifier at the snippets' centres."""
        filled_BF = np.concatenate([features_BF, np.zeros((-len(features_BF) % SPOT_BATCH, features_BF.shape[1]))])
        with torch.inference_mode():
            pieces = torch.from_numpy(filled_BF).float().to(self.device).split(SPOT_BATCH)
            logits_BC = torch.cat([self.classifier(piece) for piece in pieces])
        return logits_BC.float().sigmoid().cpu().numpy()[: len(features_BF)]

    def maps(self, stacks_XJHW: Tensor) -> Tensor:
        """uint8 stacks -> maps_XCHW."""
        with float32_as(self.precision):
            return self.encode_stacks(self.scaled(stacks_XJHW))

    def scaled(self, stacks_XJHW: Tensor) -> Tensor:
        """uint8 stacks -> values in [0, 1], channels-last, on the device."""
        laid_out = stacks_XJHW.to(self.device).contiguous(memory_format=torch.channels_last)
        return laid_out.to(self.kind).div_(255)

    def fused(self, maps_XCHW: Tensor, stack_of_snippet_BS: Tensor, batch_snippets: int) -> NDArray[np.float16]:
        """features_BF of snippets made of these maps."""
        with float32_as(self.precision):
            parts = [self.fuse(maps_XCHW[part]) for part in stack_of_snippet_BS.to(self.device).split(batch_snippets)]
        return torch.cat(parts).to(torch.float16).cpu().numpy()


Network = TypeVar("Network", bound=nn.Module)


def channels_last(network: Network) -> Network:
    """The same network, its weights laid out so that convolutions work channels-last."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.ndim in formats:
            parameter.data = parameter.data.contiguous(memory_format=formats[parameter.ndim])
    return network


def fold_batch_norms(backbone: Backbone) -> Backbone:
    """Copy a backbone with every batch norm folded into the convolution that feeds it.

    A trial run shows which convolution that is; names do not.
    """
    folded = copy.deepcopy(backbone).cpu().eval().requires_grad_(False)
    for conv, norm in _pairs(folded):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        conv.weight, conv.bias = fuse_conv_bn_weights(  # type: ignore[assignment]
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
    for name, module in list(folded.named_modules()):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            parent, _, leaf = name.rpartition(".")
            setattr(folded.get_submodule(parent), leaf, getattr(module, "act", nn.Identity()))
    return folded


@torch.inference_mode()
def _pairs(backbone: Backbone) -> list[tuple[Conv, Norm]]:
    """Each batch norm with the convolution whose output it was given in a trial run."""
    made: dict[int, tuple[Conv, Tensor]] = {}  # by the output's id; the tensor stays alive, so that its id is unique
    pairs: list[tuple[Conv, Norm]] = []

    def after_conv(module: Conv, _: object, output: Tensor) -> None:
        made[id(output)] = (module, output)

    def before_norm(module: Norm, inputs: tuple[Tensor, ...]) -> None:
        if id(inputs[0]) not in made:
            raise RuntimeError("a batch norm that no convolution feeds cannot be folded")
        pairs.append((made[id(inputs[0])][0], module))

    hooks = []
    for module in backbone.modules():
        if isinstance(module, (nn.Conv2d, nn.Conv3d)):
            hooks.append(module.register_forward_hook(after_conv))
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            hooks.append(module.register_forward_pre_hook(before_norm))
    frames = backbone.config.stacks * backbone.config.stack_frames
    backbone.snippet_features(torch.zeros(1, frames, 64, 64))
    for hook in hooks:
        hook.remove()
    return pairs
