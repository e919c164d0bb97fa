"""A backbone -> two ONNX graphs: stacks of frames, and snippets of five stacks' maps.

Axes: X stacks, J frames, H, W, C channels, B snippets, S stacks, F features.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from playahead.backbone.fast import fold_batch_norms
from playahead.backbone.network import Backbone
from playahead.live.export.graphs import export_graph
from playahead.video.input_size import InputSize

STACKS, SNIPPETS = "stacks.onnx", "snippets.onnx"


def export_backbone(backbone: Backbone, input_size: InputSize, out: Path) -> dict[str, float]:
    """Write both graphs for frames of one size.

    Args:
        backbone: to export.
        input_size: of its frames.
        out: folder.

    Returns:
        The largest difference from PyTorch of each graph.

    Raises:
        InputError: the folder cannot be written, or answers differ.
    """
    folded, config = fold_batch_norms(backbone), backbone.config
    stacks_XJHW = torch.zeros(2, config.stack_frames, input_size.height, input_size.width, dtype=torch.uint8)
    with torch.inference_mode():
        maps_XCHW = folded.encode_stacks(stacks_XJHW.float())
    maps_BSCHW = torch.zeros(2, config.stacks, *maps_XCHW.shape[1:])
    return {
        STACKS: export_graph(_Stacks(folded), stacks_XJHW, out / STACKS, ["maps"]),
        SNIPPETS: export_graph(_Snippets(folded), maps_BSCHW, out / SNIPPETS, ["snippet_features"]),
    }


class _Stacks(nn.Module):
    """uint8 stacks_XJHW -> maps_XCHW."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, stacks_XJHW: Tensor) -> Tensor:
        return self.backbone.encode_stacks(stacks_XJHW.float() / 255)


class _Snippets(nn.Module):
    """maps_BSCHW -> features_BF."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, maps_BSCHW: Tensor) -> Tensor:
        return self.backbone.fuse(maps_BSCHW)
