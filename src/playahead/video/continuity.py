"""A stream's own timestamps -> seconds that go on, whatever its clock does."""

from collections.abc import Callable

_BACK_S = 0.2  # a picture so much earlier than the one before it comes from a clock that was set back
_STILL_S = 2.0  # no picture for so long is worth telling
_LONGEST_GAP_S = 30.0  # a longer one is a broken clock or a cut recording, not a picture that stood still


class Continuity:
    """Joined files, HLS discontinuities and encoders that start again set the clock back; nothing of them is lost.

    Args:
        origin_s: the stream's own time of its first picture.
        step_s: from a picture to the next where the stream does not say.
        first_s: about when the first picture is expected: where reading starts.
        tell: called with what happened.
    """

    def __init__(self, origin_s: float, step_s: float, first_s: float, tell: Callable[[str], None]) -> None:
        self.origin_s, self.step_s, self.first_s, self.tell = origin_s, step_s, first_s, tell
        self.before_s: float | None = None
        self.is_broken = False

    def seconds(self, stamp_s: float | None) -> float:
        """When a picture is shown, from the first picture of the stream, given its own time."""
        if stamp_s is None:
            self.before_s = 0.0 if self.before_s is None else self.before_s + self.step_s
            return self.before_s
        time_s = stamp_s - self.origin_s
        before_s = self.first_s if self.before_s is None else self.before_s
        gap_s = time_s - before_s
        if gap_s > _LONGEST_GAP_S or (gap_s < -_BACK_S and self.before_s is not None):
            self.tell(f"its clock jumps from {before_s:.1f} s to {time_s:.1f} s, read as if it did not")
            self.is_broken = True
            follows_s = before_s if self.before_s is None else before_s + self.step_s
            self.origin_s += time_s - follows_s
            time_s = follows_s
        elif gap_s > _STILL_S:
            self.tell(f"no pictures from {before_s:.1f} s to {time_s:.1f} s, the last one stays")
        self.before_s = time_s if self.before_s is None else max(time_s, self.before_s)
        return time_s
