"""Stored features and labels brought together: what ``train``, ``evaluate`` and ``submit`` read of video."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from playahead.domain.feed import feed_of_actions
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Clip
from playahead.errors import InputError
from playahead.features.store import FeatureStore
from playahead.sources.soccernet_baa import labels_path, read_baa_split
from playahead.spotting.videos import BLOCK_CLIPS, LabelledVideo, find_labelled_videos, is_clip_split, match_numbers
from playahead.windows.recorded import Recording


def recordings_of(store: FeatureStore, folder: Path) -> list[Recording]:
    """Recordings of a split: of its clips, or of whole matches in the spotting benchmark's layout.

    Raises:
        InputError: features are missing, or too short to make an observation.
    """
    if is_clip_split(folder):
        recordings = recordings_of_split(store, folder)[1]
    else:
        videos = find_labelled_videos(folder)
        numbered = zip(videos, match_numbers(videos), strict=True)
        recordings = [_whole(store, folder, video, match) for video, match in numbered]
    require_observations(recordings, store)
    return recordings


def _whole(store: FeatureStore, folder: Path, video: LabelledVideo, match: int) -> Recording:
    """A whole video; the last observation ends a window before it does, so that what follows is labelled."""
    windows = store.windows(_stored_name(store, folder.name, Path(video.name).parent / video.path.stem))
    actions = replace(feed_of_actions(video.events), match=match)
    return Recording(video.name, windows, actions, (len(windows) - 1) * GRID.window_ms)


def recordings_of_split(store: FeatureStore, labels: Path) -> tuple[list[Clip], list[Recording]]:
    """Clips of a split in the benchmark's layout, and the stored windows of each.

    A recording ends with its clip: whatever neighbouring clips show of its future stays unseen.

    Raises:
        InputError: a clip's features are missing.
    """
    split = labels_path(labels).parent.name
    clips = read_baa_split(labels).clips
    return clips, [_recording(store, split, clip, index) for index, clip in enumerate(clips)]


def _recording(store: FeatureStore, split: str, clip: Clip, index: int) -> Recording:
    windows = store.windows(_stored_name(store, split, Path(clip.name)))
    actions = feed_of_actions([*clip.observation, *(clip.anticipation or ())])
    is_labelled = clip.anticipation is not None
    return Recording(
        name=clip.name,
        windows=windows,
        actions=replace(actions, match=index // BLOCK_CLIPS),
        last_end_ms=OBSERVATION_MS if is_labelled else 0,
    )


def _stored_name(store: FeatureStore, split: str, inside: Path) -> str:
    """A store of a whole dataset names its splits, one of a single split does not."""
    for name in (f"{split}/{inside.as_posix()}", inside.as_posix()):
        if store.journal_path(name).exists():
            return name
    raise InputError(store.folder, f"no features of {split}/{inside}", "run playahead extract on the dataset")


def require_observations(recordings: Sequence[Recording], store: FeatureStore) -> None:
    """Every recording has the six windows that an observation needs.

    Raises:
        InputError: one has fewer, as with a video that is cut short.
    """
    for recording in recordings:
        if len(recording.windows) < GRID.n_windows:
            what = f"{recording.name} has {len(recording.windows)} windows of 5 s, an observation needs 6"
            raise InputError(store.folder, what, "is its video shorter than 30 s?")
