"""Settings of a server: models, clients, and limits."""

import ipaddress
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playahead.io.errors import InputError
from playahead.io.files import read_bytes
from playahead.io.settings import check_choices

TOKEN_VARIABLE = "PLAYAHEAD_TOKEN"
_SHORTEST_TOKEN = 16
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LIMITS = ("sessions", "session_minutes", "idle_minutes", "connections", "upload_mib", "requests_per_s")


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """Settings of a server.

    Attributes:
        host: address to listen on; anything but this machine itself needs a token.
        port: port to listen on; 0 is any free one.
        weights: weights for feeds; the packaged ones if not given.
        video_weights: weights for video; the packaged ones (trained on simulated broadcasts) if not given.
        backbone: backbone of video features; the packaged one if not given.
        device: cpu, cuda, cuda:1, mps, or auto; openvino computes exported backbones of video on a CPU.
        token_file: file with the bearer token that clients send; else the variable PLAYAHEAD_TOKEN holds it.
        hosts: names of a proxy under which clients reach the server, with commas between them, as live.example.org.
            On this machine alone, its loopback names always count; on other addresses, any name does if none is given.
        proxies: addresses of proxies whose X-Forwarded-For is believed, with commas between them; none if not given.
        sources: beginnings of what sessions may watch, addresses and folders, with commas between them, as
            https://cdn.example.org/,/srv/video. Nothing if not given.
        allow_private: also allow addresses in private networks.
        engine: local, or ray: sessions in workers on one or many machines.
        workers: number of Ray workers; one for each CPU if 0.
        sessions: most sessions at the same time; with ray, in each worker.
        session_minutes: longest duration of a session.
        idle_minutes: longest time without rows and readers before a session ends.
        connections: most connections at the same time.
        upload_mib: size limit of one clip; JSON has at most 2 MiB.
        requests_per_s: average rate limit of one client; ten times as many at once.
    """

    host: str = "127.0.0.1"
    port: int = 8008
    weights: Path | None = None
    video_weights: Path | None = None
    backbone: Path | None = None
    device: str = "auto"
    token_file: Path | None = None
    hosts: str = ""
    proxies: str = ""
    sources: str = ""
    allow_private: bool = False
    engine: Literal["local", "ray"] = "local"
    workers: int = 0
    sessions: int = 16
    session_minutes: float = 240.0
    idle_minutes: float = 30.0
    connections: int = 500
    upload_mib: int = 64
    requests_per_s: float = 50.0

    def __post_init__(self) -> None:
        check_choices(self)
        for name, most in (("workers", 1_000), ("port", 65_535)):
            if not 0 <= getattr(self, name) <= most:
                raise InputError(f"ServeConfig.{name}", f"{getattr(self, name)} is not in 0 to {most}")
        for name in _LIMITS:
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"ServeConfig.{name}", f"{getattr(self, name)} is not above 0")
        if not self.is_loopback and not self.token:
            fix = f"put one of {_SHORTEST_TOKEN} or more characters into a token file or {TOKEN_VARIABLE}"
            what = f"{self.host} can be reached from other machines, and there is no token"
            raise InputError("ServeConfig.host", what, fix)

    @property
    def allowed(self) -> list[str]:
        """Beginnings of what sessions may watch."""
        return _listed(self.sources)

    @property
    def trusted_proxies(self) -> list[str]:
        """Addresses whose ``X-Forwarded-For`` is believed."""
        return _listed(self.proxies)

    @property
    def names(self) -> frozenset[str]:
        """Names allowed in ``Host`` and ``Origin``; empty if any name is, since every client needs the token."""
        named = frozenset(name.lower() for name in _listed(self.hosts))
        if self.is_loopback:
            return named | LOOPBACK | {self.host.lower()}
        return named | LOOPBACK if named else named

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def token(self) -> str:
        """Token that clients must send; empty if none is needed.

        Raises:
            InputError: the file cannot be read, or the token is too short.
        """
        if self.token_file is not None:
            token = read_bytes(self.token_file, 4096).decode("utf-8", "replace").strip()
        else:
            token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if (self.token_file or token) and len(token) < _SHORTEST_TOKEN:
            where = self.token_file or TOKEN_VARIABLE
            raise InputError(where, f"the token has fewer than {_SHORTEST_TOKEN} characters")
        return token


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
