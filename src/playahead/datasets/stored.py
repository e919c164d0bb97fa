"""Stored features and labels joined: what ``train``, ``evaluate`` and ``submit`` see of video."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.labelled_features import LabelledFeatures
from playahead.datasets.slicing import labels_of_clip, labels_of_match
from playahead.domain.feed import feed_of_actions
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Clip
from playahead.features.store import FeatureStore
from playahead.io.errors import InputError
from playahead.io.files import are_few
from playahead.sources.layouts import (
    BLOCK_CLIPS,
    LabelledVideo,
    clip_video,
    find_labelled_videos,
    is_clip_split,
    match_numbers,
    name_of_split,
)
from playahead.sources.soccernet import labels_path, read_baa_split

_NAMED = 5


def labelled_features(store: FeatureStore, folder: Path) -> list[LabelledFeatures]:
    """Features of a split's clips, or of whole matches.

    Raises:
        InputError: features are missing, or all too short to make an example.
    """
    if is_clip_split(folder):
        return features_of_clips(store, folder)[1]
    videos = find_labelled_videos(folder)
    numbered = zip(videos, match_numbers(videos), strict=True)
    found = [_of_match(store, folder, video, match) for video, match in numbered]
    _require_examples(found, store)
    return found


def features_of_clips(store: FeatureStore, labels: Path) -> tuple[list[Clip], list[LabelledFeatures]]:
    """Clips of a split in the benchmark's layout, and the stored windows of each.

    What is known of a clip ends with it: whatever neighbouring clips show of its future stays unseen. One that is
    shorter than an observation, or whose video cannot be read, is there too, without windows to see
    (``LabelledFeatures.is_short``).

    Raises:
        InputError: a clip is not extracted, more than one in a hundred cannot be read, or all are too short to make an
            example.
    """
    folder = labels_path(labels).parent
    clips = read_baa_split(labels).clips
    found = [_of_clip(store, folder, clip, index) for index, clip in enumerate(clips)]
    bad = [video for video in found if not video.windows]
    if not are_few(len(bad), len(found)):
        what = f"{len(bad):,} of {len(found):,} clips of {folder.name} could not be read, first {bad[0].name}"
        raise InputError(store.folder, what, "run playahead extract again, it says why")
    _require_examples(found, store)
    return clips, found


def _of_match(store: FeatureStore, folder: Path, video: LabelledVideo, match: int) -> LabelledFeatures:
    """A whole video; the last example ends a window before it does, so that what follows is labelled."""
    windows = store.windows(_stored_name(store, name_of_split(folder), Path(video.stored)))
    actions = replace(feed_of_actions(video.events), match=match)
    last_end_ms = (len(windows) - 1) * GRID.window_ms
    labels = labels_of_match(video.events)
    return LabelledFeatures(video.name, windows, actions, labels, last_end_ms, video.classes)


def _of_clip(store: FeatureStore, folder: Path, clip: Clip, index: int) -> LabelledFeatures:
    windows = _windows_of_clip(store, folder, clip)
    actions = feed_of_actions([*clip.observation, *(clip.anticipation or ())])
    last_end_ms = 0 if clip.anticipation is None else OBSERVATION_MS
    actions = replace(actions, match=index // BLOCK_CLIPS)
    return LabelledFeatures(clip.name, windows, actions, labels_of_clip(clip), last_end_ms)


def _windows_of_clip(store: FeatureStore, folder: Path, clip: Clip) -> list[NDArray[np.float16]]:
    """None of a clip whose video could not be read, or is not there."""
    try:
        name = _stored_name(store, folder.name, Path(clip.name))
    except InputError:
        if clip_video(folder, clip).is_file() or not any(folder.glob("clip_*/*.mp4")):
            raise
        return []
    return [] if store.journal(name).failed else store.windows(name)


def _stored_name(store: FeatureStore, split: str, inside: Path) -> str:
    """A store of a whole dataset names its splits, one of a single split does not."""
    for name in (f"{split}/{inside.as_posix()}", inside.as_posix()):
        if store.journal_path(name).exists():
            return name
    raise InputError(store.folder, f"no features of {split}/{inside}", "run playahead extract on the dataset")


def _require_examples(found: Sequence[LabelledFeatures], store: FeatureStore) -> None:
    if all(video.is_short for video in found):
        first = f"{found[0].name} has {len(found[0].windows)} windows of 5 s, " if found else ""
        raise InputError(store.folder, f"{first}an example needs 6", "are the videos shorter than 30 s?")


def told_of_short(videos: Sequence[LabelledFeatures]) -> list[str]:
    """A sentence that names the clips that cannot be observed; none if there are none."""
    short = [video.name for video in videos if video.is_short]
    if not short:
        return []
    named = ", ".join(short[:_NAMED]) + (f" and {len(short) - _NAMED:,} more" if len(short) > _NAMED else "")
    what = "cannot be read or hold less than 30 s, and are not anticipated"
    return [f"{len(short):,} of {len(videos):,} clips {what}: {named}"]
