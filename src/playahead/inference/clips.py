"""Anticipations of the benchmark's clips, each on its own: what a submission is made of."""

from pathlib import Path

import numpy as np

from playahead.datasets.stored import features_of_clips, note_short
from playahead.decoding.predictions import join_predictions
from playahead.domain.feed import feed_of_actions
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.domain.records import Anticipation
from playahead.features.forms import FEED_FEATURES
from playahead.features.store import FeatureStore
from playahead.inference.open_predictor import DecodingOptions, open_predictor
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, counter, quiet
from playahead.sources.soccernet import read_baa_split


def anticipate_clips(
    labels: Path,
    weights: Path | None = None,
    features: Path | None = None,
    options: DecodingOptions | None = None,
    notices: Notices | None = None,
    show: Show = quiet,
) -> dict[str, list[Anticipation]]:
    """Anticipations of every clip of a split, by clip name, on the scale of the official scorer.

    Args:
        labels: a split's Labels-ball.json, or its folder.
        weights: model to use; the packaged event-feed model if None and there are no features.
        features: store of the clips' features. None predicts from the observed actions in the labels, not from video.
        options: decoding of the predictions.
        notices: collector of what a reader of the anticipations should know.
        show: callback for every clip.

    Raises:
        InputError: labels, features or weights that cannot be read or do not belong together.
    """
    options = options or DecodingOptions()
    if features is None:
        return _from_labels(labels, weights, options)
    if weights is None:
        raise InputError("weights", "features of video need a model", "name its weights")
    store = FeatureStore(features)
    predictor = Predictor.open(weights, store.features, options.device)
    clips, videos = features_of_clips(store, labels)
    advance = counter(show, "anticipating", len(clips), "clips")
    note_short(videos, notices or Notices())
    seen = {clip.name: video for clip, video in zip(clips, videos, strict=True) if not video.is_short}
    predictions = []
    for video in seen.values():
        predictions.append(predictor.predict(video.sequence(0, GRID.n_windows)[None]))
        advance()
    listed = options.decoder(predictor).anticipations(join_predictions(predictions), for_scorer=True)
    answered = dict(zip(seen, listed, strict=True))
    return {clip.name: answered.get(clip.name, []) for clip in clips}


def _from_labels(labels: Path, weights: Path | None, options: DecodingOptions) -> dict[str, list[Anticipation]]:
    """Anticipations from each clip's own observed actions, whatever its neighbours show."""
    clips = read_baa_split(labels).clips
    if not clips:
        raise InputError(labels, "holds no clips")
    predictor = open_predictor(weights, FEED_FEATURES, options.device)
    end_ms = np.array([OBSERVATION_MS])
    tracks = [predictor.prepare(feed_of_actions(clip.observation, clock_known=False)) for clip in clips]
    windows = np.stack([track.windows(end_ms) for track in tracks])
    listed = options.decoder(predictor).anticipations(predictor.predict(windows), for_scorer=True)
    return {clip.name: found for clip, found in zip(clips, listed, strict=True)}
