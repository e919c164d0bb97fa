"""The optimisers and their learning rate: linear warm-up, then cosine cycles with restarts (docs/paper.md 1.4)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from playahead.io.errors import InputError
from playahead.io.settings import check_choices


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """The optimiser.

    Attributes:
        kind: "adamw" (P), or "muon": the layers' matrices step along their orthogonalised momentum, all else by AdamW.
            Both step equally far, so a learning rate means the same.
        lr: peak learning rate (L: 2e-4).
        weight_decay: on matrices (L: 1e-2); vectors and biases are not decayed (C).
        warmup_epochs: linear from 0 (P: 5).
        restart_epochs: T_0, length of the first cosine cycle (L: 10); None is one cycle to the run's end.
        restart_factor: T_mult, each cycle is so many times longer than the one before (L: 2).
        clip_norm: gradients are scaled down to this norm (L: 1).
        betas: of AdamW, how slowly its moments forget (AdamW's own defaults: the paper names none).
    """

    kind: Literal["adamw", "muon"] = "adamw"
    lr: float = 2e-4
    weight_decay: float = 1e-2
    warmup_epochs: float = 5.0
    restart_epochs: float | None = 10.0
    restart_factor: int = 2
    clip_norm: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        check_choices(self, "optim")
        if self.restart_epochs is not None and not 0 < self.restart_epochs < math.inf:
            raise InputError("optim.restart_epochs", f"{self.restart_epochs} is not above 0")
        if self.restart_factor < 1:
            raise InputError("optim.restart_factor", f"{self.restart_factor} is below 1")
        for name in ("lr", "weight_decay", "warmup_epochs"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"optim.{name}", f"{getattr(self, name)} is not a number of 0 or more")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise InputError("optim.betas", f"{self.betas} are not in [0, 1)")
        if not self.clip_norm > 0:
            raise InputError("optim.clip_norm", f"{self.clip_norm} is not above 0")


def build_optimizers(model: nn.Module, config: OptimConfig) -> list[Optimizer]:
    """One, or two that share the parameters between them; decay on matrices only."""
    layers = list(_layer_matrices(model)) if config.kind == "muon" else []
    taken = {id(matrix) for matrix in layers}
    others = [p for p in model.parameters() if id(p) not in taken]
    groups = [
        {"params": [p for p in others if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in others if p.ndim < 2], "weight_decay": 0.0},
    ]
    adamw = AdamW(groups, lr=config.lr, betas=config.betas, fused=True)
    if not layers:
        return [adamw]
    muon = Muon(layers, lr=config.lr, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw")
    return [muon, adamw]


def _layer_matrices(model: nn.Module) -> Iterator[nn.Parameter]:
    """Matrices that map features to features: not embeddings, positions or convolutions."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.GRU)):
            yield from (p for p in module.parameters(recurse=False) if p.ndim == 2)


def learning_rate(epoch: float, config: OptimConfig, epochs: int) -> float:
    """Learning rate at a fractional epoch of a run: a function of time alone, so a resumed run cannot drift."""
    if epoch < config.warmup_epochs:
        return config.lr * epoch / config.warmup_epochs
    since = epoch - config.warmup_epochs
    length = config.restart_epochs or epochs - config.warmup_epochs
    while since >= length:
        since -= length
        length *= config.restart_factor
    return config.lr * 0.5 * (1 + math.cos(math.pi * since / length))
