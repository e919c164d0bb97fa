"""Pre-training: the backbone as a spotter, a multi-label classifier of the centre of a snippet.

Axes: B snippets, J frames of a snippet, H, W, C classes, T snippets of a video.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from playahead.backbone.checkpoint import load_backbone, save_backbone
from playahead.backbone.fast import FastBackbone, channels_last
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.decoding.marginal import pick_peaks
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID
from playahead.evaluation.exact import TimedEvents, score_exactly
from playahead.features.encoder import SnippetStream, every
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.lab.pretrain.samples import CENTRE_FRAMES, Augmentation, SnippetSampler
from playahead.sources.layouts import LabelledVideo, find_labelled_videos
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed
from playahead.training.ranks import launch_ranks
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_VALIDATION_STRIDE = GRID.snippet_stride
_REFRESH_BATCHES = 32


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(LoopConfig):
    """Settings of a pre-training run, beside the loop's.

    Attributes:
        backbone: the network; its encoder is any in timm that has feature maps.
        input_size: size of its frames, as 416x224.
        imagenet: start the 2D encoder from ImageNet weights, through timm's hub.
        start: weights to start from instead (converted, or of an earlier run).
        augmentation: changes of the snippets.
        batch: snippets in a step.
        accumulate: number of parts in which a step's snippets go through the network: the same gradient in less
            memory (at 1280x736 in bfloat16 a snippet holds 2.9 GiB until its backward pass). Batch norm sees a
            part at a time.
        action_share: share of snippets drawn on actions.
        reach_frames: distance from a snippet's centre within which an action counts as shown.
        focal_gamma: exponent of the focal loss.
    """

    backbone: BackboneConfig = field(default_factory=lambda: BackboneConfig(classes=len(ACTIONS)))
    input_size: str = "1280x736"
    imagenet: bool = False
    start: Path | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    batch: int = 16
    accumulate: int = 1
    action_share: float = 0.5
    reach_frames: int = 3
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch", "accumulate"):
            if getattr(self, name) < 1:
                raise InputError(f"PretrainConfig.{name}", f"{getattr(self, name)} is below 1")
        self.require_shares("batch", self.accumulate)
        if self.backbone.classes != len(ACTIONS):
            raise InputError("PretrainConfig.backbone", f"its classes are {self.backbone.classes}, not {len(ACTIONS)}")
        if not 0 <= self.action_share <= 1:
            raise InputError("PretrainConfig.action_share", f"{self.action_share} is not in [0, 1]")


class SpottingTrainer(Loop):
    """Trains a backbone to say what happens at the centre of a snippet."""

    unit = "snippets"

    def __init__(
        self,
        config: PretrainConfig,
        training: Sequence[LabelledVideo],
        validation: Sequence[LabelledVideo],
        cache: FrameCache,
        folder: Path,
        fabric: "Fabric | None" = None,
    ) -> None:
        self.config, self.cache = config, cache
        self.validation = [video for video in validation if len(cache.frames(video.path)) >= GRID.snippet_span_frames]
        if not any(video.events for video in self.validation):
            raise InputError("validation", "no action is labelled in the validation videos")
        shown = (config.reach_frames, config.action_share, config.augmentation)
        self.sampler = SnippetSampler(training, cache, *shown)
        torch.manual_seed(step_seed(config.seed, -1))
        backbone, self.started = first_weights(config)
        known = fingerprint(_described(config), [[video.name, len(video.events)] for video in training])
        super().__init__(config, channels_last(backbone), folder, known, fabric)
        annotated = [float(c in self.sampler.classes) for c in range(len(ACTIONS))]
        self.annotated_C = torch.tensor(annotated).to(self.fabric.device)

    @property
    def per_step(self) -> int:
        """Snippets in a step."""
        return self.config.batch

    def losses(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Focal loss of snippets drawn by ``rng``."""
        frames_BJHW, happens_BC, names = self.sampler.batch(self.share_of(self.config.batch), rng)
        return {"total": self._loss(frames_BJHW, happens_BC)}, names

    def backward(self, rng: np.random.Generator) -> tuple[dict[str, Tensor], Sequence[str]]:
        """Backward pass of a part at a time; devices exchange gradients once, after the last part."""
        parts = self.config.accumulate
        frames_BJHW, happens_BC, names = self.sampler.batch(self.share_of(self.config.batch), rng)
        total = torch.zeros((), device=self.fabric.device)
        for index, (frames, happens) in enumerate(zip(frames_BJHW.chunk(parts), happens_BC.chunk(parts), strict=True)):
            waits = index + 1 < parts and self.fabric.world_size > 1
            with self.fabric.no_backward_sync(self.model, enabled=waits):
                loss = self._loss(frames, happens) / parts
                self.fabric.backward(loss)
            total = total + loss.detach()
        return {"total": total}, names

    def _loss(self, frames_BJHW: Tensor, happens_BC: Tensor) -> Tensor:
        logits_BC = self.model(frames_BJHW.to(self.fabric.device))
        return focal_loss(logits_BC, happens_BC.to(self.fabric.device), self.config.focal_gamma, self.annotated_C)

    def validated(self) -> dict[str, float]:
        """Spotting mAP@1 on the validation videos, as ``"map"``."""
        # The average of batch norm's statistics is far off (docs/log.md): they are made anew.
        update_bn(self._refreshing_batches(), self._averaged())
        return {"map": 100 * spotting_map(self._averaged(), self.validation, self.cache)}

    def _refreshing_batches(self) -> Iterator[Tensor]:
        for index in range(_REFRESH_BATCHES):
            rng = np.random.default_rng([self.config.seed, self.step, index])
            frames_BJHW, _, _ = self.sampler.batch(self.config.batch, rng)
            yield from frames_BJHW.to(self.fabric.device).chunk(self.config.accumulate)

    def keep(self, path: Path) -> None:
        """Write the averaged backbone and how it was made."""
        provenance = {
            "source": "playahead pretrain",
            "input_size": self.config.input_size,
            "step": self.step,
            "figures": self.figures,
            "classes": [str(ACTIONS[c]) for c in self.sampler.classes],
            "pretrain": _described(self.config),
            **self.started,
        }
        save_backbone(path, self._averaged(), provenance)

    def _averaged(self) -> Backbone:
        return cast(Backbone, self.average.module)


