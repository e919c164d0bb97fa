"""A training run, from a dataset to weights that carry the decodings chosen for them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.decoding.chances import fit_chances
from playahead.decoding.choosing import Decoding, average, calibrate, choose
from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import SlotPredictions, health
from playahead.domain.actions import ACTIONS
from playahead.evaluation.exact import score_exactly, timed_events_of_frames
from playahead.evaluation.frames import ALL_CLASSES, NO_EVENT
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.features.forms import FEED_FEATURES
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.io.runtime import describe_run
from playahead.training.ranks import launch_ranks
from playahead.training.trainer import TrainConfig, Trainer
from playahead.variants.config import SLOT_HEADS

VALIDATION_MATCHES = 12
"""Matches of a feed that are scored while training."""


def validate(
    predictor: Predictor, evaluation_set: EvaluationSet, decoders: Mapping[str, Decoder] | None = None
) -> dict[str, float]:
    """Figures of a model on an evaluation set while it trains, 0 to 100.

    ``map`` is the exact area, which chooses checkpoints because the official average may jump by a point where nothing
    else moves; ``official`` is the benchmark's average. Each decoder has both (marginal decoding if none are given);
    the first one's have no suffix. Four figures describe the predictions (``decoding.predictions.Health``).
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


@dataclass(frozen=True)
class Finished:
    """Results of a run.

    Attributes:
        weights: file to predict with.
        validation: benchmark's average of each decoding on all of val, in percent.
        log: table with a row for each epoch.
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
    events = validation.timed_events()
    calibrated = calibrate(decoders["marginal"], predictions, validation.table, events)
    chosen = {name: decoder.as_dict() for name, decoder in (decoders | {"marginal": calibrated}).items()}
    about = {**predictor.about, "decoders": chosen, "validation": figures}
    about["chances"] = fit_chances(predictions.intensity(), events)
    weights = out / "weights.safetensors"
    Predictor(predictor.network, about).save(weights)
    return Finished(weights, figures, out / "log.csv")


def train(
    dataset: Dataset,
    config: TrainConfig,
    out: Path,
    start: Path | None = None,
    validation_matches: int = VALIDATION_MATCHES,
    show: Show = quiet,
) -> Finished:
    """Train an anticipator; killed and called again, it resumes and ends with the same weights, bit for bit.

    Args:
        dataset: data whose train split is trained on; val chooses the checkpoint and the decodings.
        config: settings of the run; its ``feature_dim`` is set to the dataset's.
        out: folder of the run: weights.safetensors (to predict with), log.csv, run.json, the state to resume from.
        start: weights of an earlier run of the same model to start from.
        validation_matches: matches of a feed that are scored while training (the end is scored on all).
        show: callback for every step.

    Raises:
        InputError: the data cannot be read, ``out`` holds another run, or the disk is full.
        NonFiniteLossError: training met NaN or infinity; the batch is named.
    """
    if validation_matches < 1:
        raise InputError("validation_matches", f"{validation_matches} is below 1")
    validation, sample = dataset.evaluation_set("val"), dataset.validation_sample(validation_matches)
    examples = dataset.training_examples(config.examples, config.degraded, config.augment, config.reading)
    classes = () if examples.classes == ALL_CLASSES else tuple(str(ACTIONS[c]) for c in examples.classes)
    config = replace(config, model=replace(config.model, feature_dim=examples.feature_dim, classes=classes))
    finished = Finished(out / "weights.safetensors", {}, out / "log.csv")
    # The first decoding chooses the checkpoint: the recipe's own. The log has marginal decoding's figures in any case.
    own = config.decoding if config.model.head in SLOT_HEADS else "marginal"
    decoders = {own: Decoder(own), "marginal": Decoder()}
    with launch_ranks(config, out) as fabric:
        trainer = Trainer(config, examples, lambda predictor: validate(predictor, sample, decoders), out, start, fabric)
        features = config.reading.description if dataset.features == FEED_FEATURES else dict(dataset.features)
        if fabric.is_global_zero:
            describe_run(out, {"train": asdict(config), "training_examples": examples.n_examples, "features": features})
        trainer.run(show)
        if fabric.is_global_zero:
            best = Predictor.open(out / "best.safetensors", device=config.device)
            finished = finish(Predictor(best.network, {**best.about, "features": features}), validation, out, show)
    return finished
