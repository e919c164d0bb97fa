"""What the routes ask of sessions, wherever these run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from playahead.live.session.pictures import Picture
from playahead.live.session.rows import Line, Reports


@dataclass(frozen=True)
class Event:
    """A server-sent event: its number, its kind (answer or end), and its data as JSON."""

    number: int
    kind: str
    data: str


class Session(Protocol):
    """One session under way, or over.

    Attributes:
        kind: feed or video.
        source: what it watches, for people.
        over: the last event has been told.
        number: of the latest event.
    """

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def over(self) -> bool: ...
    @property
    def number(self) -> int: ...

    def put(self, lines: Sequence[Line]) -> None:
        """Rows for a feed: all are taken, or none.

        Raises:
            Problem: it watches a video, it is over, or too many rows wait.
        """
        ...

    async def wait(self, number: int) -> tuple[Sequence[Event], bool]:
        """Events after this one as soon as there are any, none after a while; and whether no more will come."""
        ...

    async def pictures(self, number: int) -> tuple[Sequence[Picture], bool]:
        """Pictures of a video after this one as soon as there are any, and whether no more will come."""
        ...


class Sessions(Protocol):
    """All of a server. Beginning one raises ``Problem`` where there is no room, finding one where there is none."""

    def of_feed(self, speed: float, min_confidence: float, reports: Reports | None) -> Session:
        """A session whose rows are posted."""
        ...

    def of_video(self, source: str, speed: float, min_confidence: float) -> Session:
        """A session that watches a source."""
        ...

    def find(self, name: str) -> Session:
        """A session by its id."""
        ...

    def remove(self, name: str) -> None:
        """End a session and forget it."""
        ...

    def figures(self) -> bytes:
        """What was counted, for Prometheus."""
        ...

    def close(self) -> None:
        """End all; each with a last event."""
        ...
