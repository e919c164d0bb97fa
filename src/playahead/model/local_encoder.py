"""Local Transformer over the snippets of one window, weights shared over windows (docs/paper.md 1.2).

Axes: P windows (of any number of examples), N snippets, F feature, D model, S summaries.
"""

import torch
from torch import Tensor, nn

from playahead.model.config import AnticipatorConfig
from playahead.model.layers import Attention, FeedForward, Residual


class LocalLayer(nn.Module):
    """Pre-LN self-attention and feed-forward, DropPath on both branches."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.d_model)
        self.attention = Attention(config.d_model, config.heads, config.dropout)
        self.norm_ffn = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config.d_model, config.ffn_dim, config.dropout)
        self.residual = Residual(config.dropout, config.drop_path)

    def forward(self, tokens_PND: Tensor, mask_NN: Tensor | None = None) -> Tensor:
        """(P, N, D) -> (P, N, D); ``mask_NN`` is added to the affinities."""
        normed_PND = self.norm_attention(tokens_PND)
        tokens_PND = self.residual(tokens_PND, self.attention(normed_PND, normed_PND, mask_NN))
        return self.residual(tokens_PND, self.ffn(self.norm_ffn(tokens_PND)))


class LocalEncoder(nn.Module):
    """Projection F -> D, learned snippet positions, then the local layers."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        self.project = nn.Linear(config.feature_dim, config.d_model)
        self.position_ND = nn.Parameter(torch.empty(config.n_snippets, config.d_model))
        self.layers = nn.ModuleList(LocalLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)

    def forward(self, features_PNF: Tensor) -> Tensor:
        """features_PNF -> tokens_PND."""
        tokens_PND = self.project(features_PNF) + self.position_ND
        for layer in self.layers:
            tokens_PND = layer(tokens_PND)
        return self.norm(tokens_PND)
