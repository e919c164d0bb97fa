"""What there is to extract: a file, a folder of videos, or clips in the benchmark's layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.io.files import require_file
from playahead.video.reader import probe

SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".ts", ".webm", ".m4v", ".mpg"})


@dataclass(frozen=True)
class Video:
    """A video and its name in the store (``train/clip_1``, ``2024/final``)."""

    name: str
    path: Path

    @property
    def is_clip(self) -> bool:
        """Whether it is one of the anticipation benchmark's clips."""
        return self.path.parent.name.startswith("clip_")


def find_videos(source: Path) -> list[Video]:
    """Videos of a file or a folder; a clip folder's single file gives the folder's name.

    Raises:
        InputError: nothing there, or several videos in one clip folder (two resolutions).
    """
    if not source.is_dir():
        require_file(source)
        return [Video(source.stem, source)]
    paths = sorted(
        (p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")), key=_natural
    )
    if not paths:
        raise InputError(source, "no videos here", f"expected one of {', '.join(sorted(SUFFIXES))}")
    videos = [Video(_name(path, source), path) for path in paths]
    names = [video.name for video in videos]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice:
        raise InputError(source, f"holds {twice} twice", "keep one resolution in the folder")
    return videos


def _name(path: Path, source: Path) -> str:
    inside = path.relative_to(source)
    parent = inside.parent.as_posix()
    is_clip = path.parent.name.startswith("clip_")
    if is_clip:
        return parent if parent != "." else path.parent.name
    return inside.with_suffix("").as_posix()


def _natural(path: Path) -> tuple:
    """clip_2 before clip_10, so that neighbours in time are neighbours in a shard."""
    return tuple((len(part), part) for part in path.parts)


def shard_of(videos: Sequence[Video], shard: str) -> list[Video]:
    """``"2/4"``: the second of four runs of consecutive videos, so that those that share video stay together."""
    try:
        index, count = (int(part) for part in shard.split("/"))
    except ValueError:
        raise InputError("--shard", f"{shard!r} is not of the form 2/4") from None
    if not 1 <= index <= count:
        raise InputError("--shard", f"{shard!r}: shards are numbered 1/{count} to {count}/{count}")
    return list(videos[len(videos) * (index - 1) // count : len(videos) * index // count])


def expected_windows(videos: Sequence[Video]) -> int:
    """About how many windows there are: clips are taken as alike, everything else is asked; bad files hold none."""
    total, known = 0, {}
    for video in videos:
        kind = video.path.parent.parent if video.is_clip else video.path
        if kind not in known:
            known[kind] = _windows_of(video.path)
        total += known[kind]
    return total


def _windows_of(path: Path) -> int:
    try:
        return int((probe(path).duration_s or 0) * GRID.fps) // GRID.window_frames
    except InputError:
        return 0  # the extraction itself says what is wrong with it
