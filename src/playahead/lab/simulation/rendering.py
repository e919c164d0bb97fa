"""Rendered halves on disk: clips as the anticipation benchmark has them, or a whole half as the spotting one does."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av

from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.io.errors import InputError
from playahead.io.files import atomic_write
from playahead.lab.simulation.picture import draw_frames
from playahead.lab.simulation.scene import stage
from playahead.video.writer import write_video

STRIDE_MS = 5_000
_QUALITY = 30  # the camera's noise is not worth more
_CLIP_FRAMES = OBSERVATION_MS * GRID.fps // 1000


@dataclass(frozen=True)
class Rendering:
    """A half to render, and the files to make of its video.

    Attributes:
        half: actions to play.
        seed: seed of its look.
        width, height: size of the picture, both even.
        path: the video; removed again if ``clips`` are cut from it.
        clips: the benchmark's clips, one every 5 s from the start; the whole video if there are none.
    """

    half: FeedHalf
    seed: int
    width: int
    height: int
    path: Path
    clips: tuple[Path, ...] = ()

    @property
    def n_frames(self) -> int:
        """Length: a second more than the last row."""
        return (int(self.half.t_ms[-1]) // 1000 + 1) * GRID.fps

    @property
    def done(self) -> bool:
        """Whether every file that it makes is there."""
        return all(path.exists() for path in self.clips or (self.path,))


def render(rendering: Rendering) -> None:
    """Draw, encode and cut one half, unless it is done."""
    if rendering.done:
        return
    for path in (*rendering.clips, rendering.path):
        path.parent.mkdir(parents=True, exist_ok=True)
    scene = stage(rendering.half, rendering.n_frames, rendering.seed)
    frames = draw_frames(scene, rendering.width, rendering.height, rendering.seed)
    write_video(rendering.path, frames, (rendering.width, rendering.height), "yuv420p", _QUALITY)
    if rendering.clips:
        firsts = range(0, len(rendering.clips) * GRID.window_frames, GRID.window_frames)
        cut(rendering.path, [(path, first, _CLIP_FRAMES) for path, first in zip(rendering.clips, firsts, strict=True)])
        rendering.path.unlink()


def render_all(renderings: Sequence[Rendering], processes: int) -> Iterator[Rendering]:
    """Render every half in several processes; yields each once it is done.

    Raises:
        InputError: a picture that cannot be encoded.
    """
    for rendering in renderings:
        if rendering.width % 2 or rendering.height % 2 or min(rendering.width, rendering.height) < 32:
            raise InputError("picture", f"{rendering.width} x {rendering.height}: even sides of 32 or more are needed")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(render, rendering): rendering for rendering in renderings}
        for job in as_completed(jobs):
            job.result()
            yield jobs[job]


def cut(source: Path, pieces: Iterable[tuple[Path, int, int]]) -> None:
    """Copy pieces of a file that ``write_video`` wrote, unchanged: the same frames decode to the same pixels.

    Args:
        source: the whole recording.
        pieces: (path, first frame, frames) each; the first frame is a multiple of 125, where a key frame is.
    """
    with av.open(f"file:{source}") as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        for path, first, count in pieces:
            with atomic_write(path) as part, av.open(f"file:{part}", "w", format="mp4") as clip:
                copied = clip.add_stream_from_template(stream)
                for index, packet in enumerate(_copies(packets[first : first + count])):
                    packet.pts = packet.dts = index
                    packet.stream = copied
                    clip.mux(packet)


def _copies(packets: list[av.Packet]) -> Iterator[av.Packet]:
    for packet in packets:
        copy = av.Packet(bytes(packet))
        copy.is_keyframe = packet.is_keyframe
        copy.time_base = Fraction(1, GRID.fps)
        copy.duration = 1
        yield copy
