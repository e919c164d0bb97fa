"""``simulate()``: invented matches, as tables, labels or video."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Literal

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.domain.records import Clip
from playahead.io.errors import InputError
from playahead.io.files import atomic_write, lock_folder, write_whole
from playahead.io.progress import Show, counter, quiet
from playahead.io.settings import check_choices
from playahead.lab.simulation.plays import actions_of, clips_of, simulate_half, write_bas_labels
from playahead.lab.simulation.scene import stage
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS, read_feed_table, write_feed_table
from playahead.sources.layouts import SIMULATED_MARKER, write_osl_videos
from playahead.sources.soccernet import LABELS_NAME, SPLITS, write_baa_split

Halves = list[FeedHalf]
Layout = Literal["feed", "baa", "bas", "osl"]
_IN_OSL = tuple(action for action in ACTIONS if action not in (Action.DRIVE, Action.BLOCK))
"""Classes that files in this layout annotate: some of the ten, as in the public sets."""
_QUALITY = 30  # the camera's noise is not worth more
_CLIP_FRAMES = OBSERVATION_MS * GRID.fps // 1000


@dataclass(frozen=True, kw_only=True)
class SimulationConfig:
    """Number, length and layout of simulated matches.

    Attributes:
        layout: feed (train.npz, val.npz, test.npz), baa (clips of four splits), bas (whole matches of four splits) or
            osl (annotations_train.json beside train/videos and so on; eight of the ten classes).
        matches: number of matches, 4 or more; the last three become val, test and challenge (in layout feed the last
            two, val and test).
        minutes: length of a half.
        halves: number of halves of a match, 1 or 2.
        video: render them too (not in layout feed), at 25 frames a second.
        width, height: size of the picture.
        real_plays: compact feed table (.npz) whose real action sequences are played out instead of invented ones.
        seed: seed of everything random.
    """

    layout: Layout = "feed"
    matches: int = 6
    minutes: float = 45.0
    halves: int = 2
    video: bool = False
    width: int = 398
    height: int = 224
    real_plays: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_choices(self)
        if self.matches < 4:
            raise InputError("SimulationConfig.matches", f"{self.matches}: at least 4 are needed, one for each split")
        if self.halves not in (1, 2):
            raise InputError("SimulationConfig.halves", f"{self.halves} is neither 1 nor 2")
        if self.video and self.layout == "feed":
            what = "does not go with the layout feed"
            raise InputError("SimulationConfig.video", what, "choose the layout baa, bas or osl")


def simulate(out: Path, config: SimulationConfig | None = None, show: Show = quiet) -> None:
    """Write simulated matches, whose figures say nothing about football. Called again after a kill, it resumes.

    Args:
        out: folder to write to.
        config: number, length and layout of the matches.
        show: called with every half that is rendered.

    Raises:
        InputError: impossible settings, or a folder that cannot be written.
    """
    config = config or SimulationConfig()
    played = play(config)
    with lock_folder(out):
        marker = "Simulated: these matches never were, and no figure made from them is about football.\n"
        write_whole(out / SIMULATED_MARKER, marker)
        parts = dict(zip(SPLITS, (played[:-3], played[-3:-2], played[-2:-1], played[-1:]), strict=True))
        if config.layout == "feed":
            for split, matches in zip(FEED_SPLITS, (played[:-2], played[-2:-1], played[-1:]), strict=True):
                write_feed_table(out / f"{split}.npz", [half for match in matches for half in match])
            return
        renderings = {"baa": _write_baa, "bas": _write_bas, "osl": _write_osl}[config.layout](out, parts, config)
        if config.video:
            seconds = sum(rendering.n_frames for rendering in renderings) / 25
            advance = counter(show, f"rendering {len(renderings)} halves", seconds, "s of video")
            for rendering in render_all(renderings, os.cpu_count() or 1):
                advance(rendering.n_frames / 25)


def play(config: SimulationConfig) -> list[Halves]:
    """Invented matches, or the first minutes of the first ones in ``config.real_plays``, which must hold enough."""
    if config.real_plays is None:
        halves, matches = range(1, config.halves + 1), range(1, config.matches + 1)
        return [[simulate_half(config.seed, match, half, config.minutes) for half in halves] for match in matches]
    by_match: dict[int, Halves] = {}
    for half in read_feed_table(config.real_plays):
        by_match.setdefault(half.match, []).append(half.take(half.t_ms < config.minutes * 60_000))
    played = [halves[: config.halves] for halves in by_match.values() if len(halves) >= config.halves]
    if len(played) < config.matches:
        what = f"holds {len(played)} matches of {config.halves} halves"
        raise InputError(config.real_plays, what, f"simulate at most so many instead of {config.matches}")
    return played[: config.matches]


@dataclass(frozen=True)
class Rendering:
    """A half to render, in a picture with even sides, and the files to make of its video.

    If ``clips`` are cut from the video, one every 5 s from the start, ``path`` is removed again.
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
    """Draw, encode and cut one half, unless it is done. Feeds are simulated without the libraries of video."""
    from playahead.lab.simulation.picture import draw_frames
    from playahead.video.writer import write_video

    if rendering.done:
        return
    for path in (*rendering.clips, rendering.path):
        path.parent.mkdir(parents=True, exist_ok=True)
    scene = stage(rendering.half, rendering.n_frames, rendering.seed)
    frames = draw_frames(scene, rendering.width, rendering.height, rendering.seed)
    write_video(rendering.path, frames, (rendering.width, rendering.height), "yuv420p", _QUALITY)
    if rendering.clips:
        _cut(rendering.path, rendering.clips)
        rendering.path.unlink()


