"""Frames of any rate, also a changing one -> frames on an exact clock, nearest by timestamp."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Picture = TypeVar("Picture")

_SAME_S = 1e-6  # timestamps closer than this are one moment
_EARLY_S = 0.5  # a picture is never shown earlier than that, however long the one before it stood


def at_rate(
    pictures: Iterable[tuple[float, Picture]], fps: float, start_s: float = 0.0, stop_s: float | None = None
) -> Iterator[tuple[int, Picture]]:
    """(time in seconds, picture) in any rate -> (index, picture) at ``start_s + index / fps``.

    Each moment takes the picture nearest to it, the earlier of two equally near, so nothing adds up over hours. In a
    gap of more than a second the picture before it stays: none is seen long before its time.
    A picture lasts until the next one, the last as long as the one before it lasted. Pictures that do not come later
    than the one before them are passed over.

    Args:
        pictures: in time order.
        fps: of the clock.
        start_s: moment of index 0; pictures before it are used only where they are nearest.
        stop_s: no moment at or after this one is answered; None is the end of the pictures.
    """
    index, lasts_s = 0, 1 / fps
    before: tuple[float, Picture] | None = None
    for time_s, picture in pictures:
        if before is not None:
            if time_s <= before[0] + _SAME_S:
                continue
            lasts_s = time_s - before[0]
            middle_s = max((before[0] + time_s) / 2, time_s - _EARLY_S)
            while (moment_s := start_s + index / fps) <= middle_s + _SAME_S:
                if _is_over(moment_s, stop_s):
                    return
                yield index, before[1]
                index += 1
        before = (time_s, picture)
    while before is not None and (moment_s := start_s + index / fps) < before[0] + lasts_s - _SAME_S:
        if _is_over(moment_s, stop_s):
            return
        yield index, before[1]
        index += 1


def _is_over(moment_s: float, stop_s: float | None) -> bool:
    return stop_s is not None and moment_s >= stop_s - _SAME_S
