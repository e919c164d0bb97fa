"""What the overlay shows: actions that were spotted, and those that were anticipated at each time."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.records import Anticipation, Mark


@dataclass(frozen=True)
class Timeline:
    """Actions of a video.

    Attributes:
        spotted: actions seen, in time order.
        times_ms: when anticipations were made, increasing.
        anticipated: what was anticipated at each of them, at their times in the video.
    """

    spotted: Sequence[Mark]
    times_ms: Sequence[int]
    anticipated: Sequence[Sequence[Anticipation]]

    def past(self, now_ms: int) -> list[Mark]:
        """Actions spotted in the last 30 s."""
        return [mark for mark in self.spotted if now_ms - OBSERVATION_MS < mark.time_ms <= now_ms]

    def coming(self, now_ms: int) -> list[Anticipation]:
        """What the latest anticipation still expects."""
        latest = bisect_right(self.times_ms, now_ms) - 1
        return [one for one in self.anticipated[latest] if one.time_ms >= now_ms] if latest >= 0 else []