def render_all(renderings: Sequence[Rendering], processes: int) -> Iterator[Rendering]:
    """Render every half in several processes; yields each once it is done."""
    for rendering in renderings:
        if rendering.width % 2 or rendering.height % 2 or min(rendering.width, rendering.height) < 32:
            raise InputError("picture", f"{rendering.width} x {rendering.height}: even sides of 32 or more are needed")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(render, rendering): rendering for rendering in renderings}
        for job in as_completed(jobs):
            job.result()
            yield jobs[job]


def _cut(source: Path, clips: Sequence[Path]) -> None:
    """Copy clips of 30 s, one every 5 s, where a key frame is: the same frames decode to the same pixels."""
    import av

    with av.open(f"file:{source}") as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        for n, path in enumerate(clips):
            first = n * GRID.window_frames
            with atomic_write(path) as part, av.open(f"file:{part}", "w", format="mp4") as clip:
                copied = clip.add_stream_from_template(stream)
                for index, packet in enumerate(packets[first : first + _CLIP_FRAMES]):
                    copy = av.Packet(bytes(packet))
                    copy.is_keyframe, copy.stream = packet.is_keyframe, copied
                    copy.time_base, copy.duration = Fraction(1, GRID.fps), 1
                    copy.pts = copy.dts = index
                    clip.mux(copy)


def _write_baa(out: Path, splits: dict[str, list[Halves]], config: SimulationConfig) -> list[Rendering]:
    """Write the labels of each split's clips; returns the halves to render."""
    name = f"{config.height if config.video else 224}p.mp4"
    renderings = []
    for split, played in splits.items():
        folder = out / split
        folder.mkdir(exist_ok=True)
        clips: list[Clip] = []
        for half in (half for halves in played for half in halves):
            numbered = enumerate(clips_of(half), start=len(clips) + 1)
            new = [replace(clip, name=f"clip_{n}", video=f"clip_{n}/{name}") for n, clip in numbered]
            if new:
                path, cuts = folder / f"half_{len(renderings)}.mp4", tuple(folder / clip.video for clip in new)
                renderings.append(_rendering(half, path, config, cuts))
            clips += new
        if split == "challenge":
            clips = [replace(clip, anticipation=None) for clip in clips]
        write_baa_split(folder, clips)
    return renderings


def _write_bas(out: Path, splits: dict[str, list[Halves]], config: SimulationConfig) -> list[Rendering]:
    """Write the labels of each match; returns the halves to render."""
    renderings = []
    for split, played in splits.items():
        for halves in played:
            folder = out / split / f"match_{halves[0].match}"
            folder.mkdir(parents=True, exist_ok=True)
            write_bas_labels(folder / LABELS_NAME, halves)
            height = config.height if config.video else 224
            renderings += [_rendering(half, folder / f"{half.half}_{height}p.mp4", config) for half in halves]
    return renderings


def _write_osl(out: Path, splits: dict[str, list[Halves]], config: SimulationConfig) -> list[Rendering]:
    """Write annotations of train, valid and test, one video for each half; returns the halves to render."""
    renderings = []
    for split, played in splits.items():
        if split == "challenge":
            continue
        halves = {PurePosixPath(split, "videos", f"{h.match}_{h.half}.mp4"): h for halves in played for h in halves}
        (out / split / "videos").mkdir(parents=True, exist_ok=True)
        events = {video: actions_of(half) for video, half in halves.items()}
        write_osl_videos(out / f"annotations_{split}.json", events, _IN_OSL)
        renderings += [_rendering(half, out / video, config) for video, half in halves.items()]
    return renderings


def _rendering(half: FeedHalf, path: Path, config: SimulationConfig, cuts: tuple[Path, ...] = ()) -> Rendering:
    look = config.seed * 100_003 + half.match % 100_003
    return Rendering(half, look, config.width, config.height, path, cuts)
