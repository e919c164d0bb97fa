"""Weights and labelled video joined for ``evaluate``, with stored features or end to end."""

from dataclasses import asdict
from pathlib import Path

from playahead.datasets.dataset import video_evaluation_set
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.features.store import FeatureStore
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.lab.faantra.run import frames_evaluation_set
from playahead.lab.faantra.weights import open_end_to_end
from playahead.sources.layouts import is_clip_split
from playahead.sources.soccernet import LABELS_NAME, read_baa_split


def open_for_video(
    labels: Path, weights: Path, features: Path | None = None, device: str = "auto"
) -> tuple[Predictor, EvaluationSet]:
    """A predictor, and the split that it is to be scored on.

    Args:
        labels: a split's folder, its Labels-ball.json, or its annotations in OSL JSON.
        weights: trained on video features, or end to end if there are no features.
        features: store of the videos' features.
        device: that predicts.

    Raises:
        InputError: labels, features or weights that cannot be read, are withheld, or do not belong together.
    """
    folder = labels.parent if labels.name == LABELS_NAME else labels
    if features is None:
        predictor = open_end_to_end(weights, device)
        return predictor, frames_evaluation_set(folder, predictor)
    store = FeatureStore(features)
    predictor = Predictor.open(weights, {"kind": "video", **asdict(store.facts)}, device)
    if is_clip_split(folder):
        withheld = sum(clip.anticipation is None for clip in read_baa_split(folder).clips)
        if withheld:
            raise InputError(folder, f"labels of {withheld} clips are withheld", "only the server can score them")
    return predictor, video_evaluation_set(folder, store)
