"""Timestamps of a stream -> frames on an exact clock, whatever its rate is and whatever its own clock does."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Picture = TypeVar("Picture")

_SAME_S = 1e-6  # timestamps closer than this are one moment
_EARLY_S = 0.5  # a picture is never shown earlier than that, however long the one before it stood
_BACK_S = 0.2  # a picture so much earlier than the one before it comes from a clock that was set back
_STILL_S = 2.0  # a gap without pictures is reported from here on
_MAX_GAP_S = 30.0  # a longer gap is a broken clock or a cut recording, not a picture that stood still


def at_rate(
    pictures: Iterable[tuple[float, Picture]], fps: float, start_s: float = 0.0, stop_s: float | None = None
) -> Iterator[tuple[int, Picture]]:
    """Resample (time in seconds, picture) at any rate to (index, picture) at ``start_s + index / fps``.

    Each moment takes the picture nearest to it, the earlier of two equally near, so no error adds up over hours. In a
    gap of more than a second the earlier picture stays until half a second before the next: none is shown long before
    its time. A picture lasts until the next one, the last as long as the one before it. A picture that is not later
    than the one before it is skipped.

    Args:
        pictures: pictures in time order.
        fps: rate of the clock.
        start_s: moment of index 0; earlier pictures are used only where they are nearest.
        stop_s: end of the clock, exclusive; None for the end of the pictures.
    """
    index = 0
    for picture, until_s in _until(pictures, 1 / fps):
        while (moment_s := start_s + index / fps) <= until_s:
            if stop_s is not None and moment_s >= stop_s - _SAME_S:
                return
            yield index, picture
            index += 1


def _until(pictures: Iterable[tuple[float, Picture]], lasts_s: float) -> Iterator[tuple[Picture, float]]:
    """Each picture with the last time at which it is shown."""
    before: tuple[float, Picture] | None = None
    for time_s, picture in pictures:
        if before is not None:
            if time_s <= before[0] + _SAME_S:
                continue
            lasts_s = time_s - before[0]
            yield before[1], max((before[0] + time_s) / 2, time_s - _EARLY_S) + _SAME_S
        before = (time_s, picture)
    if before is not None:
        yield before[1], before[0] + lasts_s - _SAME_S


class Continuity:
    """Bridges jumps of a stream's clock, so that no picture is lost.

    Joined files, HLS discontinuities and encoders that restart set the clock back.

    Args:
        origin_s: the stream's own time of its first picture.
        step_s: time from one picture to the next where the stream has no timestamps.
        first_s: time around which the first picture is expected, where reading starts.
        notify: called with a description of each jump and gap.
    """

    def __init__(self, origin_s: float, step_s: float, first_s: float, notify: Callable[[str], None]) -> None:
        self.origin_s, self.step_s, self.first_s, self.notify = origin_s, step_s, first_s, notify
        self.before_s: float | None = None
        self.is_broken = False

    def seconds(self, stamp_s: float | None) -> float:
        """Time of a picture from the first picture of the stream, given its own timestamp."""
        if stamp_s is None:
            self.before_s = 0.0 if self.before_s is None else self.before_s + self.step_s
            return self.before_s
        time_s = stamp_s - self.origin_s
        before_s = self.first_s if self.before_s is None else self.before_s
        gap_s = time_s - before_s
        if gap_s > _MAX_GAP_S or (gap_s < -_BACK_S and self.before_s is not None):
            # a jump: move the origin so that this picture follows the one before it
            self.notify(f"its clock jumps from {before_s:.1f} s to {time_s:.1f} s, read as if it did not")
            self.is_broken = True
            follows_s = before_s if self.before_s is None else before_s + self.step_s
            self.origin_s += time_s - follows_s
            time_s = follows_s
        elif gap_s > _STILL_S:
            self.notify(f"no pictures from {before_s:.1f} s to {time_s:.1f} s, the last one stays")
        self.before_s = time_s if self.before_s is None else max(time_s, self.before_s)
        return time_s
