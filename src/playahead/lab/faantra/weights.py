"""Weights that were trained end to end, as a predictor."""

from dataclasses import replace
from pathlib import Path

from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.runtime import pick_device
from playahead.io.settings import build
from playahead.io.tensors import fill, read_tensors
from playahead.lab.faantra.network import EndToEnd, EndToEndModelConfig

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
