"""Ready-made features into a store: .npy files of steps, at any rate and width, whatever made them.

Axes: T steps of a file, W windows, N snippets, F features.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.features.store import FeatureStore, JournalWriter, StoreFacts
from playahead.io.errors import InputError
from playahead.io.files import disk_errors
from playahead.io.progress import Show, counter, quiet
from playahead.sources.layouts import find_labelled_videos, folder_of_split, is_clip_split, name_of_split
from playahead.sources.soccernet import read_baa_split

SPLITS = ("train", "val", "test", "challenge")
_WINDOW_S = GRID.window_ms / 1000
_SLACK_S = 1.0  # a last window may lack a step, but no more than this
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Features that somebody has made.

    Attributes:
        fps: steps a second; step 0 lies at the video's start.
        made_by: what made them, as "E2E-Spot, 2 epochs"; weights trained on them remember it.
        looks_ahead: seconds of video after its own time that a step has seen, as half a clip of a 3D network. Steps are
            moved later by so much, or a window would know what comes after it.
    """

    fps: float
    made_by: str
    looks_ahead: float = 0.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.fps <= 100:
            raise InputError("ImportConfig.fps", f"{self.fps} is not in 0.5 to 100 steps a second")
        if not 0 <= self.looks_ahead <= 30:
            raise InputError("ImportConfig.looks_ahead", f"{self.looks_ahead} is not in 0 to 30 seconds")
        if not self.made_by.strip() or not self.made_by.isprintable():
            raise InputError("ImportConfig.made_by", "says nothing", 'as "E2E-Spot"')


@dataclass
class ImportReport:
    """Report of an import.

    Attributes:
        videos, windows, feature_dim: how much, and how wide.
        missing: videos of the dataset without a file of features.
        unused: files of features of no video.
    """

    videos: int = 0
    windows: int = 0
    feature_dim: int = 0
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def import_features(source: Path, data: Path, out: Path, config: ImportConfig, show: Show = quiet) -> ImportReport:
    """Store the features of a dataset's videos, so that ``train video``, ``evaluate video`` and ``submit`` read them.

    A video's file is found by the video's name (``train/clip_1.npy``), as the only .npy in a folder of that name
    (``train/clip_1/features.npy``), or in a match's folder by the half (``match/1_ResNET_TF2.npy``).

    Args:
        source: folder of the .npy files, with or without folders of splits.
        data: the dataset: folder of train, valid and test, or of annotations_*.json. Its videos need not be there.
        out: folder of the store.
        config: rate of the steps, and what made them.
        show: progress, called for each video.

    Raises:
        InputError: no file of any video, or a file that holds no features of such a video.
    """
    if not source.is_dir():
        raise InputError(source, "is not a folder of .npy files")
    named = _videos_of(data)
    found = {split_name: _file_of(source, *split_name) for split_name in named}
    there = {key: path for key, path in found.items() if path is not None}
    if not there:
        first = "/".join(named[0])
        raise InputError(source, f"holds no features of any of {len(named):,} videos", f"name them as {first}.npy")
    video_of: dict[Path, tuple[str, str]] = {}
    for key, path in there.items():
        if (other := video_of.setdefault(path, key)) != key:
            what = f"would be the features of {'/'.join(other)} and of {'/'.join(key)}"
            raise InputError(path, what, f"name them {'/'.join(other)}.npy and {'/'.join(key)}.npy")
    first_TF = _steps(next(iter(there.values())))
    facts = StoreFacts(
        weights=f"{config.made_by} ({config.fps:g} steps/s, {config.looks_ahead:g} s ahead)",
        input_size=None,
        precision="float32",
        snippets=GRID.n_snippets,
        feature_dim=first_TF.shape[1],
    )
    store, report = FeatureStore(out, facts), ImportReport(feature_dim=first_TF.shape[1])
    advance = counter(show, f"importing {len(there):,} videos", len(there), "videos")
    with disk_errors(out):
        for (split, name), path in there.items():
            windows = windows_of_steps(_steps(path), config.fps, config.looks_ahead, path)
            if windows.shape[2] != facts.feature_dim:
                what = f"holds {windows.shape[2]} features a step, the files before it {facts.feature_dim}"
                raise InputError(path, what, "import features of one kind into a store")
            report.windows += _add(store, f"{split}/{name}", windows)
            report.videos += 1
            advance()
    report.missing = ["/".join(key) for key, path in found.items() if path is None]
    used = set(there.values())
    report.unused = [str(path.relative_to(source)) for path in sorted(source.rglob("*.npy")) if path not in used]
    return report


