"""FAANTRA's encoder: every step of an observation in one row, each seeing its neighbours (arXiv 2504.12021).

Axes: O examples, L steps (windows x snippets), F feature, D model.
"""

import torch
from torch import Tensor, nn

from playahead.model.config import AnticipatorConfig
from playahead.model.local_encoder import LocalLayer

NEIGHBOURS = 15
"""Steps that a step attends to, itself in the middle."""


class StepEncoder(nn.Module):
    """Projection F -> D, then local layers, each with learned positions of its own."""

    def __init__(self, config: AnticipatorConfig) -> None:
        super().__init__()
        steps = config.n_windows * config.n_snippets
        self.project = nn.Linear(config.feature_dim, config.d_model)
        self.position_XLD = nn.Parameter(torch.empty(config.encoder_layers, steps, config.d_model))
        self.layers = nn.ModuleList(LocalLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)
        place_L = torch.arange(steps)
        is_far_LL = (place_L[:, None] - place_L).abs() > NEIGHBOURS // 2
        self.register_buffer("far_LL", torch.zeros(steps, steps).masked_fill(is_far_LL, -torch.inf), persistent=False)

    def forward(self, features_OLF: Tensor) -> Tensor:
        """features_OLF -> tokens_OLD."""
        tokens_OLD = self.project(features_OLF)
        for position_LD, layer in zip(self.position_XLD, self.layers, strict=True):
            tokens_OLD = layer(tokens_OLD + position_LD, self.far_LL)
        return self.norm(tokens_OLD)
