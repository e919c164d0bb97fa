"""Answers about uploaded clips: a few at a time, each decoded in a process that can be ended."""

import asyncio
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.shown import MinConfidence
from playahead.live.server.requests import Problem
from playahead.live.server.sessions import Models
from playahead.live.session.answer import Answer
from playahead.live.session.video_session import PACES_S, VideoSession
from playahead.video.input_size import InputSize

_AT_ONCE = 4
_LONGEST_S, _DECODING_S, _LOOK_S = 120.0, 60.0, 0.5


class Clips:
    """All uploads of a server."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._pool, self._in_hand = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="clip"), 0
        self._closing = threading.Event()

    async def answer(self, body: AsyncIterator[bytes], min_confidence: MinConfidence) -> Answer:
        """Anticipate after a clip, from its last 30 s, or from all of a shorter one.

        Raises:
            Problem: too many clips; or not a video, too long, too short, or not decoded in time.
        """
        if self._in_hand >= _AT_ONCE:
            raise Problem(429, f"{_AT_ONCE} clips are being read, the maximum", {"Retry-After": "5"})
        self._in_hand += 1
        try:
            with tempfile.NamedTemporaryFile(prefix="playahead-", suffix=".clip") as file:
                async for piece in body:
                    file.write(piece)
                file.flush()
                loop, path = asyncio.get_running_loop(), Path(file.name)
                return await loop.run_in_executor(self._pool, self._answer_after, path, min_confidence)
        finally:
            self._in_hand -= 1

    def _answer_after(self, clip: Path, min_confidence: MinConfidence) -> Answer:
        model = self._models.video
        session, answer = VideoSession(model, min_confidence), None
        session.set_pace(PACES_S[-1])
        for gray_HW in self._decoded(clip, model.input_size):
            answer = session.push(gray_HW) or answer
            self._require_open()
        if answer is None:
            raise Problem(422, "clip: its pictures end too early")
        return answer

    def _decoded(self, clip: Path, size: InputSize) -> Iterator[NDArray[np.uint8]]:
        """gray_HW of the clip's end, from a process that is ended with this generator or when it takes too long."""
        words = [clip, _LONGEST_S, size.width, size.height, size.luma]
        command = [sys.executable, "-m", "playahead.live.server.decode", *map(str, words)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=one_thread, **pipes) as child:  # type: ignore[no-matching-overload]
            assert child.stdout is not None
            assert child.stderr is not None
            over, n_bytes, ends_s = threading.Event(), size.width * size.height, time.monotonic() + _DECODING_S

            def end_in_time() -> None:
                while not over.wait(_LOOK_S):
                    if time.monotonic() > ends_s or self._closing.is_set():
                        child.kill()

            threading.Thread(target=end_in_time, daemon=True).start()
            try:
                while len(content := child.stdout.read(n_bytes)) == n_bytes:
                    left_s, ends_s = ends_s - time.monotonic(), math.inf  # the reader's time does not count
                    yield np.frombuffer(content, np.uint8).reshape(size.height, size.width)
                    ends_s = time.monotonic() + left_s
                message = child.stderr.read(10_000).decode("utf-8", "replace").strip()
                status = child.wait()
            finally:
                over.set()
                child.kill()
        self._require_open()
        if status:
            why = message.rpartition("\n")[2] if status == 1 else "takes too long, or too much memory, to decode"
            raise Problem(422, f"clip: {why}")

    def _require_open(self) -> None:
        if self._closing.is_set():
            raise Problem(503, "the server is ending")

    def close(self) -> None:
        """End all decoding."""
        self._closing.set()
