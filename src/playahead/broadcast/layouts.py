"""Recorded halves on disk: clips as the anticipation benchmark has them, or a whole half as the spotting one does."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from playahead.broadcast.picture import draw_frames
from playahead.broadcast.recording import cut
from playahead.broadcast.scene import stage
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.errors import InputError
from playahead.video.writer import write_video

STRIDE_MS = 5_000
_QUALITY = 30  # the camera's noise is not worth more
_CLIP_FRAMES = OBSERVATION_MS * GRID.fps // 1000


@dataclass(frozen=True)
class Recording:
    """A half to film, and what to make of the film.

    Attributes:
        half: what is played.
        seed: of its look.
        width, height: of the picture, both even.
        path: where the film goes; taken away again where ``clips`` are cut from it.
        clips: the benchmark's clips, one every 5 s from the start; none keeps the film.
    """

    half: FeedHalf
    seed: int
    width: int
    height: int
    path: Path
    clips: tuple[Path, ...] = ()

    @property
    def n_frames(self) -> int:
        """A second more than the last row."""
        return (int(self.half.t_ms[-1]) // 1000 + 1) * GRID.fps

    @property
    def done(self) -> bool:
        """Everything that it makes is there."""
        return all(path.exists() for path in self.clips or (self.path,))


def film(recording: Recording) -> None:
    """Draw, encode and cut one half; what is already there stays."""
    if recording.done:
        return
    for path in (*recording.clips, recording.path):
        path.parent.mkdir(parents=True, exist_ok=True)
    scene = stage(recording.half, recording.n_frames, recording.seed)
    frames = draw_frames(scene, recording.width, recording.height, recording.seed)
    write_video(recording.path, frames, (recording.width, recording.height), "yuv420p", _QUALITY)
    if recording.clips:
        firsts = range(0, len(recording.clips) * GRID.window_frames, GRID.window_frames)
        cut(recording.path, [(path, first, _CLIP_FRAMES) for path, first in zip(recording.clips, firsts, strict=True)])
        recording.path.unlink()


def film_all(recordings: Sequence[Recording], processes: int) -> Iterator[Recording]:
    """Film every half, in so many processes; yields each as it is done.

    Raises:
        InputError: a picture that cannot be encoded.
    """
    for recording in recordings:
        if recording.width % 2 or recording.height % 2 or min(recording.width, recording.height) < 32:
            raise InputError("picture", f"{recording.width} x {recording.height}: even sides of 32 or more are needed")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(film, recording): recording for recording in recordings}
        for job in as_completed(jobs):
            job.result()
            yield jobs[job]
