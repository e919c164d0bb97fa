"""A whole end-to-end training run, and scoring what it made."""

from pathlib import Path

from playahead.inference.predictor import Predictor
from playahead.io.progress import Show, quiet
from playahead.io.runtime import describe_run
from playahead.lab.faantra.evaluation_set import FramesEvaluationSet
from playahead.lab.faantra.examples import FrameExamples
from playahead.lab.faantra.network import EndToEnd
from playahead.lab.faantra.trainer import EndToEndConfig, EndToEndTrainer
from playahead.lab.faantra.videos import find_annotated_videos, tiling
from playahead.lab.faantra.weights import open_end_to_end
from playahead.sources.layouts import folder_of_split, resampled_unit
from playahead.training.ranks import launch_ranks
from playahead.training.run import Finished, finish
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size


def train_frames(
    data: Path, config: EndToEndConfig, out: Path, cache: Path | None = None, show: Show = quiet
) -> Finished:
    """Train a frame encoder and an anticipator as one; killed and called again, it resumes.

    Args:
        data: folder with train and valid, each a split of clips or matches in the spotting benchmark's layout.
        config: settings of the run.
        out: folder of the run: weights.safetensors, log.csv, run.json, the state to resume from.
        cache: folder for decoded frames; inside ``out`` if None.
        show: told how far it is.

    Raises:
        InputError: a video or its labels cannot be read, ``out`` holds another run, or the disk is full.
    """
    finished = Finished(out / "weights.safetensors", {}, out / "log.csv")
    with launch_ranks(config, out) as fabric:
        show = show if fabric.is_global_zero else quiet
        training = tiling(find_annotated_videos(folder_of_split(data, "train")))
        validation = find_annotated_videos(folder_of_split(data, "val"))
        frames = FrameCache(cache or out, parse_input_size(config.model.input_size))
        with fabric.rank_zero_first():  # it decodes, the others find it done
            bad = frames.fill([video.source.path for video in training], show)
        training = [video for video in training if video.source.path not in bad]
        examples = FrameExamples(training, frames, config.model)
        sample = validation[:: max(1, len(validation) // config.validation_clips)]
        trainer = EndToEndTrainer(config, examples, FramesEvaluationSet(sample, config.model, keep=True), out, fabric)
        if fabric.is_global_zero:
            describe_run(out, {"data": "frames", "videos": len(training)})
        trainer.run(show)
        if fabric.is_global_zero:
            predictor = open_end_to_end(out / "best.safetensors", config.device)
            finished = finish(predictor, FramesEvaluationSet(validation, config.model), out, show)
    return finished


def frames_evaluation_set(folder: Path, predictor: Predictor) -> FramesEvaluationSet:
    """A labelled split of videos, as the network of ``open_end_to_end`` looks at it."""
    network = predictor.network
    assert isinstance(network, EndToEnd)
    return FramesEvaluationSet(find_annotated_videos(folder), network.config, folder.name, resampled_unit(folder))
