"""What requests and answers hold, for the OpenAPI description."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from playahead.domain.feed import FeedRow
from playahead.domain.grid import GRID
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import InputError
from playahead.live.session.rows import ROW_SCHEMA, Reports, Tick, parse_entry

MOST_ROWS = 5_000
_MOST_FEATURES = 4_096
Confidence = Annotated[float, Field(ge=0, le=1)]
TimeMs = Annotated[int, Field(ge=0, le=LONGEST_HALF_MS)]


Labels = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=40, fail_fast=True)]


class _Body(BaseModel):
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


RowBody = Annotated[FeedRow | Tick, PlainValidator(_row), WithJsonSchema(ROW_SCHEMA)]
Rows = Annotated[list[RowBody], Field(max_length=MOST_ROWS, fail_fast=True)]
Step = Annotated[list[float], Field(max_length=_MOST_FEATURES, fail_fast=True)]
Window = Annotated[list[Step], Field(max_length=GRID.n_snippets, fail_fast=True)]


class RowsBody(_Body):
    """Rows of a match, in any order."""

    rows: Rows


class QuestionBody(_Body):
    """A question after these rows, or after six windows of features: six times 33 steps of the model's features."""

    rows: Rows | None = None
    features: Annotated[list[Window], Field(max_length=GRID.n_windows, fail_fast=True)] | None = None
    now_ms: Annotated[int, Field(ge=1_000, le=LONGEST_HALF_MS)] | None = None
    reports: Labels | None = None
    min_confidence: Confidence = 0.1


class SessionBody(_Body):
    """A session on rows that are posted, or on a source of video."""

    kind: Literal["feed", "video"] = "feed"
    source: Annotated[str, Field(max_length=2_000)] | None = None
    speed: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    min_confidence: Confidence = 0.1
    reports: Labels | None = None


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
    team: Literal["home", "away"] | None = None
    x: int | None = None
    y: int | None = None


class AnswerOut(BaseModel):
    """Actions seen until a moment, and actions expected after it."""

    half: int
    now_ms: int
    seen_ms: int
    seen: list[ActionOut]
    expected: list[ActionOut]
    notices: list[str]
    intensity_per_mille: list[list[int]]


class TakenOut(BaseModel):
    """Number of rows taken."""

    taken: int
