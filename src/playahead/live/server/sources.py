"""Sources of strangers: which ones a session may watch, how they are opened, and the proxy that checks each request.

FFmpeg follows redirects and playlists by itself. So it reaches addresses only through a proxy on loopback, which checks
each request against the operator's list and connects to the very address that it checked.
"""

import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from av.container import InputContainer

from playahead.io.errors import InputError
from playahead.live.server.config import ServeConfig
from playahead.video.source import is_address, opened, shown

_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv6 addresses that stand for IPv4 ones, private ones, too
_MOST_PIXELS = 10_000_000  # more than 4096 x 2304
_CONTAINERS = "mov,mp4,matroska,webm,mpegts,avi,flv,h264,hevc"
_WITH_PLAYLISTS = f"{_CONTAINERS},hls,aac,ac3,eac3,mp3,webvtt"  # playlists name sound and subtitles, too
_THROUGH_A_PROXY = "http,https,tls,tcp,crypto,httpproxy"
_SILENT_S = 20.0
_PIECE = 65_536
_HOP_HEADERS = frozenset({"connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade"})
_log = logging.getLogger(__name__)


class Refused(InputError):
    """A source that the operator does not allow."""

    def __init__(self, what: str) -> None:
        super().__init__("source", what)


def allowed_source(source: str, config: ServeConfig) -> str:
    """Check a source; its name as FFmpeg is to open it.

    Raises:
        InputError: it is not an address, its host is not known, or (``Refused``) it is not allowed.
    """
    if any(ord(character) < 32 for character in source):
        raise InputError("source", "holds a control character")
    if "://" not in source:
        return allowed_file(source, config)
    parts, port = _listed(source, config)
    if not config.allow_private:
        _addresses(parts, port, config)
    return source


def checked_address(source: str, config: ServeConfig, is_whole: bool = True) -> tuple[str, int]:
    """(IP address, port) to connect to: looked up once, because a second look may lead elsewhere.

    Args:
        source: address to open.
        config: sources that are allowed.
        is_whole: whether the path is known; else any path is allowed.

    Raises:
        InputError: as ``allowed_source``.
    """
    parts, port = _listed(source, config, is_whole)
    return _addresses(parts, port, config)[0], port


def _listed(source: str, config: ServeConfig, is_whole: bool = True) -> tuple[SplitResult, int]:
    """Parts and port of an address whose beginning the operator allows."""
    parts, port = _parts(source)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Refused(f"addresses begin with {', '.join(_PORTS)}")
    if parts.scheme.startswith("rtsp") and not config.allow_private:
        raise Refused("FFmpeg follows a camera wherever it sends it, so rtsp needs private networks to be allowed")
    if not any(_begins(parts, port, prefix, is_whole) for prefix in config.allowed if "://" in prefix):
        raise Refused("is not among the addresses that this server may open")
    return parts, port


def _addresses(parts: SplitResult, port: int, config: ServeConfig) -> list[str]:
    try:
        addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InputError("source", f"{parts.hostname} is not known") from None
    hosts = [str(address[0]) for *_, address in addresses]
    if not config.allow_private and not all(_is_public(host) for host in hosts):
        raise Refused("lies in a private network")
    return hosts


def _parts(address: str) -> tuple[SplitResult, int]:
    """Parts of an address, and its port, given or usual."""
    try:
        parts = urlsplit(address)
        return parts, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as reason:
        raise InputError("source", f"is not an address ({reason})") from None


def _begins(parts: SplitResult, port: int, prefix: str, is_whole: bool) -> bool:
    """Host for host and path for path: ``https://a.example`` allows nothing of ``https://a.example.evil``."""
    allowed, allowed_port = _parts(prefix)
    if (allowed.scheme, allowed.hostname, allowed_port) != (parts.scheme, parts.hostname, port):
        return False
    path = unquote(parts.path)
    climbs = ".." in path.replace("\\", "/").split("/") or "%" in path
    return not is_whole or (not climbs and path.startswith(allowed.path.rstrip("/") + "/"))


def _is_public(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in _TRANSLATED
    ):
        return False
    return address.is_global and not address.is_multicast


