"""Sessions on many machines: each lives in one of the workers that Ray Serve keeps, and its id says in which."""

import logging
import re
import secrets
import threading
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from playahead.io.errors import InputError, PlayaheadError
from playahead.io.runtime import started_ray
from playahead.live.server.config import ServeConfig
from playahead.live.server.here import SessionsHere
from playahead.live.server.metrics import Metrics
from playahead.live.server.models import Models
from playahead.live.server.problems import Problem
from playahead.live.server.session import Event
from playahead.live.session.pictures import Picture
from playahead.live.session.rows import Line, Reports

_PATIENCE_S, _LONG_S = 5.0, 60.0
_ONGOING = 1_000
_ID = re.compile(r"w(\d{1,4})-([A-Za-z0-9_-]{1,40})")
_GONE = '{"detail":"the session is gone: it was closed, or its worker died"}'


class Worker:
    """One process with its own models and sessions; what goes wrong is carried to the front as a value."""

    def __init__(self, config: ServeConfig) -> None:
        metrics = Metrics()
        self._sessions = SessionsHere(config, Models(config), metrics)

    async def ask(self, method: str, *about: Any) -> tuple[bool, Any]:
        """(True, answer) or (False, (status, detail, headers)) of ``_of_...``."""
        return await _carried(run_in_threadpool(getattr(self, f"_of_{method}"), *about))

    async def wait(self, name: str, number: int) -> tuple[bool, Any]:
        """See ``Session``; carried as ``ask`` does."""
        return await _carried(self._waited(name, number))

    async def pictures(self, name: str, number: int) -> tuple[bool, Any]:
        """See ``Session``; carried as ``ask`` does."""
        return await _carried(self._pictured(name, number))

    async def _waited(self, name: str, number: int) -> tuple[Sequence[Event], bool]:
        return await self._sessions.find(name).wait(number)

    async def _pictured(self, name: str, number: int) -> tuple[Sequence[Picture], bool]:
        return await self._sessions.find(name).pictures(number)

    def _of_load(self) -> int:
        return self._sessions.under_way

    def _of_feed(self, *about: Any) -> str:
        return self._sessions.of_feed(*about).id

    def _of_video(self, *about: Any) -> str:
        return self._sessions.of_video(*about).id

    def _of_about(self, name: str) -> tuple[str, str, bool, int]:
        found = self._sessions.find(name)
        return found.kind, found.source, found.over, found.number

    def _of_put(self, name: str, lines: Sequence[Line]) -> None:
        self._sessions.find(name).put(lines)

    def _of_remove(self, name: str) -> None:
        self._sessions.remove(name)

    def _of_figures(self) -> bytes:
        return self._sessions.figures()

    def _of_close(self) -> None:
        self._sessions.close()


class _There:
    """A session in a worker, as it was when it was found."""

    def __init__(self, worker: int, handle: Any, name: str) -> None:
        self.id, self._name, self._handle = f"w{worker}-{name}", name, handle
        self.kind, self.source, self.over, self.number = _asked(handle, "about", name)

    def put(self, lines: Sequence[Line]) -> None:
        _asked(self._handle, "put", self._name, list(lines))

    async def wait(self, number: int) -> tuple[Sequence[Event], bool]:
        found = await _streamed(self._handle.wait, self._name, number)
        return ([Event(number + 1, "end", _GONE)], True) if found is None else found

    async def pictures(self, number: int) -> tuple[Sequence[Picture], bool]:
        return await _streamed(self._handle.pictures, self._name, number) or ((), True)


