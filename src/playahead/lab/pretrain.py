"""Pre-training: the backbone as a spotter, a multi-label classifier of the centre of a snippet (docs/paper.md 1.1).

Half of the snippets show an action at their centre; all are augmented.

Axes: B snippets, J frames of a snippet (15), H, W, C classes, E events, T snippets of a video.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from playahead.domain.notices import Notices
from playahead.evaluation.exact import TimedEvents, score_exactly
from playahead.evaluation.frames import common_classes
from playahead.features.encoder import SnippetStream, every
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.io.settings import check_counts
from playahead.sources.layouts import LabelledVideo, find_labelled_videos
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed
from playahead.training.ranks import launch_ranks
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size

if TYPE_CHECKING:
    from lightning_fabric import Fabric


CENTRE_FRAMES = GRID.snippet_span_frames // 2
"""A snippet's centre, counted from its first frame."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of snippets, each changed as a whole (C).

    Attributes:
        flip: mirror half of them left to right.
        zoom: largest share of the picture's sides that is cut off.
        brightness: largest change of the factor 1, and of the constant 0 that is added.
    """

    flip: bool = True
    zoom: float = 0.1
    brightness: float = 0.15


class SnippetSampler:
    """Draws snippets of labelled videos and what happens at their centre."""

    def __init__(self, videos: Sequence[LabelledVideo], cache: FrameCache, config: "PretrainConfig") -> None:
        self.config = config
        self.classes = common_classes(video.classes for video in videos)
        long_enough = [(v, f) for v in videos if len(f := cache.frames(v.path)) >= GRID.snippet_span_frames]
        if not long_enough:
            raise InputError("videos", "no video is as long as a snippet of 29 frames")
        self.names = [video.name for video, _ in long_enough]
        self.frames = [frames for _, frames in long_enough]
        self.lengths = np.array([len(frames) for frames in self.frames])
        events = [(v, event) for v, (video, _) in enumerate(long_enough) for event in video.events]
        rows = [(v, event.action.class_index, round(event.position_ms * GRID.fps / 1000)) for v, event in events]
        rows = [row for row in rows if row[2] < self.lengths[row[0]]]
        if not rows:
            raise InputError("videos", "no action is labelled within the videos")
        self.video_E, self.class_E, self.frame_E = (np.array(column) for column in zip(*rows, strict=True))
        rarity_C = 1 / np.sqrt(np.maximum(np.bincount(self.class_E, minlength=len(ACTIONS)), 1))
        self._probability_E = rarity_C[self.class_E] / rarity_C[self.class_E].sum()

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[str]]:
        """(frames_BJHW in [0, 1], happens_BC, names) of ``size`` snippets."""
        drawn = [self._draw(rng) for _ in range(size)]
        with ThreadPoolExecutor(min(size, os.cpu_count() or 1)) as threads:  # compressed frames are decoded here
            frames = list(threads.map(self._frames, drawn))
        snippets = [_augmented(torch.from_numpy(frames_JHW), self.config.augmentation, rng) for frames_JHW in frames]
        happens = [self.happening(video, start + CENTRE_FRAMES) for video, start in drawn]
        names = [f"{self.names[video]}, frame {start}" for video, start in drawn]
        return torch.stack(snippets), torch.from_numpy(np.stack(happens)), names

    def _frames(self, drawn: tuple[int, int]) -> NDArray[np.uint8]:
        video, start = drawn
        return np.array(self.frames[video][start : start + GRID.snippet_span_frames : GRID.snippet_step])

    def happening(self, video: int, centre: int) -> NDArray[np.float32]:
        """happens_C: 1 for each class that has an action within reach of the centre."""
        near_E = (self.video_E == video) & (np.abs(self.frame_E - centre) <= self.config.reach_frames)
        happens_C = np.zeros(len(ACTIONS), np.float32)
        happens_C[self.class_E[near_E]] = 1.0
        return happens_C

    def _draw(self, rng: np.random.Generator) -> tuple[int, int]:
        if rng.random() < self.config.action_share:
            reach = self.config.reach_frames
            event = rng.choice(len(self._probability_E), p=self._probability_E)
            video = int(self.video_E[event])
            centre = int(self.frame_E[event]) + int(rng.integers(-reach, reach + 1))
        else:
            video = int(rng.choice(len(self.lengths), p=self.lengths / self.lengths.sum()))
            centre = int(rng.integers(self.lengths[video]))
        latest = int(self.lengths[video]) - GRID.snippet_span_frames
        return video, min(max(centre - CENTRE_FRAMES, 0), latest)


def _augmented(frames_JHW: Tensor, how: Augmentation, rng: np.random.Generator) -> Tensor:
    frames = frames_JHW.float() / 255
    height, width = frames.shape[1:]
    if how.zoom:
        share = 1 - how.zoom * rng.random()
        cut_h, cut_w = round(height * share), round(width * share)
        top, left = int(rng.integers(height - cut_h + 1)), int(rng.integers(width - cut_w + 1))
        cut = frames[None, :, top : top + cut_h, left : left + cut_w]
        frames = F.interpolate(cut, (height, width), mode="bilinear", align_corners=False)[0]
    if how.flip and rng.random() < 0.5:
        frames = frames.flip(-1)
    if how.brightness:
        factor, added = 1 + how.brightness * rng.uniform(-1, 1), how.brightness * rng.uniform(-1, 1)
        frames = (frames * factor + added).clamp(0, 1)
    return frames


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
        check_counts(self, "batch", "accumulate")
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
        self.sampler = SnippetSampler(training, cache, config)
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
        draws = (np.random.default_rng([self.config.seed, self.step, index]) for index in range(_REFRESH_BATCHES))
        batches = (self.sampler.batch(self.config.batch, rng)[0].to(self.fabric.device) for rng in draws)
        update_bn((part for batch in batches for part in batch.chunk(self.config.accumulate)), self._averaged())
        return {"map": 100 * spotting_map(self._averaged(), self.validation, self.cache)}

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
    return {**asdict(config), "start": config.start.name if config.start else None}


def first_weights(config: PretrainConfig) -> tuple[Backbone, dict[str, object]]:
    """The network to train, and the provenance of weights that it starts from."""
    if config.start is None:
        return Backbone(config.backbone, config.imagenet), {}
    loaded, provenance = load_backbone(config.start)
    if replace(loaded.config, classes=len(ACTIONS)) != config.backbone:
        raise InputError(config.start, "holds another network than PretrainConfig.backbone")
    backbone, state = Backbone(config.backbone), loaded.state_dict()
    if loaded.config != config.backbone:  # it spots other classes
        state = {name: value for name, value in state.items() if not name.startswith("classifier.")}
    backbone.load_state_dict({**backbone.state_dict(), **state})
    notice = {"notice": provenance["notice"]} if "notice" in provenance else {}
    return backbone, {"started_from": provenance, **notice}


def focal_loss(logits_BC: Tensor, happens_BC: Tensor, gamma: float, annotated_C: Tensor | float = 1.0) -> Tensor:
    """Binary focal loss, summed over the annotated classes (1 in ``annotated_C``, the others 0), mean over snippets."""
    error = F.binary_cross_entropy_with_logits(logits_BC.float(), happens_BC, reduction="none")
    return ((1 - torch.exp(-error)) ** gamma * error * annotated_C).sum(dim=1).mean()


def spotting_scores(
    backbone: FastBackbone, frames_THW: Iterable[NDArray[np.uint8]]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(scores_TC, time_ms_T of the snippets' centres) over a video, a snippet every ``GRID.snippet_stride`` frames."""
    scores, starts = [], []
    for first, features_BF in SnippetStream(backbone, every(GRID.snippet_stride)).encode(frames_THW):
        scores.append(backbone.spot(features_BF))
        starts += first
    time_ms_T = (np.array(starts, np.int64) + CENTRE_FRAMES) * 1000 // GRID.fps
    return np.concatenate(scores), time_ms_T


