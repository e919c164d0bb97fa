"""Decoded frames on disk, so that training can start a clip anywhere without decoding what lies before it.

One raw file of uint8 (T, H, W) for each video, in a folder named after the canvas; written aside and renamed.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.errors import InputError
from playahead.sources.disk import disk_errors, free_bytes, part_of, readable_size
from playahead.spotting.videos import LabelledVideo
from playahead.video.canvas import Canvas
from playahead.video.reader import probe, read_frames


class FrameCache:
    """Frames of videos on one canvas."""

    def __init__(self, folder: Path, canvas: Canvas) -> None:
        self.folder = folder / f"frames-{canvas.width}x{canvas.height}-{canvas.luma}"
        self.canvas = canvas

    def fill(self, videos: Sequence[LabelledVideo], advance: Callable[[], None] = lambda: None) -> None:
        """Decode what is not there yet.

        Raises:
            InputError: not enough room (told before anything is decoded), or a video that cannot be read.
        """
        waiting = [video for video in videos if not self._path(video).exists()]
        frame_bytes = self.canvas.width * self.canvas.height
        wanted = sum(int((probe(video.path).duration_s or 0) * GRID.fps) * frame_bytes for video in waiting)
        if wanted > free_bytes(self.folder):
            needed = f"decoded frames need {readable_size(wanted)}, {readable_size(free_bytes(self.folder))} are free"
            raise InputError(self.folder, needed, "choose a smaller --canvas or another folder")
        for video in waiting:
            path = self._path(video)
            with disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with part_of(path).open("wb") as file:
                    for _, gray_HW in read_frames(video.path, self.canvas):
                        file.write(gray_HW.tobytes())
                part_of(path).replace(path)
            advance()

    def frames(self, video: LabelledVideo) -> NDArray[np.uint8]:
        """frames_THW of a video, memory-mapped."""
        return np.memmap(self._path(video), np.uint8, "r").reshape(-1, self.canvas.height, self.canvas.width)

    def _path(self, video: LabelledVideo) -> Path:
        known_by = f"{video.path.resolve()}:{video.path.stat().st_size}"
        return self.folder / f"{video.path.stem}-{hashlib.sha256(known_by.encode()).hexdigest()[:12]}.u8"
