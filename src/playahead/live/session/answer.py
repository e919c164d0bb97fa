"""What a session says at one moment.

Axes: R raster frames, C classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.grid import RASTER_FRAMES
from playahead.domain.records import Mark
from playahead.inference.result import Expected
from playahead.io.errors import InputError

_NO_TIME_MS = 2**53  # more is no whole number of JSON


@dataclass(frozen=True)
class SeenRow(Mark):
    """An action of a feed: who acted, and where in that team's attack (0 to 100 along and across), if that is known."""

    team: str | None = None
    x: int | None = None
    y: int | None = None


@dataclass(frozen=True)
class Answer:
    """What was seen until a moment, and what is expected after it.

    Attributes:
        half: of a feed; 0 of a video.
        now_ms: the moment, from the start of the half or of the stream.
        seen_ms: how much of the 30 s before it was seen.
        seen: actions of those 30 s, in the order in which they became known.
        expected: in the next 5 s.
        told: what happened to the source since the last answer: rows that came late, a gap, a clock that went back.
        intensity_RC: events per frame that the model expects.
    """

    half: int
    now_ms: int
    seen_ms: int
    seen: Sequence[Mark]
    expected: Sequence[Expected]
    told: Sequence[str]
    intensity_RC: NDArray[np.float32]

    def as_json(self) -> dict[str, object]:
        """One line of ``--json``, of a record, or of the server's events."""
        return {
            "half": self.half,
            "now_ms": self.now_ms,
            "seen_ms": self.seen_ms,
            "seen": [_mark_as_json(mark) for mark in self.seen],
            "expected": [_mark_as_json(line) for line in self.expected],
            "told": list(self.told),
            "intensity_per_mille": (1000 * self.intensity_RC.T).round().astype(int).tolist(),
        }


def _mark_as_json(mark: Mark | Expected) -> dict[str, object]:
    found: dict[str, object] = {"time_ms": mark.time_ms, "action": str(mark.action), "confidence": mark.confidence}
    if isinstance(mark, SeenRow):
        found |= {name: known for name in ("team", "x", "y") if (known := getattr(mark, name)) is not None}
    return found


def read_answer(entry: Mapping[str, Any]) -> Answer:
    """What ``as_json`` gave, up to its rounding.

    Raises:
        InputError: it is no answer.
    """
    try:
        now_ms, half, seen_ms = entry["now_ms"], entry["half"], entry["seen_ms"]
        intensity_RC = np.array(entry["intensity_per_mille"], np.float32).T / np.float32(1000)
        if {type(number) for number in (now_ms, half, seen_ms)} != {int} or not _is_text(entry["told"]):
            raise ValueError("times are no whole numbers, or told is no list of texts")
        if not 0 <= now_ms < _NO_TIME_MS:
            raise ValueError(f"no time is {str(now_ms)[:40]} ms")
        if intensity_RC.shape != (RASTER_FRAMES, len(ACTIONS)) or not np.isfinite(intensity_RC).all():
            raise ValueError(f"intensities of shape {intensity_RC.shape}")
        return Answer(
            half=half,
            now_ms=now_ms,
            seen_ms=seen_ms,
            seen=[_read_seen(**mark) for mark in entry["seen"]],
            expected=[_read_expected(half, now_ms, seen_ms, **mark) for mark in entry["expected"]],
            told=entry["told"],
            intensity_RC=intensity_RC,
        )
    except (KeyError, TypeError, ValueError, IndexError) as reason:
        raise InputError("answer", f"is none of a recorded session ({reason})") from None


def _read_seen(action: str, time_ms: int, confidence: float, **place: Any) -> SeenRow:
    return SeenRow(int(time_ms), Action(action), float(confidence), **place)


def _read_expected(half: int, now_ms: int, seen_ms: int, action: str, time_ms: int, confidence: float) -> Expected:
    return Expected(0, half, now_ms, int(time_ms), str(Action(action)), float(confidence), seen_ms)


def _is_text(told: object) -> bool:
    return isinstance(told, list) and all(isinstance(what, str) for what in told)
