"""The pitch: positions in percent, lengths in metres."""

from math import hypot

PITCH_M = (105.0, 68.0)
"""Length and width."""


def distance_m(x: float, y: float, end_x: float, end_y: float, size: tuple[float, float] = (100.0, 100.0)) -> float:
    """Metres between two places; NaN if one of them is unknown.

    Args:
        x, y: the first place.
        end_x, end_y: the second one.
        size: length and width of the pitch in the units of the places.
    """
    return hypot((end_x - x) * PITCH_M[0] / size[0], (end_y - y) * PITCH_M[1] / size[1])
