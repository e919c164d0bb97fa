"""The public functions, in terms of the rooms behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.anticipations import anticipations_of, frames_of
from playahead.decoding.decoder import Decoder, decoder_of
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.records import Anticipation, Clip
from playahead.errors import InputError
from playahead.evaluation.frames import FrameTable, clip_labels
from playahead.evaluation.official import benchmark_average, count_detections, metrics_from_counts
from playahead.features.feed import prepare_track
from playahead.learning.checkpoint import load_feed_model, load_model, packaged_weights
from playahead.learning.inference import read_at, read_feed, read_passage
from playahead.model.anticipator import Anticipator


@dataclass(frozen=True)
class LoadedModel:
    """A model with the decoding chosen for it.

    Attributes:
        model: the network, in evaluation mode.
        decoder: its marginal decoding.
        about: training configuration, validation figures, feature names.
    """

    model: Anticipator
    decoder: Decoder
    about: Mapping[str, object]


def load(weights: Path | str | None = None) -> LoadedModel:
    """Load weights written by ``playahead train``; the packaged event-feed model if none are named.

    Raises:
        InputError: missing, damaged or foreign file.
    """
    model, about = load_model(Path(weights)) if weights else load_feed_model(packaged_weights())
    return LoadedModel(model, decoder_of(about, "marginal"), about)


def anticipate_features(
    loaded: LoadedModel, features_WNF: NDArray[np.float32], least: float = 0.1
) -> list[list[Anticipation]]:
    """Anticipate from windows of features, oldest first.

    Args:
        loaded: a model of the same kind of features.
        features_WNF: W >= 6 consecutive 5-s windows of N clips (or steps) with F features, float32.
        least: actions less confident than this are left out.

    Returns:
        One list per observation (W - 5 of them): what follows windows 0-5, 1-6, ...
    """
    if not np.isfinite(features_WNF).all():
        raise InputError("features", "hold NaN or infinity")
    scores = loaded.decoder.probabilities(read_passage(loaded.model, np.asarray(features_WNF, np.float32)))
    return anticipations_of(scores, least)


def anticipate_feed(
    loaded: LoadedModel, half: FeedHalf, moments_ms: Sequence[int], least: float = 0.1
) -> list[list[Anticipation]]:
    """Anticipate after each moment of a half, from what its rows showed in the 30 s before.

    Args:
        loaded: a model of feed features.
        half: rows in time order; rows after a moment do not influence its answer.
        moments_ms: increasing times from the half's start, 30000 or later.
        least: actions less confident than this are left out.
    """
    moments = np.asarray(moments_ms, np.int64)
    if len(moments) and (moments.min() < OBSERVATION_MS or (np.diff(moments) <= 0).any()):
        raise InputError("moments_ms", f"must increase and not lie before {OBSERVATION_MS}")
    listed: list[list[Anticipation]] = [[] for _ in moments]
    track = prepare_track(half)
    for index, readings in read_at(lambda ends_ms_O: read_feed(loaded.model, track, ends_ms_O), moments):
        for place, records in zip(index, anticipations_of(loaded.decoder.probabilities(readings), least), strict=True):
            listed[place] = records
    return listed


def score(clips: Sequence[Clip], anticipations: Mapping[str, Sequence[Anticipation]]) -> dict[str, object]:
    """The benchmark's figures for anticipations by clip name; a clip that they lack is empty.

    Raises:
        InputError: no clips, or labels that are withheld.

    Returns:
        Upstream's metric names (``at1`` ... ``tightV2``) and ``"average"`` of the six tolerances.
    """
    if not clips or any(clip.anticipation is None for clip in clips):
        raise InputError("score", "needs clips, and none whose labels are withheld")
    scores_NRV = frames_of([anticipations.get(clip.name, ()) for clip in clips])
    counts = count_detections(FrameTable(*clip_labels(clips), scores_NRV))
    return {"average": benchmark_average(counts), **metrics_from_counts(counts)}
