"""A training run's state as flat tensors."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def pack_state(model: nn.Module, average: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Everything that a step changes, as flat names: weights, their average, the optimisers' moments."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for n, optimizer in enumerate(optimizers):
        for index, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{n}.{index}.{name}": value for name, value in moments.items()}
    return tensors


def unpack_state(
    tensors: Mapping[str, Tensor], model: nn.Module, average: nn.Module, optimizers: Sequence[Optimizer]
) -> None:
    """Put back what ``pack_state`` took."""
    model.load_state_dict(_under(tensors, "model."))
    average.load_state_dict(_under(tensors, "average."))
    for n, optimizer in enumerate(optimizers):
        _put_back(_under(tensors, f"optimizer.{n}."), optimizer)


def _put_back(moments: Mapping[str, Tensor], optimizer: Optimizer) -> None:
    state = optimizer.state_dict()
    state["state"] = {}
    for name, value in moments.items():
        index, moment = name.split(".")
        state["state"].setdefault(int(index), {})[moment] = value
    optimizer.load_state_dict(state)
    for parameter, held in optimizer.state.items():
        for name, moment in held.items():
            if moment.shape == parameter.shape:  # fused AdamW walks both in memory order: they must lie alike
                held[name] = torch.empty_like(parameter, dtype=moment.dtype).copy_(moment)


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): torch.clone(v) for n, v in tensors.items() if n.startswith(prefix)}