def windows_of_steps(
    steps_TF: NDArray[np.floating], fps: float, looks_ahead_s: float, where: object = "features"
) -> NDArray[np.float16]:
    """windows_WNF: at each snippet's centre, the nearest step that has seen no more than the window.

    Args:
        steps_TF: step t lies at t / fps seconds.
        fps: steps a second.
        looks_ahead_s: seconds after its own time that a step has seen.
        where: name for errors.

    Raises:
        InputError: less than a window, or values that float16 cannot hold.
    """
    lasts_s = len(steps_TF) / fps
    n_windows = int((lasts_s + min(1 / fps, _SLACK_S)) // _WINDOW_S)
    if n_windows < 1:
        raise InputError(where, f"{len(steps_TF)} steps at {fps:g} a second last {lasts_s:.1f} s, a window needs 5")
    # Times of the snippets' centres, then the step nearest to each, but none that looks beyond the window's end.
    centre_N = (GRID.snippet_span_frames // 2 + np.arange(GRID.n_snippets) * GRID.snippet_stride) / GRID.fps
    start_W1 = np.arange(n_windows)[:, None] * _WINDOW_S
    nearest_WN = np.rint((start_W1 + centre_N - looks_ahead_s) * fps)
    last_W1 = np.ceil((start_W1 + _WINDOW_S - looks_ahead_s) * fps) - 1
    step_WN = np.minimum(nearest_WN, last_W1).astype(np.int64)
    windows_WNF = np.asarray(steps_TF[step_WN.clip(0, len(steps_TF) - 1)], np.float32)
    windows_WNF[step_WN < 0] = 0  # before the video began
    if not np.isfinite(windows_WNF).all():
        raise InputError(where, "holds NaN or infinity")
    if np.abs(windows_WNF).max() > _LARGEST:
        raise InputError(where, f"holds {np.abs(windows_WNF).max():g}, float16 ends at {_LARGEST:g}", "scale them")
    return windows_WNF.astype(np.float16)


def _videos_of(data: Path) -> list[tuple[str, str]]:
    """(split, name in a store) of all videos of a dataset."""
    places = [place for split in SPLITS if (place := folder_of_split(data, split)).exists()]
    if not places:
        raise InputError(data, "holds no split", "expected folders train, valid and test, or annotations_train.json")
    return [(name_of_split(place), name) for place in places for name in _names(place)]


def _names(place: Path) -> Sequence[str]:
    if is_clip_split(place):
        return [clip.name for clip in read_baa_split(place).clips]
    return [video.stored for video in find_labelled_videos(place, need_videos=False)]


def _file_of(source: Path, split: str, name: str) -> Path | None:
    for start in (source / split / name, source / name):
        if start.with_name(f"{start.name}.npy").is_file():
            return start.with_name(f"{start.name}.npy")
        if start.is_dir() and len(inside := sorted(start.glob("*.npy"))) == 1:
            return inside[0]
        half = start.name.split("_")[0]
        if half in ("1", "2") and len(of_half := sorted(start.parent.glob(f"{half}_*.npy"))) == 1:
            return of_half[0]
    return None


def _steps(path: Path) -> NDArray[np.floating]:
    """steps_TF of a file, memory-mapped."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")  # np.load would also open an archive or a pickle
    except Exception as reason:  # NumPy's parser of the header raises errors of many kinds
        raise InputError(path, f"is no array ({' '.join(str(reason).split())})") from None
    shape = tuple(size for place, size in enumerate(array.shape) if size > 1 or place in (0, array.ndim - 1))
    if array.dtype.kind != "f" or len(shape) != 2 or not array.size:
        raise InputError(path, f"holds {array.dtype} {array.shape}", "expected steps x features, as (27000, 2048)")
    return array.reshape(shape)


def _add(store: FeatureStore, name: str, windows_WNF: NDArray[np.float16]) -> int:
    """Store a video's windows; one that is there already must be the same."""
    keys = [hashlib.sha256(repr(window.shape).encode() + window.tobytes()).hexdigest() for window in windows_WNF]
    journal = store.journal(name)
    if journal.closed and journal.keys == keys:
        return len(keys)
    if journal.keys and journal.keys != keys[: len(journal.keys)]:
        raise InputError(store.folder, f"{name} is there with other features", "choose another folder")
    for key, window_NF in zip(keys, windows_WNF, strict=True):
        if not store.has(key):
            store.write(key, window_NF)
    writer = JournalWriter(store, name)
    for key in keys[len(writer.keys) :]:
        writer.add(key)
    writer.close([])
    return len(keys)
