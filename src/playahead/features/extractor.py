"""Extraction itself: read a video, name each window by its frames, encode what is new, note it in the journal.

Axes: T frames, H, W.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.features.encoder import WindowEncoder, window_key
from playahead.features.plan import Video
from playahead.features.sharing import are_neighbours, compare_neighbours, shared_by_time
from playahead.features.store import FeatureStore, JournalWriter
from playahead.io.errors import InputError
from playahead.io.files import are_few
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from playahead.video.warning import VideoWarning

_WINDOW_S = GRID.window_frames / GRID.fps
_PADDED_FRAMES = GRID.fps // 2  # half a second


@dataclass
class ExtractionReport:
    """What an extraction did.

    Attributes:
        videos, windows: read to their end now; windows of them listed now.
        shared: of those, windows that were already there, made by another video (or an earlier run).
        by_time: of the shared ones, those taken from the clip before, whose pictures are alike but not the same.
        skipped: videos that were complete before.
        padded: videos whose last window lacked up to half a second, which its last picture filled.
        failed: videos that could not be read, and clips too short to be observed, with the reason.
        notes: warnings from reading.
    """

    videos: int = 0
    windows: int = 0
    shared: int = 0
    by_time: int = 0
    skipped: int = 0
    padded: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        """Too many videos failed to set them aside and go on with the rest."""
        return not are_few(len(self.failed), self.videos + self.skipped + len(self.failed))

    def add(self, other: "ExtractionReport") -> None:
        """Count another report in."""
        self.videos += other.videos
        self.windows += other.windows
        self.shared += other.shared
        self.by_time += other.by_time
        self.skipped += other.skipped
        self.padded += other.padded
        self.failed |= other.failed
        self.notes += other.notes


class Extractor:
    """Extracts videos into a store.

    Args:
        store: where features go.
        encoder: makes them.
        input_size: what frames are drawn on; the store's.
        share: False encodes every window anew, to compare.
    """

    def __init__(self, store: FeatureStore, encoder: WindowEncoder, input_size: InputSize, share: bool = True) -> None:
        self.store, self.encoder, self.input_size, self.share = store, encoder, input_size, share

    def extract(
        self, video: Video, advance: Callable[[int], object] = int, earlier: Video | None = None
    ) -> ExtractionReport:
        """One video; goes on where an earlier run stopped. A video that cannot be read is in ``failed``.

        Args:
            video: to be read.
            advance: called with the number of windows done.
            earlier: the clip before it, where clips share windows by time (``features.sharing``).
        """
        report = ExtractionReport()
        if self.store.journal(video.name).closed:
            report.skipped = 1
            return report
        journal = JournalWriter(self.store, video.name)
        known = list(journal.keys)
        advance(len(known))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", VideoWarning)
            try:
                taken = self._windows_before(video, earlier) if earlier else []
                if taken:
                    report.by_time = report.shared = report.windows = len(taken)
                    journal.restart(taken)
                    advance(max(0, len(taken) - len(known)))
                unread = _windows(video.path, self.input_size, known, len(taken))
                for frames_THW, missing in unread:
                    report.shared += self._add(journal, frames_THW)
                    report.windows += 1
                    report.padded += bool(missing)
                    advance(1)
            except InputError as reason:
                report.failed[video.name] = str(reason)
                journal.fail(str(reason))
                return report
        report.notes = [str(warning.message) for warning in told]
        lasts_s = len(journal.keys) * _WINDOW_S
        if video.is_clip and len(journal.keys) < GRID.n_windows:
            report.failed[video.name] = f"{video.path}: holds {lasts_s:.0f} s of windows, an observation needs 30 s"
        elif not journal.keys:
            report.notes.append(f"{video.path}: shorter than a window of {_WINDOW_S:.0f} s, nothing to extract")
        journal.close(report.notes)
        report.videos = 1
        return report

    def _add(self, journal: JournalWriter, frames_THW: NDArray[np.uint8]) -> bool:
        """Encode a window if need be, then list it; True where it was there already."""
        key = window_key(frames_THW)
        known = self.share and self.store.has(key)
        if not known:
            self.store.write(key, self.encoder.encode(frames_THW))
        journal.add(key)
        return known

    def _windows_before(self, video: Video, earlier: Video) -> list[str]:
        """Keys of the windows that the clip before shows too; none where its pictures are not alike."""
        keys = self.store.journal(earlier.name).keys
        if not self.store.journal(earlier.name).closed or len(keys) < GRID.n_windows:
            return []
        overlap = compare_neighbours(earlier.path, video.path)
        return keys[1 : GRID.n_windows] if overlap is not None and overlap.is_alike else []

    def extract_all(self, videos: Sequence[Video], advance: Callable[[int], None]) -> ExtractionReport:
        """Every video, one after the other."""
        report = ExtractionReport()
        by_time, told = shared_by_time(videos) if self.share else (False, "")
        report.notes += [told] if told else []
        for before, video in zip([None, *videos], videos, strict=False):
            is_next = by_time and before is not None and are_neighbours(before, video)
            report.add(self.extract(video, advance, before if is_next else None))
        return report


def _windows(
    path: Path, input_size: InputSize, known: Sequence[str], taken: int = 0
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """(frames of each window after those that are known, or taken from elsewhere; frames missing at its end).

    The last known window is read again: a file that is missing, damaged, cut short or another one is found out, and
    not taken for a video that ends there.

    Raises:
        InputError: the video cannot be read, or its windows are not those that are known.
    """
    frames_THW = np.empty((GRID.window_frames, input_size.height, input_size.width), np.uint8)
    first, filled, ahead = (taken, 0, False) if taken else (max(len(known) - 1, 0), 0, bool(known))
    for _, gray_HW in read_frames(path, input_size, start_s=first * _WINDOW_S):
        frames_THW[filled] = gray_HW
        filled += 1
        if filled == GRID.window_frames:
            if ahead:
                _require_same(path, window_key(frames_THW), known)
            else:
                yield frames_THW, 0
            filled, ahead = 0, False
    missing = GRID.window_frames - filled
    if missing <= _PADDED_FRAMES:
        frames_THW[filled:] = frames_THW[filled - 1]
        if ahead:
            _require_same(path, window_key(frames_THW), known)
        else:
            what = f"{path}: its last {missing} frames are missing, the picture before them stays"
            warnings.warn(what, VideoWarning, stacklevel=2)
            yield frames_THW, missing
    elif ahead:
        _require_same(path, "", known)


def _require_same(path: Path, key: str, known: Sequence[str]) -> None:
    if key != known[-1]:
        what = f"is not the video that its first {len(known)} windows were extracted from"
        raise InputError(
            path, what, "is it still being copied? If not, delete its journal in the store's videos folder"
        )