def _described(config: PretrainConfig) -> dict[str, object]:
    """The configuration as JSON can hold it."""
    return {**asdict(config), "start": config.start.name if config.start else None}


def first_weights(config: PretrainConfig) -> tuple[Backbone, dict[str, object]]:
    """The network to train, and the provenance of weights that it starts from.

    Raises:
        InputError: ``start`` holds another network.
    """
    if config.start is None:
        return Backbone(config.backbone, config.imagenet), {}
    loaded, provenance = load_backbone(config.start)
    if replace(loaded.config, classes=len(ACTIONS)) != config.backbone:
        raise InputError(config.start, "holds another network than PretrainConfig.backbone")
    backbone = Backbone(config.backbone)
    state = {
        name: value
        for name, value in loaded.state_dict().items()
        if loaded.config == config.backbone or not name.startswith("classifier.")
    }
    backbone.load_state_dict({**backbone.state_dict(), **state})
    notice = {"notice": provenance["notice"]} if "notice" in provenance else {}
    return backbone, {"started_from": provenance, **notice}


def focal_loss(logits_BC: Tensor, happens_BC: Tensor, gamma: float, annotated_C: Tensor | float = 1.0) -> Tensor:
    """Binary focal loss, summed over the annotated classes (1 in ``annotated_C``, the others 0), mean over snippets."""
    error = F.binary_cross_entropy_with_logits(logits_BC.float(), happens_BC, reduction="none")
    return ((1 - torch.exp(-error)) ** gamma * error * annotated_C).sum(dim=1).mean()


def spotting_scores(
    backbone: FastBackbone, frames_THW: Iterable[NDArray[np.uint8]], stride_frames: int = _VALIDATION_STRIDE
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(scores_TC, time_ms_T of the snippets' centres) over a video, a snippet every so many frames."""
    scores, starts = [], []
    for first, features_BF in SnippetStream(backbone, every(stride_frames)).encode(frames_THW):
        scores.append(backbone.spot(features_BF))
        starts += first
    time_ms_T = (np.array(starts, np.int64) + CENTRE_FRAMES) * 1000 // GRID.fps
    return np.concatenate(scores), time_ms_T


def spotting_map(backbone: Backbone, videos: Sequence[LabelledVideo], cache: FrameCache) -> float:
    """Mean average precision within half a second (mAP@1), peaks picked, every confidence a threshold.

    Mean over the classes that occur.
    """
    fast = FastBackbone(backbone.eval(), device=str(next(backbone.parameters()).device))
    events: list[tuple[int, int, int]] = []
    spotted: list[tuple[int, int, int, float]] = []
    for index, video in enumerate(videos):
        peaks = pick_peaks(*spotting_scores(fast, cache.frames(video.path)))
        spotted += [(index, *row) for row in zip(peaks.class_index, peaks.time_ms, peaks.score, strict=True)]
        events += [(index, e.action.class_index, e.position_ms) for e in video.events]
    columns = [np.array(column) for column in zip(*spotted, strict=True)] or [np.zeros(0)] * 4
    actual = [np.array(column) for column in zip(*events, strict=True)]
    predicted = TimedEvents(
        columns[0].astype(np.intp), columns[1].astype(np.intp), columns[2], columns[3].astype(np.float32)
    )
    area_C = score_exactly(TimedEvents(actual[0], actual[1], actual[2]), predicted).area_DC[0]
    return float(area_C[np.unique(actual[1])].mean())


@dataclass(frozen=True)
class Pretrained:
    """A backbone to extract with, and how it was made.

    Attributes:
        weights: the file.
        best: spotting mAP@1 on validation, in percent.
        set_aside: reasons why videos could not be read.
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
        show: called with the progress.

    Raises:
        InputError: the same split twice, too many videos that cannot be read, or ``out`` holds another run.
    """
    train, validate = splits
    if validation_videos < 1:
        raise InputError("validation_videos", f"{validation_videos} is below 1")
    if train.resolve() == validate.resolve():
        raise InputError(
            "splits", "validation is the same folder as training", "validate on matches that are not trained on"
        )
    with launch_ranks(config, out) as fabric:
        show = show if fabric.is_global_zero else quiet
        training, validation = find_labelled_videos(train), find_labelled_videos(validate)
        validation = validation[:: max(1, len(validation) // validation_videos)]
        if config.imagenet or config.start is not None:
            first_weights(config)  # fails now if they are missing, and not after hours of decoding
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
