"""What a server serves, to whom, and how much of it."""

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
_LIMITS = (
    "sessions",
    "session_minutes",
    "idle_minutes",
    "connections",
    "upload_mib",
    "clip_s",
    "requests_per_s",
)


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """How to serve.

    Attributes:
        host: address to listen on; anything but this machine itself needs a token.
        port: to listen on; 0 is any free one.
        weights: of feeds; the packaged ones if not given.
        video_weights: of video; the packaged ones (trained on simulated broadcasts) if not given.
        backbone: of video features; the packaged one if not given.
        device: cpu, cuda, cuda:1, mps, or auto.
        token_file: holds the bearer token that clients send; or it is in the variable PLAYAHEAD_TOKEN.
        hosts: names under which clients reach the server, with commas between them, as live.example.org: of a proxy
            in front of it. On this machine alone, its loopback names count always and no other; with a token on other
            addresses, any name where none is given.
        proxies: addresses of proxies, with commas between them, whose X-Forwarded-For is believed. None if not given.
        sources: what sessions may watch, by how it begins: addresses and folders, with commas between them, as
            https://cdn.example.org/,/srv/video. Nothing if not given.
        allow_private: also addresses in private networks.
        engine: local, or ray: sessions in workers on one or many machines.
        workers: of ray; one for each CPU if 0.
        sessions: at most, at the same time; of ray, in each worker.
        session_minutes: after which one ends.
        idle_minutes: without rows and without readers, after which one ends.
        connections: at most, at the same time.
        upload_mib: of one clip; JSON has at most 2 MiB.
        clip_s: of an uploaded clip.
        requests_per_s: of one client, on average; ten times as many at once.
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
    clip_s: float = 120.0
    requests_per_s: float = 50.0

    def __post_init__(self) -> None:
        check_choices(self, "-")
        if not 0 <= self.workers <= 1_000:
            raise InputError("--workers", f"{self.workers} is not in 0 to 1000")
        if not 0 <= self.port <= 65_535:
            raise InputError("--port", f"{self.port} is not in 0 to 65535")
        for name in _LIMITS:
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"--{name.replace('_', '-')}", f"{getattr(self, name)} is not above 0")
        if not self.is_loopback and not self.token:
            fix = f"put one of {_SHORTEST_TOKEN} or more characters into --token-file or {TOKEN_VARIABLE}"
            raise InputError("--host", f"{self.host} can be reached from other machines, and there is no token", fix)

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
        """Names that ``Host`` and ``Origin`` may say; none where any will do, since every client needs the token."""
        named = frozenset(name.lower() for name in _listed(self.hosts))
        if self.is_loopback:
            return named | LOOPBACK | {self.host.lower()}
        return named | LOOPBACK if named else named

    @property
    def is_loopback(self) -> bool:
        """Only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def token(self) -> str:
        """What clients must send; empty where nothing is asked for.

        Raises:
            InputError: the file cannot be read, or the token is too short to mean anything.
        """
        if self.token_file is not None:
            token = read_bytes(self.token_file, 4096).decode("utf-8", "replace").strip()
        else:
            token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if (self.token_file or token) and len(token) < _SHORTEST_TOKEN:
            raise InputError(
                self.token_file or TOKEN_VARIABLE, f"the token has fewer than {_SHORTEST_TOKEN} characters"
            )
        return token


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
