"""A running match through its video: frames in, an answer every second; a machine that is too slow answers less often.

Axes: P windows, N snippets, F features, H, W.
"""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.shown import MinConfidence
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS, RASTER_FRAMES
from playahead.domain.notices import Notices
from playahead.features.encoder import VideoEncoder
from playahead.inference.video import SPOTTED_CONFIDENCE, VideoModel, spotted_marks
from playahead.live.session.answer import Answer, RecentWindows
from playahead.live.session.frames import Dropped, Frame, FrameSource, Lost

PACES_S = (1, 5)
"""Seconds between answers: 1, or 5 if the machine is too slow. Windows 5 s apart share no snippet with others, so that
is a fifth of the work."""
_OBSERVED_FRAMES = GRID.n_windows * GRID.window_frames
_TICK_S = 1.0
_SILENT_S = 1.5  # a stream without frames for longer is said to be silent: HLS comes in bursts of some seconds
_BEHIND_S, _LOOK_BACK_S, _CAUGHT_UP_S = 2.0, 10.0, 60.0


class VideoSession:
    """Anticipates all through a stream of frames, as they arrive.

    Each stack, snippet and window is encoded once. On the same frames the numbers are those of ``predict``.

    Attributes:
        notices: what to say with the next answer.
        pace_s: seconds between answers.
        took_s: time from the latest answer's last frame to that answer.
        skipped_frames: number of frames that never came.
    """

    def __init__(self, model: VideoModel, min_confidence: MinConfidence = None) -> None:
        self._backbone, self._classes = model.backbone, model.classes
        self._windows = RecentWindows(model.predictor, min_confidence)
        self.notices = Notices()
        for text in model.notices:
            self.notices.add(text)
        self.took_s, self.skipped_frames, self.pace_s = 0.0, 0, PACES_S[0]
        self.restart(0)

    @property
    def now_ms(self) -> int:
        """Time of the stream after the newest frame."""
        return self._start_ms + self._encoder.n_frames * 1000 // GRID.fps

    def restart(self, now_ms: int) -> None:
        """Go on from another moment, the stream's time at the next frame; nothing before it counts as seen any more."""
        self._start_ms = now_ms
        self._encoder = VideoEncoder(self._backbone, GRID.fps * self.pace_s)
        self._windows.clear()

    def skip(self, n_frames: int) -> None:
        """Go on after frames that will never come, because this machine was too slow for them."""
        self.skipped_frames += n_frames
        self.notices.add(f"{n_frames / GRID.fps:.1f} s of video skipped: this machine is too slow")
        self.restart(self.now_ms + n_frames * 1000 // GRID.fps)

    def set_pace(self, pace_s: int) -> None:
        """Answer every so many seconds, one of ``PACES_S``; a faster pace sees nothing from before."""
        if pace_s > self.pace_s:
            self._encoder.thin_out(GRID.fps * pace_s)
        is_faster, self.pace_s = pace_s < self.pace_s, pace_s
        if is_faster:
            self.restart(self.now_ms)

    def push(self, frame_HW: NDArray[np.uint8]) -> Answer | None:
        """Take the next frame, 40 ms after the one before it; the answer if one is due."""
        started_s = time.perf_counter()
        self._encoder.push(frame_HW)
        n_frames = self._encoder.n_frames
        if n_frames % (GRID.fps * self.pace_s):
            return None
        self._encoder.forget(GRID.window_frames, _OBSERVED_FRAMES)
        answer = self._answer() if n_frames >= GRID.window_frames else None
        self.took_s = time.perf_counter() - started_s
        return answer

    def _answer(self) -> Answer:
        now_ms, n_frames = self.now_ms, self._encoder.n_frames
        anticipations, intensity_RC, chance_HC = self._windows.anticipate(
            n_frames * 1000 // GRID.fps, lambda ends_ms: self._encoder.windows(ends_ms * GRID.fps // 1000)
        )
        seen_ms = min(n_frames // GRID.window_frames * GRID.window_ms, OBSERVATION_MS)
        return Answer(
            half=0,
            now_ms=now_ms,
            seen_ms=seen_ms,
            seen=spotted_marks(self._encoder, self._start_ms, SPOTTED_CONFIDENCE, self._classes),
            expected=[one.at(now_ms, seen_ms) for one in anticipations],
            notices=self.notices.take(),
            intensity_RC=intensity_RC,
            chance_HC=chance_HC,
        )

    def blind(self, now_ms: int) -> Answer:
        """Answer while nothing is seen: notices alone."""
        nothing_RC = np.zeros((RASTER_FRAMES, len(ACTIONS)), np.float32)
        return Answer(0, now_ms, 0, (), (), self.notices.take(), nothing_RC)


def watch_video(
    session: VideoSession, frames: FrameSource, speed: float, note: Callable[[int, Frame], object] = lambda *_: None
) -> Generator[Answer, None, None]:
    """Push frames as they come. While none come, an answer a second says so.

    At speed 0 nothing is late, and the pace stays. ``note`` is called with the stream's time after each frame that was
    taken, and that frame. The source is closed at the end.

    Raises:
        InputError: a source that cannot be read.
    """
    last_s: float | None = None  # when the newest frame came
    latest: Answer | None = None
    is_lost, pace = False, _Pace(speed > 0)
    with closing(frames):
        while True:
            try:
                item = frames.next(_TICK_S)
            except TimeoutError:
                if last_s is not None and speed > 0 and (silent_s := time.monotonic() - last_s) > _SILENT_S:
                    session.notices.add(f"no new video for {silent_s:.0f} s")
                    blind = session.blind(_later(session, last_s) if is_lost else session.now_ms)
                    if is_lost or silent_s * 1000 > ANTICIPATION_MS:
                        latest = None
                    # actions that the latest answer expects may still come
                    yield blind if latest is None else replace(latest, notices=blind.notices)
                continue
            if item is None:
                return
            if isinstance(item, Dropped):
                session.skip(item.n)
            elif isinstance(item, str):
                session.notices.add(item)
            elif isinstance(item, Lost):
                last_s, is_lost = time.monotonic() if last_s is None else last_s, True
                session.notices.add(f"the source is lost, opening it again: {item.why}")
                yield session.blind(_later(session, last_s))
            else:
                if is_lost and last_s is not None:
                    session.notices.add(f"the source is back after {time.monotonic() - last_s:.0f} s")
                    session.restart(_later(session, last_s))
                last_s, is_lost = time.monotonic(), False
                answer = session.push(item.gray_HW)
                if (pace_s := pace.after(frames.waiting_s)) != session.pace_s:
                    slow = f"this machine is too slow: an answer every {pace_s} s"
                    session.notices.add(slow if pace_s > 1 else "an answer every second")
                    session.set_pace(pace_s)
                note(session.now_ms, item)
                if answer:
                    latest = answer
                    yield answer


def _later(session: VideoSession, last_s: float) -> int:
    """Time of the stream by the machine's clock, which goes on after the newest frame; whole frames."""
    frames = round((time.monotonic() - last_s) * GRID.fps)
    return session.now_ms + frames * 1000 // GRID.fps


class _Pace:
    """Seconds between answers: slow down while a backlog persists, speed up once it has stayed empty."""

    def __init__(self, counts: bool) -> None:
        self._counts, self._pace_s, self._patience_s = counts, PACES_S[0], _CAUGHT_UP_S
        self._n_frames, self._min_waiting_s = 0, float("inf")

    def after(self, waiting_s: float) -> int:
        """Seconds between answers from here on, when so much video waits after a frame."""
        self._n_frames += 1
        self._min_waiting_s = min(self._min_waiting_s, waiting_s)
        is_slow = self._pace_s == PACES_S[-1]
        if not self._counts or self._n_frames / GRID.fps < (self._patience_s if is_slow else _LOOK_BACK_S):
            return self._pace_s
        if is_slow and self._min_waiting_s < 1 / GRID.fps:
            self._pace_s, self._patience_s = PACES_S[0], 2 * self._patience_s
        elif not is_slow and self._min_waiting_s > _BEHIND_S:
            self._pace_s = PACES_S[-1]
        self._n_frames, self._min_waiting_s = 0, float("inf")
        return self._pace_s
