"""A trained model, ready to use: windows in, predictions and anticipations out.

Axes: B sequences, W windows, N snippets (or steps), F features, O examples (B x (W - 5)).
"""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from playahead.decoding.predictions import (
    DensePredictions,
    Predictions,
    SlotPredictions,
    join_predictions,
)
from playahead.inference.any_predictor import EXAMPLES, WINDOWS, AnyPredictor, pieces
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.io.hub import weights_file
from playahead.io.runtime import one_thread, pick_device
from playahead.io.settings import build
from playahead.io.tensors import fill, read_tensors, write_tensors
from playahead.paper.anticipator import Anticipator, AnticipatorOutput
from playahead.paper.slots import SlotLogits
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import build as build_network
from playahead.variants.moment import RateLogits

_SEQUENCES_TOGETHER = 64


class Predictor(AnyPredictor):
    """A network with trained weights, and their description.

    Args:
        network: network in evaluation mode; its ``config`` is a dataclass.
        about: training configuration, features, and the decodings chosen on validation.
        where: file that it comes from, named in error messages.
    """

    def __init__(self, network: nn.Module, about: Mapping[str, Any], where: Path | str = "weights") -> None:
        super().__init__(about, where)
        self.network = network.eval()

    @classmethod
    def open(
        cls, weights: Path | str | None = None, features: Mapping[str, object] | None = None, device: str = "auto"
    ) -> "Predictor":
        """Open weights that ``train`` wrote.

        Args:
            weights: a file, or a model's name on the Hugging Face Hub (org/name); the packaged event-feed model if
                None.
            features: features to predict from; refused if it was trained on others, see ``check``.
            device: device that predicts, see ``playahead.io.runtime.pick_device``.

        Raises:
            InputError: missing, damaged or foreign file, other features, or no such device.
        """
        path = weights_file(weights) if weights is not None else packaged_weights()
        tensors, about = read_tensors(path)
        if about.get("kind") == "end to end":
            raise InputError(path, "was trained end to end", "score it on video, without features")
        config = build(AnticipatorConfig, about.get("model"), f"{path}: model")
        predictor = cls(fill(lambda: build_network(config), tensors, path).to(pick_device(device)), about, path)
        if features is not None:
            predictor.check(features)
        return predictor

    def save(self, path: Path) -> None:
        """Write a file that ``open`` reads."""
        write_tensors(path, self.network.state_dict(), {**self.about, "model": asdict(self.network.config)})  # type: ignore[bad-argument-type]

    @torch.inference_mode()
    def predict(self, windows: NDArray) -> Predictions:
        """See ``AnyPredictor``; a network on frames takes (B, T, H, W) uint8."""
        chunks = (windows[i : i + _SEQUENCES_TOGETHER] for i in range(0, len(windows), _SEQUENCES_TOGETHER))
        with self._threads():
            outputs = (self.network(self._on_device(chunk)) for chunk in chunks)
            return join_predictions([_in_numpy(output, self.objectness_weight) for output in outputs])

    @torch.inference_mode()
    def encode(self, windows_PNF: NDArray[np.float32]) -> NDArray[np.float32]:
        network = cast(Anticipator, self.network)
        with self._threads():
            filled = (self._on_device(piece) for piece, _ in pieces(windows_PNF, WINDOWS))
            found = [network.encode_windows(piece).cpu() for piece in filled]
        return torch.cat(found)[: len(windows_PNF)].numpy()

    @torch.inference_mode()
    def answer(self, encoded_PND: NDArray[np.float32], looks_at_OW: NDArray[np.intp]) -> Predictions:
        network = cast(Anticipator, self.network)
        answers = []
        with self._threads():
            for looks_at, n in pieces(looks_at_OW[:, -network.config.n_windows :], EXAMPLES):
                output = network.answer(self._on_device(encoded_PND[looks_at]))
                answers.append(_in_numpy(output, self.objectness_weight).select(np.arange(EXAMPLES) < n))
        return join_predictions(answers)

    def _threads(self) -> AbstractContextManager[None]:
        """Use one thread for a feed."""
        return one_thread() if self.trained_features.get("kind") == "feed" else nullcontext()

    def _on_device(self, array: NDArray) -> torch.Tensor:
        return torch.from_numpy(array).to(next(self.network.parameters()).device)


def _in_numpy(output: AnticipatorOutput, objectness_weight: float) -> Predictions:
    """Logits -> probabilities in NumPy: a BCE whose positives weigh w has its optimum at logit p + log w."""
    slots = output.slots
    if isinstance(slots, RateLogits):
        rate_ORC, where_OC3 = slots.log_rate_ORC.float().exp(), slots.where_OC3.float()
        return DensePredictions.of_rates(rate_ORC.cpu().numpy(), where_OC3.cpu().numpy())
    if not isinstance(slots, SlotLogits):
        return DensePredictions(slots.float().sigmoid().cpu().numpy())
    return SlotPredictions(
        (slots.objectness_OK.float() - math.log(objectness_weight)).sigmoid().cpu().numpy(),
        slots.class_OKC.float().softmax(dim=-1).cpu().numpy(),
        slots.offset_OKT.float().softmax(dim=-1).cpu().numpy(),
        objectness_weight,
    )
