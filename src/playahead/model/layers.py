"""The blocks that encoder and decoder share.

Axes: B batch, H heads, Q queries, S source steps, D model.
"""

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of queries to a source; self-attention when both are the same.

    Written out rather than through ``scaled_dot_product_attention``: at 33 steps there is nothing for a fused
    kernel to save, and on a CPU its backward pass alone took 43 % of a training step (docs/log.md).
    """

    def __init__(self, d_model: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.query = nn.Linear(d_model, d_model)
        self.key_value = nn.Linear(d_model, 2 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, query_BQD: Tensor, source_BSD: Tensor, mask_QS: Tensor | None = None) -> Tensor:
        """(B, Q, D), (B, S, D) -> (B, Q, D); ``mask_QS`` is added to the affinities, -inf hides a source."""
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
    """Dropout, then stochastic depth per sample, on a residual branch (DropPath, docs/paper.md 1.2)."""

    def __init__(self, dropout: float, drop_path: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.drop_path = drop_path

    def forward(self, x_BSD: Tensor, branch_BSD: Tensor) -> Tensor:
        """x + branch, the whole branch dropped for a sample with probability ``drop_path``."""
        branch_BSD = self.dropout(branch_BSD)
        if self.training and self.drop_path:
            kept_B11 = torch.rand(len(x_BSD), 1, 1, device=x_BSD.device) >= self.drop_path
            branch_BSD = branch_BSD * (kept_B11 / (1 - self.drop_path)).to(branch_BSD.dtype)
        return x_BSD + branch_BSD
