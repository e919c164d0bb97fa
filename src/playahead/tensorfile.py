"""Tensors with a JSON description on disk: safetensors, whole or not there at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from playahead.errors import InputError
from playahead.files import atomic_write, names_in_memory, names_on_disk


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Write tensors with a JSON description.

    Raises:
        InputError: the folder cannot be written or the disk is full.
    """
    metadata = {"about": json.dumps(names_on_disk(about))}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            save_file({name: value.detach().contiguous() for name, value in tensors.items()}, part, metadata)
    except (OSError, SafetensorError) as reason:
        raise InputError(path, f"cannot write ({reason})", "is the disk full?") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What ``write_tensors`` wrote.

    Raises:
        InputError: no such file, a damaged one, or not one of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = names_in_memory(json.loads((file.metadata() or {}).get("about", "null")))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (SafetensorError, OSError, ValueError) as reason:
        raise InputError(path, f"not a readable safetensors file ({reason})") from None
    if not isinstance(about, dict):
        raise InputError(path, "no description inside", "was it written by playahead?")
    return tensors, about
