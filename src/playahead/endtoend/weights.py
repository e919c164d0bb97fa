"""Weights that were trained end to end, as a predictor."""

from dataclasses import replace
from pathlib import Path

from playahead.endtoend.network import EndToEnd, EndToEndModelConfig
from playahead.errors import InputError
from playahead.inference.predictor import Predictor
from playahead.runtime import pick_device
from playahead.settings import build
from playahead.tensorfile import fill, read_tensors

KIND = "end to end"


def open_end_to_end(path: Path, device: str = "auto") -> Predictor:
    """A predictor on frames, on the device that is asked for.

    Raises:
        InputError: missing, damaged, or weights of another kind.
    """
    tensors, about = read_tensors(path)
    if about.get("kind") != KIND:
        raise InputError(path, "was not trained end to end", "give --features that it was trained on")
    config = replace(build(EndToEndModelConfig, about.get("model"), f"{path}: model"), imagenet=False)
    return Predictor(fill(lambda: EndToEnd(config), tensors, path).to(pick_device(device)), about, path)
