"""A window's frames -> its features, on whatever the machine has.

Axes: T frames, H, W, X stacks, J frames of a stack, N snippets, F features.
"""

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from playahead.backbone.fast import FastBackbone
from playahead.domain.grid import GRID


class WindowEncoder:
    """Encodes windows one at a time: a window's features depend on nothing but its frames."""

    def __init__(self, backbone: FastBackbone, batch_stacks: int) -> None:
        self.backbone, self.batch_stacks = backbone, batch_stacks
        first_X = torch.tensor(GRID.stack_starts_frames)
        self._frames_XJ = first_X[:, None] + torch.arange(GRID.stack_frames) * GRID.snippet_step
        self.stacks_NS = torch.tensor(GRID.stacks_of_snippets)

    @torch.inference_mode()
    def encode(self, frames_THW: NDArray[np.uint8]) -> NDArray[np.float16]:
        """features_NF of the 125 frames of a window."""
        return self.backbone.window_features(self.stacks(frames_THW), self.stacks_NS, self.batch_stacks)

    def stacks(self, frames_THW: NDArray[np.uint8]) -> torch.Tensor:
        """stacks_XJHW: the 41 distinct stacks of a window, uint8."""
        return torch.from_numpy(frames_THW)[self._frames_XJ]


def window_key(frames_THW: NDArray[np.uint8]) -> str:
    """Name of a window's content: hash of its size and pixels."""
    digest = hashlib.sha256(repr(frames_THW.shape).encode())
    digest.update(frames_THW.tobytes())
    return digest.hexdigest()
