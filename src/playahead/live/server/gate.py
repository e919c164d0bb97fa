"""A proxy on loopback through which FFmpeg opens addresses: each request is checked, and goes where that looked."""

import logging
import os
import socket
import threading
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from av.container import InputContainer

from playahead.io.errors import InputError
from playahead.live.server.allowed import allowed_file, checked_address
from playahead.live.server.config import ServeConfig
from playahead.live.server.opening import opened_through
from playahead.video.source import shown

_SILENT_S = 20.0
_PIECE = 65_536
_OURS = frozenset({"connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade"})
_log = logging.getLogger(__name__)


class Gate:
    """Opens what sessions watch.

    Args:
        config: what is allowed.
    """

    def __init__(self, config: ServeConfig) -> None:
        self._config = config
        os.environ.pop("no_proxy", None)  # FFmpeg would go round the proxy to the hosts that it names
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hop, config))
        self._proxy.daemon_threads = True
        threading.Thread(target=self._proxy.serve_forever, name="gate", daemon=True).start()

    def open(self, source: Path | str) -> InputContainer:
        """See ``opening.opened_through``."""
        address = f"http://127.0.0.1:{self._proxy.server_port}"
        return opened_through(source, address, lambda path: allowed_file(path, self._config))

    def close(self) -> None:
        """Nothing more is let through."""
        self._proxy.shutdown()
        self._proxy.server_close()


class _Hop(BaseHTTPRequestHandler):
    """One request of FFmpeg: plain HTTP as a whole, of HTTPS the connection alone."""

    timeout = _SILENT_S

    def __init__(self, config: ServeConfig, *about: Any) -> None:
        self._config = config
        super().__init__(*about)

    def do_GET(self) -> None:
        """Ask for an address, and pass on what is answered."""
        there = self._reached(self.path)
        if there is not None:
            parts = urlsplit(self.path)
            target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
            kept = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in _OURS]
            there.sendall("\r\n".join([f"GET {target} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1"))
            _pass_on(there, self.connection)

    def do_CONNECT(self) -> None:
        """A connection that FFmpeg encrypts; only its host and port are known here."""
        there = self._reached(f"https://{self.path}", is_whole=False)
        if there is not None:
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_pass_on, args=(self.connection, there), daemon=True).start()
            _pass_on(there, self.connection)

    def _reached(self, address: str, is_whole: bool = True) -> socket.socket | None:
        """A connection to where an address leads; None where it is refused, which is answered."""
        self.close_connection = True
        try:
            return socket.create_connection(checked_address(address, self._config, is_whole), _SILENT_S)
        except InputError as reason:
            _log.warning("%s: %s", shown(address), reason.what)
            self.send_error(403, "not allowed")
        except OSError:
            self.send_error(502, "does not answer")
        return None

    def log_message(self, format: str, *_: Any) -> None:
        pass


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """All that comes, until one of the two ends; then the other ends, too."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
