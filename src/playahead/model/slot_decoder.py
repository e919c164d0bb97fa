"""Slots that ask the memory what is coming (docs/paper.md 1.3).

Axes: O examples, M memory steps, K slots, D model.
"""

import torch
from torch import Tensor, nn

from playahead.model.config import AnticipatorConfig
from playahead.model.layers import Attention, FeedForward, Residual


class SlotLayer(nn.Module):
    """Cross-attention to the memory, self-attention among slots, feed-forward; pre-LN (C)."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.norm_cross = nn.LayerNorm(config.d_model)
        self.cross = Attention(config.d_model, config.heads, config.dropout)
        self.norm_self = nn.LayerNorm(config.d_model)
        self.attention = Attention(config.d_model, config.heads, config.dropout)
        self.norm_ffn = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config.d_model, config.ffn_dim, config.dropout)
        self.residual = Residual(config.dropout)

    def forward(self, slots_OKD: Tensor, memory_OMD: Tensor) -> Tensor:
        """(O, K, D), (O, M, D) -> (O, K, D)."""
        slots_OKD = self.residual(slots_OKD, self.cross(self.norm_cross(slots_OKD), memory_OMD))
        normed_OKD = self.norm_self(slots_OKD)
        slots_OKD = self.residual(slots_OKD, self.attention(normed_OKD, normed_OKD))
        return self.residual(slots_OKD, self.ffn(self.norm_ffn(slots_OKD)))


class SlotDecoder(nn.Module):
    """K learned queries, shifted by what was seen, through the decoder layers.

    Eq. (1): q_k = e_k + alpha * W_c c, with c the GRU's last state (C). alpha = 0 is the static-query ablation.
    """

    def __init__(self, config: AnticipatorConfig, n_slots: int) -> None:
        super().__init__()
        self.alpha = float(config.conditioned)
        self.embedding_KD = nn.Parameter(torch.empty(n_slots, config.d_model))
        self.condition = nn.Linear(config.d_model, config.d_model, bias=False)
        self.condition.requires_grad_(config.conditioned)  # unused, it would stop several devices
        self.layers = nn.ModuleList(SlotLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.d_model)

    def forward(self, memory_OMD: Tensor, context_OD: Tensor) -> Tensor:
        """memory_OMD to attend to, context_OD to condition on -> slots_OKD."""
        slots_OKD = self.embedding_KD.expand(memory_OMD.shape[0], -1, -1)  # an exporter would take len() for a constant
        if self.alpha:
            slots_OKD = slots_OKD + self.alpha * self.condition(context_OD)[:, None]
        for layer in self.layers:
            slots_OKD = layer(slots_OKD, memory_OMD)
        return self.norm(slots_OKD)
