"""1.3 a to h: slots that query the memory, and the heads that say whether, what and when.

Axes: O examples, M memory steps, K slots, D model, C classes (10), T offset bins.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from playahead.domain.actions import ACTIONS
from playahead.paper.config import ModelConfig
from playahead.paper.encoder import Attention, FeedForward, Residual
from playahead.paper.memory import Memory

RARE_LOGIT = -3.0  # first bias of "something happens here": about 5 %


class SlotLayer(nn.Module):
    """Cross-attention to the memory, self-attention among the slots, feed-forward; pre-LN (1.3 e)."""

    def __init__(self, config: ModelConfig) -> None:
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
    """K queries, all shifted by the observation's context, which go through the decoder layers."""

    def __init__(self, config: ModelConfig, n_slots: int) -> None:
        super().__init__()
        self.alpha = float(config.conditioned)
        self.embedding_KD = nn.Parameter(torch.empty(n_slots, config.d_model))  # e_k
        self.condition = nn.Linear(config.d_model, config.d_model, bias=False)  # W_c
        self.condition.requires_grad_(config.conditioned)  # or training on several devices would wait for its gradient
        self.layers = nn.ModuleList(SlotLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.d_model)

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.trunc_normal_(self.embedding_KD, std=0.5)

    def forward(self, memory: Memory) -> Tensor:
        """Memory of O examples -> slots_OKD."""
        slots_OKD = self.embedding_KD.expand(memory.steps_OMD.shape[0], -1, -1)  # len() would export as a constant
        if self.alpha:
            # Eq. (1): q_k = e_k + alpha * W_c c  (1.3 a, c)
            slots_OKD = slots_OKD + self.alpha * self.condition(memory.context_OD)[:, None]
        for layer in self.layers:
            slots_OKD = layer(slots_OKD, memory.steps_OMD)
        return self.norm(slots_OKD)


class SlotLogits(NamedTuple):
    """Logits of Eqs. (2)-(4); the losses and the predictor apply the sigmoid and the softmaxes."""

    objectness_OK: Tensor
    class_OKC: Tensor
    offset_OKT: Tensor


class SlotHeads(nn.Module):
    """Three independent linear heads of each slot s_k (1.3 g)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.objectness = nn.Linear(config.d_model, 1)
        self.action = nn.Linear(config.d_model, len(ACTIONS))
        self.offset = nn.Linear(config.d_model, config.bins)

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.constant_(self.objectness.bias, RARE_LOGIT)

    def forward(self, slots_OKD: Tensor) -> SlotLogits:
        """slots_OKD -> logits."""
        return SlotLogits(
            self.objectness(slots_OKD).squeeze(-1),  # Eq. (2): o_k = sigmoid(w_o s_k + b_o)
            self.action(slots_OKD),  # Eq. (3): p_k = softmax(W_p s_k + b_p)
            self.offset(slots_OKD),  # Eq. (4): r_k = softmax(W_r s_k + b_r)
        )
