"""Requests: what they hold, errors as problem documents (RFC 9457), JSON checked off the event loop, and limits."""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playahead.decoding.shown import MinConfidence, min_confidences
from playahead.domain.feed import HOME_AND_AWAY, FeedRow
from playahead.domain.grid import GRID
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError, PlayaheadError
from playahead.live.server.config import LOOPBACK, ServeConfig
from playahead.live.server.sources import Refused
from playahead.live.session.lines import ROW_SCHEMA, Reports, Tick, parse_entry

Model = TypeVar("Model", bound=BaseModel)
MEDIA_TYPE = "application/problem+json"
MOST_JSON_BYTES = 2 * 1024 * 1024
"""5,000 rows, or six windows of features, take less than half of it."""
_BURST, _CLIENTS = 10, 10_000
_OPEN = ("/healthz", "/readyz", "/watch/")
_BODY_S = 120.0
_SILENT_S = 10.0
_TOO_LARGE = "a request of this kind may have at most {} MiB"
_PARSER = ThreadPoolExecutor(1, thread_name_prefix="json")
_MOST_ROWS, _MOST_FEATURES = 5_000, 4_096


def _checked(wanted: MinConfidence) -> MinConfidence:
    try:
        min_confidences(wanted, None)
    except InputError as reason:
        raise PydanticCustomError("min_confidence", "{reason}", {"reason": reason.what}) from None
    return wanted


MinConfidenceBody = Annotated[
    Annotated[float, Field(ge=0, le=1)] | Annotated[str, Field(max_length=400)] | None, AfterValidator(_checked)
]


class _RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _row(entry: object) -> FeedRow | Tick:
    """A row as ``live`` reads it from a line."""
    try:
        line = parse_entry(entry, "row")
    except InputError as reason:
        raise PydanticCustomError("row", "{reason}", {"reason": reason.what}) from None
    if isinstance(line, Reports):
        raise PydanticCustomError("row", "reports belong to the session, not to its rows")
    return line


def _reports(labels: object) -> Reports | None:
    return None if labels is None else parse_entry({"reports": labels}, "reports")  # type: ignore[bad-return]


_LABELS = {"type": ["array", "null"], "items": {"type": "string", "maxLength": 40}}
ReportsBody = Annotated[Reports | None, PlainValidator(_reports), WithJsonSchema(_LABELS)]
RowBody = Annotated[FeedRow | Tick, PlainValidator(_row), WithJsonSchema(ROW_SCHEMA)]
Rows = Annotated[list[RowBody], Field(max_length=_MOST_ROWS, fail_fast=True)]
Step = Annotated[list[float], Field(max_length=_MOST_FEATURES, fail_fast=True)]
Window = Annotated[list[Step], Field(max_length=GRID.n_snippets, fail_fast=True)]


class RowsBody(_RequestBody):
    """Rows of a match, in any order."""

    rows: Rows


class QuestionBody(_RequestBody):
    """A question after these rows, or after what the model reads of one example (``Reading.shape``)."""

    rows: Rows | None = None
    features: Annotated[list[Window], Field(max_length=GRID.n_windows, fail_fast=True)] | None = None
    now_ms: Annotated[int, Field(ge=1_000, le=LONGEST_HALF_MS)] | None = None
    reports: ReportsBody = None
    min_confidence: MinConfidenceBody = None


TeamName = Annotated[str, Field(min_length=1, max_length=80)]


class SessionBody(_RequestBody):
    """A session on rows that are posted (of a match with this name and these teams), or on a source of video."""

    kind: Literal["feed", "video"] = "feed"
    source: Annotated[str, Field(max_length=2_000)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=80)] = "rows"
    teams: tuple[TeamName, TeamName] = HOME_AND_AWAY
    speed: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    min_confidence: MinConfidenceBody = None
    reports: ReportsBody = None


class SessionOut(BaseModel):
    """A session."""

    id: str
    kind: Literal["feed", "video"]
    source: str
    over: bool
    events: int
    url: str
    page: str


class ActionOut(BaseModel):
    """An action, seen or expected; of one seen in a feed, who acted and where, if that is known."""

    time_ms: int
    action: str
    confidence: float
    team: str | None = None
    x: int | None = None
    y: int | None = None
    times_usual: float | None = None


class AnswerOut(BaseModel):
    """Actions seen until a moment, and actions expected after it."""

    half: int
    now_ms: int
    seen_ms: int
    teams: list[str]
    seen: list[ActionOut]
    expected: list[ActionOut]
    notices: list[str]
    intensity_per_mille: list[list[int]]
    chances: dict[str, list[float]] | None = None
    possession: str | None = None


class TakenOut(BaseModel):
    """Number of rows taken."""

    taken: int


class Problem(Exception):
    """An error as the answer to a request: HTTP status, where and what it is, headers to send with it."""

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
    texts = {name: {"type": "string"} for name in ("type", "title", "detail")}
    schema = {"type": "object", "required": [*texts, "status"], "properties": {**texts, "status": {"type": "integer"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


_PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    Problem: lambda problem: problem,
    PlayaheadError: lambda reason: Problem(403 if isinstance(reason, Refused) else 422, str(reason)),
    RequestValidationError: lambda reason: problem_of(reason.errors()[0]),
    HTTPException: lambda reason: Problem(reason.status_code, str(reason.detail), dict(reason.headers or {})),
}


def add_problems(app: FastAPI, count: Callable[[int], object]) -> None:
    """Make every error of an app a problem document; ``count`` is called with the status of each."""

    def handler(as_problem: Callable[[Any], Problem]) -> Callable[[Request, Any], Awaitable[Response]]:
        async def answer(_: Request, reason: Any) -> Response:
            problem = as_problem(reason)
            count(problem.status)
            return problem.response()

        return answer

    for kind, as_problem in _PROBLEMS.items():
        app.add_exception_handler(kind, handler(as_problem))

    @app.exception_handler(ClientDisconnect)
    async def answer_nobody(*_: object) -> Response:
        return Response(status_code=400)


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
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": {**content, **others}}}


class Limits:
    """Middleware that checks a request's names, token, size and rate before anything looks at it."""

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
                    raise Problem(503, f"{self._at_once} requests are under way, the maximum", {"Retry-After": "5"})
            if int(headers.get(b"content-length", b"0")) > most_bytes:
                raise Problem(413, _TOO_LARGE.format(most_bytes // 1024 // 1024))
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
            raise Problem(413, _TOO_LARGE.format(self._most_bytes // 1024 // 1024))
        return message
