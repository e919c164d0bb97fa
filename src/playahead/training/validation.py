"""Figures of a model on an evaluation set while it trains."""

from collections.abc import Mapping
from dataclasses import asdict

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.decoding.decoder import Decoder
from playahead.decoding.health import health
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.evaluation.frames import NO_EVENT
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.inference.predictor import Predictor


def validate(
    predictor: Predictor, evaluation_set: EvaluationSet, decoders: Mapping[str, Decoder] | None = None
) -> dict[str, float]:
    """Figures of each decoder (marginal decoding if none are given), 0 to 100; the first one's have no suffix.

    ``map`` takes every confidence for a threshold (it chooses checkpoints: the official average jumps by a point
    where nothing else moves), ``official`` is the benchmark's average. Beside them, of the predictions themselves:
    ``expected`` and ``happened`` (events an example), ``live_slots``, ``top_probability``.
    """
    predictions = predictor.predict_all(evaluation_set)
    n_events = sum(int((labels_NR != NO_EVENT).sum()) for labels_NR, _ in evaluation_set.frames)
    figures = asdict(health(predictions, n_events))
    for index, (name, decoder) in enumerate((decoders or {"marginal": Decoder()}).items()):
        suffix = "" if index == 0 else f"_{name}"
        table = evaluation_set.table(decoder.scores(predictions))
        figures[f"map{suffix}"] = 100 * score_exactly(*timed_events_of_frames(table)).average_area
        figures[f"official{suffix}"] = 100 * benchmark_average(count_detections(table))
    return figures
