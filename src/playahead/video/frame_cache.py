"""Frames of videos on disk, fitted to an input size, so that training can start anywhere in them.

One file for each video, in a folder named after the input size: raw uint8 (T, H, W), or compressed where raw frames of
all videos would fill a disk (``video.compressed``).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.io.files import are_few, atomic_write, disk_errors, free_bytes, readable_size
from playahead.io.progress import Show, counter, quiet
from playahead.video.compressed import CompressedFrames, Frames, write_compressed
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames

_MOST_RAW_BYTES = 40_000_000_000
_COMPRESSED_SHARE = 0.06  # of raw frames, about, for the check of the room


class FrameCache:
    """Frames of videos at one input size."""

    def __init__(self, folder: Path, input_size: InputSize) -> None:
        self.folder = folder / f"frames-{input_size.width}x{input_size.height}-{input_size.luma}"
        self.input_size = input_size

    def fill(self, videos: Sequence[Path], show: Show = quiet) -> dict[Path, str]:
        """Decode what is not there yet; compress it where raw frames of all videos would be over 40 GB.

        Returns:
            Videos set aside because they cannot be read, with the reason; all others are there.

        Raises:
            InputError: not enough room (said before anything is decoded), or more than one video in a hundred cannot be
                read.
        """
        frame_bytes = self.input_size.width * self.input_size.height
        raw_bytes, bad = {}, dict[Path, str]()
        for video in videos:
            try:
                raw_bytes[video] = int((probe(video).duration_s or 0) * GRID.fps) * frame_bytes
            except InputError as reason:
                bad[video] = str(reason)
        compress = sum(raw_bytes.values()) > _MOST_RAW_BYTES
        waiting = [video for video in raw_bytes if not any(path.exists() for path in self._paths(video))]
        wanted = sum(raw_bytes[video] for video in waiting) * (_COMPRESSED_SHARE if compress else 1)
        if wanted > free_bytes(self.folder):
            needed = f"decoded frames need {readable_size(wanted)}, {readable_size(free_bytes(self.folder))} are free"
            raise InputError(self.folder, needed, "choose a smaller --input-size or another folder")
        advance = counter(show, f"decoding {len(waiting):,} videos", len(waiting), "videos")
        for video in waiting:
            raw, compressed = self._paths(video)
            with disk_errors(raw):
                raw.parent.mkdir(parents=True, exist_ok=True)
                gray = (gray_HW for _, gray_HW in read_frames(video, self.input_size))
                try:
                    if compress:
                        write_compressed(compressed, gray, self.input_size)
                    else:
                        with atomic_write(raw) as part, part.open("wb") as file:
                            file.writelines(gray_HW.tobytes() for gray_HW in gray)
                except InputError as reason:
                    bad[video] = str(reason)
            advance()
        if not are_few(len(bad), len(videos)):
            first = next(iter(bad.values()))
            raise InputError("videos", f"{len(bad):,} of {len(videos):,} cannot be read, the first: {first}")
        return bad

    def frames(self, video: Path) -> Frames:
        """frames_THW of a video: memory-mapped, or decoded when they are asked for."""
        raw, compressed = self._paths(video)
        if compressed.exists() and not raw.exists():
            return CompressedFrames(compressed)
        return np.memmap(raw, np.uint8, "r").reshape(-1, self.input_size.height, self.input_size.width)

    def _paths(self, video: Path) -> tuple[Path, Path]:
        """(raw, compressed)."""
        known_by = f"{video.resolve()}:{video.stat().st_size}"
        name = f"{video.stem}-{hashlib.sha256(known_by.encode()).hexdigest()[:12]}"
        return self.folder / f"{name}.u8", self.folder / f"{name}.mp4"
