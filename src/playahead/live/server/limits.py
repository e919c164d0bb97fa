"""What a request must pass before it is looked at: the names in it, its token, its size, its sender's rate."""

import asyncio
import hmac
import time
from collections import OrderedDict
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playahead.live.server.config import LOOPBACK, ServeConfig
from playahead.live.server.problems import Problem

MOST_JSON_BYTES = 2 * 1024 * 1024
"""5,000 rows, or six windows of features, take less than half of it."""
_BURST = 10
_CLIENTS = 10_000
_OPEN = ("/healthz", "/readyz", "/watch/")
_LATER = {"Retry-After": "5"}
_BODY_S = 120.0
_SILENT_S = 10.0


class Limits:
    """Middleware around the whole app.

    Args:
        app: inside.
        config: the limits.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._app, self._token, self._rate = app, config.token, config.requests_per_s
        self._names = config.names
        self._most_bytes = config.upload_mib * 1024 * 1024
        self._most_at_once, self._at_once = max(1, config.connections * 9 // 10), 0  # the rest is for health
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        most_bytes = self._most_bytes
        if not headers.get(b"content-type", b"").lower().startswith(b"video/"):
            most_bytes = min(MOST_JSON_BYTES, most_bytes)
        is_open = scope["path"].startswith(_OPEN)
        try:
            self._require_names(headers)
            if not is_open:
                self._require_token(headers)
                self._require_patience(scope)
                if self._at_once >= self._most_at_once:
                    raise Problem(503, f"{self._at_once} requests are under way, the most there can be", _LATER)
            if int(headers.get(b"content-length", b"0")) > most_bytes:
                raise _too_large(most_bytes)
        except (Problem, ValueError) as reason:
            problem = reason if isinstance(reason, Problem) else Problem(400, "content-length is no number")
            await problem.response()(scope, receive, send)
            return
        self._at_once += not is_open
        try:
            await self._app(scope, _Body(receive, most_bytes), send)
        finally:
            self._at_once -= not is_open

    def _require_names(self, headers: dict[bytes, bytes]) -> None:
        """A page of another site that a browser shows must not speak for its user (DNS rebinding, foreign forms).

        Another port of this machine is another site.
        """
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        if self._names and host and _name(f"//{host}") not in self._names:
            raise Problem(421, "this server is not called what the Host header says (hosts)")
        is_ours = origin.partition("://")[2].lower() == host.lower() or _name(origin) in self._names - LOOPBACK
        if origin and not is_ours:
            raise Problem(403, "a page of another site asks (Origin)")

    def _require_token(self, headers: dict[bytes, bytes]) -> None:
        if not self._token:
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token.encode()):
            raise Problem(401, "send Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})

    def _require_patience(self, scope: Scope) -> None:
        """A bucket of tokens for each client, filled at the rate that is allowed."""
        client, now_s = (scope.get("client") or ("", 0))[0], time.monotonic()
        left, since_s = self._buckets.pop(client, (self._rate * _BURST, now_s))
        left = min(self._rate * _BURST, left + (now_s - since_s) * self._rate)
        self._buckets[client] = (max(left - 1, 0.0), now_s)
        while len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait_s = (1 - left) / self._rate
            raise Problem(429, f"at most {self._rate:g} requests a second", {"Retry-After": f"{wait_s:.0f}"})


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _too_large(most_bytes: int) -> Problem:
    return Problem(413, f"a request of this kind has at most {most_bytes // 1024 // 1024} MiB")


class _Body:
    """A request's body, cut off where it grows too large or comes too slowly."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive, self._most_bytes, self._left = receive, most_bytes, most_bytes
        self._whole, self._ends_s = False, time.monotonic() + _BODY_S

    async def __call__(self) -> Message:
        if self._whole:  # what comes now is that the client goes away
            return await self._receive()
        patience_s = min(_SILENT_S, self._ends_s - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), patience_s)
        except TimeoutError:
            raise Problem(408, "the body comes too slowly") from None
        self._whole = not message.get("more_body")
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large(self._most_bytes)
        return message
