"""Weights that were trained end to end, as a predictor."""

from dataclasses import replace
from pathlib import Path

from playahead.endtoend.network import EndToEnd, EndToEndModelConfig
from playahead.errors import InputError
from playahead.inference.predictor import Predictor
from playahead.settings import build
from playahead.tensorfile import fill, read_tensors

KIND = "end to end"


def open_end_to_end(path: Path) -> Predictor:
    """A predictor on frames.

    Raises:
        InputError: missing, damaged, or weights of another kind.
    """
    tensors, about = read_tensors(path)
    if about.get("kind") != KIND:
        raise InputError(path, "was not trained end to end", "give --features that it was trained on")
    config = replace(build(EndToEndModelConfig, about.get("model"), f"{path}: model"), imagenet=False)
    return Predictor(fill(lambda: EndToEnd(config), tensors, path), about, path)
