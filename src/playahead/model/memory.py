"""Six encoded windows -> the memory that the slots read (PAPER.md 1.2).

Axes: O observations, W windows (6), N clips, S summaries per window, D model, M = W x S memory steps.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playahead.model.config import AnticipatorConfig


class ObservationMemory(nn.Module):
    """Adaptive average pooling to S summaries, window importance, then a GRU in time order."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.summaries = config.summaries
        self.gru = nn.GRU(config.d_model, config.d_model, batch_first=True)
        self.importance_W = nn.Parameter(torch.empty(config.n_windows)) if config.window_importance else None

    def summarise(self, tokens_PND: Tensor) -> Tensor:
        """tokens_PND -> summaries_PSD, one window at a time."""
        return F.adaptive_avg_pool1d(tokens_PND.transpose(1, 2), self.summaries).transpose(1, 2)

    def forward(self, summaries_OWSD: Tensor) -> Tensor:
        """Summaries of each observation's windows -> memory_OMD, oldest step first."""
        if self.importance_W is not None:
            summaries_OWSD = summaries_OWSD * self.importance_W.sigmoid()[:, None, None]
        memory_OMD, _ = self.gru(summaries_OWSD.flatten(1, 2))
        return memory_OMD
