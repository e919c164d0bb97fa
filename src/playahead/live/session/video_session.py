"""A running match through its video: frames in, an answer every second.

Axes: P windows, N snippets, F features, T snippets in time order, C classes, H, W.
"""

import time

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import GRID, OBSERVATION_MS, RASTER_FRAMES
from playahead.domain.records import Mark
from playahead.features.snippet_stream import SnippetStream, every, of_windows
from playahead.inference.result import Expected
from playahead.inference.video import SPOTTED_CONFIDENCE, VideoModel, spotted_marks
from playahead.live.session.answer import Answer
from playahead.live.session.windows import RecentWindows

PACES_S = (1, 5)
"""Seconds between answers: each, or where the machine is too slow, each fifth. Windows 5 s apart share no snippet with
others, so that is a fifth of the work."""
_OBSERVED_FRAMES = GRID.n_windows * GRID.window_frames


class VideoSession:
    """What is expected all through a stream of frames, as they arrive.

    Each stack, snippet and window is encoded once. On the same frames the numbers are those of ``predict``.

    Args:
        model: that watches.
        min_confidence: of what is expected.

    Attributes:
        pace_s: seconds between answers.
        took_s: from the latest answer's last frame to that answer.
        skipped_frames: that never came.
    """

    def __init__(self, model: VideoModel, min_confidence: float = 0.1) -> None:
        self._backbone, self._classes = model.backbone, model.classes
        self._decoder, self._least = model.predictor.decoder(), min_confidence
        self._windows = RecentWindows(model.predictor)
        self._told: list[str] = []
        self.took_s = 0.0
        self.skipped_frames = 0
        self.pace_s = PACES_S[0]
        self.restart(0)

    @property
    def now_ms(self) -> int:
        """Time of the stream after the newest frame."""
        return self._start_ms + self._stream.n_frames * 1000 // GRID.fps

    def restart(self, now_ms: int) -> None:
        """Go on from another moment: nothing before it counts as seen any more.

        Args:
            now_ms: of the stream, at the next frame.
        """
        self._start_ms = now_ms
        self._stream = SnippetStream(self._backbone, self._wanted)
        self._of_windows, self._of_spotting = of_windows(GRID.fps * self.pace_s), every(GRID.snippet_stride)
        self._features: dict[int, NDArray[np.float16]] = {}
        self._spotting: dict[int, NDArray[np.float32]] = {}
        self._windows.clear()

    def skip(self, n_frames: int) -> None:
        """So many frames will never come: this machine was too slow for them."""
        self.skipped_frames += n_frames
        self.tell(f"{n_frames / GRID.fps:.1f} s of video skipped: this machine is too slow")
        self.restart(self.now_ms + n_frames * 1000 // GRID.fps)

    def tell(self, what: str) -> None:
        """Something that happened to the source, for the next answer."""
        self._told.append(what)

    def set_pace(self, pace_s: int) -> None:
        """Answer every so many seconds, one of ``PACES_S``; where that is more often, only from here on."""
        if pace_s == self.pace_s:
            return
        oftener, self.pace_s = pace_s < self.pace_s, pace_s
        if oftener:
            self.restart(self.now_ms)
        self._of_windows = of_windows(GRID.fps * pace_s)

    def _wanted(self, frame: int) -> bool:
        return self._of_windows(frame) or self._of_spotting(frame)

    def push(self, frame_HW: NDArray[np.uint8]) -> Answer | None:
        """Take the next frame, 40 ms after the one before it; the answer where one is due."""
        started_s = time.perf_counter()
        self._stream.push(frame_HW)
        n_frames = self._stream.n_frames
        if n_frames % (GRID.fps * self.pace_s) == 0:
            self._collect()
            answer = self._answer() if n_frames >= GRID.window_frames else None
            self.took_s = time.perf_counter() - started_s
            return answer
        if n_frames % self._stream.batch == 0:  # in between, so that little is left to do when an answer is due
            self._collect()
        return None

    def _collect(self) -> None:
        """Features of what can be encoded by now; those that no answer needs any more are forgotten."""
        starts, features_BF = self._stream.ready()
        self._features |= zip(starts, features_BF, strict=True)
        spotted = [place for place, start in enumerate(starts) if self._of_spotting(start)]
        if spotted:
            self._spotting |= zip(
                (starts[place] for place in spotted), self._backbone.spot(features_BF[spotted]), strict=True
            )
        n_frames = self._stream.n_frames
        self._features = _since(self._features, n_frames - GRID.window_frames)
        self._spotting = _since(self._spotting, n_frames - _OBSERVED_FRAMES)

    def _answer(self) -> Answer:
        now_ms, n_frames = self.now_ms, self._stream.n_frames
        predictions = self._windows.predict(n_frames * 1000 // GRID.fps, self._windows_ending)
        (found,) = self._decoder.anticipations(predictions, self._least)
        seen_ms = min(n_frames // GRID.window_frames * GRID.window_ms, OBSERVATION_MS)
        told, self._told = self._told, []
        return Answer(
            half=0,
            now_ms=now_ms,
            seen_ms=seen_ms,
            seen=self._marks(),
            expected=[Expected.of(one, now_ms, seen_ms) for one in found],
            told=told,
            intensity_RC=predictions.intensity()[0],
        )

    def blind(self, now_ms: int) -> Answer:
        """What there is to say while nothing is seen."""
        told, self._told = self._told, []
        return Answer(
            half=0,
            now_ms=now_ms,
            seen_ms=0,
            seen=(),
            expected=(),
            told=told,
            intensity_RC=np.zeros((RASTER_FRAMES, len(ACTIONS)), np.float32),
        )

    def _windows_ending(self, ends_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """features_PNF; a window that begins before the first frame counts as not seen: zeros."""
        windows_PNF = np.zeros((len(ends_ms), GRID.n_snippets, self._backbone.config.feature_dim), np.float32)
        for window_NF, end_ms in zip(windows_PNF, ends_ms, strict=True):
            start = int(end_ms) * GRID.fps // 1000 - GRID.window_frames
            if start >= 0:
                window_NF[:] = [self._features[start + n * GRID.snippet_stride] for n in range(GRID.n_snippets)]
        return windows_PNF

    def _marks(self) -> list[Mark]:
        """Actions spotted in the last 30 s."""
        starts_T = np.array(list(self._spotting), np.int64)
        if not len(starts_T):
            return []
        centre_ms_T = self._start_ms + (starts_T + GRID.snippet_span_frames // 2) * 1000 // GRID.fps
        return spotted_marks(np.stack(list(self._spotting.values())), centre_ms_T, SPOTTED_CONFIDENCE, self._classes)


def _since(kept: dict[int, NDArray], first: int) -> dict[int, NDArray]:
    return {start: value for start, value in kept.items() if start >= first}
