"""Batch-norm statistics of averaged weights: an average of statistics is not theirs, and is far off (docs/log.md)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def refresh_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Reckon the statistics anew on these batches; the model is left in evaluation mode."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over what follows
    model.train()
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
