"""A whole training run, from a dataset to weights."""

from dataclasses import asdict, replace
from pathlib import Path

from playahead.datasets.dataset import Dataset
from playahead.decoding.decoder import Decoder
from playahead.domain.actions import ACTIONS
from playahead.evaluation.frames import ALL_CLASSES
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.io.runtime import describe_run
from playahead.training.finish import Finished, finish
from playahead.training.ranks import together
from playahead.training.trainer import TrainConfig, Trainer
from playahead.training.validation import validate

VALIDATION_MATCHES = 12


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
        dataset: its train split is trained on; val chooses the checkpoint and the decodings.
        config: settings of the run; its ``feature_dim`` is set to the dataset's.
        out: folder of the run: weights.safetensors (to predict with), log.csv, run.json, the state to resume from.
        start: weights of an earlier run of the same model to start from.
        validation_matches: matches of a feed that are scored while training (the end is scored on all).
        show: told about every step.

    Raises:
        InputError: the data cannot be read, ``out`` holds another run, or the disk is full.
        NonFiniteLossError: training met NaN or infinity; the batch is named.
    """
    if validation_matches < 1:
        raise InputError("--validation-matches", f"{validation_matches} is below 1")
    validation, sample = dataset.evaluation_set("val"), dataset.validation_sample(validation_matches)
    examples = dataset.training_examples(config.examples, config.degraded, config.augment)
    classes = () if examples.classes == ALL_CLASSES else tuple(str(ACTIONS[c]) for c in examples.classes)
    config = replace(config, model=replace(config.model, feature_dim=examples.feature_dim, classes=classes))
    finished = Finished(out / "weights.safetensors", {}, out / "log.csv")
    # The first decoding chooses the checkpoint: the recipe's own. The log has marginal decoding's figures in any case.
    own = config.decoding if config.model.head == "slots" else "marginal"
    readings = {own: Decoder(own), "marginal": Decoder()}
    with together(config, out) as fabric:
        trainer = Trainer(config, examples, lambda found: validate(found, sample, readings), out, start, fabric)
        features = dict(dataset.features)
        if fabric.is_global_zero:
            describe_run(out, {"train": asdict(config), "training_examples": examples.n_examples, "features": features})
        trainer.run(show)
        if fabric.is_global_zero:
            best = Predictor.open(out / "best.safetensors", device=config.device)
            finished = finish(Predictor(best.network, {**best.about, "features": features}), validation, out, show)
    return finished
