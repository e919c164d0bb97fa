"""What is in a dataset, whichever layout it has: counts, bad entries, and whether splits share matches or video."""

from pathlib import Path

from playahead.datasets.feed_audit import FeedAudit, audit_feed, audit_videos
from playahead.io.errors import InputError
from playahead.io.files import are_few, file_size
from playahead.sources.audit import Audit, audit_splits
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS
from playahead.sources.layouts import clip_video, folder_of_split, name_of_split
from playahead.sources.soccernet import LABELS_NAME, SPLITS, BaaSplit, read_baa_split


def check_dataset(path: Path) -> Audit | FeedAudit:
    """Audit a dataset in a benchmark's layout or in OSL JSON, one split of it, or a folder of compact feed tables.

    Raises:
        InputError: no dataset there.
    """
    tables = {split: path / f"{split}.npz" for split in FEED_SPLITS if (path / f"{split}.npz").exists()}
    if tables:
        return audit_feed(tables)
    if clips := _splits_of_clips(path):
        splits = {name: read_baa_split(place, keep_going=True) for name, place in clips.items()}
        audit = audit_splits(splits)
        for split in splits.values():
            missing = _without_video(split)
            if are_few(len(missing), len(split.clips)):
                audit.set_aside += missing
            else:
                audit.broken.append(f"{len(missing):,} of {len(split.clips):,} clips, the first: {missing[0]}")
        return audit
    if videos := _splits_of_matches(path):
        return audit_videos(videos)
    wanted = f"{LABELS_NAME} in it or below, annotations_train.json, or train.npz, val.npz, test.npz"
    raise InputError(path, "no dataset found", f"expected {wanted}")


def _without_video(split: BaaSplit) -> list[str]:
    """Clips whose video is missing or empty; none of a split that is labels alone."""
    folder = split.path.parent
    if not any(folder.glob("clip_*/*.mp4")):
        return []
    videos = {clip.name: clip_video(folder, clip) for clip in split.clips}
    return [f"{path}: no video" for path in videos.values() if not file_size(path)]


def _splits_of_clips(path: Path) -> dict[str, Path]:
    """Splits of the anticipation benchmark: those of a dataset, or the one that ``path`` is."""
    if path.name == LABELS_NAME or (path / LABELS_NAME).exists():
        return {path.name if path.is_dir() else path.parent.name: path}
    return {split: path / split for split in SPLITS if (path / split / LABELS_NAME).exists()}


def _splits_of_matches(path: Path) -> dict[str, Path]:
    """Splits of whole matches: those of a dataset, or the one that ``path`` is."""
    if path.is_file():
        return {name_of_split(path): path}
    places = {split: folder_of_split(path, split) for split in SPLITS}
    places = {split: place for split, place in places.items() if place.is_file() or _holds_matches(place)}
    return places or ({path.name: path} if _holds_matches(path) else {})


def _holds_matches(folder: Path) -> bool:
    return any(folder.glob(f"**/{LABELS_NAME}"))
