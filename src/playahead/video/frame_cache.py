"""Frames of videos on disk, fitted to an input size, so that training can start anywhere in them.

One file for each video, in a folder named after the input size: raw uint8 (T, H, W), or H.264 where raw frames of all
videos would fill a disk. A match at 1280 x 736 needs 127 GB raw and a few compressed, which moves a gray level by about
one of 255. The luma plane carries the frames as they are, whatever range a player would give it.

Axes: T frames, H, W.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from playahead.domain.grid import GRID
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.io.files import are_few, atomic_write, disk_errors, free_bytes, readable_size
from playahead.io.progress import Show, counter, quiet
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames
from playahead.video.writer import write_video

_MAX_RAW_BYTES = 40_000_000_000
_COMPRESSED_SHARE = 0.06  # compressed size over raw size, about, to check the free space
_QUALITY = 12  # x264's crf
_NEUTRAL = 128  # chroma of gray


class FrameCache:
    """Frames of videos at one input size."""

    def __init__(self, folder: Path, input_size: InputSize) -> None:
        self.folder = folder / f"frames-{input_size.width}x{input_size.height}-{input_size.luma}"
        self.input_size = input_size

    def fill(self, videos: Sequence[Path], show: Show = quiet, notices: Notices | None = None) -> dict[Path, str]:
        """Decode the videos that are not there yet; compress them if raw frames of all videos would be over 40 GB.

        Returns:
            Videos set aside because they cannot be read, with the reason; all others are there.

        Raises:
            InputError: too little free space (checked before anything is decoded), or more than one video in a hundred
                cannot be read.
        """
        frame_bytes = self.input_size.width * self.input_size.height
        raw_bytes, bad = {}, dict[Path, str]()
        for video in videos:
            try:
                raw_bytes[video] = int((probe(video).duration_s or 0) * GRID.fps) * frame_bytes
            except InputError as reason:
                bad[video] = str(reason)
        compress = sum(raw_bytes.values()) > _MAX_RAW_BYTES
        waiting = [video for video in raw_bytes if not any(path.exists() for path in self._paths(video))]
        needed_bytes = sum(raw_bytes[video] for video in waiting) * (_COMPRESSED_SHARE if compress else 1)
        if needed_bytes > free_bytes(self.folder):
            sizes = readable_size(needed_bytes), readable_size(free_bytes(self.folder))
            what = f"decoded frames need {sizes[0]}, {sizes[1]} are free"
            raise InputError(self.folder, what, "choose a smaller input size or another folder")
        advance = counter(show, f"decoding {len(waiting):,} videos", len(waiting), "videos")
        for video in waiting:
            raw, compressed = self._paths(video)
            with disk_errors(raw):
                raw.parent.mkdir(parents=True, exist_ok=True)
                gray = (gray_HW for _, gray_HW in read_frames(video, self.input_size, notices=notices))
                try:
                    if compress:
                        # Key frames a second apart: any stretch is decoded from the key frame before it.
                        chroma = np.full((self.input_size.height // 2, self.input_size.width), _NEUTRAL, np.uint8)
                        planes = (np.concatenate([gray_HW, chroma]) for gray_HW in gray)
                        size = self.input_size.width, self.input_size.height
                        write_video(compressed, planes, size, "yuv420p", _QUALITY, key_every=GRID.fps)
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

    def frames(self, video: Path) -> "NDArray[np.uint8] | CompressedFrames":
        """frames_THW of a video: memory-mapped, or decoded when they are indexed."""
        raw, compressed = self._paths(video)
        if compressed.exists() and not raw.exists():
            return CompressedFrames(compressed)
        return np.memmap(raw, np.uint8, "r").reshape(-1, self.input_size.height, self.input_size.width)

    def _paths(self, video: Path) -> tuple[Path, Path]:  # raw, compressed
        identity = f"{video.resolve()}:{video.stat().st_size}"
        name = f"{video.stem}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
        return self.folder / f"{name}.u8", self.folder / f"{name}.mp4"


class CompressedFrames:
    """Frames of a compressed file of the cache; several threads may read them.

    Raises:
        InputError: missing or damaged file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with av.open(f"file:{path}") as container:
                self._frames = container.streams.video[0].frames
        except (FFmpegError, OSError, IndexError) as reason:
            raise self._damaged(f"damaged frames ({reason})") from None

    def __len__(self) -> int:
        return self._frames

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for _, gray_HW in self._decoded(0):
            yield gray_HW

    def __getitem__(self, indices: slice | NDArray[np.integer]) -> NDArray[np.uint8]:
        """frames_THW at increasing indices."""
        index_T = np.arange(len(self))[indices]
        frames = []
        decoded = self._decoded(int(index_T[0])) if len(index_T) else iter(())
        for index, gray_HW in decoded:
            while len(frames) < len(index_T) and index == index_T[len(frames)]:
                frames.append(gray_HW)
            if len(frames) == len(index_T):
                break
        if len(frames) < len(index_T):
            raise self._damaged(f"ends before frame {index_T[len(frames)]}")
        return np.stack(frames) if frames else np.zeros((0, 0, 0), np.uint8)

    def _decoded(self, first: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """(index, gray_HW) from the last key frame at or before ``first`` on."""
        with av.open(f"file:{self.path}") as container:
            stream = container.streams.video[0]
            assert stream.time_base is not None
            if first:
                container.seek(int(first / GRID.fps / stream.time_base), stream=stream, backward=True)
            try:
                for frame in container.decode(stream):
                    assert frame.pts is not None
                    planes = np.asarray(frame.to_ndarray(), np.uint8)
                    yield round(float(frame.pts * stream.time_base) * GRID.fps), planes[: frame.height]
            except FFmpegError as reason:
                raise self._damaged(f"damaged frames ({reason})") from None

    def _damaged(self, what: str) -> InputError:
        return InputError(self.path, what, "delete it, it is made again")
