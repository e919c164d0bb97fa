"""Answers about a running video, each when it is due; a machine that is too slow answers less often."""

import time
from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path

from playahead.domain.grid import GRID
from playahead.inference.video_model import VideoModel
from playahead.live.answer import Answer
from playahead.live.config import LiveConfig
from playahead.live.frames import Dropped, Frame, Frames, Lost, Told
from playahead.live.record import Record
from playahead.live.video_session import PACES_S, VideoSession
from playahead.video.source import shown

_BEHIND_S = 2.0
_LOOK_BACK_S = 10.0
_CAUGHT_UP_S = 60.0
_TICK_S = 1.0


def watch_video(source: str, config: LiveConfig, record: Path | None = None) -> Generator[Answer, None, None]:
    """Push frames as they come.

    Args:
        source: a path, or an address that FFmpeg opens.
        config: from which weights, how certain, how fast.
        record: to keep what was said in.

    Raises:
        InputError: a source or weights that cannot be read.
    """
    model = VideoModel.open(config.weights, config.backbone, config.device)
    session = VideoSession(model, config.min_confidence)
    for notice in model.notices:
        session.tell(notice)
    with ExitStack() as stack:
        frames = stack.enter_context(closing(Frames(source, model.input_size, config.speed)))
        kept = stack.enter_context(Record(record, {"source": shown(source), "kind": "video"})) if record else None
        for answer in _answers(session, frames, _Pace(config.speed > 0)):
            if kept:
                kept.frames(session.n_frames, session.now_ms)
                kept.answer(answer)
            yield answer


def _answers(session: VideoSession, frames: Frames, pace: "_Pace") -> Generator[Answer, None, None]:
    lost_s: float | None = None
    while True:
        try:
            item = frames.next(_TICK_S)
        except TimeoutError:
            if lost_s is not None:
                yield session.blind(_later(session, lost_s))
            continue
        if item is None:
            return
        if isinstance(item, Told):
            session.tell(item.what)
        elif isinstance(item, Lost):
            lost_s = time.monotonic() if lost_s is None else lost_s
            session.tell(f"the source is lost ({item.why}), opening it again")
            yield session.blind(_later(session, lost_s))
        elif isinstance(item, Dropped):
            session.tell(f"{item.n / GRID.fps:.1f} s of video skipped: this machine is too slow")
            session.restart(session.now_ms + item.n * 1000 // GRID.fps)
        else:
            if lost_s is not None:
                session.tell(f"the source is back after {time.monotonic() - lost_s:.0f} s")
                session.restart(_later(session, lost_s))
                lost_s = None
            if answer := _push(session, item, frames, pace):
                yield answer


def _push(session: VideoSession, frame: Frame, frames: Frames, pace: "_Pace") -> Answer | None:
    answer = session.push(frame.gray_HW)
    pace_s = pace.after(frames.waiting_s)
    if pace_s != session.pace_s:
        session.tell(
            f"this machine is too slow: an answer every {pace_s} s" if pace_s > 1 else "an answer every second"
        )
        session.set_pace(pace_s)
    return answer


def _later(session: VideoSession, lost_s: float) -> int:
    """Time of the stream by the machine's clock, since it was lost; whole frames."""
    frames = round((time.monotonic() - lost_s) * GRID.fps)
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
