"""Errors as problem documents (RFC 9457): what is wrong, where, and what to do."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from playahead.errors import PlayaheadError

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "The request cannot be read",
    401: "A token is needed",
    403: "This source is not allowed",
    404: "There is no such thing",
    405: "This cannot be done here",
    409: "The session is over",
    413: "Too large",
    415: "This kind of content is not read",
    422: "The content is wrong",
    429: "Too many requests",
    503: "The session cannot be reached now",
}


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
        document = {"type": "about:blank", "title": _TITLES[self.status], "status": self.status, "detail": self.detail}
        return JSONResponse(document, self.status, self.headers, MEDIA_TYPE)


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
        status: {"description": _TITLES[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
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
        return said(Problem(422, str(reason)))

    @app.exception_handler(RequestValidationError)
    async def of_the_schema(_: Request, reason: RequestValidationError) -> JSONResponse:
        first = reason.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return said(Problem(422, f"{where or 'body'}: {first['msg']}"[:500]))

    @app.exception_handler(HTTPException)
    async def of_the_router(_: Request, reason: HTTPException) -> JSONResponse:
        status = reason.status_code if reason.status_code in _TITLES else 400
        return said(Problem(status, str(reason.detail), dict(reason.headers or {})))
