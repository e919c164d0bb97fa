"""Running a server: it ends sessions before it waits for their readers, and drops clients who send nothing."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from playahead.io.errors import InputError
from playahead.live.server.app import build_app
from playahead.live.server.config import ServeConfig

try:
    import resource
except ImportError:  # Windows: its sockets are no files
    resource = None  # type: ignore[assignment]

_GRACE_S = 10
_HEADERS_S = 10.0
_ACCEPTED_AT_ONCE = 128  # asyncio accepts so many before it looks at any of them
_QUEUED = 2_048  # the system keeps so many more; one that finds no place tries again after a second
_OTHER_FILES = _ACCEPTED_AT_ONCE + 128  # weights, recordings, streams


class _Server(uvicorn.Server):
    ready: Callable[[str], object] = id

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            for listener in self.servers[0].sockets:
                with listener.dup() as same:
                    same.listen(_QUEUED)
            self.ready(self.address)

    @property
    def address(self) -> str:
        """Address for a browser on this machine."""
        host, port = self.config.host, self.servers[0].sockets[0].getsockname()[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Readers get their session's last event, so their connections end by themselves.
        await asyncio.to_thread(self.config.app.state.close)  # type: ignore[union-attr]
        await super().shutdown(sockets)


class _Connection(H11Protocol):
    """A client that must send a whole request in time.

    If there are too many connections, the one that has sent no request for longest makes room. So health checks get
    through a crowd of clients who send nothing.

    Args:
        most: most connections at the same time.
        waiting: connections without a request, the oldest first; shared by all connections of a server.
    """

    def __init__(self, *, most: int, waiting: dict["_Connection", None], **settings: Any) -> None:
        super().__init__(**settings)
        self._most, self._waiting = most, waiting
        self._gives_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[bad-override]
        super().connection_made(transport)
        if len(self.connections) > self._most:
            first = next(iter(self._waiting), self)
            self._waiting.pop(first, None)
            first.transport.abort()
            if first is self:
                return
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._has_request:  # uvicorn closes it if nothing at all comes
            self._waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    @property
    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        """Start the clock: from the connection, or the first byte of a request, to the last byte of its headers."""
        if self._has_request or self.transport.is_closing():
            self._stop_waiting()
        elif self._gives_up is None:
            self._waiting[self] = None
            self._gives_up = self.loop.call_later(_HEADERS_S, self.transport.close)

    def _stop_waiting(self) -> None:
        self._waiting.pop(self, None)
        if self._gives_up is not None:
            self._gives_up.cancel()
            self._gives_up = None


def make_server(config: ServeConfig, ready: Callable[[str], object] = id) -> _Server:
    """Make a server, ready to run until SIGTERM or Ctrl-C; ``ready`` is called with its address once it listens.

    Raises:
        InputError: weights that cannot be read, or more connections than the system allows.
    """
    if resource is not None:  # a server without files answers nobody
        allowed, needed = resource.getrlimit(resource.RLIMIT_NOFILE)[0], config.connections + _OTHER_FILES
        if allowed != resource.RLIM_INFINITY and needed > allowed:
            what = f"{config.connections} need {needed} open files, the system allows {allowed}"
            raise InputError("ServeConfig.connections", what, f"allow fewer, or more files: ulimit -n {needed}")
    settings = uvicorn.Config(
        build_app(config),
        host=config.host,
        port=config.port,
        http=partial(_Connection, most=config.connections, waiting={}),  # type: ignore[bad-argument-type]
        ws="none",
        log_level="error",
        backlog=_ACCEPTED_AT_ONCE,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=config.trusted_proxies,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="off",
    )
    server = _Server(settings)
    server.ready = ready
    return server


@contextmanager
def serving(config: ServeConfig) -> Iterator[tuple[uvicorn.Server, str]]:
    """Run a server in a thread of this process until the end of the block; (server, address)."""
    server = make_server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    thread.name = server.address
    try:
        yield server, thread.name
    finally:
        server.should_exit = True
        thread.join(2 * _GRACE_S)
