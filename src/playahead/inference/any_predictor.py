"""The base of predictors on features, whether PyTorch, ONNX Runtime or NumPy computes them.

Axes: P windows, N snippets (or steps), F features, D model, W windows of an example, O examples, H horizons, C classes.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.chances import HORIZONS_S, ChanceMap
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.decoding.predictions import Predictions, join_predictions
from playahead.decoding.shown import MinConfidence
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID
from playahead.domain.records import Anticipation
from playahead.features.forms import Reading, Track, possession_at, reading_of
from playahead.io.errors import InputError
from playahead.io.progress import Show, counter, quiet

WINDOWS, EXAMPLES = 16, 16
"""Sizes of a piece: always exactly so many are computed together, see ``AnyPredictor.encode``."""
_OF_VIDEO = {
    "weights": ("backbone", "give the backbone that it was trained on"),
    "input_size": ("input size or luma", "extract with {}"),
    "precision": ("precision", "extract with precision {}"),
}
"""Facts that must be the same where weights meet features of video."""


class ObservationSource(Protocol):
    """Anything that can be observed at any time: a half of a feed, the features of a running video."""

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows (W, N, F) of the examples that end at these times, 5 s apart: an example's own, and for the first
        example the ``Reading.n_before`` before it.
        """
        ...


class Batches(Protocol):
    """Windows to predict, as an evaluation set has them."""

    def batches(self, reading: Reading = ...) -> Iterator[NDArray]:
        """Windows, as ``AnyPredictor.predict`` takes them."""
        ...

    def __len__(self) -> int: ...


class Answers(NamedTuple):
    """Answers at some times.

    Attributes:
        listed: anticipations after each time.
        chance_OHC: probability of at least one action of each class within 1, 2 and 5 s.
        side_O: side in possession, 0 or 1, -1 unknown.
    """

    listed: list[list[Anticipation]]
    chance_OHC: NDArray[np.float32]
    side_O: NDArray[np.intp]


