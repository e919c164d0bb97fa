"""Weights by their name on the Hugging Face Hub: ``org/name``."""

import re
from pathlib import Path

from playahead.io.errors import InputError

WEIGHTS_NAME = "weights.safetensors"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def is_on_hub(name: Path | str) -> bool:
    """Check whether a name can only be one on the hub: no file, no folder to hold one, no weights file's suffix."""
    path, text = Path(name), Path(name).as_posix()
    if path.exists() or path.parent.exists() or path.suffix in (".safetensors", ".pth", ".onnx"):
        return False
    return bool(_NAME.fullmatch(text))


def weights_file(name: Path | str) -> Path:
    """A file as it is; of a name on the hub, the weights in its repository, fetched once and kept in the hub's cache.

    Raises:
        InputError: there is no such repository, no weights in it, or no connection.
    """
    if not is_on_hub(name):
        return Path(name)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    repository = Path(name).as_posix()
    try:
        return Path(hf_hub_download(repository, WEIGHTS_NAME))
    except LocalEntryNotFoundError:
        what = f"is no file, and the Hugging Face Hub cannot be reached to look for {repository}"
        raise InputError(name, what, "is the path right?") from None
    except RepositoryNotFoundError:
        what = "is no file, and no model of that name is on the Hugging Face Hub"
        raise InputError(name, what, "is the name right? Private ones need hf auth login") from None
    except EntryNotFoundError:
        raise InputError(name, f"holds no {WEIGHTS_NAME} on the Hugging Face Hub") from None
    except HFValidationError:
        raise InputError(name, "is no file, and no name that the Hugging Face Hub allows") from None
    except (HfHubHTTPError, OSError) as reason:
        raise InputError(
            name, f"cannot be fetched from the Hugging Face Hub ({' '.join(str(reason).split())})"
        ) from None
