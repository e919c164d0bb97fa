"""The records that everything exchanges. They validate themselves: a malformed one cannot be built."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.time import LONGEST_HALF_MS
from playahead.io.errors import RecordError

Side = Literal["home", "away", "left", "right"]
_WORTH_SAYING = 3.0  # times the usual
SIDES: tuple[Side, ...] = ("home", "away", "left", "right")


@dataclass(frozen=True)
class ActionEvent:
    """An action that happened.

    Attributes:
        position_ms: whole milliseconds from the start of the clip or of the half.
        action: one of the ten.
        side: side that acted, if the source says so.
        visible: False where the broadcast did not show it.
    """

    position_ms: int
    action: Action
    side: Side | None = None
    visible: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.action, Action):
            raise RecordError(f"action {self.action!r} is not an Action")
        if isinstance(self.position_ms, bool) or not isinstance(self.position_ms, int):
            raise RecordError(f"position_ms {self.position_ms!r} is not a whole number of milliseconds")
        if self.position_ms < 0:
            raise RecordError(f"position_ms {self.position_ms} is negative")
        if self.position_ms > LONGEST_HALF_MS:
            raise RecordError(f"position_ms {self.position_ms} is later than any half lasts (3 hours)")
        if self.side is not None and self.side not in SIDES:
            raise RecordError(f"team {self.side!r} is not one of {', '.join(SIDES)}")


@dataclass(frozen=True)
class Clip:
    """30 observed seconds and the actions of the 5 s after them.

    Attributes:
        name: the clip's folder (``clip_12``).
        video: path of the video relative to the split (``clip_12/224p.mp4``).
        observation: actions within [0, 30000] ms.
        anticipation: actions within [30000, 35000] ms; None where the benchmark withholds them.
    """

    name: str
    video: str
    observation: tuple[ActionEvent, ...]
    anticipation: tuple[ActionEvent, ...] | None

    def __post_init__(self) -> None:
        end_ms = OBSERVATION_MS + ANTICIPATION_MS
        _require_within(self.observation, 0, OBSERVATION_MS, "observation")
        _require_within(self.anticipation or (), OBSERVATION_MS, end_ms, "anticipation")


def in_time_order(events: Iterable[ActionEvent]) -> tuple[ActionEvent, ...]:
    """Events by time; those of one moment keep their order."""
    return tuple(sorted(events, key=lambda event: event.position_ms))


def _require_within(events: Sequence[ActionEvent], start_ms: int, end_ms: int, part: str) -> None:
    for index, event in enumerate(events):
        if not start_ms <= event.position_ms <= end_ms:
            raise RecordError(f"{part} {index}: position {event.position_ms} ms is outside {start_ms}..{end_ms}")


@dataclass(frozen=True)
class Anticipation:
    """One anticipated action, from the decoder to JSON.

    Attributes:
        action: the likeliest class.
        offset_ms: time after the observation's end, 0 to 5000 ms.
        confidence: confidence in [0, 1].
        class_confidence: confidence of each of the ten classes, benchmark order.
        observed_until_ms: end of the observation, from the start of the clip, of the half, or of the video.
        seen_ms: how much of the 30 s before that was observed.
        match, half: of a feed; 0 of a video.
        team: name of the side that is expected to act, if that is known.
        x, y: place along and across that side's attack, 0 to 100, if that is known.
        times_usual: how many times as likely as near any moment, if only the class's frequency is known.
    """

    action: Action
    offset_ms: int
    confidence: float
    class_confidence: tuple[float, ...]
    observed_until_ms: int = OBSERVATION_MS
    seen_ms: int = OBSERVATION_MS
    match: int = 0
    half: int = 0
    team: str | None = None
    x: int | None = None
    y: int | None = None
    times_usual: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.action, Action):
            raise RecordError(f"action {self.action!r} is not an Action")
        if isinstance(self.offset_ms, bool) or not isinstance(self.offset_ms, int):
            raise RecordError(f"offset_ms {self.offset_ms!r} is not a whole number of milliseconds")
        if not 0 <= self.offset_ms <= ANTICIPATION_MS:
            raise RecordError(f"offset_ms {self.offset_ms} is outside 0..{ANTICIPATION_MS}")
        if len(self.class_confidence) != len(ACTIONS):
            raise RecordError(f"{len(self.class_confidence)} class confidences instead of {len(ACTIONS)}")
        for value in (self.confidence, *self.class_confidence):
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise RecordError(f"confidence {value!r} is not in [0, 1]")

    @property
    def time_ms(self) -> int:
        """When the action is expected, on the clock of ``observed_until_ms``."""
        return self.observed_until_ms + self.offset_ms

    def at(self, observed_until_ms: int, seen_ms: int, match: int = 0, half: int = 0) -> "Anticipation":
        """The same in a match, as people are shown it: the confidence has four digits."""
        where = {"observed_until_ms": observed_until_ms, "seen_ms": seen_ms, "match": match, "half": half}
        return replace(self, confidence=round(self.confidence, 4), **where)

    @property
    def how_likely(self) -> str:
        """The confidence in words, as "64%", or "12%, 8 times the usual" where the class seldom comes."""
        stated = f"{self.confidence:.0%}"
        return f"{stated}, {self.times_usual:.0f} times the usual" if self.is_raised else stated

    @property
    def is_raised(self) -> bool:
        """Whether it is so much likelier than usual that people should be told."""
        return self.times_usual is not None and self.times_usual >= _WORTH_SAYING

    @property
    def where(self) -> str:
        """Side and place in words, as "Arsenal, own half left"; empty if nothing is known."""
        place = "" if self.x is None or self.y is None else _place_in_words(self.x, self.y)
        return ", ".join(filter(None, (self.team, place)))

    def as_json(self) -> dict[str, int | str | float | None]:
        """A line of JSON or CSV."""
        return {
            "match": self.match,
            "half": self.half,
            "observed_until_ms": self.observed_until_ms,
            "time_ms": self.time_ms,
            "action": str(self.action),
            "confidence": self.confidence,
            "seen_ms": self.seen_ms,
            "team": self.team,
            "x": self.x,
            "y": self.y,
            "times_usual": self.times_usual,
        }


def _place_in_words(x: int, y: int) -> str:
    """Half and flank of a place, seen by the side that attacks along x: y grows to its right."""
    flank = "left" if y < 33 else "right" if y > 67 else "centre"
    return f"{'own' if x < 50 else 'other'} half {flank}"


@dataclass(frozen=True)
class Mark:
    """An action that was seen: its time in the half or the video, and how surely; it was known ``late_ms`` later."""

    time_ms: int
    action: Action
    confidence: float
    late_ms: int = field(default=0, kw_only=True)

    def as_json(self) -> dict[str, int | str | float]:
        """A line of JSON or CSV."""
        return {"time_ms": self.time_ms, "action": str(self.action), "confidence": self.confidence}


@dataclass(frozen=True)
class Timeline:
    """Actions of a video: spotted ones, and those that were anticipated at each time.

    Attributes:
        spotted: spotted actions in time order.
        times_ms: times at which anticipations were made, increasing.
        anticipated: anticipated actions of each of these times, at their own times in the video.
        shot_chance: probability of a shot within 5 s at each of these times; empty if it is not known.
    """

    spotted: Sequence[Mark]
    times_ms: Sequence[int]
    anticipated: Sequence[Sequence[Anticipation]]
    shot_chance: Sequence[float] = ()

    def past(self, now_ms: int) -> list[Mark]:
        """Actions of the last 30 s that are known by now."""
        recent = (mark for mark in self.spotted if now_ms - OBSERVATION_MS < mark.time_ms)
        return [mark for mark in recent if mark.time_ms + mark.late_ms <= now_ms]

    def coming(self, now_ms: int) -> list[Anticipation]:
        """Actions that the latest anticipation still expects."""
        latest = bisect_right(self.times_ms, now_ms) - 1
        return [mark for mark in self.anticipated[latest] if mark.time_ms >= now_ms] if latest >= 0 else []

    def shot_chances(self, now_ms: int) -> list[tuple[int, float]]:
        """(time, chance of a shot) of the answers of the last 30 s."""
        first, stop = bisect_right(self.times_ms, now_ms - OBSERVATION_MS), bisect_right(self.times_ms, now_ms)
        return list(zip(self.times_ms[first:stop], self.shot_chance[first:stop], strict=False))
