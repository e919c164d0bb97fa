"""A server that ends its sessions before it waits for their readers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi.concurrency import run_in_threadpool

from playahead.server.app import build_app
from playahead.server.config import ServeConfig

_GRACE_S = 10


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Readers get their session's last event, so their connections end by themselves."""
        await run_in_threadpool(self.config.app.state.sessions.close)  # type: ignore[union-attr]
        await super().shutdown(sockets)


def make_server(config: ServeConfig) -> uvicorn.Server:
    """A server, ready to run until SIGTERM or Ctrl-C.

    Args:
        config: what it serves.

    Raises:
        InputError: weights that cannot be read.
    """
    settings = uvicorn.Config(
        build_app(config),
        host=config.host,
        port=config.port,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="off",
    )
    return _Server(settings)


@contextmanager
def serving(config: ServeConfig) -> Iterator[tuple[uvicorn.Server, str]]:
    """A server in a thread of this process, and its address, which is the thread's name; it has ended after the block.

    Args:
        config: what it serves.

    Raises:
        InputError: weights that cannot be read.
    """
    server = make_server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    thread.name = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield server, thread.name
    finally:
        server.should_exit = True
        thread.join(2 * _GRACE_S)
