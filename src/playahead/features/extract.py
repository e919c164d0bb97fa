"""``extract()``: every distinct window of a video, a folder or a dataset, encoded once and for all.

Each video is read, each window is named by the hash of its frames, encoded unless the store holds it, and listed in the
video's journal.

Axes: T frames, H, W.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playahead.backbone.checkpoint import load_backbone, weights_digest
from playahead.backbone.fast import FastBackbone, Precision
from playahead.domain.grid import GRID
from playahead.domain.notices import Notices
from playahead.features.encoder import WindowEncoder, window_key
from playahead.features.store import FeatureStore, JournalWriter, StoreFacts
from playahead.io.errors import InputError
from playahead.io.files import (
    are_few,
    disk_errors,
    free_bytes,
    lock_folder,
    packaged_weights,
    readable_size,
    require_file,
)
from playahead.io.progress import Show, counter, quiet
from playahead.io.runtime import pick_device, started_ray
from playahead.io.settings import check_choices, check_counts
from playahead.video.input_size import InputSize, Luma, parse_input_size
from playahead.video.reader import probe, read_frames

SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".ts", ".webm", ".m4v", ".mpg"})
_WINDOW_S = GRID.window_frames / GRID.fps
_MAX_PADDED_FRAMES = GRID.fps // 2  # half a second


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """Settings of an extraction.

    Attributes:
        backbone: weights written by ``pretrain`` or ``weights convert``; the packaged ones (trained on simulated
            broadcasts) if not given.
        input_size: frame size of the backbone, as 1280x736; the one that the weights were trained at if not given.
        luma: limited (as broadcast stores it, what the published predictor reads) or full.
        precision: float32; bfloat16 or (CUDA) tf32 are faster on some hardware.
        batch: number of stacks encoded together.
        compile: whether to use torch.compile; the first window takes a minute or two.
        device: cpu, cuda, cuda:1, mps, or auto.
    """

    backbone: Path | None = None
    input_size: str | None = None
    luma: Luma = "limited"
    precision: Precision = "float32"
    batch: int = 41
    compile: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        check_choices(self)
        check_counts(self, "batch")


@dataclass
class ExtractionReport:
    """Result of an extraction.

    Attributes:
        videos: number of videos that were read to their end now.
        windows: number of windows that were listed now.
        shared: number of those that were already there, from another video or an earlier run.
        skipped: number of videos that were complete before.
        padded: number of videos whose last window lacked up to half a second, which its last picture fills.
        failed: videos that could not be read, and clips too short to be observed, with the reason.
        notices: what a user should know about the videos and the weights.
    """

    videos: int = 0
    windows: int = 0
    shared: int = 0
    skipped: int = 0
    padded: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        """Check whether too many videos failed to go on with the rest."""
        return not are_few(len(self.failed), self.videos + self.skipped + len(self.failed))

    def add(self, other: "ExtractionReport") -> None:
        """Add another report to this one."""
        for name in ("videos", "windows", "shared", "skipped", "padded", "notices"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failed |= other.failed


def extract(
    source: Path,
    out: Path,
    config: ExtractConfig | None = None,
    shard: str = "1/1",
    engine: Literal["local", "ray"] = "local",
    show: Show = quiet,
) -> ExtractionReport:
    """Encode every distinct 5-s window; called again, it resumes.

    Args:
        source: a video, a folder of videos, or a dataset in the benchmark's layout.
        out: the store; it can hold many videos, all encoded with the same weights and input size.
        config: settings of the backbone.
        shard: part of the videos, for any scheduler: "2/4" takes the second quarter.
        engine: local, or ray for many machines.
        show: called for every window.

    Returns:
        Counts, notices, and in ``failed`` the videos that could not be read.

    Raises:
        InputError: no videos, too little free space (checked before anything is encoded), or another store in ``out``.
    """
    videos = shard_of(find_videos(source), shard)
    with lock_folder(out, shard):
        make, store = prepare(config or ExtractConfig(), out)
        waiting = [video for video in videos if not store.journal(video.name).closed]
        windows = expected_windows(waiting)
        needed_bytes, free = windows * store.facts.window_bytes, free_bytes(out)
        if needed_bytes > free:
            what = f"features need {readable_size(needed_bytes)}, {readable_size(free)} are free"
            raise InputError(out, what, "choose another folder")
        report = ExtractionReport(skipped=len(videos) - len(waiting), notices=[store.notice] if store.notice else [])
        advance_s = counter(show, f"extracting {len(waiting):,} videos", windows * _WINDOW_S, "s of video")
        advance = lambda n_windows: advance_s(n_windows * _WINDOW_S)  # noqa: E731
        with disk_errors(out):
            if engine == "ray":
                on_gpus = pick_device((config or ExtractConfig()).device).startswith("cuda")
                report.add(extract_by_ray(waiting, make, advance, on_gpus))
            else:
                extractor = make()
                for video in waiting:
                    report.add(extractor.extract(video, advance))
        return report


def prepare(config: ExtractConfig, out: Path) -> tuple[Callable[[], "Extractor"], FeatureStore]:
    """Make or open the store, and a function that makes an extractor in any process, given paths and settings only.

    Raises:
        InputError: weights that cannot be read, or a store of other weights, input size or precision.
    """
    path = config.backbone or packaged_weights("simulated-backbone")
    backbone, provenance = load_backbone(path)
    input_size = parse_input_size(config.input_size or str(provenance.get("input_size", "1280x736")), config.luma)
    facts = StoreFacts(
        weights=weights_digest(backbone),
        input_size=(input_size.width, input_size.height, input_size.luma),
        precision=config.precision,
        snippets=GRID.n_snippets,
        feature_dim=backbone.config.feature_dim,
        provenance=provenance,
    )
    with disk_errors(out):
        store = FeatureStore(out, facts)
    return partial(_make_extractor, config, path, out.absolute(), input_size), store


def _make_extractor(config: ExtractConfig, backbone: Path, out: Path, input_size: InputSize) -> "Extractor":
    fast = FastBackbone(load_backbone(backbone)[0], config.precision, config.compile, pick_device(config.device))
    return Extractor(FeatureStore(out), WindowEncoder(fast, config.batch), input_size)


@dataclass(frozen=True)
class Video:
    """A video and its name in the store (``train/clip_1``, ``2024/final``)."""

    name: str
    path: Path

    @property
    def is_clip(self) -> bool:
        """Check whether it is one of the anticipation benchmark's clips."""
        return self.path.parent.name.startswith("clip_")