class SessionsByRay:
    """Workers of Ray Serve, and the sessions in them.

    Args:
        config: how many; where Ray runs already, on its machines.
        metrics: of the front.

    Raises:
        InputError: ray is not installed, has fewer CPUs, or the workers do not start.
    """

    def __init__(self, config: ServeConfig, metrics: Metrics) -> None:
        ray, serve = started_ray("ray.serve", "ray,serve")
        for name in ("ray", "ray.serve"):
            logging.getLogger(name).setLevel(logging.WARNING)
        free = int(ray.available_resources().get("CPU", 0))
        workers = config.workers or max(1, free)
        if workers > free:
            raise InputError("--workers", f"{workers} workers need a CPU each, Ray has {free} free")
        self._registry, self._serve = metrics.registry, serve
        self._pool, self._beginning = ThreadPoolExecutor(workers), threading.Lock()
        run = secrets.token_hex(4)
        self._names = [f"playahead-{run}-{number}" for number in range(workers)]
        try:
            self._handles = self._started(config)
        except BaseException as reason:
            self._end()
            if isinstance(reason, RuntimeError):
                raise InputError("--engine ray", f"the workers do not start ({reason})") from None
            raise

    def _started(self, config: ServeConfig) -> list[Any]:
        gpu = 1 if config.device.startswith("cuda") else 0
        worker = self._serve.deployment(
            Worker,
            num_replicas=1,
            max_ongoing_requests=_ONGOING,
            ray_actor_options={"num_cpus": 1, "num_gpus": gpu},
        )
        self._serve.start(proxy_location="Disabled")
        return [self._serve.run(worker.bind(config), name=name, route_prefix=None) for name in self._names]

    def of_feed(self, speed: float, min_confidence: float, reports: Reports | None) -> _There:
        """A session whose rows are posted, in the worker that has the fewest."""
        return self._begun("feed", speed, min_confidence, reports)

    def of_video(self, source: str, speed: float, min_confidence: float) -> _There:
        """A session that watches a source, in the worker that has the fewest."""
        return self._begun("video", source, speed, min_confidence)

    def _begun(self, kind: str, *about: Any) -> _There:
        with self._beginning:
            number = min(self._everywhere("load").items(), key=lambda found: (found[1], found[0]))[0]
            name = _asked(self._handles[number], kind, *about, patience_s=_LONG_S)
        return _There(number, self._handles[number], name)

    def _everywhere(self, method: str) -> dict[int, Any]:
        """Answers of the workers that answer.

        Raises:
            Problem: none does.
        """

        def ask(number: int) -> tuple[int, Any] | None:
            with suppress(Problem):
                return number, _asked(self._handles[number], method)
            return None

        found = dict(answer for answer in self._pool.map(ask, range(len(self._handles))) if answer is not None)
        if not found:
            raise _unreachable()
        return found

    def find(self, name: str) -> _There:
        """A session by its id, which names its worker."""
        worker, its_name = self._worker_of(name)
        return _There(worker, self._handles[worker], its_name)

    def remove(self, name: str) -> None:
        """End a session and forget it."""
        worker, its_name = self._worker_of(name)
        _asked(self._handles[worker], "remove", its_name)

    def _worker_of(self, name: str) -> tuple[int, str]:
        found = _ID.fullmatch(name)
        if found is None or int(found[1]) >= len(self._handles):
            raise Problem(404, "there is no session of this id (any more)")
        return int(found[1]), found[2]

    def figures(self) -> bytes:
        """Of the front and of all workers that answer, each series with its worker's number."""
        merged = CollectorRegistry()
        merged.register(_Merged(generate_latest(self._registry), self._everywhere("figures")))
        return generate_latest(merged)

    def close(self) -> None:
        """End all sessions, then the workers."""
        with suppress(Problem):
            self._everywhere("close")
        self._end()

    def _end(self) -> None:
        for name in self._names:
            self._serve.delete(name)


class _Merged:
    """Figures of several processes as one."""

    def __init__(self, front: bytes, workers: Mapping[int, bytes]) -> None:
        self._texts = {"front": front, **{str(number): text for number, text in workers.items()}}

    def collect(self) -> Iterator[Metric]:
        """Series of one name together, told apart by the label ``worker``."""
        families: dict[str, Metric] = {}
        for worker, text in self._texts.items():
            for family in text_string_to_metric_families(text.decode()):
                merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    merged.add_sample(sample.name, {**sample.labels, "worker": worker}, sample.value)
        return iter(families.values())


async def _carried(answer: Awaitable[Any]) -> tuple[bool, Any]:
    """An answer, or the problem instead of it, as a value."""
    try:
        return True, await answer
    except Problem as problem:
        return False, (problem.status, problem.detail, problem.headers)
    except PlayaheadError as reason:
        return False, (422, str(reason), {})


def _asked(handle: Any, method: str, *about: Any, patience_s: float = _PATIENCE_S) -> Any:
    """A worker's answer.

    Raises:
        Problem: what it refuses, or it does not answer.
    """
    try:
        fine, answer = handle.ask.remote(method, *about).result(timeout_s=patience_s)
    except (*_ray_errors(), TimeoutError):
        raise _unreachable() from None
    if not fine:
        raise Problem(*answer)
    return answer


async def _streamed(method: Any, name: str, number: int) -> Any:
    """A worker's next piece of a stream; None where the worker is gone, or was started again without the session."""
    try:
        fine, answer = await method.remote(name, number)
    except _ray_errors():
        return None
    return answer if fine else None


def _unreachable() -> Problem:
    return Problem(503, "the worker of this session does not answer", {"Retry-After": "5"})


def _ray_errors() -> tuple[type[Exception], ...]:
    from ray.exceptions import RayError  # type: ignore[missing-import]
    from ray.serve.exceptions import RayServeException  # type: ignore[missing-import]

    return RayError, RayServeException