def spotting_map(backbone: Backbone, videos: Sequence[LabelledVideo], cache: FrameCache) -> float:
    """mAP@1 over the classes that occur: peaks picked, within half a second, every confidence a threshold."""
    fast = FastBackbone(backbone.eval(), device=str(next(backbone.parameters()).device))
    events = [(n, e.action.class_index, e.position_ms) for n, video in enumerate(videos) for e in video.events]
    video_E, class_E, time_ms_E = (np.array(column) for column in zip(*events, strict=True))
    peaks = [pick_peaks(*spotting_scores(fast, cache.frames(video.path))) for video in videos]
    predicted = TimedEvents(
        np.repeat(np.arange(len(peaks)), [len(of_video.score) for of_video in peaks]),
        np.concatenate([of_video.class_index for of_video in peaks]),
        np.concatenate([of_video.time_ms for of_video in peaks]),
        np.concatenate([of_video.score for of_video in peaks]),
    )
    area_C = score_exactly(TimedEvents(video_E, class_E, time_ms_E), predicted).area_DC[0]
    return float(area_C[np.unique(class_E)].mean())


@dataclass(frozen=True)
class Pretrained:
    """A backbone to extract with, and its spotting mAP@1 on validation, percent."""

    weights: Path
    best: float


def pretrain(
    splits: tuple[Path, Path],
    config: PretrainConfig,
    out: Path,
    cache: Path | None = None,
    validation_videos: int = 20,
    show: Show = quiet,
    notices: Notices | None = None,
) -> Pretrained:
    """Train the backbone to spot ball actions; killed and called again, it resumes.

    Args:
        splits: folders to train and to validate on: clips, or matches in the spotting benchmark's layout.
        config: settings of the run.
        out: folder of the run: backbone.safetensors (to extract with), log.csv, the state to resume from.
        cache: folder for decoded frames; inside ``out`` if None.
        validation_videos: videos that are scored, spread over the split.
        show: called with the progress.
        notices: collector of what a user should know: videos that were set aside, and why.

    Raises:
        InputError: the same split twice, too many videos that cannot be read, or ``out`` holds another run.
    """
    train, validate = splits
    if validation_videos < 1:
        raise InputError("validation_videos", f"{validation_videos} is below 1")
    if train.resolve() == validate.resolve():
        fix = "validate on matches that are not trained on"
        raise InputError("splits", "validation is the same folder as training", fix)
    with launch_ranks(config, out) as fabric:
        show = show if fabric.is_global_zero else quiet
        training, validation = find_labelled_videos(train), find_labelled_videos(validate)
        validation = validation[:: max(1, len(validation) // validation_videos)]
        if config.imagenet or config.start is not None:
            first_weights(config)  # fails now if they are missing, and not after hours of decoding
        frames = FrameCache(cache or out, parse_input_size(config.input_size))
        with fabric.rank_zero_first():  # it decodes, the others find it done
            bad = frames.fill([video.path for video in (*training, *validation)], show, notices)
        if notices is not None:
            for reason in bad.values():
                notices.add(f"set aside: {reason}")
        training, validation = ([v for v in videos if v.path not in bad] for videos in (training, validation))
        trainer = SpottingTrainer(config, training, validation, frames, out, fabric)
        trainer.run(show)
        if fabric.is_global_zero:
            backbone, about = load_backbone(out / "best.safetensors")
            save_backbone(out / "backbone.safetensors", backbone, about)
    return Pretrained(out / "backbone.safetensors", trainer.best)
