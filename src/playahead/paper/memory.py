"""1.2 e to j: from encoded windows to the memory, to which the slots attend.

Axes: B sequences, W windows of a sequence or of an example, P = B x W, O examples, N snippets, S summaries of a window,
D model, M = W x S memory steps.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from playahead.paper.config import ModelConfig


class Memory(NamedTuple):
    """Input of the slot decoder."""

    steps_OMD: Tensor  # memory of each example, oldest step first
    context_OD: Tensor  # c of Eq. (1)


class ObservationMemory(nn.Module):
    """Runs a GRU in time order over the windows' summaries, each scaled by its window's importance."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_windows, self.n_summaries = config.n_windows, config.summaries
        self.gru = nn.GRU(config.d_model, config.d_model, batch_first=True)
        self.importance_W = nn.Parameter(torch.empty(config.n_windows))

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.constant_(self.importance_W, 2.0)

    def forward(self, tokens_BWND: Tensor) -> Memory:
        """Tokens of every window of B sequences -> the memory of every example in them."""
        # Summarise each window once, however many examples look at it.
        summaries_OWSD = examples_of(summarise(tokens_BWND, self.n_summaries), self.n_windows)
        # A learned scalar per window, through a sigmoid, scales all of its summaries before the GRU (1.2 g, h, j).
        summaries_OWSD = summaries_OWSD * self.importance_W.sigmoid()[:, None, None]
        memory_OMD = run_gru(self.gru, summaries_OWSD.flatten(1, 2))  # the GRU's outputs are the memory (1.2 i)
        return Memory(memory_OMD, memory_OMD[:, -1])  # its last state is the context c (1.3 b)


def run_gru(gru: nn.GRU, steps_OMD: Tensor) -> Tensor:
    """Outputs of a GRU at every step, in float32: CUDA's autocast would run it in half precision."""
    with torch.autocast(steps_OMD.device.type, enabled=False):
        return gru(steps_OMD.float())[0]


def summarise(tokens_BWND: Tensor, count: int) -> Tensor:
    """Adaptive average pooling of each window's N tokens to S -> summaries_BWSD (1.2 e)."""
    # Written out because the backward pass of PyTorch's own pooling is not deterministic on CUDA.
    tokens_PND, n = tokens_BWND.flatten(0, 1), tokens_BWND.shape[2]
    starts, stops = [s * n // count for s in range(count)], [-(-(s + 1) * n // count) for s in range(count)]
    parts = [tokens_PND[:, start:stop].mean(dim=1) for start, stop in zip(starts, stops, strict=True)]
    return torch.stack(parts, dim=1).unflatten(0, tokens_BWND.shape[:2])


def examples_of(windows_BWSD: Tensor, n_windows: int) -> Tensor:
    """Every run of ``n_windows`` consecutive windows of a sequence is an example -> (O, n_windows, S, D)."""
    runs = windows_BWSD.unfold(1, n_windows, 1)  # (B, W - n_windows + 1, S, D, n_windows)
    return runs.permute(0, 1, 4, 2, 3).flatten(0, 1)
