"""Encoded windows -> the memory that the slots read (docs/paper.md 1.2).

Axes: O examples, W windows (6, or fewer), N snippets, S summaries per window, D model, M = W x S memory steps.
"""

import torch
from torch import Tensor, nn

from playahead.model.config import AnticipatorConfig


class ObservationMemory(nn.Module):
    """Adaptive average pooling to S summaries, window importance, then a GRU in time order."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.summaries = config.summaries
        self.last_only = config.memory == "last"
        self.gru = nn.GRU(config.d_model, config.d_model, batch_first=True) if config.memory == "gru" else None
        self.on_outputs = config.importance_on == "outputs"
        self.importance_W = nn.Parameter(torch.empty(config.n_windows)) if config.window_importance else None

    def summarise(self, tokens_PND: Tensor) -> Tensor:
        """tokens_PND -> summaries_PSD, one window at a time."""
        # Adaptive average pooling by hand: CUDA's own has a backward pass that is not deterministic.
        n, count = tokens_PND.shape[1], self.summaries
        starts, stops = [s * n // count for s in range(count)], [-(-(s + 1) * n // count) for s in range(count)]
        parts = [tokens_PND[:, start:stop].mean(dim=1) for start, stop in zip(starts, stops, strict=True)]
        return torch.stack(parts, dim=1)

    def forward(self, summaries_OWSD: Tensor) -> tuple[Tensor, Tensor]:
        """Summaries of each example's windows -> memory_OMD, oldest step first, and its context_OD."""
        if not self.on_outputs:
            summaries_OWSD = self._weighed(summaries_OWSD)
        if self.last_only:
            summaries_OWSD = summaries_OWSD[:, -1:]
        if self.gru is None:
            return summaries_OWSD.flatten(1, 2), summaries_OWSD.mean(dim=(1, 2))
        with torch.autocast(summaries_OWSD.device.type, enabled=False):  # CUDA's would run it in float16
            memory_OMD, _ = self.gru(summaries_OWSD.flatten(1, 2).float())
        if self.on_outputs:
            memory_OMD = self._weighed(memory_OMD.unflatten(1, summaries_OWSD.shape[1:3])).flatten(1, 2)
        return memory_OMD, memory_OMD[:, -1]

    def _weighed(self, steps_OWSD: Tensor) -> Tensor:
        """All steps of a window, scaled by its importance."""
        return steps_OWSD if self.importance_W is None else steps_OWSD * self.importance_W.sigmoid()[:, None, None]
