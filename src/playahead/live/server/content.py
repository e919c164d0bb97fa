"""JSON of a request, parsed and checked off the event loop.

A thread holds the interpreter while it parses, so bodies are small (``limits.MOST_JSON_BYTES``), one at a time.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from playahead.live.server.problems import Problem, said_of

Model = TypeVar("Model", bound=BaseModel)
_PARSER = ThreadPoolExecutor(1, thread_name_prefix="json")


async def read_json(request: Request, model: type[Model]) -> Model:
    """What a request says.

    Raises:
        Problem: it is no JSON, or not of this model.
    """
    if kind_of(request) != "application/json":
        raise Problem(415, "send application/json")
    content = await request.body()
    return await asyncio.get_running_loop().run_in_executor(_PARSER, _parsed, content, model)


def kind_of(request: Request) -> str:
    """The media type of a request's body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _parsed(content: bytes, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(content)
    except ValidationError as reason:
        raise said_of(reason.errors(include_url=False, include_context=False, include_input=False)[0]) from None


def described_body(model: type[BaseModel], **others: dict[str, Any]) -> dict[str, Any]:
    """A body of this model, or of other media types, for the OpenAPI description."""
    schema = model.model_json_schema()
    content = {"application/json": {"schema": _inlined(schema, schema.pop("$defs", {}))}}
    return {"requestBody": {"required": True, "content": {**content, **others}}}


def _inlined(schema: Any, named: dict[str, Any]) -> Any:
    """A schema that refers to nothing outside itself."""
    if isinstance(schema, list):
        return [_inlined(part, named) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(named[schema["$ref"].rpartition("/")[2]], named)
    return {key: _inlined(part, named) for key, part in schema.items()}
