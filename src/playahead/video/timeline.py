"""What the overlay shows: actions that were spotted, and those that were anticipated at each moment."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from playahead.domain.actions import Action
from playahead.domain.grid import OBSERVATION_MS


@dataclass(frozen=True)
class Mark:
    """An action at a moment of the video, with its confidence."""

    time_ms: int
    action: Action
    confidence: float


@dataclass(frozen=True)
class Timeline:
    """Attributes:
    spotted: actions seen, in time order.
    moments_ms: when anticipations were made, increasing.
    anticipated: what was anticipated at each of them, times as in the video.
    """

    spotted: Sequence[Mark]
    moments_ms: Sequence[int]
    anticipated: Sequence[Sequence[Mark]]

    def past(self, now_ms: int) -> list[Mark]:
        """Actions spotted in the last 30 s."""
        return [mark for mark in self.spotted if now_ms - OBSERVATION_MS < mark.time_ms <= now_ms]

    def coming(self, now_ms: int) -> list[Mark]:
        """What the latest anticipation still expects."""
        latest = bisect_right(self.moments_ms, now_ms) - 1
        return [mark for mark in self.anticipated[latest] if mark.time_ms >= now_ms] if latest >= 0 else []
