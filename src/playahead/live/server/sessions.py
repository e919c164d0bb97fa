"""Sessions of a server, each with a thread that takes rows or frames and adds its answers to a backlog of events.

``LocalSessions`` keeps them in this process, ``by_ray.RaySessions`` in workers, with the same methods.
"""

import json
import logging
import secrets
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import nullcontext

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from playahead.decoding.shown import MinConfidence
from playahead.features.forms import FEED_FEATURES
from playahead.inference.open_predictor import open_predictor
from playahead.inference.video import VideoModel
from playahead.io.channel import Channel
from playahead.io.errors import PlayaheadError
from playahead.live.server.backlog import EVENT_BYTES, MOST_EVENTS, Backlog, Entry, Pictures
from playahead.live.server.config import ServeConfig
from playahead.live.server.requests import Problem
from playahead.live.server.sources import Gate
from playahead.live.session.answer import Answer
from playahead.live.session.feed_session import FeedSession, watch_feed
from playahead.live.session.frames import FrameSource
from playahead.live.session.lines import Line, Lines, Reports
from playahead.live.session.video_session import VideoSession, watch_video
from playahead.video.source import shown

_ROWS_WAITING = 10_000
_HEARTBEAT_S, _PICTURE_S, _SWEEP_S, _PATIENCE_S = 5.0, 1.0, 5.0, 5.0
_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_log = logging.getLogger(__name__)


