"""1.2 a to d: a local Transformer over the snippets of each window, with the same weights for all windows.

Axes: B sequences, W windows, P = B x W, N snippets, F features, D model, H heads, Q queries, S source steps.
"""

import torch
from torch import Tensor, nn

from playahead.paper.config import ModelConfig


class Attention(nn.Module):
    """Multi-head attention of queries to a source, written out because a fused kernel is slower here (docs/log.md)."""

    def __init__(self, d_model: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.query = nn.Linear(d_model, d_model)
        self.key_value = nn.Linear(d_model, 2 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, query_BQD: Tensor, source_BSD: Tensor, mask_QS: Tensor | None = None) -> Tensor:
        """(B, Q, D), (B, S, D) -> (B, Q, D); ``mask_QS`` is added to the affinities; -inf hides a source step."""
        query = self._split(self.query(query_BQD))
        key, value = (self._split(half) for half in self.key_value(source_BSD).chunk(2, dim=-1))
        affinity_BHQS = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        if mask_QS is not None:
            affinity_BHQS = affinity_BHQS + mask_QS
        mixed = self.dropout(affinity_BHQS.softmax(dim=-1).to(value.dtype)) @ value
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, x_BSD: Tensor) -> Tensor:
        return x_BSD.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Linear, GELU, dropout, linear."""

    def __init__(self, d_model: int, hidden: int, dropout: float) -> None:
        super().__init__(nn.Linear(d_model, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, d_model))


class Residual(nn.Module):
    """Dropout on a residual branch, then DropPath: a sample skips the whole branch at rate ``drop_path`` (1.2 c)."""

    def __init__(self, dropout: float, drop_path: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.drop_path = drop_path

    def forward(self, x_BSD: Tensor, branch_BSD: Tensor) -> Tensor:
        """x + branch, (B, S, D)."""
        branch_BSD = self.dropout(branch_BSD)
        if self.training and self.drop_path:
            stays_B11 = torch.rand(len(x_BSD), 1, 1, device=x_BSD.device) >= self.drop_path
            branch_BSD = branch_BSD * (stays_B11 / (1 - self.drop_path)).to(branch_BSD.dtype)
        return x_BSD + branch_BSD


class LocalLayer(nn.Module):
    """Pre-LN self-attention, then feed-forward, with DropPath on both branches."""

    def __init__(self, config: ModelConfig) -> None:
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
    """A projection, learned snippet positions, and layers that see one window at a time."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.project = nn.Linear(config.feature_dim, config.d_model)
        self.position_ND = nn.Parameter(torch.empty(config.n_snippets, config.d_model))
        self.layers = nn.ModuleList(LocalLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)

    def init_parameters(self) -> None:
        """See ``Anticipator.init_weights``."""
        nn.init.trunc_normal_(self.position_ND, std=0.2)

    def forward(self, features_BWNF: Tensor) -> Tensor:
        """features_BWNF -> tokens_BWND, each window by itself."""
        # F -> D, plus a learned embedding for each of the N positions (1.2 a); windows share all weights (1.2 b).
        tokens_PND = self.project(features_BWNF.flatten(0, 1)) + self.position_ND
        for layer in self.layers:
            tokens_PND = layer(tokens_PND)
        return self.norm(tokens_PND).unflatten(0, features_BWNF.shape[:2])
