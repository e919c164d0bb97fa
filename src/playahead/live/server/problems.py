"""Errors as problem documents (RFC 9457): what is wrong, where, and what to do."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from playahead.io.errors import PlayaheadError
from playahead.live.server.allowed import Refused

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error.

    Args:
        status: of HTTP.
        detail: what is wrong, where, and what to do.
        headers: to send with it.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}

    def response(self) -> JSONResponse:
        """As it is sent."""
        title = HTTPStatus(self.status).phrase
        document = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return JSONResponse(document, self.status, self.headers, MEDIA_TYPE)


def said_of(error: Mapping[str, Any]) -> Problem:
    """What pydantic found wrong, as a problem."""
    where = ".".join(str(part) for part in error["loc"] if part != "body")
    return Problem(422, f"{where or 'body'}: {error['msg']}"[:500])


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems, for the OpenAPI description."""
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


def say_problems(app: FastAPI, count: Callable[[int], object]) -> None:
    """Every error of this app becomes a problem document.

    Args:
        app: whose errors.
        count: told the status of each.
    """

    def said(problem: Problem) -> JSONResponse:
        count(problem.status)
        return problem.response()

    @app.exception_handler(Problem)
    async def ours(_: Request, problem: Problem) -> JSONResponse:
        return said(problem)

    @app.exception_handler(PlayaheadError)
    async def of_the_library(_: Request, reason: PlayaheadError) -> JSONResponse:
        return said(Problem(403 if isinstance(reason, Refused) else 422, str(reason)))

    @app.exception_handler(RequestValidationError)
    async def of_the_schema(_: Request, reason: RequestValidationError) -> JSONResponse:
        return said(said_of(reason.errors()[0]))

    @app.exception_handler(ClientDisconnect)
    async def of_nobody(*_: object) -> Response:
        return Response(status_code=400)  # which nobody reads

    @app.exception_handler(HTTPException)
    async def of_the_router(_: Request, reason: HTTPException) -> JSONResponse:
        return said(Problem(reason.status_code, str(reason.detail), dict(reason.headers or {})))
