"""Labelled videos on disk: splits of clips (anticipation benchmark), whole matches (spotting benchmark), or OSL JSON,
where a split is a file of annotations beside the folder of its videos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.actions import ACTIONS
from playahead.domain.notices import Notices
from playahead.domain.records import ActionEvent, Clip
from playahead.io.errors import InputError
from playahead.io.files import are_few
from playahead.sources.osl_videos import read_osl_videos
from playahead.sources.soccernet import LABELS_NAME, read_baa_split, read_bas_match

BLOCK_CLIPS = 60
"""Clips, five minutes of a split, that intervals resample: clips do not say which match they are of."""
SIMULATED_MARKER = "SIMULATED.txt"
"""A file of this name in a dataset's folder says that its matches are simulated."""
_ANNOTATIONS = "annotations_"
_TILING = 6  # 30-s clips that start every 5 s: every sixth covers the video once


@dataclass(frozen=True)
class LabelledVideo:
    """A video and the actions seen in it.

    Attributes:
        name: name for people.
        path: the file.
        events: actions, ms from the video's start.
        match: name of its match; the videos of one match have the same.
        stored: its name in a feature store.
        classes: indices of the classes that its annotators looked for.
    """

    name: str
    path: Path
    events: tuple[ActionEvent, ...]
    match: str = ""
    stored: str = ""
    classes: tuple[int, ...] = tuple(range(len(ACTIONS)))


def find_labelled_videos(folder: Path, notices: Notices | None = None) -> list[LabelledVideo]:
    """A split of the anticipation benchmark, a folder of matches in the spotting benchmark's layout, or an OSL JSON.

    Args:
        folder: the folder, or the file.
        notices: collector of labels of matches that were not read, and of times that were moved.

    Raises:
        InputError: none of them is there, or a video is missing.
    """
    notices = notices or Notices()
    if folder.is_file():
        return _osl_videos(folder, notices)
    if is_clip_split(folder):
        return _baa_videos(folder)
    matches = sorted(path.parent for path in folder.rglob(LABELS_NAME))
    if not matches:
        raise InputError(folder, f"no {LABELS_NAME} here", "expected a split of clips, or folders of matches")
    return [video for match in matches for video in _bas_videos(match, match.relative_to(folder).as_posix(), notices)]


def folder_of_split(dataset: Path, split: str) -> Path:
    """A split's folder, or its annotations in OSL JSON; the benchmarks call val "valid"."""
    name = {"val": "valid"}.get(split, split)
    annotations = dataset / f"{_ANNOTATIONS}{name}.json"
    return annotations if annotations.is_file() else dataset / name


def name_of_split(place: Path) -> str:
    """The split of a folder or file: train, valid or test."""
    return place.stem.removeprefix(_ANNOTATIONS) if place.is_file() else place.name


def resampled_unit(folder: Path) -> str:
    """Unit that intervals over a split resample: clips do not say which match they are of."""
    return "five-minute runs of clips" if is_clip_split(folder) else "matches"


def match_numbers(videos: Sequence[LabelledVideo]) -> list[int]:
    """The match of each video, as a number."""
    number_of = {match: number for number, match in enumerate(dict.fromkeys(video.match for video in videos))}
    return [number_of[video.match] for video in videos]


def is_clip_split(folder: Path) -> bool:
    """True if a folder holds a split of clips, and not matches."""
    labelled = (folder / LABELS_NAME).is_file()
    return labelled and any(path.is_dir() and path.name.startswith("clip_") for path in folder.iterdir())


def clip_video(folder: Path, clip: Clip) -> Path:
    """A clip's video: the file that the labels name, else the only one in its folder (of another resolution)."""
    named = folder / clip.video
    if named.is_file():
        return named
    there = [path for path in (folder / clip.name).glob("*.mp4") if not path.name.startswith(".")]
    return there[0] if len(there) == 1 else named


def _baa_videos(folder: Path) -> list[LabelledVideo]:
    """Clips that tile the split; only what is seen in them, never the labels of what follows."""
    clips = read_baa_split(folder).clips
    videos = [
        LabelledVideo(clip.name, clip_video(folder, clip), clip.observation, clip.name, clip.name)
        for clip in clips[::_TILING]
    ]
    present = [video for video in videos if video.path.is_file()]
    return present if are_few(len(videos) - len(present), len(videos)) else _present(videos)


def _bas_videos(match: Path, name: str, notices: Notices) -> list[LabelledVideo]:
    """``1_224p.mp4`` and ``2_224p.mp4``, or one file that holds what the labels call the first half."""
    own = Notices()
    halves = read_bas_match(match / LABELS_NAME, own)
    for what, n in own.counts.items():
        notices.count(what, n)
    for text in own.texts:
        notices.add(f"{name}: {text}")
    videos = sorted(path for path in match.glob("*.mp4") if not path.name.startswith("."))
    by_half = {half: [path for path in videos if path.name.startswith(f"{half}_")] for half in halves}
    if len(videos) == 1 and list(halves) == [1]:
        by_half = {1: videos}
    for half, paths in by_half.items():
        if len(paths) != 1:
            raise InputError(match, f"{len(paths)} videos of half {half}", f"expected one {half}_*.mp4")
    return [
        LabelledVideo(f"{name}/{half}", by_half[half][0], events, name, f"{name}/{by_half[half][0].stem}")
        for half, events in halves.items()
    ]


def _osl_videos(path: Path, notices: Notices) -> list[LabelledVideo]:
    items = read_osl_videos(path)
    for item in items:
        for label, count in item.dropped.items():
            notices.count(f"actions labelled {label!r} not read", count)
    return _present(
        [
            LabelledVideo(item.id, item.path, item.events, item.id, str(item.video.with_suffix("")), item.classes)
            for item in items
        ]
    )


def _present(videos: Sequence[LabelledVideo]) -> list[LabelledVideo]:
    missing = [video.path for video in videos if not video.path.is_file()]
    if missing:
        raise InputError(missing[0], f"no such video ({len(missing)} of {len(videos)} missing)")
    return list(videos)
