"""Sessions on many machines: each lives in one of the workers that Ray Serve keeps, and its id names the worker."""

import logging
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from fastapi.concurrency import run_in_threadpool
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from playahead.decoding.shown import MinConfidence
from playahead.io.errors import InputError, PlayaheadError
from playahead.io.runtime import started_ray
from playahead.live.server.backlog import Entry
from playahead.live.server.config import ServeConfig
from playahead.live.server.requests import Problem
from playahead.live.server.sessions import LocalSession, LocalSessions, Metrics, Models, no_session
from playahead.live.session.lines import Line, Reports

_PATIENCE_S, _LONG_S = 5.0, 60.0
_ONGOING = 1_000
_ID = re.compile(r"w(\d{1,4})-([A-Za-z0-9_-]{1,40})")
_GONE = b'{"detail":"the session is gone: it was closed, or its worker died"}'


class Worker:
    """One process with its own models and sessions; errors travel to the front as values."""

    def __init__(self, config: ServeConfig) -> None:
        self._sessions = LocalSessions(config, Models(config), Metrics())

    async def ask(self, method: str, *about: Any) -> tuple[bool, Any]:
        """(True, answer) or (False, (status, detail, headers)) of a method of ``LocalSessions`` or of one session."""
        try:
            if method in ("wait", "pictures"):
                name, number = about
                return True, await getattr(self._sessions.find(name), method)(number)
            return True, await run_in_threadpool(self._answer, method, *about)
        except Problem as problem:
            return False, (problem.status, problem.detail, problem.headers)
        except PlayaheadError as reason:
            return False, (422, str(reason), {})

    def _answer(self, method: str, *about: Any) -> Any:
        if method == "put":
            name, lines = about
            return self._sessions.find(name).put(lines)
        answer = getattr(self._sessions, method)(*about)
        if isinstance(answer, LocalSession):
            return answer.id, answer.kind, answer.source, answer.over, answer.number
        return answer


class RaySession:
    """A session in a worker, as it was when it was looked up; see ``LocalSession``."""

    def __init__(self, worker: int, handle: Any, name: str) -> None:
        self._handle = handle
        self._name, self.kind, self.source, self.over, self.number = _asked(handle, "find", name)
        self.id = f"w{worker}-{name}"

    def put(self, lines: Sequence[Line]) -> None:
        """Take rows for a feed: all of them, or none."""
        _asked(self._handle, "put", self._name, list(lines))

    async def wait(self, number: int) -> tuple[Sequence[tuple[int, Entry]], bool]:
        """Events after this one, and whether no more will come."""
        events = await _streamed(self._handle, "wait", self._name, number)
        return ([(number + 1, Entry("end", _GONE))], True) if events is None else events

    async def pictures(self, number: int) -> tuple[Sequence[tuple[int, Entry]], bool]:
        """Pictures of a video after this one, and whether no more will come."""
        return await _streamed(self._handle, "pictures", self._name, number) or ((), True)


