"""Sessions on many machines: each lives in one of the workers that Ray Serve keeps, and its id says in which."""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from playahead.errors import InputError, PlayaheadError
from playahead.live.pictures import Picture
from playahead.live.rows import Line, Reports
from playahead.server.config import ServeConfig
from playahead.server.here import SessionsHere
from playahead.server.metrics import Metrics
from playahead.server.models import Models
from playahead.server.problems import Problem
from playahead.server.session import Event

_PATIENCE_S = 60.0
_ONGOING = 1_000
_ID = re.compile(r"w(\d{1,4})-([A-Za-z0-9_-]{1,40})")
_GONE = Event(0, "end", '{"detail":"the worker that it ran in is gone"}')


class Worker:
    """One process with its own models and sessions; what goes wrong is carried to the front as a value."""

    def __init__(self, config: ServeConfig) -> None:
        metrics = Metrics()
        self._sessions = SessionsHere(config, Models(config), metrics)

    async def ask(self, method: str, *about: Any) -> tuple[bool, Any]:
        """(True, answer) or (False, (status, detail, headers)) of ``_of_...``."""
        try:
            return True, await run_in_threadpool(getattr(self, f"_of_{method}"), *about)
        except Problem as problem:
            return False, (problem.status, problem.detail, problem.headers)
        except PlayaheadError as reason:
            return False, (422, str(reason), {})

    async def events(self, name: str, number: int) -> AsyncIterator[Event | None]:
        """See ``Session``."""
        async for event in self._sessions.find(name).events(number):
            yield event

    async def pictures(self, name: str) -> AsyncIterator[Picture]:
        """See ``Session``."""
        async for picture in self._sessions.find(name).pictures():
            yield picture

    def _of_load(self) -> int:
        return self._sessions.under_way

    def _of_feed(self, *about: Any) -> str:
        return self._sessions.of_feed(*about).id

    def _of_video(self, *about: Any) -> str:
        return self._sessions.of_video(*about).id

    def _of_about(self, name: str) -> tuple[str, str]:
        found = self._sessions.find(name)
        return found.kind, found.source

    def _of_look(self, name: str) -> tuple[bool, int]:
        return self._sessions.find(name).look()

    def _of_put(self, name: str, lines: Sequence[Line]) -> None:
        self._sessions.find(name).put(lines)

    def _of_remove(self, name: str) -> None:
        self._sessions.remove(name)

    def _of_figures(self) -> bytes:
        return self._sessions.figures()

    def _of_close(self) -> None:
        self._sessions.close()


class _There:
    """A session in a worker."""

    def __init__(self, number: int, handle: Any, name: str) -> None:
        self.id, self._handle, self._name = f"w{number}-{name}", handle, name
        self.kind, self.source = _asked(handle, "about", name)

    def look(self) -> tuple[bool, int]:
        return _asked(self._handle, "look", self._name)

    def put(self, lines: Sequence[Line]) -> None:
        _asked(self._handle, "put", self._name, list(lines))

    async def events(self, number: int) -> AsyncIterator[Event | None]:
        try:
            async for event in self._handle.options(stream=True).events.remote(self._name, number):
                number = number if event is None else event.number
                yield event
        except _ray_errors():
            yield Event(number + 1, _GONE.kind, _GONE.data)

    async def pictures(self) -> AsyncIterator[Picture]:
        try:
            async for picture in self._handle.options(stream=True).pictures.remote(self._name):
                yield picture
        except _ray_errors():
            return


class SessionsByRay:
    """Workers of Ray Serve, and the sessions in them.

    Args:
        config: how many; where Ray runs already, on its machines.
        metrics: of the front.

    Raises:
        InputError: ray is not installed, or the workers do not start.
    """

    def __init__(self, config: ServeConfig, metrics: Metrics) -> None:
        try:
            import ray  # type: ignore[missing-import]
            from ray import serve  # type: ignore[missing-import]
        except ImportError:
            raise InputError("--engine ray", "ray is not installed", "pip install 'playahead[ray,serve]'") from None
        if not ray.is_initialized():
            ray.init(include_dashboard=False, log_to_driver=False)
        for name in ("ray", "ray.serve"):
            logging.getLogger(name).setLevel(logging.WARNING)
        workers = config.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._registry, self._serve, self._most = metrics.registry, serve, config.sessions
        worker: Any = serve.deployment(Worker, num_replicas=1, max_ongoing_requests=_ONGOING)
        try:
            self._handles = [
                serve.run(worker.bind(config), name=f"worker-{number}", route_prefix=None) for number in range(workers)
            ]
        except RuntimeError as reason:
            raise InputError("--engine ray", f"the workers do not start ({reason})") from None
        self._pool = ThreadPoolExecutor(workers)

    def of_feed(self, speed: float, min_confidence: float, reports: Reports | None) -> _There:
        """A session whose rows are posted, in the worker that has the fewest."""
        return self._begun("feed", speed, min_confidence, reports)

    def of_video(self, source: str, speed: float, min_confidence: float) -> _There:
        """A session that watches a source, in the worker that has the fewest."""
        return self._begun("video", source, speed, min_confidence)

    def _begun(self, kind: str, *about: Any) -> _There:
        loads = list(self._everywhere("load"))
        number = loads.index(min(loads))
        return _There(number, self._handles[number], _asked(self._handles[number], kind, *about))

    def _everywhere(self, method: str) -> Iterator[Any]:
        return self._pool.map(lambda handle: _asked(handle, method), self._handles)

    def find(self, name: str) -> _There:
        """A session by its id, which names its worker."""
        found = _ID.fullmatch(name)
        if found is None or int(found[1]) >= len(self._handles):
            raise Problem(404, "there is no session of this id (any more)")
        return _There(int(found[1]), self._handles[int(found[1])], found[2])

    def remove(self, name: str) -> None:
        """End a session and forget it."""
        found = self.find(name)
        _asked(found._handle, "remove", found._name)

    def figures(self) -> bytes:
        """Of the front and of all workers, each series with its worker's number."""
        merged = CollectorRegistry()
        merged.register(_Merged(generate_latest(self._registry), list(self._everywhere("figures"))))
        return generate_latest(merged)

    def close(self) -> None:
        """End all sessions, then the workers."""
        list(self._everywhere("close"))
        self._serve.shutdown()


class _Merged:
    """Figures of several processes as one."""

    def __init__(self, front: bytes, workers: Sequence[bytes]) -> None:
        self._texts = {"front": front, **{str(number): text for number, text in enumerate(workers)}}

    def collect(self) -> Iterator[Metric]:
        """Series of one name together, told apart by the label ``worker``."""
        families: dict[str, Metric] = {}
        for worker, text in self._texts.items():
            for family in text_string_to_metric_families(text.decode()):
                merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    merged.add_sample(sample.name, {**sample.labels, "worker": worker}, sample.value)
        return iter(families.values())


def _asked(handle: Any, method: str, *about: Any) -> Any:
    """A worker's answer.

    Raises:
        Problem: what it refuses, or it does not answer.
    """
    try:
        fine, answer = handle.ask.remote(method, *about).result(timeout_s=_PATIENCE_S)
    except (_ray_errors(), TimeoutError):
        raise Problem(404, "the worker of this session does not answer: begin another") from None
    if not fine:
        raise Problem(*answer)
    return answer


def _ray_errors() -> type[Exception]:
    from ray.exceptions import RayError  # type: ignore[missing-import]

    return RayError
