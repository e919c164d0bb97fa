"""An uploaded clip -> what follows it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
from av.error import FFmpegError

from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.inference.video import VideoModel
from playahead.live.answer import Answer
from playahead.live.video_session import PACES_S, VideoSession
from playahead.server.problems import Problem
from playahead.video.reader import probe, read_frames

_CONTAINERS = "mov,mp4,matroska,webm,mpegts,avi,flv,h264,hevc"
"""Formats that lead to no other file."""


@asynccontextmanager
async def kept(body: AsyncIterator[bytes]) -> AsyncIterator[Path]:
    """A clip on disk, under a name of our own, until the end of the block."""
    with tempfile.NamedTemporaryFile(prefix="playahead-", suffix=".clip") as file:
        async for piece in body:
            file.write(piece)
        file.flush()
        yield Path(file.name)


def answer_after(clip: Path, model: VideoModel, longest_s: float, min_confidence: float) -> Answer:
    """What follows a clip, from its last 30 s, or less where it is shorter.

    Raises:
        Problem: no video, too long or too short.
        InputError: it cannot be decoded.
    """
    _require_container(clip)
    lasts_s = probe(clip).duration_s
    if lasts_s is None or not 0 < lasts_s <= longest_s:
        length = "says no length" if lasts_s is None else f"lasts {lasts_s:.0f} s"
        raise Problem(422, f"clip: {length}, at most {longest_s:g} s are taken")
    windows = min(int(lasts_s * 1000), OBSERVATION_MS) // GRID.window_ms
    session, answer = VideoSession(model, min_confidence), None
    session.set_pace(PACES_S[-1])
    start_s = max(0.0, lasts_s - windows * GRID.window_ms / 1000)
    for _, gray_HW in read_frames(clip, model.input_size, start_s):
        answer = session.push(gray_HW) or answer
    if answer is None:
        raise Problem(422, f"clip: {lasts_s:.1f} s are too few, {GRID.window_ms // 1000} s are needed")
    return answer


def _require_container(clip: Path) -> None:
    """Refuse playlists and whatever else leads elsewhere."""
    try:
        with av.open(f"file:{clip}", options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}):
            pass
    except (FFmpegError, OSError, ValueError) as reason:
        raise Problem(422, f"clip: is no video that is read here ({getattr(reason, 'strerror', reason)})") from None