class Metrics:
    """Figures of one server, for Prometheus."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.sessions = Gauge("playahead_sessions", "Sessions under way", ["kind"], registry=registry)
        what = "From the last row or frame that an answer rests on to the answer"
        self.answers = Histogram("playahead_answer_seconds", what, ["kind"], buckets=_BUCKETS_S, registry=registry)
        self.rows = Counter("playahead_rows", "Rows taken", registry=registry)
        self.dropped = Counter("playahead_dropped_frames", "Frames that nobody took in time", registry=registry)
        self.problems = Counter("playahead_problems", "Requests refused", ["status"], registry=registry)


class Models:
    """Models of a server, shared by all sessions: the feed's is opened at once, the video's when it is first needed."""

    def __init__(self, config: ServeConfig) -> None:
        self._config, self._lock = config, threading.Lock()
        self.feed = open_predictor(config.weights, FEED_FEATURES, config.device)
        self._video: VideoModel | None = None

    @property
    def video(self) -> VideoModel:
        """Backbone and anticipator of video."""
        with self._lock:
            config = self._config
            self._video = self._video or VideoModel.open(config.video_weights, config.backbone, config.device)
            return self._video


class LocalSession:
    """One session: a thread that answers, and its events; closing ``feed`` (lines or frames) ends the answers."""

    def __init__(
        self,
        kind: str,
        source: str,
        answers: Generator[Answer, None, None],
        feed: Lines | FrameSource,
        pictures: Pictures | None = None,
    ) -> None:
        self.id, self.kind, self.source, self.feed = secrets.token_urlsafe(12), kind, source, feed
        self._answers, self._pictures = answers, pictures
        self.started_s = self.used_s = time.monotonic()
        self.events = Backlog(MOST_EVENTS, EVENT_BYTES)
        self._stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"session-{self.id}", daemon=True)
        self.thread.start()

    @property
    def number(self) -> int:
        """Number of the latest event."""
        return self.events.number

    @property
    def over(self) -> bool:
        """Whether the last event has been added."""
        return self.events.over

    def _run(self) -> None:
        why = "the source ended"
        try:
            for answer in self._answers:
                self._add("answer", answer.as_json())
                if self._stopping.is_set():
                    break
        except PlayaheadError as reason:
            why = str(reason)
        except Exception:  # a defect of ours ends one session, and no other
            why = "an internal error"
            _log.exception("session %s", self.id)
        finally:
            self._answers.close()
            why = "the session was closed" if self._stopping.is_set() else why
            self._add("end", {"detail": why})
            if self._pictures is not None:
                self._pictures.backlog.add(None, last=True)

    def _add(self, kind: str, data: dict[str, object]) -> None:
        text = json.dumps(data, separators=(",", ":"), allow_nan=False)
        self.events.add(Entry(kind, text.encode()), last=kind == "end")

    async def wait(self, number: int) -> tuple[list[tuple[int, Entry]], bool]:
        """Events after this one as soon as there are any, none after a while; and whether no more will come."""
        self.used_s = time.monotonic()
        return await self.events.wait(number, _HEARTBEAT_S)

    async def pictures(self, number: int) -> tuple[list[tuple[int, Entry]], bool]:
        """Pictures of a video after this one as soon as there are any, and whether no more will come."""
        self.used_s = time.monotonic()
        if self._pictures is None:
            return [], True
        self._pictures.watch()
        return await self._pictures.backlog.wait(number, _PICTURE_S)

    def put(self, lines: Sequence[Line]) -> None:
        """Take rows for a feed: all of them, or none.

        Raises:
            Problem: it watches a video, it is over, or too many rows wait.
        """
        if not isinstance(self.feed, Channel):
            raise Problem(409, "this session watches a video")
        if self.over:
            raise Problem(409, "this session has ended")
        if not self.feed.offer(lines):
            raise Problem(429, "too many rows are waiting", {"Retry-After": "1"})

    def close(self) -> None:
        """End it, with a last event."""
        self._stopping.set()
        self.feed.close()


class LocalSessions:
    """All sessions of this process. Beginning one raises ``Problem`` when full, looking one up when unknown."""

    def __init__(self, config: ServeConfig, models: Models, metrics: Metrics) -> None:
        self._config, self._models, self._metrics = config, models, metrics
        self._gate = Gate(config)
        # Many threads that fight over Python's lock answer half as often as those that take turns; Ray's are few.
        self._turn = threading.Lock() if config.engine == "local" else nullcontext()
        self._sessions: dict[str, LocalSession] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        threading.Thread(target=self._sweep, name="sessions", daemon=True).start()

    def of_feed(self, name: str, speed: float, min_confidence: MinConfidence, reports: Reports) -> LocalSession:
        """Begin a session of this name whose rows are posted."""
        self._require_room()
        session, lines = FeedSession(self._models.feed, min_confidence, self._turn), Lines(_ROWS_WAITING)
        session.push(reports)
        answers = self._measured("feed", session, watch_feed(session, lines, speed))
        return self._keep(LocalSession("feed", name, answers, lines))

    def of_video(self, source: str, speed: float, min_confidence: MinConfidence) -> LocalSession:
        """Begin a session that watches a source."""
        self._require_room()
        model = self._models.video
        session, pictures = VideoSession(model, min_confidence), Pictures()
        frames = FrameSource(source, model.input_size, speed, pictures.draw, self._gate.open)
        answers = self._measured("video", session, watch_video(session, frames, speed, pictures.show))
        return self._keep(LocalSession("video", shown(source), answers, frames, pictures))

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
        if (under_way := self.under_way()) >= self._config.sessions:
            raise Problem(429, f"{under_way} sessions are under way, the maximum", {"Retry-After": "60"})

    def under_way(self) -> int:
        """Number of sessions that are not over."""
        with self._lock:
            return sum(not session.over for session in self._sessions.values())

    def _keep(self, session: LocalSession) -> LocalSession:
        with self._lock:
            self._sessions[session.id] = session
        return session

    def find(self, name: str) -> LocalSession:
        """A session by its id."""
        with self._lock:
            session = self._sessions.get(name)
        if session is None:
            raise no_session()
        session.used_s = time.monotonic()
        return session

    def remove(self, name: str) -> None:
        """End a session and forget it."""
        self.find(name).close()
        with self._lock:
            self._sessions.pop(name, None)

    def figures(self) -> bytes:
        """Figures for Prometheus."""
        return generate_latest(self._metrics.registry)

    def close(self) -> None:
        """End all sessions, each with a last event."""
        self._closing.set()
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            session.close()
        ends_s = time.monotonic() + _PATIENCE_S
        for session in sessions:
            session.thread.join(max(0.0, ends_s - time.monotonic()))
        self._gate.close()

    def _sweep(self) -> None:
        """End sessions that have lasted too long or that nobody uses; forget ended ones some time later."""
        while not self._closing.wait(_SWEEP_S):
            now_s = time.monotonic()
            with self._lock:
                sessions = list(self._sessions.values())
            for session in sessions:
                idle = now_s - session.used_s > self._config.idle_minutes * 60
                if not session.over and (idle or now_s - session.started_s > self._config.session_minutes * 60):
                    session.close()
                elif session.over and idle:
                    with self._lock:
                        self._sessions.pop(session.id, None)


def no_session() -> Problem:
    """Problem of an id that no session has."""
    return Problem(404, "there is no session of this id (any more)")
