"""Training from frames to anticipations as a whole: examples and evaluation sets of labelled videos, and the trainer.

Axes: O examples, B examples of a batch, T frames of an example, H, W, C classes, A videos.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import update_bn

from playahead.datasets.dataset import video_evaluation_set
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.datasets.examples import padded_targets
from playahead.datasets.slicing import Labels, class_counts, labels_of_clip, labels_of_match
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf, feed_of_actions
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.features.forms import AS_RECORDED, Reading
from playahead.features.store import FeatureStore
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.progress import Show, quiet
from playahead.io.runtime import describe_run
from playahead.io.settings import check_counts
from playahead.lab.faantra.network import KIND, EndToEnd, EndToEndModelConfig, open_end_to_end
from playahead.paper.sampling import inverse_frequency
from playahead.paper.targets import Targets
from playahead.sources.layouts import (
    BLOCK_CLIPS,
    LabelledVideo,
    clip_video,
    find_labelled_videos,
    folder_of_split,
    is_clip_split,
    match_numbers,
    resampled_unit,
)
from playahead.sources.soccernet import LABELS_NAME, read_baa_split
from playahead.training.loop import Loop, LoopConfig, fingerprint, step_seed
from playahead.training.ranks import launch_ranks
from playahead.training.run import Finished, finish, validate
from playahead.variants.config import CriterionConfig
from playahead.variants.losses import build_criterion
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import InputSize, parse_input_size
from playahead.video.reader import probe, read_frames

if TYPE_CHECKING:
    from lightning_fabric import Fabric


_TOGETHER = 8
_TILING = 4  # one in so many of 30-s clips that start every 5 s: every time still ends an example somewhere


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video, its actions (and those up to 5 s beyond), and the last time whose next 5 s are labelled."""

    source: LabelledVideo
    actions: FeedHalf
    labels: Labels
    last_end_ms: int


