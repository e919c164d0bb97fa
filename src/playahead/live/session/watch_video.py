"""Answers about a running video, each when it is due; a machine that is too slow answers less often."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from playahead.domain.grid import ANTICIPATION_MS, GRID
from playahead.live.session.answer import Answer
from playahead.live.session.frames import Dropped, Frame, Frames, Lost, Told
from playahead.live.session.video_session import PACES_S, VideoSession

_BEHIND_S = 2.0
_LOOK_BACK_S = 10.0
_CAUGHT_UP_S = 60.0
_TICK_S = 1.0
_SILENT_S = 1.5  # a stream without frames for longer is said to be silent: HLS comes in bursts of some seconds


def watch_video(
    session: VideoSession, frames: Frames, speed: float, note: Callable[[int, Frame], object] | None = None
) -> Generator[Answer, None, None]:
    """Push frames as they come. While none come, an answer a second says so.

    Args:
        session: that answers.
        frames: of the source; closed at the end.
        speed: of the video; at 0 nothing is late, and the pace stays.
        note: is told each frame that was taken, and the stream's time after it.

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
                    session.tell(f"no new video for {silent_s:.0f} s")
                    blind = session.blind(_later(session, last_s) if is_lost else session.now_ms)
                    if is_lost or silent_s * 1000 > ANTICIPATION_MS:
                        latest = None
                    # what the latest answer expects may still come
                    yield blind if latest is None else replace(latest, told=blind.told)
                continue
            if item is None:
                return
            if isinstance(item, Lost):
                last_s, is_lost = time.monotonic() if last_s is None else last_s, True
                session.tell(f"the source is lost, opening it again: {item.why}")
                yield session.blind(_later(session, last_s))
                continue
            if isinstance(item, Frame):
                if is_lost and last_s is not None:
                    session.tell(f"the source is back after {time.monotonic() - last_s:.0f} s")
                    session.restart(_later(session, last_s))
                last_s, is_lost = time.monotonic(), False
            answer = _take(session, item, frames, pace)
            if isinstance(item, Frame) and note is not None:
                note(session.now_ms, item)
            if answer:
                latest = answer
                yield answer


def _take(session: VideoSession, item: Frame | Dropped | Told, frames: Frames, pace: "_Pace") -> Answer | None:
    if isinstance(item, Frame):
        return _push(session, item, frames, pace)
    if isinstance(item, Dropped):
        session.skip(item.n)
    else:
        session.tell(item.what)
    return None


def _push(session: VideoSession, frame: Frame, frames: Frames, pace: "_Pace") -> Answer | None:
    answer = session.push(frame.gray_HW)
    pace_s = pace.after(frames.waiting_s)
    if pace_s != session.pace_s:
        session.tell(
            f"this machine is too slow: an answer every {pace_s} s" if pace_s > 1 else "an answer every second"
        )
        session.set_pace(pace_s)
    return answer


def _later(session: VideoSession, last_s: float) -> int:
    """Time of the stream by the machine's clock, which goes on after the newest frame; whole frames."""
    frames = round((time.monotonic() - last_s) * GRID.fps)
    return session.now_ms + frames * 1000 // GRID.fps


class _Pace:
    """How often to answer: less often once video has been waiting all the time, oftener once nothing has for long."""

    def __init__(self, counts: bool) -> None:
        self._counts, self._pace_s, self._patience_s = counts, PACES_S[0], _CAUGHT_UP_S
        self._start()

    def _start(self) -> None:
        self._n_frames, self._least_s = 0, float("inf")

    def after(self, waiting_s: float) -> int:
        """Seconds between answers from here on, when so much video waits after a frame."""
        if not self._counts:
            return self._pace_s
        self._n_frames += 1
        self._least_s = min(self._least_s, waiting_s)
        watched_s = self._n_frames / GRID.fps
        if self._pace_s == PACES_S[0]:
            if watched_s >= _LOOK_BACK_S:
                if self._least_s > _BEHIND_S:
                    self._pace_s = PACES_S[-1]
                self._start()
        elif watched_s >= self._patience_s:
            if self._least_s < 1 / GRID.fps:
                self._pace_s, self._patience_s = PACES_S[0], 2 * self._patience_s
            self._start()
        return self._pace_s
