"""Models and training states as tensor files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from playahead.errors import InputError
from playahead.features.feed import FEATURE_NAMES
from playahead.model.anticipator import Anticipator
from playahead.model.config import AnticipatorConfig
from playahead.tensorfile import read_tensors, write_tensors


def save_model(path: Path, model: Anticipator, about: Mapping[str, object]) -> None:
    """A model to predict with: weights, configuration, and what is known about it."""
    write_tensors(path, model.state_dict(), {**about, "model": asdict(model.config)})


def load_model(path: Path) -> tuple[Anticipator, dict[str, object]]:
    """A model written by ``save_model``, in evaluation mode, and what is known about it."""
    tensors, about = read_tensors(path)
    try:
        model = Anticipator(AnticipatorConfig(**about["model"]))  # type: ignore[arg-type]
        model.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as reason:
        raise InputError(path, f"not an anticipator of this version ({' '.join(str(reason).split())})") from None
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise InputError(path, "its weights hold NaN or infinity", "train again")
    return model.eval(), about


def load_feed_model(path: Path) -> tuple[Anticipator, dict[str, object]]:
    """A model that was trained on the event-feed features of this version.

    Raises:
        InputError: it was trained on other features, which would be read as these.
    """
    model, about = load_model(path)
    features = about.get("features")
    if not isinstance(features, dict) or features.get("names") != list(FEATURE_NAMES):
        raise InputError(path, "was not trained on the event-feed features of this version", "train it again")
    return model, about


def load_video_model(path: Path, backbone_digest: str) -> tuple[Anticipator, dict[str, object]]:
    """A model that was trained on features of this backbone.

    Raises:
        InputError: it was trained on others, which would be read as these.
    """
    model, about = load_model(path)
    features = about.get("features")
    if not isinstance(features, dict) or features.get("kind") != "video":
        raise InputError(path, "was not trained on video features", "train it with playahead train video")
    if features.get("weights") != backbone_digest:
        raise InputError(
            path, "was trained on features of another backbone", "give the backbone that it was trained on"
        )
    return model, about


def packaged_weights(name: str = "feed") -> Path:
    """A file of weights that ships with the package: ``feed`` anticipates from event feeds."""
    return Path(__file__).parents[1] / "weights" / f"{name}.safetensors"


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