def find_annotated_videos(folder: Path) -> list[AnnotatedVideo]:
    """Every clip of a split of the anticipation benchmark, or the matches in the spotting benchmark's layout."""
    found = []
    if not is_clip_split(folder):
        videos = find_labelled_videos(folder)
        if any(len(video.classes) < len(ACTIONS) for video in videos):
            raise InputError(folder, "does not annotate all ten classes", "extract features and use train video")
        for video, match in zip(videos, match_numbers(videos), strict=True):
            last_ms = int((probe(video.path).duration_s or 0) * 1000) - ANTICIPATION_MS
            actions = replace(feed_of_actions(video.events), match=match)
            found.append(AnnotatedVideo(video, actions, labels_of_match(video.events), last_ms))
        return found
    for index, clip in enumerate(read_baa_split(folder).clips):
        if clip.anticipation is None:
            raise InputError(folder, f"{clip.name}: its labels are withheld")
        actions = feed_of_actions([*clip.observation, *clip.anticipation])
        video = LabelledVideo(clip.name, clip_video(folder, clip), clip.observation, clip.name, clip.name)
        if not video.path.is_file():
            raise InputError(video.path, "no such video")
        actions = replace(actions, match=index // BLOCK_CLIPS)
        found.append(AnnotatedVideo(video, actions, labels_of_clip(clip), OBSERVATION_MS))
    return found


def tiling(videos: Sequence[AnnotatedVideo]) -> list[AnnotatedVideo]:
    """Every fourth clip, which is enough to train on every moment once; whole matches as they are."""
    return list(videos[::_TILING]) if all(video.last_end_ms == OBSERVATION_MS for video in videos) else list(videos)


def benchmark_ends(video: AnnotatedVideo) -> NDArray[np.int64]:
    """Ends of the examples that the benchmark scores: 30 s, 35 s ..."""
    return np.arange(OBSERVATION_MS, video.last_end_ms + 1, GRID.window_ms, dtype=np.int64)


def observed_frames(
    video: AnnotatedVideo,
    end_ms_O: NDArray[np.int64],
    config: EndToEndModelConfig,
    input_size: InputSize,
    notices: Notices | None = None,
) -> NDArray[np.uint8]:
    """frames_OTHW of examples that end at these times, decoded in one pass."""
    # Examples overlap: each frame X that occurs in any of them is decoded once, then copied to its places.
    index_OT = observed_indices(end_ms_O, config)
    frame_X, place_OT = np.unique(index_OT, return_inverse=True)
    frames_XHW = np.zeros((len(frame_X), input_size.height, input_size.width), np.uint8)
    start_s, stop_s, seen = int(frame_X[0]) // GRID.fps, (frame_X[-1] + 1) / GRID.fps, 0
    for offset, gray_HW in read_frames(video.source.path, input_size, start_s, stop_s, notices=notices):
        if seen < len(frame_X) and start_s * GRID.fps + offset == frame_X[seen]:
            frames_XHW[seen] = gray_HW
            seen += 1
    if seen < len(frame_X):
        raise InputError(video.source.path, f"ends before {end_ms_O[-1] / 1000:.0f} s", "is it cut short?")
    return frames_XHW[place_OT.reshape(index_OT.shape)]


def observed_indices(end_ms_O: NDArray[np.int64], config: EndToEndModelConfig) -> NDArray[np.int64]:
    """index_OT: frames of each example; the last one is the last before its end."""
    last_O = end_ms_O * GRID.fps // 1000 - 1
    return last_O[:, None] - np.arange(config.frames - 1, -1, -1) * config.stride_frames


class FrameExamples:
    """Draws examples from labelled videos, mirrored at random: any time of a video may end one.

    ``digest`` changes with the videos and their labels.
    """

    def __init__(self, videos: Sequence[AnnotatedVideo], cache: FrameCache, config: EndToEndModelConfig) -> None:
        self.config = config
        self.first_ms = config.span_frames * 1000 // GRID.fps
        self.videos = [video for video in videos if self._last_ms(video, cache) >= self.first_ms]
        if not self.videos:
            raise InputError("videos", f"no video lasts the {self.first_ms / 1000:.1f} s of an observation")
        self.frames = [cache.frames(video.source.path) for video in self.videos]
        self.last_ms = np.array([self._last_ms(video, cache) for video in self.videos])
        times_A = self.last_ms - self.first_ms + 1
        self._probability_A = times_A / times_A.sum()
        step_ms = np.arange(self.first_ms, int(self.last_ms.max()) + 1, ANTICIPATION_MS)
        counts = [
            class_counts(video.labels.following(step_ms[step_ms <= last]).class_OE).sum(axis=0)
            for video, last in zip(self.videos, self.last_ms, strict=True)
        ]
        self.counts_C = np.sum(counts, axis=0)
        files = []
        for video in self.videos:
            rows = [video.actions.t_ms.tolist(), video.actions.code.tolist()]
            files.append([video.source.name, video.source.path.stat().st_size, video.last_end_ms, *rows])
        self.digest = hashlib.sha256(json.dumps(files).encode()).hexdigest()

    @staticmethod
    def _last_ms(video: AnnotatedVideo, cache: FrameCache) -> int:
        return min(video.last_end_ms, len(cache.frames(video.source.path)) * 1000 // GRID.fps)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Targets, list[str]]:
        """(frames_BTHW in [0, 1], targets, names) of ``size`` examples."""
        frames, events, presence, names = [], [], [], []
        for index in rng.choice(len(self.videos), size, p=self._probability_A):
            video = self.videos[index]
            end_ms = np.array([rng.integers(self.first_ms, self.last_ms[index] + 1)])
            index_T = observed_indices(end_ms, self.config)[0]
            frames_THW = torch.from_numpy(np.array(self.frames[index][index_T])).float() / 255
            frames.append(frames_THW.flip(-1) if rng.random() < 0.5 else frames_THW)
            events.append(video.labels.following(end_ms))
            presence.append(self._presence(video, index_T))
            names.append(f"{video.source.name}, {end_ms[0]} ms")
        targets = padded_targets(events, torch.from_numpy(np.stack(presence)[:, None]))
        return torch.stack(frames), targets, names

    def _presence(self, video: AnnotatedVideo, index_T: NDArray[np.int64]) -> NDArray[np.float32]:
        """presence_TC: 1 where an action happened between a frame and the one before it."""
        presence_TC = np.zeros((len(index_T), len(ACTIONS)), np.float32)
        frame = video.actions.t_ms * GRID.fps // 1000
        step = (frame - (index_T[0] - self.config.stride_frames + 1)) // self.config.stride_frames
        inside = video.actions.is_target & (step >= 0) & (step < len(index_T))
        presence_TC[step[inside], video.actions.code[inside]] = 1.0
        return presence_TC


class FramesEvaluationSet(EvaluationSet):
    """Every example of videos that the benchmark scores; ``keep`` keeps decoded frames in memory for the next pass."""

    def __init__(
        self,
        videos: Sequence[AnnotatedVideo],
        config: EndToEndModelConfig,
        split: str = "",
        unit: str = "matches",
        keep: bool = False,
    ) -> None:
        self.videos = [video for video in videos if len(benchmark_ends(video))]
        self.names = [video.source.name for video in self.videos]
        ends = [benchmark_ends(video) for video in self.videos]
        labels = [video.labels for video in self.videos]
        super().__init__([video.actions for video in self.videos], labels, ends, split, unit)
        self.features = {"kind": "frames"}
        self._config, self._input_size, self._keep = config, parse_input_size(config.input_size), keep
        self._frames: dict[int, NDArray[np.uint8]] = {}

    def batches(self, reading: Reading = AS_RECORDED) -> Iterator[NDArray[np.uint8]]:  # noqa: ARG002
        """Frames (B, T, H, W), uint8."""
        for index, (video, ends) in enumerate(zip(self.videos, self.end_ms, strict=True)):
            frames_OTHW = self._frames.get(index)
            if frames_OTHW is None:
                frames_OTHW = observed_frames(video, ends, self._config, self._input_size, self.notices)
            if self._keep:
                self._frames[index] = frames_OTHW
            for first in range(0, len(frames_OTHW), _TOGETHER):
                yield frames_OTHW[first : first + _TOGETHER]


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
        check_counts(self, "batch", "validation_clips")
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
