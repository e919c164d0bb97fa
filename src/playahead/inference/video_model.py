"""The backbone and the anticipator that watch a video together."""

from dataclasses import dataclass
from pathlib import Path

from playahead.assets import packaged_weights
from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.fast import FastBackbone, Precision
from playahead.domain.actions import ACTIONS
from playahead.inference.predictor import Predictor
from playahead.runtime import emulates_bfloat16, pick_device
from playahead.video.input_size import InputSize

SIMULATED_NOTICE = (
    "these weights were trained on simulated broadcasts only: on real football their output is meaningless; "
    "give --backbone and --weights of your own"
)
SPOTTED_CONFIDENCE = 0.5
"""Spotted actions below this are not shown: a focal loss leaves everything else between 0.2 and 0.4."""


@dataclass(frozen=True)
class VideoModel:
    """What turns frames into anticipations.

    Attributes:
        predictor: trained on the backbone's features.
        backbone: on its device.
        input_size: that frames are drawn at.
        classes: that the backbone was taught to spot.
        notices: what a reader must know of both.
    """

    predictor: Predictor
    backbone: FastBackbone
    input_size: InputSize
    classes: frozenset[str]
    notices: list[str]

    @classmethod
    def open(cls, weights: Path | None, backbone: Path | None, device: str) -> "VideoModel":
        """Open both, the packaged ones where none are given.

        Raises:
            InputError: they cannot be read, or do not belong together.
        """
        network, provenance = load_backbone(backbone or packaged_weights("simulated-backbone"))
        predictor = Predictor.open(weights or packaged_weights("simulated-video"), device=device)
        facts = predictor.about.get("features") or {}
        predictor.check({**facts, "kind": "video", "weights": weights_digest(network)})
        taught = provenance.get("classes")
        precision, told = _precision(facts["precision"], device)
        leak = [str(provenance["notice"])] if "notice" in provenance else []
        return cls(
            predictor=predictor,
            backbone=FastBackbone(network, precision, device=pick_device(device)),
            input_size=InputSize(*facts["input_size"]),
            classes=frozenset(taught if isinstance(taught, list) else map(str, ACTIONS)),
            notices=[*([] if backbone else [SIMULATED_NOTICE]), *leak, *told],
        )


def _precision(trained: Precision, device: str) -> tuple[Precision, list[str]]:
    """The precision of the features that the weights were trained on, unless it is emulated; what to say then."""
    if trained == "bfloat16" and emulates_bfloat16(device):
        return "float32", ["trained on bfloat16 features, which this processor emulates slowly: float32 is used"]
    return trained, []
