"""Tensors with a JSON description on disk: safetensors, written aside and renamed, never half there."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from playahead.errors import InputError


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Write tensors with a JSON description; the file appears whole or not at all.

    Raises:
        InputError: the folder cannot be written or the disk is full.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"about": json.dumps(about)}
        save_file({k: v.detach().contiguous() for k, v in tensors.items()}, part, metadata)
        part.replace(path)
    except (OSError, SafetensorError) as reason:
        part.unlink(missing_ok=True)
        raise InputError(path, f"cannot write ({reason})", "is the disk full?") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    """What ``write_tensors`` wrote.

    Raises:
        InputError: no such file, a damaged one, or not one of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (SafetensorError, OSError, ValueError) as reason:
        raise InputError(path, f"not a readable safetensors file ({reason})") from None
    if not isinstance(about, dict):
        raise InputError(path, "no description inside", "was it written by playahead?")
    return tensors, about
