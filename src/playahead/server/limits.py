"""What a request must pass before it is looked at: its size, its token, and how often its sender comes."""

import hmac
import time
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playahead.server.config import ServeConfig
from playahead.server.problems import Problem

_BURST = 10
_CLIENTS = 10_000
_OPEN = ("/healthz", "/readyz", "/watch/")


class Limits:
    """Middleware around the whole app.

    Args:
        app: inside.
        config: the limits.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._app, self._token, self._rate = app, config.token, config.requests_per_s
        self._most_bytes = config.upload_mib * 1024 * 1024
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            if not scope["path"].startswith(_OPEN):
                self._require_token(headers)
                self._require_patience(scope)
            if int(headers.get(b"content-length", b"0")) > self._most_bytes:
                raise self._too_large()
        except (Problem, ValueError) as reason:
            problem = reason if isinstance(reason, Problem) else Problem(400, "content-length is no number")
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, _Counted(receive, self._most_bytes, self._too_large()), send)

    def _too_large(self) -> Problem:
        return Problem(413, f"a request has at most {self._most_bytes // 1024 // 1024} MiB")

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


class _Counted:
    """A request's body, cut off where it grows too large."""

    def __init__(self, receive: Receive, most_bytes: int, problem: Problem) -> None:
        self._receive, self._left, self._problem = receive, most_bytes, problem

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._problem
        return message
