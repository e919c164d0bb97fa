"""``playahead pretrain``: the backbone itself, as a ball action spotter."""

from pathlib import Path

from playahead.backbone.checkpoint import load_backbone, save_backbone
from playahead.errors import InputError
from playahead.spotting.engine import PretrainConfig, SpottingTrainer
from playahead.spotting.frames import FrameCache
from playahead.spotting.videos import find_labelled_videos
from playahead.verbs import show
from playahead.verbs.extract import parse_canvas
from playahead.verbs.train import prepare_folder


def pretrain(
    train: Path,
    validate: Path,
    run: PretrainConfig,
    out: Path = Path("runs/backbone"),
    recipe: str = "backbone",  # noqa: ARG001 - it has given ``run`` its defaults
    cache: Path | None = None,
    validation_videos: int = 20,
) -> None:
    """Train the backbone to spot ball actions; killed and run again, it goes on. The leak-free way to features.

    Args:
        train: a split of the anticipation benchmark's clips, or a folder of matches in the spotting benchmark's layout.
        validate: the same for validation; give matches that are in neither train nor test.
        run: settings of the run.
        out: the run's folder: backbone.safetensors (to extract with), log.csv, state to resume from.
        recipe: backbone (as published) or backbone-small (two CPU cores); the options below change it.
        cache: folder for decoded frames; inside --out if not given.
        validation_videos: videos that are scored, spread over those of --validate.
    """
    if validation_videos < 1:
        raise InputError("--validation_videos", f"{validation_videos} is below 1")
    prepare_folder(out)
    training, validation = find_labelled_videos(train), find_labelled_videos(validate)
    validation = validation[:: max(1, len(validation) // validation_videos)]
    if train.resolve() == validate.resolve():
        raise InputError("--validate", "is the same as --train", "choose by matches that are not trained on")
    frames = FrameCache(cache or out, parse_canvas(run.canvas, "limited"))
    total = len(training) + len(validation)
    with show.counted_progress(f"decoding {total:,} videos", total) as advance:
        frames.fill([*training, *validation], advance)
    trainer = SpottingTrainer(run, training, validation, frames, out)
    with show.training_progress(f"training {out.name}") as report:
        trainer.run(report)
    backbone, about = load_backbone(out / "best.safetensors")
    save_backbone(out / "backbone.safetensors", backbone, about)
    show.errors.print(f"spotting mAP@1 {trainer.best:.2f}; weights: {out / 'backbone.safetensors'}")
