"""Which sources a session may watch: what the operator allows, and nothing in private networks."""

import ipaddress
import socket
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from playahead.io.errors import InputError
from playahead.live.server.config import ServeConfig

_CAMERAS = ("rtsp", "rtsps")
_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv6 addresses that stand for IPv4 ones, private ones, too


class Refused(InputError):
    """A source is not among those that the operator allows."""

    def __init__(self, what: str) -> None:
        super().__init__("source", what)


def allowed_source(source: str, config: ServeConfig) -> str:
    """The source as FFmpeg is to open it.

    Raises:
        Refused: it is not allowed.
        InputError: it is no address, or its host is not known.
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
    """(address of IP, port) to connect to; a name that is looked up again may lead elsewhere.

    Args:
        source: that is to be opened.
        config: what is allowed.
        is_whole: else its path is not known, and any path will do.

    Raises:
        Refused: it is not allowed.
        InputError: it is no address, or its host is not known.
    """
    parts, port = _listed(source, config, is_whole)
    return _addresses(parts, port, config)[0], port


def _listed(source: str, config: ServeConfig, is_whole: bool = True) -> tuple[SplitResult, int]:
    """An address that the operator allows by how it begins, and its port."""
    parts, port = _parts(source)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Refused(f"addresses begin with {', '.join(_PORTS)}")
    if parts.scheme in _CAMERAS and not config.allow_private:
        raise Refused("FFmpeg follows a camera wherever it sends it, so rtsp needs --allow-private")
    if not any(_begins(parts, port, prefix, is_whole) for prefix in config.allowed if "://" in prefix):
        raise Refused("is not among the addresses that this server may open (--sources)")
    return parts, port


def _addresses(parts: SplitResult, port: int, config: ServeConfig) -> list[str]:
    """What a host's name stands for now."""
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InputError("source", f"{parts.hostname} is not known") from None
    hosts = [str(address[0]) for *_, address in found]
    if not config.allow_private and not all(_is_public(host) for host in hosts):
        raise Refused("lies in a private network")
    return hosts


def _parts(address: str) -> tuple[SplitResult, int]:
    """An address, and its port, given or usual."""
    try:
        parts = urlsplit(address)
        return parts, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as reason:
        raise InputError("source", f"is no address ({reason})") from None


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
    """The path of a file in an allowed folder, links followed.

    Raises:
        Refused: it is none.
    """
    try:
        path = Path(source).resolve(strict=True)
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError):
        path, is_file = Path(source), False
    roots = [Path(root).resolve() for root in config.allowed if "://" not in root]
    if not is_file or not any(path.is_relative_to(root) for root in roots):
        raise Refused("is no file in a folder that this server may read (--sources)")
    return str(path)
