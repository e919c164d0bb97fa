"""Sessions in this process: made, found, and ended when their time is over."""

import threading
import time
from collections.abc import Generator

from prometheus_client import generate_latest

from playahead.live.server.actor import Actor, PostedLines
from playahead.live.server.config import ServeConfig
from playahead.live.server.gate import Gate
from playahead.live.server.metrics import Metrics
from playahead.live.server.models import Models
from playahead.live.server.problems import Problem
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import FeedSession
from playahead.live.session.frames import Frame, Frames
from playahead.live.session.pictures import Pictures
from playahead.live.session.rows import Reports
from playahead.live.session.video_session import VideoSession
from playahead.live.session.watch_feed import watch_feed
from playahead.live.session.watch_video import watch_video
from playahead.video.source import shown

_SWEEP_S = 5.0
_PATIENCE_S = 5.0


class SessionsHere:
    """All of a server.

    Args:
        config: how many, for how long.
        models: that they answer with.
        metrics: that count them.
    """

    def __init__(self, config: ServeConfig, models: Models, metrics: Metrics) -> None:
        self._config, self._models, self._metrics = config, models, metrics
        self._gate = Gate(config)
        self._actors: dict[str, Actor] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        threading.Thread(target=self._sweep, name="sessions", daemon=True).start()

    def of_feed(self, speed: float, min_confidence: float, reports: Reports | None) -> Actor:
        """A session whose rows are posted.

        Raises:
            Problem: there is no room for it.
        """
        self._require_room()
        session, lines = FeedSession(self._models.feed, min_confidence), PostedLines()
        if reports is not None:
            session.push(reports)
        return self._add(
            Actor("feed", "rows", self._measured("feed", session, watch_feed(session, lines, speed)), lines)
        )

    def of_video(self, source: str, speed: float, min_confidence: float) -> Actor:
        """A session that watches a source.

        Raises:
            Problem: there is no room for it.
            InputError: the weights cannot be read.
        """
        self._require_room()
        model = self._models.video
        session, pictures = VideoSession(model, min_confidence), Pictures()
        frames = Frames(source, model.input_size, speed, pictures, self._gate.open)
        for notice in model.notices:
            session.tell(notice)

        def show(time_ms: int, frame: Frame) -> None:
            if frame.jpeg:
                pictures.show(time_ms, frame.jpeg)

        answers = self._measured("video", session, watch_video(session, frames, speed, show))
        return self._add(Actor("video", shown(source), answers, frames, pictures))

    def _measured(
        self, kind: str, session: FeedSession | VideoSession, answers: Generator[Answer, None, None]
    ) -> Generator[Answer, None, None]:
        histogram, gauge = self._metrics.answers.labels(kind), self._metrics.sessions.labels(kind)
        gauge.inc()
        skipped = 0
        try:
            for answer in answers:
                histogram.observe(session.took_s)
                if isinstance(session, VideoSession):
                    self._metrics.dropped.inc(session.skipped_frames - skipped)
                    skipped = session.skipped_frames
                yield answer
        finally:
            answers.close()
            gauge.dec()

    def _require_room(self) -> None:
        if (under_way := self.under_way) >= self._config.sessions:
            raise Problem(429, f"{under_way} sessions are under way, the most there can be", {"Retry-After": "60"})

    @property
    def under_way(self) -> int:
        """How many are not over."""
        with self._lock:
            return sum(not actor.over for actor in self._actors.values())

    def _add(self, actor: Actor) -> Actor:
        with self._lock:
            self._actors[actor.id] = actor
        return actor

    def find(self, name: str) -> Actor:
        """A session by its id.

        Raises:
            Problem: there is none.
        """
        with self._lock:
            actor = self._actors.get(name)
        if actor is None:
            raise Problem(404, "there is no session of this id (any more)")
        actor.used_s = time.monotonic()
        return actor

    def remove(self, name: str) -> None:
        """End a session and forget it.

        Raises:
            Problem: there is none.
        """
        actor = self.find(name)
        actor.close()
        with self._lock:
            self._actors.pop(name, None)

    def figures(self) -> bytes:
        """What was counted, for Prometheus."""
        return generate_latest(self._metrics.registry)

    def close(self) -> None:
        """End all; each with a last event."""
        self._closing.set()
        with self._lock:
            actors = list(self._actors.values())
        for actor in actors:
            actor.close()
        ends_s = time.monotonic() + _PATIENCE_S
        for actor in actors:
            actor.join(max(0.0, ends_s - time.monotonic()))
        self._gate.close()

    def _sweep(self) -> None:
        """End those that have lasted too long or that nobody uses; forget the ended ones some time later."""
        while not self._closing.wait(_SWEEP_S):
            now_s = time.monotonic()
            with self._lock:
                actors = list(self._actors.values())
            for actor in actors:
                idle = now_s - actor.used_s > self._config.idle_minutes * 60
                if not actor.over and (idle or now_s - actor.started_s > self._config.session_minutes * 60):
                    actor.close()
                elif actor.over and idle:
                    with self._lock:
                        self._actors.pop(actor.id, None)
