"""Backbone weights: reads published checkpoints, writes and reads safetensors with their provenance.

A published checkpoint is a pickled dict. It is opened with ``weights_only=True``, so that no code in it runs.
"""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from playahead.backbone.network import Backbone, BackboneConfig
from playahead.io.errors import InputError
from playahead.io.files import require_file
from playahead.io.settings import build
from playahead.io.tensors import fill, read_tensors, write_tensors

LEAK_NOTICE = (
    "The published spotting weights were trained on folds that hold the two test matches of Ball Action "
    "Anticipation: a score on test with them carries that leak (the challenge matches are clean)."
)
_WRAPPERS = ("_orig_mod.", "module.", "ema.")
_CLASSIFIER = "classifier.weight"


def read_published(path: Path) -> tuple[Backbone, dict[str, object]]:
    """Read a ``.pth`` of the published 15-frame spotting models: plain, averaged or compiled.

    Returns:
        The backbone in evaluation mode, and its provenance (file name, sha256, leak notice).

    Raises:
        InputError: missing or damaged file, anything in it but tensors and plain values, or another network
            (the 33-frame one is named).
    """
    tensors = _tensors_of(path)
    if _CLASSIFIER not in tensors or tensors[_CLASSIFIER].ndim != 2:
        raise InputError(path, f"holds no {_CLASSIFIER}", "expected a spotting model of lRomul/ball-action-spotting")
    classes, feature_dim = tensors[_CLASSIFIER].shape
    config = BackboneConfig(classes=classes)
    if feature_dim != config.feature_dim:
        frames = feature_dim // config.projection * config.stack_frames
        what = f"a {frames}-frame model ({feature_dim:,} features a snippet)"
        raise InputError(path, f"{what}, but a snippet is 15 frames ({config.feature_dim:,})", "use a 15-frame model")
    backbone = fill(lambda: Backbone(config), tensors, path).eval()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return backbone, {"source": path.name, "sha256": digest, "notice": LEAK_NOTICE}


def save_backbone(path: Path, backbone: Backbone, provenance: Mapping[str, object]) -> None:
    """Write a backbone with its configuration and its provenance; whole or not at all."""
    write_tensors(path, backbone.state_dict(), {"backbone": asdict(backbone.config), "provenance": dict(provenance)})


def load_backbone(path: Path) -> tuple[Backbone, dict[str, object]]:
    """Read a backbone written by ``save_backbone``, in evaluation mode, and its provenance."""
    tensors, about = read_tensors(path)
    if "backbone" not in about or not isinstance(about.get("provenance"), dict):
        raise InputError(path, "not a backbone of this version")
    config = build(BackboneConfig, about["backbone"], f"{path}: backbone")
    return fill(lambda: Backbone(config), tensors, path).eval(), about["provenance"]


def weights_digest(backbone: Backbone) -> str:
    """SHA-256 over names and values: the same weights give the same digest, whatever file they are from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _tensors_of(path: Path) -> dict[str, Tensor]:
    """Tensors by their plain names, without those of modules that wrapped the model."""
    require_file(path)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, ValueError, EOFError, KeyError) as reason:
        what = "not a checkpoint that can be read safely ({})".format(str(reason).split("\n")[0])
        raise InputError(path, what) from None
    state = checkpoint.get("nn_state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping):
        raise InputError(path, "holds no nn_state_dict")
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, Tensor)):
            continue
        while name.startswith(_WRAPPERS):
            name = name.split(".", 1)[1]
        tensors[name] = value
    return tensors
