"""Decoded frames on disk, so that training can start anywhere without decoding what lies before.

One raw file of uint8 (T, H, W) for each video, in a folder named after the input size.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.errors import InputError
from playahead.files import atomic_write, disk_errors, free_bytes, readable_size
from playahead.progress import Show, counter, quiet
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames


class FrameCache:
    """Frames of videos at one input size."""

    def __init__(self, folder: Path, input_size: InputSize) -> None:
        self.folder = folder / f"frames-{input_size.width}x{input_size.height}-{input_size.luma}"
        self.input_size = input_size

    def fill(self, videos: Sequence[Path], show: Show = quiet) -> None:
        """Decode what is not there yet.

        Raises:
            InputError: not enough room (said before anything is decoded), or a video that cannot be read.
        """
        waiting = [video for video in videos if not self._path(video).exists()]
        frame_bytes = self.input_size.width * self.input_size.height
        wanted = sum(int((probe(video).duration_s or 0) * GRID.fps) * frame_bytes for video in waiting)
        if wanted > free_bytes(self.folder):
            needed = f"decoded frames need {readable_size(wanted)}, {readable_size(free_bytes(self.folder))} are free"
            raise InputError(self.folder, needed, "choose a smaller --input-size or another folder")
        advance = counter(show, f"decoding {len(waiting):,} videos", len(waiting), "videos")
        for video in waiting:
            path = self._path(video)
            with disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_write(path) as part, part.open("wb") as file:
                    for _, gray_HW in read_frames(video, self.input_size):
                        file.write(gray_HW.tobytes())
            advance()

    def frames(self, video: Path) -> NDArray[np.uint8]:
        """frames_THW of a video, memory-mapped."""
        return np.memmap(self._path(video), np.uint8, "r").reshape(-1, self.input_size.height, self.input_size.width)

    def _path(self, video: Path) -> Path:
        known_by = f"{video.resolve()}:{video.stat().st_size}"
        return self.folder / f"{video.stem}-{hashlib.sha256(known_by.encode()).hexdigest()[:12]}.u8"
