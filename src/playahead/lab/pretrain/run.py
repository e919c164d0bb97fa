"""A whole pre-training run, from labelled videos to a backbone."""

from dataclasses import dataclass
from pathlib import Path

from playahead.backbone.checkpoint import load_backbone, save_backbone
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.lab.pretrain.trainer import PretrainConfig, SpottingTrainer, first_weights
from playahead.sources.layouts import find_labelled_videos
from playahead.training.ranks import launch_ranks
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size


@dataclass(frozen=True)
class Pretrained:
    """A backbone to extract with, and how it was made.

    Attributes:
        weights: the file.
        best: spotting mAP@1 on validation, in percent.
        set_aside: videos that could not be read, with the reason.
    """

    weights: Path
    best: float
    set_aside: tuple[str, ...] = ()


def pretrain(
    splits: tuple[Path, Path],
    config: PretrainConfig,
    out: Path,
    cache: Path | None = None,
    validation_videos: int = 20,
    show: Show = quiet,
) -> Pretrained:
    """Train the backbone to spot ball actions; killed and called again, it resumes.

    Args:
        splits: folders to train and to validate on: clips, or matches in the spotting benchmark's layout.
        config: settings of the run.
        out: folder of the run: backbone.safetensors (to extract with), log.csv, the state to resume from.
        cache: folder for decoded frames; inside ``out`` if None.
        validation_videos: videos that are scored, spread over the split.
        show: told how far it is.

    Raises:
        InputError: the same split twice, too many videos that cannot be read, or ``out`` holds another run.
    """
    train, validate = splits
    if validation_videos < 1:
        raise InputError("--validation-videos", f"{validation_videos} is below 1")
    if train.resolve() == validate.resolve():
        raise InputError("--validate", "is the same as --train", "choose by matches that are not trained on")
    with launch_ranks(config, out) as fabric:
        show = show if fabric.is_global_zero else quiet
        training, validation = find_labelled_videos(train), find_labelled_videos(validate)
        validation = validation[:: max(1, len(validation) // validation_videos)]
        if config.imagenet or config.start is not None:
            first_weights(config)  # they are there: better said now than after hours of decoding
        frames = FrameCache(cache or out, parse_input_size(config.input_size))
        with fabric.rank_zero_first():  # it decodes, the others find it done
            bad = frames.fill([video.path for video in (*training, *validation)], show)
        training, validation = ([v for v in videos if v.path not in bad] for videos in (training, validation))
        trainer = SpottingTrainer(config, training, validation, frames, out, fabric)
        trainer.run(show)
        if fabric.is_global_zero:
            backbone, about = load_backbone(out / "best.safetensors")
            save_backbone(out / "backbone.safetensors", backbone, about)
    return Pretrained(out / "backbone.safetensors", trainer.best, tuple(bad.values()))
