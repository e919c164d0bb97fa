"""``playahead train``: a recipe on a dataset, into a folder."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from playahead.decoding.choosing import Decoding, average, choose
from playahead.decoding.decoder import Decoder
from playahead.domain.time import format_duration
from playahead.errors import InputError
from playahead.features.feed import FEATURE_NAMES
from playahead.features.store import FeatureStore
from playahead.learning.checkpoint import load_model, save_model
from playahead.learning.engine import TrainConfig, Trainer
from playahead.learning.inference import join_readings
from playahead.learning.matches import FeedMatches, Matches, RecordedMatches
from playahead.sources.feed_tables import read_split
from playahead.verbs import show
from playahead.verbs.environment import describe_run
from playahead.verbs.recordings import recordings_of
from playahead.windows.dataset import FeedWindows
from playahead.windows.recorded import RecordedWindows, Recording


def train_feed(
    data: Path,
    run: TrainConfig,
    out: Path = Path("runs/feed"),
    recipe: str = "feed",  # noqa: ARG001 - it has given ``run`` its defaults
    validation_matches: int = 12,
    start: Path | None = None,
) -> None:
    """Train on an event feed's train split, choose the decoding on val; run again to resume.

    Args:
        data: folder with train.npz and val.npz (compact feed tables).
        run: settings of the run.
        out: the run's folder: weights.safetensors (to predict with), log.csv, state to resume from.
        recipe: feed, feed-static, feed-dense, paper-feed, paper-small, faantra or demo; the options below change it.
        validation_matches: matches of val that are scored while training (the end is scored on all).
        start: weights of an earlier run of the same model to start from.
    """
    validation_halves = read_split(data, "val")
    windows = FeedWindows(read_split(data, "train"), run.observations)
    run_feed(run, windows, FeedMatches(validation_halves), validation_matches, out, start)


def train_video(
    features: Path,
    data: Path,
    run: TrainConfig,
    out: Path = Path("runs/video"),
    recipe: str = "video",  # noqa: ARG001 - it has given ``run`` its defaults
    start: Path | None = None,
) -> None:
    """Train on stored features of clips or whole matches, choose the decoding on valid; run again to resume.

    Args:
        features: store written by ``playahead extract``.
        data: folder with train and valid, each a split of clips or matches in the spotting benchmark's layout.
        run: settings of the run; feature_dim is the store's.
        out: the run's folder: weights.safetensors (to predict with), log.csv, state to resume from.
        recipe: video (the paper as it stands), video-small (two CPU cores) or faantra; the options below change it.
        start: weights of an earlier run of the same model to start from.
    """
    store = FeatureStore(features)
    training, validation = (recordings_of(store, data / split) for split in ("train", "valid"))
    run_video(run, store, training, validation, out, start)


def run_video(
    config: TrainConfig,
    store: FeatureStore,
    training: Sequence[Recording],
    validation: Sequence[Recording],
    out: Path,
    start: Path | None = None,
) -> Path:
    """Train on recordings of a store; returns the weights' path."""
    config = replace(config, model=replace(config.model, feature_dim=store.facts.feature_dim))
    windows = RecordedWindows(training, config.observations)
    matches = RecordedMatches(validation)
    about = {"kind": "video", **asdict(store.facts)}
    return _run(config, windows, (matches, matches), about, out, start)


def run_feed(
    config: TrainConfig,
    windows: FeedWindows,
    validation: FeedMatches,
    sample_matches: int,
    out: Path,
    start: Path | None = None,
) -> Path:
    """Train on a feed; returns the weights' path."""
    if sample_matches < 1:
        raise InputError("--validation_matches", f"{sample_matches} is below 1")
    sampled = validation.matches[:sample_matches]
    sample = FeedMatches([half for half in validation.halves if half.match in sampled])
    return _run(config, windows, (sample, validation), {"kind": "feed", "names": list(FEATURE_NAMES)}, out, start)


def _run(
    config: TrainConfig,
    windows: FeedWindows | RecordedWindows,
    matches: tuple[Matches, Matches],
    features: Mapping[str, object],
    out: Path,
    start: Path | None,
) -> Path:
    """Train, validating on a sample, the first of ``matches``; then choose the decodings on the second, all of them."""
    sample, validation = matches
    prepare_folder(out)
    trainer = Trainer(config, windows, lambda model: sample.validate(model, {"marginal": Decoder()}), out, start)
    describe_run(out, {"train": asdict(config), "training_windows": windows.n_windows, "features": dict(features)})
    show.errors.print(
        f"{len(windows.counts_C)} classes, {windows.n_windows:,} windows a pass, "
        f"{config.total_steps * config.passages * config.observations:,} to train on; "
        f"{sum(p.numel() for p in trainer.plain_model.parameters()):,} parameters"
    )
    started = time.monotonic()
    with show.training_progress(f"training {out.name}") as report:
        trainer.run(report)
    show.errors.print(f"trained in {format_duration(time.monotonic() - started)}; choosing the decoding on val")
    return finish(out, validation, features)


def finish(out: Path, validation: Matches, features: Mapping[str, object]) -> Path:
    """Choose the decodings on validation and write ``weights.safetensors``."""
    model, about = load_model(out / "best.safetensors")
    readings = join_readings(validation.read(model))
    decoders = {"marginal": choose(Decoding(), readings, validation.table)}
    validated = {"marginal, probabilities": average(Decoder(), readings, validation.table)}
    if model.config.head == "slots":
        best = choose(Decoding("threshold"), readings, validation.table)
        decoders["threshold"] = best
        unscaled = average(replace(best, scale=None), readings, validation.table)
        validated[f"threshold {best.tau}, {best.time} time, probabilities"] = unscaled
    validated |= {name: average(decoder, readings, validation.table) for name, decoder in decoders.items()}
    about["features"] = dict(features)
    about["decoders"] = {name: decoder.as_dict() for name, decoder in decoders.items()}
    about["validation"] = validated
    weights = out / "weights.safetensors"
    save_model(weights, model, about)
    rows = [(name, f"{value:.2f}") for name, value in validated.items()]
    show.errors.print(show.plain_table("validation, all matches", ("decoding", "mAP"), rows))
    show.errors.print(f"weights: {weights}   log: {out / 'log.csv'}")
    return weights


def prepare_folder(out: Path) -> None:
    """Make a run's folder, or say at once that it cannot be written.

    Raises:
        InputError: it cannot.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as reason:
        raise InputError(out, f"cannot be written to ({reason})", "choose another --out") from None