def allowed_file(source: str, config: ServeConfig) -> str:
    """Path of a file in an allowed folder, links followed; ``Refused`` if it is not a file there."""
    roots = [Path(root).resolve() for root in config.allowed if "://" not in root]
    with suppress(OSError, ValueError, RuntimeError):
        path = Path(source).resolve(strict=True)
        if path.is_file() and any(path.is_relative_to(root) for root in roots):
            return str(path)
    raise Refused("is not a file in a folder that this server may read")


def opened_clip(source: Path | str) -> InputContainer:
    """Open an uploaded file; formats that lead to other files are refused."""
    return _opened(source, {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"})


def _opened(
    source: Path | str, options: dict[str, str], open_file: Callable[..., object] | None = None
) -> InputContainer:
    limits = {"max_pixels": str(_MOST_PIXELS)}
    container = opened(source, {**options, **limits}, open_file)
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = limits
    sizes = [stream.width * stream.height for stream in container.streams.video]
    if sizes and not 0 < max(sizes) <= _MOST_PIXELS:  # FFmpeg forgets a size that it refuses
        container.close()
        raise InputError(shown(source), f"its pictures have no size, or more than {_MOST_PIXELS:,} pixels")
    return container


class Gate:
    """Opens what sessions watch, through a proxy of its own."""

    def __init__(self, config: ServeConfig) -> None:
        self._config = config
        os.environ.pop("no_proxy", None)  # FFmpeg would go round the proxy to the hosts that it names
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hop, config))
        self._proxy.daemon_threads = True
        threading.Thread(target=self._proxy.serve_forever, name="gate", daemon=True).start()

    def open(self, source: Path | str) -> InputContainer:
        """Open a file or an address that is allowed already, and whatever it leads to.

        Raises:
            InputError: not a video, its pictures are too large, or it leads to a source that is not allowed.
        """

        def open_file(name: str, *_: object) -> BinaryIO:  # one that a playlist names
            return Path(allowed_file(name.removeprefix("file:"), self._config)).open("rb")

        if not is_address(source):
            return _opened(source, {"format_whitelist": _WITH_PLAYLISTS}, open_file)
        if str(source).startswith("rtsp"):  # over its one connection, so that no packet goes elsewhere
            return _opened(source, {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtsps,tcp,tls,rtp"})
        proxy = f"http://127.0.0.1:{self._proxy.server_port}"
        options = {"format_whitelist": _WITH_PLAYLISTS, "protocol_whitelist": _THROUGH_A_PROXY, "http_proxy": proxy}
        return _opened(source, options)

    def close(self) -> None:
        """Let nothing more through."""
        self._proxy.shutdown()
        self._proxy.server_close()


class _Hop(BaseHTTPRequestHandler):
    """One request of FFmpeg: all of it for plain HTTP, the connection alone for HTTPS."""

    timeout = _SILENT_S

    def __init__(self, config: ServeConfig, *about: Any) -> None:
        self._config = config
        super().__init__(*about)

    def do_GET(self) -> None:
        """Request an address and pass the answer on."""
        upstream = self._reached(self.path)
        if upstream is not None:
            parts = urlsplit(self.path)
            target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
            headers = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in _HOP_HEADERS]
            head = [f"GET {target} HTTP/1.1", *headers, "Connection: close", "", ""]
            upstream.sendall("\r\n".join(head).encode("latin-1"))
            _pass_on(upstream, self.connection)

    def do_CONNECT(self) -> None:
        """Open a connection that FFmpeg encrypts; only its host and port are known here."""
        upstream = self._reached(f"https://{self.path}", is_whole=False)
        if upstream is not None:
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_pass_on, args=(self.connection, upstream), daemon=True).start()
            _pass_on(upstream, self.connection)

    def _reached(self, address: str, is_whole: bool = True) -> socket.socket | None:
        """Connect to an address; None if it is refused, which is answered here."""
        self.close_connection = True
        try:
            return socket.create_connection(checked_address(address, self._config, is_whole), _SILENT_S)
        except InputError as reason:
            _log.warning("%s: %s", shown(address), reason.what)
            self.send_error(HTTPStatus.FORBIDDEN)
        except OSError:
            self.send_error(HTTPStatus.BAD_GATEWAY)
        return None

    def log_message(self, format: str, *_: Any) -> None:
        pass


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Pass everything on until one side ends; then end the other, too."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