class AnyPredictor(ABC):
    """A trained model and its description.

    Args:
        about: training configuration, features, and the decodings chosen on validation.
        where: file that it comes from, named in error messages.
    """

    def __init__(self, about: Mapping[str, Any], where: Path | str) -> None:
        self.about, self.where = about, where

    @abstractmethod
    def encode(self, windows_PNF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode windows, each by itself: computed once, a window serves every example that looks at it.

        This and ``answer`` always compute products of the same size (pieces of so many windows, or one at a time),
        because the last bits of a product depend on its size. So a window gives the same numbers whichever others it is
        encoded with.

        Args:
            windows_PNF: features of any windows.

        Returns:
            encoded_PND for ``answer``.
        """
        ...

    @abstractmethod
    def answer(self, encoded_PND: NDArray[np.float32], looks_at_OW: NDArray[np.intp]) -> Predictions:
        """Predict examples.

        Args:
            encoded_PND: windows, from ``encode``.
            looks_at_OW: indices of the windows that each example looks at (six, or of moments one), oldest first.
        """
        ...

    def predict(self, windows: NDArray[np.float32]) -> Predictions:
        """Predictions of every example in B sequences.

        Args:
            windows: (B, W, N, F) float32, W >= 6 windows; of moments (B, W, 1, F).
        """
        n_sequences, n_windows = windows.shape[:2]
        last_W = np.arange(self.reading.n_before, n_windows)
        last_O = (np.arange(n_sequences)[:, None] * n_windows + last_W).ravel()
        encoded_PND = self.encode(windows.reshape(-1, *windows.shape[2:]))
        return self.answer(encoded_PND, last_O[:, None] - np.arange(self.reading.n_before, -1, -1))

    def predict_all(self, evaluation_set: Batches, show: Show = quiet) -> Predictions:
        """Predictions of every example of a set, in its order."""
        advance = counter(show, "predicting", len(evaluation_set), "examples")
        found = []
        for windows in evaluation_set.batches(self.reading):
            found.append(self.predict(windows))
            advance(len(found[-1]))
        return join_predictions(found)

    def anticipate(
        self, windows: NDArray[np.float32], min_confidence: MinConfidence = None, decoder: Decoder | None = None
    ) -> list[list[Anticipation]]:
        """Anticipate from windows of features, oldest first.

        Args:
            windows: (W, N, F) float32, W >= 6 consecutive 5-s windows; or moments.
            min_confidence: probability from which on an anticipation is listed, as 0.3 or "shot=0.05,pass=0.5"; each
                class's own if None.
            decoder: the marginal one that the weights carry if None.

        Returns:
            One list for each example: what follows windows 0-5, 1-6, ..., or each moment.

        Raises:
            InputError: features of the wrong shape, or NaN or infinity among them.
        """
        if not np.isfinite(windows).all():
            raise InputError("features", "hold NaN or infinity")
        try:
            predictions = self.predict(np.asarray(windows, np.float32)[None])
        except ValueError as reason:  # of the network: a wrong shape
            raise InputError("features", str(reason).removeprefix("features: ")) from None
        return (decoder or self.decoder()).anticipations(predictions, min_confidence)

    def check(self, features: Mapping[str, object]) -> None:
        """Refuse features that the network was not trained on.

        Args:
            features: their ``"kind"`` (feed or video); for video the facts of a store: the backbone's digest
                ``"weights"``, ``"input_size"`` (luma included), ``"precision"``.

        Raises:
            InputError: they are others.
        """
        trained = self.trained_features
        if features["kind"] == "feed" and trained != self.reading.description:
            raise InputError(self.where, "was not trained on the event-feed features of this version", "train it again")
        if features["kind"] == "video":
            if trained.get("kind") != "video":
                raise InputError(self.where, "was not trained on video features", "train it on features of video")
            for name, (what, fix) in _OF_VIDEO.items():
                ours, theirs = json.dumps(trained.get(name)), json.dumps(features[name])
                if ours != theirs:
                    raise InputError(self.where, f"was trained on features of another {what}", fix.format(ours))

    @property
    def trained_features(self) -> Mapping[str, object]:
        """Description of the features of its training; empty if the file does not say."""
        features = self.about.get("features")
        return features if isinstance(features, Mapping) else {}

    @property
    def reading(self) -> Reading:
        """Its way of reading a feed."""
        train = self.about.get("train")
        return reading_of(train if isinstance(train, Mapping) else {})

    def prepare(self, half: FeedHalf) -> Track:
        """Prepare a half for ``anticipate_at``: what the model is shown of it, in the form that it reads."""
        return self.reading.prepare(self.reading.seen(half))

    @cached_property
    def chance_map(self) -> ChanceMap:
        """Its map from rates to chances.

        Raises:
            InputError: the weights hold something else.
        """
        return ChanceMap(self.about.get("chances"))

    @property
    def examples_seen(self) -> int:
        """Number of examples of its training; 0 if the file does not say."""
        sizes = [self.about.get("step"), self._trained("sequences"), self._trained("examples")]
        return math.prod(n if isinstance(n, int) else 0 for n in sizes)

    @property
    def knows_worse_sources(self) -> bool:
        """It was trained on sources that say less than a full feed, and on less than 30 s."""
        return bool(self._trained("degraded"))

    @property
    def objectness_weight(self) -> float:
        """Weight of matched slots in training, which is taken out of the objectness again.

        With the intensity likelihood among the losses it is 1: that reads the objectness as it is.
        """
        losses = self._trained("criterion")
        if not isinstance(losses, Mapping) or losses.get("intensity_weight"):
            return 1.0
        weight = losses.get("positive_weight", 1.0)
        if not isinstance(weight, float | int) or not 0 < weight < math.inf:
            raise InputError(self.where, f"positive_weight {weight!r} is not a number above 0")
        return float(weight)

    def _trained(self, name: str) -> object:
        train = self.about.get("train")
        return train.get(name) if isinstance(train, Mapping) else None

    def decoder(self, name: str = "marginal") -> Decoder:
        """Decoding of that name which was chosen on validation.

        Raises:
            InputError: the weights carry no such decoding.
        """
        return decoder_of(self.about, name)

    def anticipate_at(
        self,
        source: ObservationSource,
        times_ms: Sequence[int] | NDArray[np.int64],
        min_confidence: MinConfidence = None,
        decoder: Decoder | None = None,
    ) -> list[list[Anticipation]]:
        """Anticipate after each of these times, from the 30 s before it: see ``answers_at``.

        Returns:
            One list for each time.
        """
        return self.answers_at(source, times_ms, min_confidence, decoder).listed

    def answers_at(
        self,
        source: ObservationSource,
        times_ms: Sequence[int] | NDArray[np.int64],
        min_confidence: MinConfidence = None,
        decoder: Decoder | None = None,
    ) -> Answers:
        """Anticipations after each of these times, from the 30 s before it, and the chance of each class.

        Args:
            source: source to observe.
            times_ms: increasing times since the source's start, above 0; before 30000, windows are partly empty.
            min_confidence: minimum probability of an anticipation; each class's own if None.
            decoder: decoder to use; the marginal one of the weights if None.
        """
        times = np.asarray(times_ms, np.int64)
        decoder = decoder or self.decoder()
        listed: list[list[Anticipation]] = [[] for _ in times]
        chance_OHC, side_O = np.zeros((len(times), len(HORIZONS_S), len(ACTIONS)), np.float32), np.full(len(times), -1)
        for places, predictions in self.predict_at(source, times):
            possession = possession_at(source, times[places])
            found = decoder.anticipations(predictions, min_confidence, possession=possession)
            for place, anticipations in zip(places, found, strict=True):
                listed[place] = anticipations
            chance_OHC[places] = self.chance_map(predictions.intensity())
            if possession is not None:
                side_O[places] = possession.side_O
        return Answers(listed, chance_OHC, side_O)

    def predict_at(
        self, source: ObservationSource, times_ms: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.intp], Predictions]]:
        """(places in ``times_ms``, predictions of these times), until every time had its turn.

        Times a multiple of 5 s apart share windows, so each phase of the 5-s grid is one sequence (cut where a gap
        would waste windows). Arguments are ``anticipate_at``'s.
        """
        if len(times_ms) and (times_ms.min() <= 0 or (np.diff(times_ms) <= 0).any()):
            raise InputError("times_ms", "must increase from above 0")
        n_before = self.reading.n_before
        for places, sequence_ms in _sequences(times_ms):
            encoded_WND = self.encode(source.windows(sequence_ms))
            last_O = n_before + np.flatnonzero(np.isin(sequence_ms, times_ms[places]))
            yield places, self.answer(encoded_WND, last_O[:, None] - np.arange(n_before, -1, -1))


def _sequences(times_ms: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """(places in ``times_ms``, ends of a sequence 5 s apart that holds them), one for each stretch of a phase."""
    for phase in sorted(set((times_ms % GRID.window_ms).tolist())):
        places = np.flatnonzero(times_ms % GRID.window_ms == phase)
        far = np.flatnonzero(np.diff(times_ms[places]) > GRID.observation_ms) + 1
        for stretch in np.split(places, far):
            first, last = times_ms[stretch[0]], times_ms[stretch[-1]]
            yield stretch, np.arange(first, last + 1, GRID.window_ms, dtype=np.int64)


def pieces(rows: NDArray, size: int) -> Iterator[tuple[NDArray, int]]:
    """Pieces of exactly ``size`` rows, each with its number of real rows; the last is filled up with its first row."""
    for start in range(0, len(rows), size):
        piece = rows[start : start + size]
        yield np.concatenate([piece, np.repeat(piece[:1], size - len(piece), axis=0)]), len(piece)