def find_videos(source: Path) -> list[Video]:
    """Find the videos of a file or a folder; a clip folder's single file gives the folder's name.

    Raises:
        InputError: no videos, or several in one clip folder (two resolutions).
    """
    if not source.is_dir():
        require_file(source)
        return [Video(source.stem, source)]
    paths = [p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not paths:
        raise InputError(source, "no videos here", f"expected one of {', '.join(sorted(SUFFIXES))}")
    videos: dict[str, Video] = {}
    # shorter names first: clip_2 comes before clip_10, so that neighbours in time are neighbours in a shard
    for path in sorted(paths, key=lambda path: [(len(part), part) for part in path.parts]):
        inside = path.relative_to(source)
        name = inside.with_suffix("").as_posix()
        if path.parent.name.startswith("clip_"):
            name = path.parent.name if inside.parent == Path() else inside.parent.as_posix()
        if name in videos:
            raise InputError(source, f"holds {name} twice", "keep one resolution in the folder")
        videos[name] = Video(name, path)
    return list(videos.values())


def shard_of(videos: Sequence[Video], shard: str) -> list[Video]:
    """Take a part of the videos: ``"2/4"`` is the second of four runs of neighbours, which share windows."""
    try:
        index, count = (int(part) for part in shard.split("/"))
    except ValueError:
        raise InputError("shard", f"{shard!r} is not of the form 2/4") from None
    if not 1 <= index <= count:
        raise InputError("shard", f"{shard!r}: shards are numbered 1/{count} to {count}/{count}")
    return list(videos[len(videos) * (index - 1) // count : len(videos) * index // count])


def expected_windows(videos: Sequence[Video]) -> int:
    """Approximate number of windows. Clips of a split are taken to be equally long; unreadable files count as none."""
    total, lengths = 0, {}
    for video in videos:
        kind = video.path.parent.parent if video.is_clip else video.path
        if kind not in lengths:
            try:
                lengths[kind] = int((probe(video.path).duration_s or 0) * GRID.fps) // GRID.window_frames
            except InputError:
                lengths[kind] = 0  # the extraction itself reports the error
        total += lengths[kind]
    return total


@dataclass(frozen=True)
class Extractor:
    """Extracts videos into a store.

    Attributes:
        store: destination of the features.
        encoder: encoder of windows.
        input_size: size of the frames; the store's.
    """

    store: FeatureStore
    encoder: WindowEncoder
    input_size: InputSize

    def extract(self, video: Video, advance: Callable[[int], object] = int) -> ExtractionReport:
        """Extract a video, from where an earlier run stopped. A video that cannot be read is in ``failed``.

        Args:
            video: the video.
            advance: called with the number of windows done.
        """
        report, notices = ExtractionReport(), Notices()
        if self.store.journal(video.name).closed:
            report.skipped = 1
            return report
        journal = JournalWriter(self.store, video.name)
        advance(len(journal.keys))
        try:
            windows = _windows(video.path, self.input_size, max(len(journal.keys) - 1, 0), notices)
            if journal.keys:
                _require_same(video.path, next(windows, None), journal.keys)
            for frames_THW, n_missing in windows:
                key = window_key(frames_THW)
                if self.store.has(key):
                    report.shared += 1
                else:
                    self.store.write(key, self.encoder.encode(frames_THW))
                journal.add(key)
                report.windows += 1
                if n_missing:
                    report.padded += 1
                    notices.add(f"{video.path}: its last {n_missing} frames are missing, the picture before them stays")
                advance(1)
        except InputError as reason:
            report.failed[video.name] = str(reason)
            journal.fail(str(reason))
            return report
        if video.is_clip and len(journal.keys) < GRID.n_windows:
            what = f"holds {len(journal.keys) * _WINDOW_S:.0f} s of windows, an observation needs 30 s"
            report.failed[video.name] = f"{video.path}: {what}"
        elif not journal.keys:
            notices.add(f"{video.path}: shorter than a window of {_WINDOW_S:.0f} s, nothing to extract")
        report.videos, report.notices = 1, notices.lines
        journal.close(report.notices)
        return report


Window = tuple[NDArray[np.uint8], int]
"""Frames of a window, and the number of them that are missing and filled."""


def _windows(path: Path, input_size: InputSize, first: int, notices: Notices) -> Iterator[Window]:
    frames_THW = np.empty((GRID.window_frames, input_size.height, input_size.width), np.uint8)
    n_filled = 0
    for _, gray_HW in read_frames(path, input_size, first * _WINDOW_S, notices=notices):
        frames_THW[n_filled] = gray_HW
        n_filled += 1
        if n_filled == GRID.window_frames:
            yield frames_THW, 0
            n_filled = 0
    # The end: up to half a second of a last window is filled with its last picture, less than a window is left out.
    n_missing = GRID.window_frames - n_filled
    if n_missing <= _MAX_PADDED_FRAMES:
        frames_THW[n_filled:] = frames_THW[n_filled - 1]
        yield frames_THW, n_missing


def _require_same(path: Path, window: Window | None, known: Sequence[str]) -> None:
    """Refuse a file that is now cut short or another one, instead of taking it for a video that ends there."""
    if window is None or window_key(window[0]) != known[-1]:
        what = f"is not the video that its first {len(known)} windows were extracted from"
        fix = "is it still being copied? If not, delete its journal in the store's videos folder"
        raise InputError(path, what, fix)


class _RayActor:
    """Makes its extractor once, then extracts one video a call."""

    def __init__(self, make: Callable[[], Extractor]) -> None:
        self.extractor = make()

    def __call__(self, row: dict) -> dict:
        return {"report": asdict(self.extractor.extract(Video(row["name"], Path(row["path"]))))}


def extract_by_ray(
    videos: Sequence[Video], make: Callable[[], Extractor], advance: Callable[[int], None], on_gpus: bool = False
) -> ExtractionReport:
    """Extract videos through Ray Data, in an actor for each GPU, or for each CPU but one, which Ray's reader needs.

    Raises:
        InputError: ray is not installed.
    """
    # Ray 2.60's default, RATE_BASED, waits for ever on one small machine: it counts no CPUs (docs/log.md).
    os.environ.setdefault("RAY_DATA_CLUSTER_AUTOSCALER", "V2")
    ray, data = started_ray("ray.data", "ray")
    resources = ray.cluster_resources()
    n_actors = max(1, int(resources.get("GPU", 0)) if on_gpus else int(resources.get("CPU", 1)) - 1)
    data.DataContext.get_current().enable_progress_bars = False
    rows = data.from_items([{"name": video.name, "path": str(video.path.absolute())} for video in videos])
    pool = data.ActorPoolStrategy(size=n_actors)
    done = rows.map(_RayActor, fn_constructor_args=(make,), compute=pool, num_gpus=1 if on_gpus else None)
    total = ExtractionReport()
    for row in done.iter_rows():
        report = ExtractionReport(**row["report"])
        total.add(report)
        advance(report.windows)
    return total
