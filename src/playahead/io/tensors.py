"""Tensors with a JSON description on disk: safetensors files, written whole or not at all."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from playahead.io.arrays import read_arrays
from playahead.io.errors import InputError
from playahead.io.files import FORMAT, atomic_write

Network = TypeVar("Network", bound=nn.Module)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Write tensors with a JSON description.

    Raises:
        InputError: the folder cannot be written or the disk is full.
    """
    metadata = {"about": json.dumps({**about, "format": FORMAT})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, part, metadata)
    except (OSError, SafetensorError) as reason:
        raise InputError(path, f"cannot write ({reason})", "is the disk full?") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the description that ``write_tensors`` wrote.

    Raises:
        InputError: missing or damaged file, or not written by ``write_tensors``.
    """
    return read_arrays(path, "pt")


def fill(make: Callable[[], Network], tensors: Mapping[str, Tensor], where: object) -> Network:
    """Make a network with the tensors of a file as its weights; nothing is allocated before they are known to fit.

    Args:
        make: function that builds the network.
        tensors: tensors of the file.
        where: the file, for errors.

    Raises:
        InputError: tensors of other names, shapes or kinds, or with NaN or infinity in them.
    """
    try:
        with torch.device("meta"):
            expected = make().state_dict()
    except (RuntimeError, TypeError, ValueError) as reason:  # a size that no tensor can have
        raise InputError(where, f"describes no network ({' '.join(str(reason).split())[:200]})") from None
    if odd := sorted(expected.keys() ^ tensors.keys()):
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        raise InputError(where, f"its tensors do not fit the network: {odd[0]}{more}")
    for name, tensor in tensors.items():
        is_, should_be = ((value.dtype, tuple(value.shape)) for value in (tensor, expected[name]))
        if is_ != should_be:
            what = f"{name} is {is_[0]} {is_[1]} instead of {should_be[0]} {should_be[1]}"
            raise InputError(where, f"its tensors do not fit the network: {what}")
        if not torch.isfinite(tensor).all():
            raise InputError(where, f"{name} holds NaN or infinity", "train again")
    network = make()
    network.load_state_dict(dict(tensors))
    return network
