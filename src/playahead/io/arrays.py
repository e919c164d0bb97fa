"""Arrays with a JSON description on disk: safetensors files, read without PyTorch."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from playahead.io.errors import InputError
from playahead.io.files import require_file, require_format, strict_json


def read_arrays(path: Path, framework: str = "np", only_about: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the arrays and the description that ``io.tensors.write_tensors`` wrote.

    Args:
        path: the file.
        framework: "np" for NumPy arrays, "pt" for PyTorch tensors.
        only_about: read the description alone.

    Raises:
        InputError: missing or damaged file, or not written by ``write_tensors``.
    """
    require_file(path)
    try:
        with safe_open(path, framework=framework) as file:
            about = strict_json((file.metadata() or {}).get("about", "null"))
            arrays = {name: file.get_tensor(name) for name in ([] if only_about else file.keys())}
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as reason:
        raise InputError(path, f"not a readable safetensors file ({reason})") from None
    if not isinstance(about, dict):
        raise InputError(path, "no description inside", "was it written by playahead?")
    require_format(about, path)
    return arrays, about
