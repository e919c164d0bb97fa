"""One model, or several as an ensemble: predictions, decoders and scores of a split, each made once.

Cached scores are keyed by their inputs: weights, decodings, data and the version of the scoring code.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.datasets.pasts import past_of
from playahead.decoding.choosing import Decoding, choose
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import Predictions, SlotPredictions, average_predictions
from playahead.evaluation.scores import Scores, load_scores, save_scores, score
from playahead.inference.predictor import Predictor
from playahead.io.files import file_digest
from playahead.io.progress import Show, quiet

_FORMAT = 6  # of cached scores: another number where scoring or decoding changes its figures


class Members:
    """Weights that predict together.

    Args:
        weights: one file, or several whose probabilities are averaged as logits.
        dataset: what is predicted; refused where the weights were trained on other features.
    """

    past = ""
    """How much of a feed is observed, of ``datasets.pasts.PASTS``; all of it if empty."""

    def __init__(self, weights: Sequence[Path], dataset: Dataset) -> None:
        self.weights, self.dataset = list(weights), dataset
        self._predicted: dict[str, Predictions] = {}
        self._chosen: dict[Decoding, Decoder] = {}

    def under(self, past: str) -> "Members":
        """The same weights, with the decodings chosen on full feeds, observing less: opened and chosen once for all."""
        return _Under(self, past)

    @cached_property
    def predictors(self) -> list[Predictor]:
        """Opened when they are first needed: cached scores need none."""
        return [Predictor.open(path, self.dataset.features) for path in self.weights]

    def predict(self, split: str, show: Show = quiet) -> Predictions:
        """Predictions of a split."""
        if split not in self._predicted:
            found = [predictor.predict_all(self._observed(split), show) for predictor in self.predictors]
            self._predicted[split] = found[0] if len(found) == 1 else average_predictions(found)
        return self._predicted[split]

    def decoder(self, decoding: Decoding) -> Decoder:
        """The one that the weights carry, where it is what was asked for; else chosen on val."""
        if len(self.weights) == 1 and decoding in (Decoding(), Decoding("tuned-threshold")):
            return self.predictors[0].decoder(decoding.kind)
        if decoding not in self._chosen:
            self._chosen[decoding] = choose(decoding, self.predict("val"), self.dataset.evaluation_set("val").table)
        return self._chosen[decoding]

    def score(self, decoding: Decoding, split: str) -> Scores:
        """Scores of a split."""
        scores_ORV = self.decoder(decoding).scores(self.predict(split))
        return score(scores_ORV, self.dataset.evaluation_set(split).count_by_match)

    def scores(self, decodings: Mapping[str, Decoding], split: str, folder: Path) -> dict[str, Scores]:
        """Scores with every decoding, cached in ``folder``; what reads slots is left out where there are none."""
        if (found := self.cached(decodings, split, folder)) is not None:
            return found
        scored = {}
        for name, decoding in decodings.items():
            if decoding.kind == "marginal" or isinstance(self.predict(split), SlotPredictions):
                scored[name] = self.score(decoding, split)
        folder.mkdir(parents=True, exist_ok=True)
        save_scores(self._cache(folder, split), scored, self._key(decodings, split))
        return scored

    def cached(self, decodings: Mapping[str, Decoding], split: str, folder: Path) -> dict[str, Scores] | None:
        """What ``scores`` has cached; None where it has not, or of other inputs."""
        if not all(path.exists() for path in self.weights):
            return None
        return load_scores(self._cache(folder, split), self._key(decodings, split))

    def _observed(self, split: str) -> EvaluationSet:
        return self.dataset.evaluation_set(split)

    def _cache(self, folder: Path, split: str) -> Path:
        return folder / f"{'-'.join(['scores', split, *self.past.split()])}.npz"

    def _key(self, decodings: Mapping[str, Decoding], split: str) -> str:
        about = {name: asdict(decoding) for name, decoding in decodings.items()}
        digests = [file_digest(path) for path in self.weights]
        inputs: list[object] = [_FORMAT, digests, about, split, self.dataset.digest("val", split)]
        inputs += [asdict(past_of(self.past))] if self.past else []
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


class _Under(Members):
    """Members under a past."""

    def __init__(self, whole: Members, past: str) -> None:
        super().__init__(whole.weights, whole.dataset)
        self._whole, self.past = whole, past

    @property
    def predictors(self) -> list[Predictor]:
        return self._whole.predictors

    def decoder(self, decoding: Decoding) -> Decoder:
        return self._whole.decoder(decoding)

    def _observed(self, split: str) -> EvaluationSet:
        return self.dataset.seen_as(self.past, split)
