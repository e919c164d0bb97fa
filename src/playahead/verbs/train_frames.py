"""``playahead train frames``: FAANTRA end to end, from video files to weights."""

from pathlib import Path

from playahead.decoding.choosing import Decoding, average, choose
from playahead.endtoend.engine import (
    EndToEndConfig,
    EndToEndTrainer,
    FilmMatches,
    load_end_to_end,
    save_end_to_end,
)
from playahead.endtoend.films import find_films, tiling
from playahead.endtoend.windows import FrameWindows
from playahead.learning.inference import join_readings
from playahead.spotting.frames import FrameCache
from playahead.verbs import show
from playahead.verbs.environment import describe_run
from playahead.verbs.extract import parse_canvas
from playahead.verbs.train import prepare_folder


def train_frames(
    data: Path,
    run: EndToEndConfig,
    out: Path = Path("runs/frames"),
    recipe: str = "faantra-frames",  # noqa: ARG001 - it has given ``run`` its defaults
    cache: Path | None = None,
) -> None:
    """Train a frame encoder and an anticipator as one, from clips or whole matches; run again to resume.

    Args:
        data: folder with train and valid, each a split of clips or matches in the spotting benchmark's layout.
        run: settings of the run.
        out: the run's folder: weights.safetensors (to evaluate), log.csv, state to resume from.
        recipe: faantra-frames; the options below change it.
        cache: folder for decoded frames; inside --out if not given.
    """
    prepare_folder(out)
    canvas = parse_canvas(run.model.canvas, "limited")
    training, validation = tiling(find_films(data / "train")), find_films(data / "valid")
    frames = FrameCache(cache or out, canvas)
    with show.counted_progress(f"decoding {len(training):,} videos", len(training)) as advance:
        frames.fill([film.video for film in training], advance)
    windows = FrameWindows(training, frames, run.model)
    sample = validation[:: max(1, len(validation) // run.validation_clips)]
    trainer = EndToEndTrainer(run, windows, FilmMatches(sample, run.model, canvas, keep=True), out)
    describe_run(out, {"data": "frames", "videos": len(training)})
    with show.training_progress(f"training {out.name}") as report:
        trainer.run(report)
    _finish(out, FilmMatches(validation, run.model, canvas))


def _finish(out: Path, validation: FilmMatches) -> None:
    """Choose the decodings on all of validation and write ``weights.safetensors``."""
    model, about = load_end_to_end(out / "best.safetensors")
    with show.counted_progress("reading valid", len(validation.films)) as advance:
        readings = join_readings(validation.read(model, advance))
    kinds = ("marginal", "threshold") if model.config.anticipator.head == "slots" else ("marginal",)
    chosen = {kind: choose(Decoding(kind), readings, validation.table) for kind in kinds}
    validated = {name: average(decoder, readings, validation.table) for name, decoder in chosen.items()}
    decoders = {name: decoder.as_dict() for name, decoder in chosen.items()}
    kept = {name: about[name] for name in ("train", "step")}
    save_end_to_end(out / "weights.safetensors", model, {**kept, "decoders": decoders, "validation": validated})
    rows = [(name, f"{value:.2f}") for name, value in validated.items()]
    show.errors.print(show.plain_table("validation, all of it", ("decoding", "mAP"), rows))
    show.errors.print(f"weights: {out / 'weights.safetensors'}   log: {out / 'log.csv'}")
