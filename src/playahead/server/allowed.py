"""Which sources a session may watch: what the operator allows, and nothing in private networks."""

import ipaddress
import socket
from pathlib import Path
from urllib.parse import urlsplit

from playahead.server.config import ServeConfig
from playahead.server.problems import Problem

_SCHEMES = ("http", "https", "rtsp", "rtsps")


def allowed_source(source: str, config: ServeConfig) -> str:
    """The source as FFmpeg is to open it.

    Raises:
        Problem: it is not allowed, or is not there.
    """
    if any(ord(character) < 32 for character in source):
        raise Problem(422, "source: holds a control character")
    return _address(source, config) if "://" in source else _file(source, config)


def _address(source: str, config: ServeConfig) -> str:
    try:
        parts = urlsplit(source)
        host, port = parts.hostname, parts.port
    except ValueError as reason:
        raise Problem(422, f"source: is no address ({reason})") from None
    if parts.scheme not in _SCHEMES or not host:
        raise Problem(403, f"source: addresses begin with {', '.join(_SCHEMES)}")
    if not any(_begins(source, prefix) for prefix in config.allowed if "://" in prefix):
        raise Problem(403, "source: is not among the addresses that this server may open (--sources)")
    if not config.allow_private:
        _require_public(host, port or 443)
    return source


def _begins(source: str, prefix: str) -> bool:
    """Host for host and path for path: ``https://a.example`` allows nothing of ``https://a.example.evil``."""
    wanted, asked = urlsplit(prefix), urlsplit(source)
    ours, theirs = (wanted.scheme, wanted.hostname, wanted.port), (asked.scheme, asked.hostname, asked.port)
    climbs = ".." in asked.path.split("/") or "%" in asked.path
    return ours == theirs and not climbs and asked.path.startswith(wanted.path.rstrip("/") + "/")


def _require_public(host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Problem(422, f"source: {host} is not known") from None
    for *_, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise Problem(403, "source: lies in a private network")


def _file(source: str, config: ServeConfig) -> str:
    try:
        path = Path(source).resolve(strict=True)
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError):
        path, is_file = Path(source), False
    roots = [Path(root).resolve() for root in config.allowed if "://" not in root]
    if not is_file or not any(path.is_relative_to(root) for root in roots):
        raise Problem(403, "source: is no file in a folder that this server may read (--sources)")
    return str(path)
