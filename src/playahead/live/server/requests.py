"""Requests: errors as problem documents (RFC 9457), JSON that is checked off the event loop, and limits on the rest."""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playahead.io.errors import PlayaheadError
from playahead.live.server.config import LOOPBACK, ServeConfig
from playahead.live.server.sources import Refused

Model = TypeVar("Model", bound=BaseModel)
MEDIA_TYPE = "application/problem+json"
MOST_JSON_BYTES = 2 * 1024 * 1024
"""5,000 rows, or six windows of features, take less than half of it."""
_BURST = 10
_CLIENTS = 10_000
_OPEN = ("/healthz", "/readyz", "/watch/")
_LATER = {"Retry-After": "5"}
_BODY_S = 120.0
_SILENT_S = 10.0
_PARSER = ThreadPoolExecutor(1, thread_name_prefix="json")


class Problem(Exception):
    """An error as the answer to a request.

    Args:
        status: status of HTTP, whose standard phrase is the title.
        detail: where the error is, what it is, and what to do.
        headers: headers to send with it.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}

    def response(self) -> JSONResponse:
        """The problem document."""
        title = HTTPStatus(self.status).phrase
        document = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return JSONResponse(document, self.status, self.headers, MEDIA_TYPE)


def problem_of(error: Mapping[str, Any]) -> Problem:
    """An error of pydantic as a problem."""
    where = ".".join(str(part) for part in error["loc"] if part != "body")
    return Problem(422, f"{where or 'body'}: {error['msg']}"[:500])


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe these problems for OpenAPI."""
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    }
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def add_problems(app: FastAPI, count: Callable[[int], object]) -> None:
    """Make every error of an app a problem document.

    Args:
        app: app whose errors these are.
        count: called with the status of each.
    """

    def response(problem: Problem) -> JSONResponse:
        count(problem.status)
        return problem.response()

    @app.exception_handler(Problem)
    async def of_ours(_: Request, problem: Problem) -> JSONResponse:
        return response(problem)

    @app.exception_handler(PlayaheadError)
    async def of_the_library(_: Request, reason: PlayaheadError) -> JSONResponse:
        return response(Problem(403 if isinstance(reason, Refused) else 422, str(reason)))

    @app.exception_handler(RequestValidationError)
    async def of_the_schema(_: Request, reason: RequestValidationError) -> JSONResponse:
        return response(problem_of(reason.errors()[0]))

    @app.exception_handler(ClientDisconnect)
    async def of_a_client_that_left(*_: object) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(HTTPException)
    async def of_the_router(_: Request, reason: HTTPException) -> JSONResponse:
        return response(Problem(reason.status_code, str(reason.detail), dict(reason.headers or {})))


async def read_json(request: Request, model: type[Model]) -> Model:
    """Read a request's JSON.

    A thread holds the interpreter while it parses, so bodies are small (``MOST_JSON_BYTES``), one at a time.

    Raises:
        Problem: it is not JSON, or not of this model.
    """
    if kind_of(request) != "application/json":
        raise Problem(415, "send application/json")
    content = await request.body()
    return await asyncio.get_running_loop().run_in_executor(_PARSER, _parsed, content, model)


def kind_of(request: Request) -> str:
    """Media type of a request's body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _parsed(content: bytes, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(content)
    except ValidationError as reason:
        raise problem_of(reason.errors(include_url=False, include_context=False, include_input=False)[0]) from None


def described_body(model: type[BaseModel], **others: dict[str, Any]) -> dict[str, Any]:
    """Describe a body of this model, or of other media types, for OpenAPI."""
    schema = model.model_json_schema()
    content = {"application/json": {"schema": _inlined(schema, schema.pop("$defs", {}))}}
    return {"requestBody": {"required": True, "content": {**content, **others}}}


def _inlined(schema: Any, named: dict[str, Any]) -> Any:
    """A schema without references."""
    if isinstance(schema, list):
        return [_inlined(part, named) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(named[schema["$ref"].rpartition("/")[2]], named)
    return {key: _inlined(part, named) for key, part in schema.items()}


class Limits:
    """Middleware that checks a request's names, token, size and rate before anything looks at it.

    Args:
        app: app inside.
        config: limits.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._app, self._token, self._rate = app, config.token, config.requests_per_s
        self._names = config.names
        self._most_bytes = config.upload_mib * 1024 * 1024
        self._most_at_once, self._at_once = max(1, config.connections * 9 // 10), 0  # the rest is for health
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it here."""
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
                self._require_rate(scope)
                if self._at_once >= self._most_at_once:
                    raise Problem(503, f"{self._at_once} requests are under way, the maximum", _LATER)
            if int(headers.get(b"content-length", b"0")) > most_bytes:
                raise _too_large(most_bytes)
        except (Problem, ValueError) as reason:
            problem = reason if isinstance(reason, Problem) else Problem(400, "Content-Length is not a number")
            await problem.response()(scope, receive, send)
            return
        self._at_once += not is_open
        try:
            await self._app(scope, _Body(receive, most_bytes), send)
        finally:
            self._at_once -= not is_open

    def _require_names(self, headers: dict[bytes, bytes]) -> None:
        """Refuse pages of other sites in a user's browser (DNS rebinding, foreign forms).

        Another port of this machine is another site.
        """
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        if self._names and host and _name(f"//{host}") not in self._names:
            raise Problem(421, "the Host header names another server (hosts)")
        is_ours = origin.partition("://")[2].lower() == host.lower() or _name(origin) in self._names - LOOPBACK
        if origin and not is_ours:
            raise Problem(403, "the request is of a page of another site (Origin)")

    def _require_token(self, headers: dict[bytes, bytes]) -> None:
        if not self._token:
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token.encode()):
            raise Problem(401, "send Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})

    def _require_rate(self, scope: Scope) -> None:
        """Take a token from the client's bucket, which is filled at the allowed rate."""
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
    return Problem(413, f"a request of this kind may have at most {most_bytes // 1024 // 1024} MiB")


class _Body:
    """A request's body, cut off if it grows too large or comes too slowly."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive, self._most_bytes, self._left = receive, most_bytes, most_bytes
        self._whole, self._ends_s = False, time.monotonic() + _BODY_S

    async def __call__(self) -> Message:
        if self._whole:  # the next message is that the client goes away
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
