"""Stored features of video joined with labels: what ``train``, ``evaluate`` and ``submit`` read.

Axes: W windows, N snippets, F features, O examples, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.slicing import Labels, labels_of_clip, labels_of_match
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf, feed_of_actions
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.domain.records import Clip
from playahead.evaluation.frames import ALL_CLASSES
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

_NAMED = 5  # short clips that a notice names


@dataclass(frozen=True)
class LabelledFeatures:
    """A run of consecutive windows of one video, and the actions in it.

    Attributes:
        name: name of the video in error messages.
        windows: features_NF of each 5-s window, in time order (memory-mapped).
        actions: actions of the video, ms from the first window's start; up to 5 s beyond the last window.
        labels: actions that its examples are to anticipate.
        last_end_ms: last time whose next 5 s are labelled.
        classes: indices of the classes that its annotators looked for.
    """

    name: str
    windows: Sequence[NDArray[np.float16]]
    actions: FeedHalf
    labels: Labels
    last_end_ms: int
    classes: tuple[int, ...] = ALL_CLASSES

    @property
    def is_short(self) -> bool:
        """True for a clip that cannot be observed: it is not trained on, and nothing is anticipated of it."""
        return len(self.windows) < GRID.n_windows

    @property
    def end_ms_O(self) -> NDArray[np.int64]:
        """Ends of the examples that can be made: 30 s, 35 s ..."""
        last_ms = self.last_end_ms if self.is_short else min(self.last_end_ms, len(self.windows) * GRID.window_ms)
        return np.arange(OBSERVATION_MS, last_ms + 1, GRID.window_ms, dtype=np.int64)

    def sequence(self, first: int, count: int) -> NDArray[np.float32]:
        """features_WNF of ``count`` windows."""
        return np.stack(self.windows[first : first + count]).astype(np.float32)

    def presence(self, first: int, count: int) -> NDArray[np.float32]:
        """presence_WNC: 1 at the snippet of these windows whose centre is nearest to an action."""
        presence_WNC = np.zeros((count, GRID.n_snippets, len(ACTIONS)), np.float32)
        window, frame = np.divmod(self.actions.t_ms * GRID.fps // 1000, GRID.window_frames)
        snippet = nearest_snippet(frame)
        inside = self.actions.is_target & (window >= first) & (window < first + count)
        presence_WNC[window[inside] - first, snippet[inside], self.actions.code[inside]] = 1.0
        return presence_WNC


def nearest_snippet(frame: NDArray[np.integer]) -> NDArray[np.integer]:
    """Index of the snippet whose centre is nearest to each of these frames of a window."""
    centre = GRID.snippet_span_frames // 2
    nearest = (frame - centre + GRID.snippet_stride // 2) // GRID.snippet_stride
    return np.clip(nearest, 0, GRID.n_snippets - 1)


def labelled_features(store: FeatureStore, folder: Path) -> list[LabelledFeatures]:
    """Features of a split's clips, or of whole matches.

    Raises:
        InputError: features are missing, or all too short to make an example.
    """
    if is_clip_split(folder):
        return features_of_clips(store, folder)[1]
    videos = find_labelled_videos(folder, need_videos=False)
    numbered = zip(videos, match_numbers(videos), strict=True)
    of_matches = [_of_match(store, folder, video, match) for video, match in numbered]
    _require_examples(of_matches, store)
    return of_matches


def features_of_clips(store: FeatureStore, labels: Path) -> tuple[list[Clip], list[LabelledFeatures]]:
    """Clips of a split in the benchmark's layout, and the stored windows of each.

    A clip is known up to its own end: its neighbours' video of its future stays unseen. A clip that is shorter than an
    observation, or whose video cannot be read, is listed without windows (``LabelledFeatures.is_short``).

    Raises:
        InputError: a clip is not extracted, more than one in a hundred cannot be read, or all are too short to make an
            example.
    """
    folder = labels_path(labels).parent
    clips = read_baa_split(labels).clips
    videos = [_of_clip(store, folder, clip, index) for index, clip in enumerate(clips)]
    bad = [video for video in videos if not video.windows]
    if not are_few(len(bad), len(videos)):
        what = f"{len(bad):,} of {len(videos):,} clips of {folder.name} could not be read, first {bad[0].name}"
        raise InputError(store.folder, what, "extract again, it says why")
    _require_examples(videos, store)
    return clips, videos


def _of_match(store: FeatureStore, folder: Path, video: LabelledVideo, match: int) -> LabelledFeatures:
    windows = store.windows(_stored_name(store, name_of_split(folder), Path(video.stored)))
    actions = replace(feed_of_actions(video.events), match=match)
    last_end_ms = (len(windows) - 1) * GRID.window_ms  # a window before the video ends: what follows is labelled
    labels = labels_of_match(video.events)
    return LabelledFeatures(video.name, windows, actions, labels, last_end_ms, video.classes)


def _of_clip(store: FeatureStore, folder: Path, clip: Clip, index: int) -> LabelledFeatures:
    windows = []  # if its video could not be read or is missing
    try:
        name = _stored_name(store, folder.name, Path(clip.name))
    except InputError:
        if clip_video(folder, clip).is_file() or not any(folder.glob("clip_*/*.mp4")):
            raise
    else:
        windows = [] if store.journal(name).failed else store.windows(name)
    actions = feed_of_actions([*clip.observation, *(clip.anticipation or ())])
    last_end_ms = 0 if clip.anticipation is None else OBSERVATION_MS
    actions = replace(actions, match=index // BLOCK_CLIPS)
    return LabelledFeatures(clip.name, windows, actions, labels_of_clip(clip), last_end_ms)


def _stored_name(store: FeatureStore, split: str, inside: Path) -> str:
    """Name of a video in the store: a store of a whole dataset names its splits, one of a single split does not."""
    half = inside.with_name(inside.name.split("_")[0])  # features that were imported without the match's videos
    for name in (f"{split}/{inside.as_posix()}", inside.as_posix(), f"{split}/{half.as_posix()}"):
        if store.journal_path(name).exists():
            return name
    raise InputError(store.folder, f"no features of {split}/{inside}", "extract the dataset's features")


def _require_examples(videos: Sequence[LabelledFeatures], store: FeatureStore) -> None:
    if all(video.is_short for video in videos):
        first = f"{videos[0].name} has {len(videos[0].windows)} windows of 5 s, " if videos else ""
        raise InputError(store.folder, f"{first}an example needs 6", "are the videos shorter than 30 s?")


def note_short(videos: Sequence[LabelledFeatures], notices: Notices) -> None:
    """Add a notice that names the clips that cannot be observed."""
    short = [video.name for video in videos if video.is_short]
    if not short:
        return
    named = ", ".join(short[:_NAMED]) + (f" and {len(short) - _NAMED:,} more" if len(short) > _NAMED else "")
    what = "cannot be read or hold less than 30 s, and are not anticipated"
    notices.add(f"{len(short):,} of {len(videos):,} clips {what}: {named}")
