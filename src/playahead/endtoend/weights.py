"""Weights that were trained end to end, as a predictor."""

from pathlib import Path
from typing import Any

from playahead.endtoend.network import EndToEnd, EndToEndModelConfig
from playahead.errors import InputError
from playahead.inference.predictor import Predictor
from playahead.model.config import AnticipatorConfig
from playahead.tensorfile import read_tensors

KIND = "end to end"


def open_end_to_end(path: Path) -> Predictor:
    """A predictor on frames.

    Raises:
        InputError: missing, damaged, or weights of another kind.
    """
    tensors, about = read_tensors(path)
    if about.get("kind") != KIND:
        raise InputError(path, "was not trained end to end", "give --features that it was trained on")
    try:
        settings: dict[str, Any] = dict(about["model"])
        settings |= {"anticipator": AnticipatorConfig(**settings["anticipator"]), "imagenet": False}
        network = EndToEnd(EndToEndModelConfig(**settings))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as reason:
        raise InputError(path, f"not a model of this version ({' '.join(str(reason).split())[:200]})") from None
    return Predictor(network, about, path)
