"""Training from frames to anticipations as a whole, and scoring the weights that it makes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from playahead.datasets.dataset import video_evaluation_set
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.domain.notices import Notices
from playahead.features.store import FeatureStore
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.io.runtime import describe_run
from playahead.lab.faantra.frames import FrameExamples, FramesEvaluationSet, find_annotated_videos, tiling
from playahead.lab.faantra.network import KIND, EndToEnd, EndToEndModelConfig, open_end_to_end
from playahead.paper.sampling import inverse_frequency
from playahead.sources.layouts import folder_of_split, is_clip_split, resampled_unit
from playahead.sources.soccernet import LABELS_NAME, read_baa_split
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed
from playahead.training.ranks import launch_ranks
from playahead.training.run import Finished, finish, validate
from playahead.variants.config import CriterionConfig
from playahead.variants.losses import build_criterion
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_REFRESH_BATCHES = 20


@dataclass(frozen=True, kw_only=True)
class EndToEndConfig(LoopConfig):
    """Settings of a run end to end, beside the loop's.

    Attributes:
        model, criterion: settings of the network and of its losses.
        batch: examples in a step.
        validation_clips: number of clips that are scored while training, spread over the split.
    """

    model: EndToEndModelConfig = field(default_factory=EndToEndModelConfig)
    criterion: CriterionConfig = field(default_factory=CriterionConfig)
    batch: int = 8
    validation_clips: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch", "validation_clips"):
            if getattr(self, name) < 1:
                raise InputError(f"EndToEndConfig.{name}", f"{getattr(self, name)} is below 1")
        self.require_shares("batch")


class EndToEndTrainer(Loop):
    """A frame encoder and an anticipator, trained as one."""

    unit = "examples"

    def __init__(
        self,
        config: EndToEndConfig,
        examples: FrameExamples,
        validation: EvaluationSet,
        folder: Path,
        fabric: "Fabric | None" = None,
    ) -> None:
        self.config, self.examples, self.validation = config, examples, validation
        torch.manual_seed(step_seed(config.seed, -1))
        known = fingerprint(asdict(config), examples.digest)
        super().__init__(config, EndToEnd(config.model), folder, known, fabric)
        weight_C = inverse_frequency(examples.counts_C)
        self.criterion = build_criterion(config.criterion, config.model.anticipator.head, weight_C, self.fabric.device)

    @property
    def per_step(self) -> int:
        """Examples in a step."""
        return self.config.batch

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Losses of examples drawn by ``rng``."""
        frames_BTHW, targets, names = self.examples.batch(self.share_of(self.config.batch), rng)
        output = self.model(frames_BTHW.to(self.fabric.device, non_blocking=True))
        try:
            return self.criterion(output, [(1.0, targets)]), names
        except FloatingPointError as reason:
            raise self.broken(str(reason), names) from None

    def validated(self) -> dict[str, float]:
        """Scores of the averaged model on the validation set."""
        # The average of batch norm's statistics is far off (docs/log.md): they are made anew.
        draws = (np.random.default_rng([self.config.seed, self.step, index]) for index in range(_REFRESH_BATCHES))
        batches = (self.examples.batch(self.config.batch, rng)[0].to(self.fabric.device) for rng in draws)
        update_bn(batches, self.averaged_model)
        return validate(Predictor(self.averaged_model, {"train": asdict(self.config)}), self.validation)

    @property
    def averaged_model(self) -> EndToEnd:
        """The moving average of the weights, as a model."""
        return cast(EndToEnd, self.average.module)

    def keep(self, path: Path) -> None:
        """Write the averaged model with the whole configuration."""
        Predictor(self.averaged_model, {"kind": KIND, "train": asdict(self.config), "step": self.step}).save(path)


def train_frames(
    data: Path,
    config: EndToEndConfig,
    out: Path,
    cache: Path | None = None,
    show: Show = quiet,
    notices: Notices | None = None,
) -> Finished:
    """Train a frame encoder and an anticipator as one; killed and called again, it resumes.

    Args:
        data: folder with train and valid, each a split of clips or matches in the spotting benchmark's layout.
        config: settings of the run.
        out: folder of the run: weights.safetensors, log.csv, run.json, the state to resume from.
        cache: folder for decoded frames; inside ``out`` if None.
        show: called with the progress.
        notices: collector of what a user should know about the videos.

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
            bad = frames.fill([video.source.path for video in training], show, notices)
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


def open_for_video(
    labels: Path, weights: Path, features: Path | None = None, device: str = "auto"
) -> tuple[Predictor, EvaluationSet]:
    """Open weights and the labelled videos to score them on: on stored ``features``, or end to end without.

    ``labels`` is a split's folder, its Labels-ball.json, or its annotations in OSL JSON.
    """
    folder = labels.parent if labels.name == LABELS_NAME else labels
    if features is None:
        predictor = open_end_to_end(weights, device)
        config = cast(EndToEnd, predictor.network).config
        videos = find_annotated_videos(folder)
        return predictor, FramesEvaluationSet(videos, config, folder.name, resampled_unit(folder))
    store = FeatureStore(features)
    predictor = Predictor.open(weights, {"kind": "video", **asdict(store.facts)}, device)
    if is_clip_split(folder):
        withheld = sum(clip.anticipation is None for clip in read_baa_split(folder).clips)
        if withheld:
            raise InputError(folder, f"labels of {withheld} clips are withheld", "only the server can score them")
    return predictor, video_evaluation_set(folder, store)
