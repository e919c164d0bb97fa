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
from playahead.errors import InputError
from playahead.features.encoder import WindowEncoder, window_key
from playahead.features.plan import Video
from playahead.features.store import FeatureStore, JournalWriter
from playahead.video.input_size import InputSize
from playahead.video.reader import VideoWarning, read_frames

_WINDOW_S = GRID.window_frames / GRID.fps


@dataclass
class ExtractionReport:
    """What an extraction did.

    Attributes:
        videos, windows: read to their end now; windows of them listed now.
        shared: of those, windows that were already there, made by another video (or an earlier run).
        skipped: videos that were complete before.
        failed: videos that could not be read, with the reason.
        notes: warnings from reading.
    """

    videos: int = 0
    windows: int = 0
    shared: int = 0
    skipped: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, other: "ExtractionReport") -> None:
        """Count another report in."""
        self.videos += other.videos
        self.windows += other.windows
        self.shared += other.shared
        self.skipped += other.skipped
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

    def extract(self, video: Video, advance: Callable[[int], object] = int) -> ExtractionReport:
        """One video; goes on where an earlier run stopped. A video that cannot be read is in ``failed``."""
        report = ExtractionReport()
        if self.store.journal(video.name).closed:
            report.skipped = 1
            return report
        journal = JournalWriter(self.store, video.name)
        advance(len(journal.keys))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", VideoWarning)
            try:
                for frames_THW in _windows(video.path, self.input_size, len(journal.keys)):
                    report.shared += self._add(journal, frames_THW)
                    report.windows += 1
                    advance(1)
            except InputError as reason:
                report.failed[video.name] = str(reason)
                return report
        report.notes = [str(warning.message) for warning in told]
        if not journal.keys:
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

    def extract_all(self, videos: Sequence[Video], advance: Callable[[int], None]) -> ExtractionReport:
        """Every video, one after the other."""
        report = ExtractionReport()
        for video in videos:
            report.add(self.extract(video, advance))
        return report


def _windows(path: Path, input_size: InputSize, done: int) -> Iterator[NDArray[np.uint8]]:
    """Whole windows of a video after the first ``done``; what is left at the end is shorter than a window."""
    frames_THW = np.empty((GRID.window_frames, input_size.height, input_size.width), np.uint8)
    try:
        for index, gray_HW in read_frames(path, input_size, start_s=done * _WINDOW_S):
            place = index % GRID.window_frames
            frames_THW[place] = gray_HW
            if place == GRID.window_frames - 1:
                yield frames_THW
    except InputError:
        if not done:  # else: stopped exactly where the video ends
            raise
