"""A trained model, ready to use: windows in, predictions and anticipations out.

Axes: B sequences, W windows, N snippets (or steps), F features, O examples (B x (W - 5)).
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from playahead.assets import packaged_weights
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.decoding.predictions import DensePredictions, Predictions, SlotPredictions, join_predictions
from playahead.domain.grid import GRID
from playahead.domain.records import Anticipation
from playahead.errors import InputError
from playahead.features.feed import columns_of
from playahead.model.anticipator import Anticipator, AnticipatorOutput
from playahead.model.config import AnticipatorConfig
from playahead.progress import Show, counter, quiet
from playahead.runtime import pick_device
from playahead.settings import build
from playahead.tensorfile import fill, read_tensors, write_tensors

_SEQUENCES_TOGETHER = 64
_WINDOWS, _EXAMPLES = 4, 8  # computed together, always exactly so many: see ``encode``
_OF_VIDEO = {
    "weights": ("backbone", "give the backbone that it was trained on"),
    "input_size": ("input size or luma", "extract with {}"),
    "precision": ("precision", "extract with --precision {}"),
}
"""What must be the same where weights meet features of video."""


class ObservationSource(Protocol):
    """Anything that can be observed at any time: a half of a feed, the features of a running video."""

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows (W, N, F) of the examples that end at these times, which lie 5 s apart."""
        ...


class Batches(Protocol):
    """What a predictor needs of an evaluation set."""

    def batches(self) -> Iterator[NDArray]:
        """Windows, as ``Predictor.predict`` takes them."""
        ...

    def __len__(self) -> int: ...


