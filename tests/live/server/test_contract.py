"""The OpenAPI description is true: schemathesis asks everything that it allows, and everything that it does not."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from playahead.live.server.app import build_app
from playahead.live.server.config import ServeConfig

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
APP = build_app(
    ServeConfig(hosts="testserver", sessions=20, requests_per_s=100_000, upload_mib=4, idle_minutes=0.2, device="cpu")
)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)


@schemathesis.serializer("video/mp4")
def _as_it_is(_, value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.mark.slow
@SCHEMA.exclude(path_regex="events$").parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_answer_is_undescribed_or_a_server_error(case):
    case.call_and_validate(checks=CHECKS)
