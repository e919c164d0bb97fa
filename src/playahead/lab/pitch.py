"""A situation on a pitch: what was seen until a moment, and what came in the 5 s after it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Circle, Rectangle

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.palette import TEAM_COLOURS
from playahead.domain.pitch import PITCH_M

_SEEN_ROWS = 6
_NAMES = (*ACTIONS, *OBSERVED_TOKENS)
_LINE, _SOFT = "#9aa4ad", "#57606a"
_LENGTH_M, _WIDTH_M = PITCH_M
_APART_M = 4.2  # numbers of one place are drawn side by side


def draw_situation(axis: Axes, half: FeedHalf, now_ms: int, title: str = "") -> None:
    """Draw the latest rows as dots, and the actions that came as numbered circles; both are listed beside the pitch.

    Team 0 attacks to the right, team 1 to the left.

    Args:
        axis: axes of Matplotlib.
        half: rows of a half, with places.
        now_ms: the moment, from the half's start.
        title: words above it.
    """
    _draw_pitch(axis)
    before = np.flatnonzero((half.visible_ms < now_ms) & (half.t_ms > now_ms - OBSERVATION_MS))[-_SEEN_ROWS:]
    after = np.flatnonzero((half.t_ms > now_ms) & (half.t_ms <= now_ms + ANTICIPATION_MS) & half.is_target)
    seen = [(row, *place) for row in before.tolist() if (place := _place_m(half, row)) is not None]
    axis.plot([x for _, x, _ in seen], [y for _, _, y in seen], "-", color=_LINE, lw=0.8, zorder=2)
    for row, x, y in seen:
        axis.plot(x, y, "o", ms=5, color=_colour(half, row), alpha=0.6, zorder=3)
    _list(axis, half, now_ms, before, _WIDTH_M - 4, "seen", is_numbered=False)
    _list(axis, half, now_ms, after, _WIDTH_M / 2, "came", is_numbered=True)
    taken: list[tuple[float, float]] = []
    for number, row in enumerate(after.tolist(), start=1):
        if (place := _place_m(half, row)) is None:
            continue
        x, y = place
        while any(abs(x - a) < _APART_M and abs(y - b) < _APART_M for a, b in taken):
            x += _APART_M
        taken.append((x, y))
        axis.plot(x, y, "o", ms=12, mfc="white", mec=_colour(half, row), mew=1.6, zorder=4)
        axis.text(x, y - 0.2, str(number), ha="center", va="center", fontsize=7, weight="bold", zorder=5)
    axis.set_title(title, fontsize=8, loc="left")


def _place_m(half: FeedHalf, row: int) -> tuple[float, float] | None:
    """Place as team 0 sees the pitch; None where it is unknown."""
    if half.x[row] == UNKNOWN or half.y[row] == UNKNOWN:
        return None
    x, y = float(half.x[row]), float(half.y[row])
    if half.team[row] == 1:
        x, y = 100 - x, 100 - y
    return x / 100 * _LENGTH_M, (100 - y) / 100 * _WIDTH_M


def _colour(half: FeedHalf, row: int) -> str:
    team = int(half.team[row])
    return TEAM_COLOURS[team] if team in (0, 1) else _SOFT


def _list(
    axis: Axes, half: FeedHalf, now_ms: int, rows: Sequence[int] | np.ndarray, top: float, title: str, is_numbered: bool
) -> None:
    axis.text(_LENGTH_M + 4, top, title, fontsize=8, weight="bold", va="center")
    for number, row in enumerate(rows, start=1):
        label = f"{_NAMES[half.code[row]].lower()} {(int(half.t_ms[row]) - now_ms) / 1000:+.1f} s"
        text = f"{number} {label}" if is_numbered else label
        at = _LENGTH_M + 4, top - _APART_M * number
        axis.text(*at, text, fontsize=7, color=_colour(half, row), va="center")


def _draw_pitch(axis: Axes) -> None:
    middle_m, line = _WIDTH_M / 2, {"fill": False, "ec": _LINE, "lw": 1}
    axis.add_patch(Rectangle((0, 0), _LENGTH_M, _WIDTH_M, **line))
    axis.plot([_LENGTH_M / 2] * 2, [0, _WIDTH_M], color=_LINE, lw=1)
    axis.add_patch(Circle((_LENGTH_M / 2, middle_m), 9.15, **line))
    for x, side, angles in ((0.0, 1, (308, 52)), (_LENGTH_M, -1, (128, 232))):
        axis.add_patch(Rectangle((x, middle_m - 20.16), side * 16.5, 40.32, **line))
        axis.add_patch(Rectangle((x, middle_m - 9.16), side * 5.5, 18.32, **line))
        spot = x + side * 11, middle_m
        axis.plot(*spot, ".", color=_LINE, ms=2)
        axis.add_patch(Arc(spot, 18.3, 18.3, theta1=angles[0], theta2=angles[1], ec=_LINE, lw=1))
    axis.set(xlim=(-3, _LENGTH_M + 41), ylim=(-3, _WIDTH_M + 3), aspect="equal")
    axis.axis("off")