class Predictor:
    """Weights, the network that they belong to, and what is known about them.

    Args:
        network: in evaluation mode; its ``config`` is a dataclass.
        about: training configuration, features, and the decodings chosen on validation.
        where: file that it comes from, for error messages.
    """

    def __init__(self, network: nn.Module, about: Mapping[str, Any], where: Path | str = "weights") -> None:
        self.network, self.about, self.where = network.eval(), about, where
        trained = about.get("features")
        self._columns = columns_of(trained.get("names")) if isinstance(trained, Mapping) else None

    @classmethod
    def open(
        cls,
        weights: Path | str | None = None,
        features: Mapping[str, object] | None = None,
        device: str = "auto",
    ) -> "Predictor":
        """Open weights written by ``playahead train feed`` or ``train video``.

        Args:
            weights: the packaged event-feed model if None.
            features: what it is to predict from; refused where it was trained on others, see ``check``.
            device: that predicts, as of ``playahead.runtime.pick_device``.

        Raises:
            InputError: missing, damaged or foreign file, other features, or no such device.
        """
        path = Path(weights) if weights is not None else packaged_weights()
        tensors, about = read_tensors(path)
        if about.get("kind") == "end to end":
            raise InputError(
                path, "was trained end to end", "score it with playahead evaluate video, without --features"
            )
        config = build(AnticipatorConfig, about.get("model"), f"{path}: model")
        predictor = cls(fill(lambda: Anticipator(config), tensors, path).to(pick_device(device)), about, path)
        if features is not None:
            predictor.check(features)
        return predictor

    def save(self, path: Path) -> None:
        """Write a file that ``open`` reads."""
        write_tensors(path, self.network.state_dict(), {**self.about, "model": asdict(self.network.config)})  # type: ignore[bad-argument-type]

    def check(self, features: Mapping[str, object]) -> None:
        """Refuse features that the network was not trained on, which it would take for its own.

        Args:
            features: their ``"kind"`` (feed or video), and the feed's ``"names"``, or of video what a store says of
                their making: the backbone's digest ``"weights"``, ``"input_size"`` (luma included), ``"precision"``.

        Raises:
            InputError: they are others.
        """
        trained = self.about.get("features")
        trained = trained if isinstance(trained, Mapping) else {}
        if features["kind"] == "feed" and columns_of(trained.get("names")) is None:
            raise InputError(self.where, "was not trained on the event-feed features of this version", "train it again")
        if features["kind"] == "video":
            if trained.get("kind") != "video":
                fix = "train it with playahead train video"
                raise InputError(self.where, "was not trained on video features", fix)
            for name, (what, fix) in _OF_VIDEO.items():
                ours, theirs = json.dumps(trained.get(name)), json.dumps(features[name])
                if ours != theirs:
                    raise InputError(self.where, f"was trained on features of another {what}", fix.format(ours))

    @property
    def objectness_weight(self) -> float:
        """How much more matched slots than others weighed in training: it is taken out of the objectness again.

        With the intensity likelihood among the losses it is 1: that reads the objectness as it is.
        """
        losses = self._trained("criterion")
        if not isinstance(losses, Mapping) or losses.get("intensity_weight"):
            return 1.0
        weight = losses.get("positive_weight", 1.0)
        if not isinstance(weight, float | int) or not 0 < weight < math.inf:
            raise InputError(self.where, f"positive_weight {weight!r} is not a number above 0")
        return float(weight)

    @property
    def examples_seen(self) -> int:
        """How many its training went through; 0 where the file does not say."""
        sizes = [self.about.get("step"), self._trained("sequences"), self._trained("examples")]
        return math.prod(n if isinstance(n, int) else 0 for n in sizes)

    @property
    def knows_worse_sources(self) -> bool:
        """It was trained on sources that say less than a full feed, and on less than 30 s."""
        return bool(self._trained("degraded"))

    def _trained(self, name: str) -> object:
        train = self.about.get("train")
        return train.get(name) if isinstance(train, Mapping) else None

    def decoder(self, name: str = "marginal") -> Decoder:
        """The decoding of that name that was chosen on validation.

        Raises:
            InputError: the weights carry no such decoding.
        """
        return decoder_of(self.about, name)

    @torch.inference_mode()
    def predict(self, windows: NDArray) -> Predictions:
        """Predictions of every example in B sequences of W >= 6 windows.

        Args:
            windows: (B, W, N, F) float32; of a network on frames (B, T, H, W) uint8.
        """
        if self._columns is not None and windows.shape[-1] > len(self._columns):
            windows = windows[..., self._columns]
        chunks = (windows[i : i + _SEQUENCES_TOGETHER] for i in range(0, len(windows), _SEQUENCES_TOGETHER))
        outputs = (self.network(self._on_device(chunk)) for chunk in chunks)
        return join_predictions([_in_numpy(output, self.objectness_weight) for output in outputs])

    def predict_all(self, evaluation_set: Batches, show: Show = quiet) -> Predictions:
        """Predictions of every example of a set, in its order."""
        advance = counter(show, "predicting", len(evaluation_set), "examples")
        found = []
        for windows in evaluation_set.batches():
            found.append(self.predict(windows))
            advance(len(found[-1]))
        return join_predictions(found)

    @torch.inference_mode()
    def encode(self, windows_PNF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows, each by itself: computed once, they serve every example that looks at them.

        This and ``answer`` always compute pieces of the same size, because the last bits of a matrix product depend on
        its size: so a window gives the same numbers whichever others it is encoded with.

        Args:
            windows_PNF: features of any windows.

        Returns:
            encoded_PND for ``answer``.
        """
        if self._columns is not None and windows_PNF.shape[-1] > len(self._columns):
            windows_PNF = windows_PNF[..., self._columns]
        network = cast(Anticipator, self.network)
        pieces = (network.encode_window(self._on_device(filled)) for filled, _ in _pieces(windows_PNF, _WINDOWS))
        return torch.cat([piece.cpu() for piece in pieces])[: len(windows_PNF)].numpy()

    @torch.inference_mode()
    def answer(self, encoded_PND: NDArray[np.float32], looks_at_OW: NDArray[np.intp]) -> Predictions:
        """Predictions of examples.

        Args:
            encoded_PND: windows, from ``encode``.
            looks_at_OW: the six of them that each example looks at, oldest first.
        """
        network = cast(Anticipator, self.network)
        answers = []
        for looks_at, n in _pieces(looks_at_OW[:, GRID.n_windows - network.config.n_windows :], _EXAMPLES):
            output = network.answer(self._on_device(encoded_PND[looks_at]))
            answers.append(_in_numpy(output, self.objectness_weight).select(np.arange(_EXAMPLES) < n))
        return join_predictions(answers)

    def _on_device(self, array: NDArray) -> torch.Tensor:
        return torch.from_numpy(array).to(next(self.network.parameters()).device)

    def anticipate(
        self, windows: NDArray[np.float32], min_confidence: float = 0.1, decoder: Decoder | None = None
    ) -> list[list[Anticipation]]:
        """Anticipate from windows of features, oldest first.

        Args:
            windows: (W, N, F) float32, W >= 6 consecutive 5-s windows.
            min_confidence: minimum probability of an anticipation.
            decoder: the marginal one that the weights carry if None.

        Returns:
            One list for each example (W - 5 of them): what follows windows 0-5, 1-6, ...

        Raises:
            InputError: NaN or infinity among the features.
        """
        if not np.isfinite(windows).all():
            raise InputError("features", "hold NaN or infinity")
        predictions = self.predict(np.asarray(windows, np.float32)[None])
        return (decoder or self.decoder()).anticipations(predictions, min_confidence)

    def anticipate_at(
        self,
        source: ObservationSource,
        times_ms: Sequence[int] | NDArray[np.int64],
        min_confidence: float = 0.1,
        decoder: Decoder | None = None,
    ) -> list[list[Anticipation]]:
        """Anticipate after each of these times, from the 30 s before it.

        Times a multiple of 5 s apart share windows, so each phase of the 5-s grid is one sequence (cut where a gap
        would waste windows).

        Args:
            source: what is observed.
            times_ms: increasing, from the source's start, above 0; before 30000, windows are partly empty.
            min_confidence: minimum probability of an anticipation.
            decoder: the marginal one that the weights carry if None.

        Returns:
            One list for each time.
        """
        times = np.asarray(times_ms, np.int64)
        if len(times) and (times.min() <= 0 or (np.diff(times) <= 0).any()):
            raise InputError("times_ms", "must increase from above 0")
        decoder = decoder or self.decoder()
        listed: list[list[Anticipation]] = [[] for _ in times]
        for places, sequence_ms in _sequences(times):
            encoded_WND = self.encode(source.windows(sequence_ms))
            last_O = GRID.n_windows - 1 + np.flatnonzero(np.isin(sequence_ms, times[places]))
            predictions = self.answer(encoded_WND, last_O[:, None] - np.arange(GRID.n_windows - 1, -1, -1))
            found = decoder.anticipations(predictions, min_confidence)
            for place, anticipations in zip(places, found, strict=True):
                listed[place] = anticipations
        return listed


def _sequences(times_ms: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """(places in ``times_ms``, ends of a sequence 5 s apart that holds them), one for each stretch of a phase."""
    for phase in np.unique(times_ms % GRID.window_ms):
        places = np.flatnonzero(times_ms % GRID.window_ms == phase)
        far = np.flatnonzero(np.diff(times_ms[places]) > GRID.observation_ms) + 1
        for stretch in np.split(places, far):
            first, last = times_ms[stretch[0]], times_ms[stretch[-1]]
            yield stretch, np.arange(first, last + 1, GRID.window_ms, dtype=np.int64)


def _pieces(rows: NDArray, size: int) -> Iterator[tuple[NDArray, int]]:
    """(so many rows, how many of them are wanted): the last piece is filled up with its first row."""
    for start in range(0, len(rows), size):
        piece = rows[start : start + size]
        yield np.concatenate([piece, np.repeat(piece[:1], size - len(piece), axis=0)]), len(piece)


def _in_numpy(output: AnticipatorOutput, objectness_weight: float) -> Predictions:
    """Logits -> probabilities in NumPy: a BCE whose positives weigh w has its optimum at logit p + log w."""
    if output.slots is not None:
        return SlotPredictions(
            (output.slots.objectness_OK.float() - math.log(objectness_weight)).sigmoid().cpu().numpy(),
            output.slots.class_OKC.float().softmax(dim=-1).cpu().numpy(),
            output.slots.offset_OKT.float().softmax(dim=-1).cpu().numpy(),
        )
    assert output.dense_ORC is not None
    return DensePredictions(output.dense_ORC.float().sigmoid().cpu().numpy())
