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

    Where a method takes a ``past``, it is one of ``datasets.pasts.PASTS``, or empty for the data as they are. Decodings
    are always chosen on the data as they are.

    Args:
        weights: one file, or several whose probabilities are averaged as logits.
        dataset: data to predict; refused if the weights were trained on other features.
    """

    def __init__(self, weights: Sequence[Path], dataset: Dataset) -> None:
        self.weights, self.dataset = list(weights), dataset
        self._predictions: dict[tuple[str, str], Predictions] = {}
        self._decoders: dict[Decoding, Decoder] = {}

    @cached_property
    def predictors(self) -> list[Predictor]:
        """Opened when they are first needed: cached scores need none."""
        return [Predictor.open(path, self.dataset.features) for path in self.weights]

    def predict(self, split: str, past: str = "", show: Show = quiet) -> Predictions:
        """Predictions of a split."""
        if (split, past) not in self._predictions:
            observed = self.dataset.seen_as(past, split) if past else self.dataset.evaluation_set(split)
            each = [predictor.predict_all(observed, show) for predictor in self.predictors]
            self._predictions[split, past] = each[0] if len(each) == 1 else average_predictions(each)
        return self._predictions[split, past]

    def decoder(self, decoding: Decoding) -> Decoder:
        """The decoder stored with the weights if it matches, else one chosen on val."""
        if len(self.weights) == 1 and decoding in (Decoding(), Decoding("tuned-threshold")):
            return self.predictors[0].decoder(decoding.kind)
        if decoding not in self._decoders:
            self._decoders[decoding] = choose(decoding, self.predict("val"), self.dataset.evaluation_set("val").table)
        return self._decoders[decoding]

    def score(self, decoding: Decoding, split: str, past: str = "") -> Scores:
        """Scores of a split."""
        decoded = self.decoder(decoding).scores(self.predict(split, past))
        return score(decoded, self.dataset.evaluation_set(split).count_by_match)

    def scores(
        self, decodings: Mapping[str, Decoding], split: str, folder: Path, past: str = "", only_cached: bool = False
    ) -> dict[str, Scores]:
        """Scores with every decoding, cached in ``folder``; without decodings of slots if the model has none.

        With ``only_cached``, nothing is returned if there is no cache of the same inputs.
        """
        if not all(path.exists() for path in self.weights) and only_cached:
            return {}
        cache = folder / f"{'-'.join(['scores', split, *past.split()])}.npz"
        key = self._key(decodings, split, past)
        if (cached := load_scores(cache, key)) is not None or only_cached:
            return cached or {}
        scored = {
            name: self.score(decoding, split, past)
            for name, decoding in decodings.items()
            if decoding.kind == "marginal" or isinstance(self.predict(split, past), SlotPredictions)
        }
        folder.mkdir(parents=True, exist_ok=True)
        save_scores(cache, scored, key)
        return scored

    def _key(self, decodings: Mapping[str, Decoding], split: str, past: str) -> str:
        settings = {name: asdict(decoding) for name, decoding in decodings.items()}
        digests = [file_digest(path) for path in self.weights]
        inputs: list[object] = [_FORMAT, digests, settings, split, self.dataset.digest("val", split)]
        inputs += [asdict(past_of(past))] if past else []
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
