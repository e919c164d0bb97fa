"""Stored features and labels brought together: what ``train``, ``evaluate`` and ``submit`` read of video."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from playahead.domain.feed import feed_of_actions
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.records import Clip
from playahead.errors import InputError
from playahead.features.store import FeatureStore
from playahead.sources.soccernet_baa import labels_path, read_baa_split
from playahead.windows.recorded import Recording

_BLOCK_CLIPS = 60  # 5 minutes: what is drawn again for intervals, as clips do not say which match they are of


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
    windows = store.windows(_stored_name(store, split, clip))
    actions = feed_of_actions([*clip.observation, *(clip.anticipation or ())])
    is_labelled = clip.anticipation is not None
    return Recording(
        name=clip.name,
        windows=windows,
        actions=replace(actions, match=index // _BLOCK_CLIPS),
        last_end_ms=OBSERVATION_MS if is_labelled else 0,
    )


def _stored_name(store: FeatureStore, split: str, clip: Clip) -> str:
    """A store of a whole dataset names its splits, one of a single split does not."""
    for name in (f"{split}/{clip.name}", clip.name):
        if store.journal_path(name).exists():
            return name
    raise InputError(store.folder, f"no features of {split}/{clip.name}", "run playahead extract on the dataset")


def require_observations(recordings: Sequence[Recording], store: FeatureStore) -> None:
    """Every recording has the six windows that an observation needs.

    Raises:
        InputError: one has fewer, as with a video that is cut short.
    """
    for recording in recordings:
        if len(recording.windows) * 5000 < OBSERVATION_MS:
            what = f"{recording.name} has {len(recording.windows)} windows of 5 s, an observation needs 6"
            raise InputError(store.folder, what, "is its video shorter than 30 s?")
