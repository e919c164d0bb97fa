"""The end of every run: choose the decodings on validation, and write the weights that carry them."""

from dataclasses import dataclass, replace
from pathlib import Path

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.decoding.calibration import calibrate
from playahead.decoding.choosing import Decoding, average, choose
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import SlotPredictions
from playahead.inference.predictor import Predictor
from playahead.io.progress import Show, quiet


@dataclass(frozen=True)
class Finished:
    """A run that is done.

    Attributes:
        weights: to predict with.
        validation: the benchmark's average of each decoding on all of val, in percent.
        log: a row an epoch.
    """

    weights: Path
    validation: dict[str, float]
    log: Path


def finish(predictor: Predictor, validation: EvaluationSet, out: Path, show: Show = quiet) -> Finished:
    """Choose and calibrate the decodings of a trained model on all of val, and write ``out/weights.safetensors``."""
    predictions = predictor.predict_all(validation, show)
    decoders = {"marginal": choose(Decoding(), predictions, validation.table)}
    figures = {"marginal, probabilities": average(Decoder(), predictions, validation.table)}
    if isinstance(predictions, SlotPredictions):
        best = choose(Decoding("tuned-threshold"), predictions, validation.table)
        decoders["tuned-threshold"] = best
        unscaled = average(replace(best, scale=None), predictions, validation.table)
        figures[f"tuned threshold {best.tau}, {best.time} time, probabilities"] = unscaled
        figures["paper"] = average(Decoder("paper"), predictions, validation.table)
    figures |= {name: average(decoder, predictions, validation.table) for name, decoder in decoders.items()}
    calibrated = calibrate(decoders["marginal"], predictions, validation.table, validation.timed_events())
    chosen = {name: decoder.as_dict() for name, decoder in (decoders | {"marginal": calibrated}).items()}
    about = {**predictor.about, "decoders": chosen, "validation": figures}
    weights = out / "weights.safetensors"
    Predictor(predictor.network, about).save(weights)
    return Finished(weights, figures, out / "log.csv")