class RaySessions:
    """Workers of Ray Serve, and the sessions in them; see ``LocalSessions``. A Ray cluster that runs already is used.

    Raises:
        InputError: ray is not installed, has fewer CPUs, or the workers do not start.
    """

    def __init__(self, config: ServeConfig, metrics: Metrics) -> None:
        ray, serve = started_ray("ray.serve", "ray,live")
        for name in ("ray", "ray.serve"):
            logging.getLogger(name).setLevel(logging.WARNING)
        free = int(ray.available_resources().get("CPU", 0))
        workers = config.workers or max(1, free)
        if workers > free:
            raise InputError("ServeConfig.workers", f"{workers} workers need a CPU each, Ray has {free} free")
        self._registry, self._serve = metrics.registry, serve
        self._pool, self._beginning = ThreadPoolExecutor(workers), threading.Lock()
        run = secrets.token_hex(4)
        self._names = [f"playahead-{run}-{number}" for number in range(workers)]
        try:
            self._handles = self._started(config)
        except BaseException as reason:
            self._end()
            if isinstance(reason, RuntimeError):
                raise InputError("ServeConfig.engine", f"the workers of Ray do not start ({reason})") from None
            raise

    def _started(self, config: ServeConfig) -> list[Any]:
        gpu = 1 if config.device.startswith("cuda") else 0
        needs = {"num_cpus": 1, "num_gpus": gpu}
        worker = self._serve.deployment(Worker, num_replicas=1, max_ongoing_requests=_ONGOING, ray_actor_options=needs)
        self._serve.start(proxy_location="Disabled")
        return [self._serve.run(worker.bind(config), name=name, route_prefix=None) for name in self._names]

    def of_feed(self, name: str, speed: float, min_confidence: MinConfidence, reports: Reports) -> RaySession:
        """Begin a session whose rows are posted, in the worker that has the fewest."""
        return self._begin("of_feed", name, speed, min_confidence, reports)

    def of_video(self, source: str, speed: float, min_confidence: MinConfidence) -> RaySession:
        """Begin a session that watches a source, in the worker that has the fewest."""
        return self._begin("of_video", source, speed, min_confidence)

    def _begin(self, method: str, *about: Any) -> RaySession:
        with self._beginning:
            number = min(self._everywhere("under_way").items(), key=lambda worker: (worker[1], worker[0]))[0]
            name, *_ = _asked(self._handles[number], method, *about, patience_s=_LONG_S)
        return RaySession(number, self._handles[number], name)

    def _everywhere(self, method: str) -> dict[int, Any]:
        """Answers of all workers that answer; a problem if none does."""

        def ask(number: int) -> tuple[int, Any] | None:
            with suppress(Problem):
                return number, _asked(self._handles[number], method)
            return None

        answers = dict(answer for answer in self._pool.map(ask, range(len(self._handles))) if answer is not None)
        if not answers:
            raise _unreachable()
        return answers

    def find(self, name: str) -> RaySession:
        """A session by its id, which names its worker."""
        worker, its_name = self._worker_of(name)
        return RaySession(worker, self._handles[worker], its_name)

    def remove(self, name: str) -> None:
        """End a session and forget it."""
        worker, its_name = self._worker_of(name)
        _asked(self._handles[worker], "remove", its_name)

    def _worker_of(self, name: str) -> tuple[int, str]:
        parts = _ID.fullmatch(name)
        if parts is None or int(parts[1]) >= len(self._handles):
            raise no_session()
        return int(parts[1]), parts[2]

    def figures(self) -> bytes:
        """Figures of the front and of all workers that answer; each series has its worker's number."""
        return _merged({"front": generate_latest(self._registry), **self._everywhere("figures")})

    def close(self) -> None:
        """End all sessions, then the workers."""
        with suppress(Problem):
            self._everywhere("close")
        self._end()

    def _end(self) -> None:
        for name in self._names:
            self._serve.delete(name)


def _merged(figures: Mapping[str | int, bytes]) -> bytes:
    """Figures of several processes, series of one name together; the label ``worker`` tells them apart."""
    families: dict[str, Metric] = {}
    for worker, text in figures.items():
        for family in text_string_to_metric_families(text.decode()):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.add_sample(sample.name, {**sample.labels, "worker": str(worker)}, sample.value)
    return generate_latest(SimpleNamespace(collect=families.values))  # type: ignore[bad-argument-type]


def _asked(handle: Any, method: str, *about: Any, patience_s: float = _PATIENCE_S) -> Any:
    """A worker's answer; a problem if it refuses or does not answer."""
    try:
        fine, answer = handle.ask.remote(method, *about).result(timeout_s=patience_s)
    except (*_ray_errors(), TimeoutError):
        raise _unreachable() from None
    if not fine:
        raise Problem(*answer)
    return answer


async def _streamed(handle: Any, method: str, name: str, number: int) -> Any:
    """A worker's next piece of a stream; None where the worker is gone, or was started again without the session."""
    try:
        fine, answer = await handle.ask.remote(method, name, number)
    except _ray_errors():
        return None
    return answer if fine else None


def _unreachable() -> Problem:
    return Problem(503, "the worker of this session does not answer", {"Retry-After": "5"})


def _ray_errors() -> tuple[type[Exception], ...]:
    from ray.exceptions import RayError  # type: ignore[missing-import]
    from ray.serve.exceptions import RayServeException  # type: ignore[missing-import]

    return RayError, RayServeException
