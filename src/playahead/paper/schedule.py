"""1.4 q, r, u, y: AdamW; linear warm-up, then cosine annealing with warm restarts."""

import math

from torch import nn
from torch.optim import AdamW

from playahead.paper.config import ScheduleConfig


def build_adamw(parameters: list[nn.Parameter], config: ScheduleConfig) -> AdamW:
    """AdamW that decays matrices but not vectors (1.4 y)."""
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=config.lr, betas=config.betas, fused=True)


def learning_rate(epoch: float, config: ScheduleConfig, epochs: int) -> float:
    """Learning rate at a fractional epoch. It depends on time alone, so a resumed run cannot drift (1.4 q)."""
    if epoch < config.warmup_epochs:
        return config.lr * epoch / config.warmup_epochs
    since = epoch - config.warmup_epochs
    length = config.restart_epochs or epochs - config.warmup_epochs  # T_0
    while since >= length:
        since -= length
        length *= config.restart_factor  # T_mult
    return config.lr * 0.5 * (1 + math.cos(math.pi * since / length))
