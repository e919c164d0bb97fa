"""A picture of chances over a match: home above, away below, with what happened marked."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.palette import COLOURS, LIGHT, short_name
from playahead.inference.curves import Curves
from playahead.io.errors import InputError
from playahead.io.files import atomic_write

_TEAM_COLOURS = ("#1f6feb", "#d1495b")


def plot_curves(curves: Curves, of: Action, path: Path, title: str = "") -> None:
    """Draw the chance of an action within 5 s over a match.

    Args:
        curves: chances.
        of: the action.
        path: .svg or .png to write.
        title: the match; the names of its sides if not given.

    Raises:
        InputError: another ending, or a file that cannot be written.
    """
    if path.suffix not in (".svg", ".png"):
        raise InputError(path, "ends in neither .svg nor .png")
    c, halves = of.class_index, np.unique(curves.half_O).tolist()
    widths = [np.ptp(curves.time_ms_O[curves.half_O == half]) + 1 for half in halves]
    figure = Figure(figsize=(11, 3.4), layout="constrained", facecolor="white")
    axes = figure.subplots(1, len(halves), sharey=True, squeeze=False, width_ratios=widths)[0]
    chance_O, first_OC = curves.chance_OHC[:, -1, c], curves.first_OC
    by_team = not np.isnan(first_OC).all()
    share_O2 = np.stack([np.nan_to_num(first_OC[:, c], nan=0.5), np.nan_to_num(1 - first_OC[:, c], nan=0.5)], axis=1)
    top = max(0.05, 1.15 * float((chance_O[:, None] * share_O2).max() if by_team else chance_O.max()))
    for axis, half in zip(axes, halves, strict=True):
        here_O = curves.half_O == half
        minute_O = curves.time_ms_O[here_O] / 60_000
        for team in (0, 1) if by_team else (0,):
            value_O = chance_O[here_O] * (share_O2[here_O, team] if by_team else 1)
            sign = -1 if team else 1
            colour = _TEAM_COLOURS[team] if by_team else COLOURS[of]
            axis.fill_between(minute_O, 0, sign * value_O, color=colour, alpha=0.85, linewidth=0)
            _mark(axis, curves, half, c, team if by_team else None, sign * top * 0.93, colour)
        axis.axhline(0, color=LIGHT["soft"], linewidth=0.8)
        axis.set_title(f"half {half}", fontsize=9, color=LIGHT["soft"], loc="left")
        axis.set_xlabel("minute", fontsize=9, color=LIGHT["soft"])
        axis.set_xlim(0, minute_O.max())
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(labelsize=9, colors=LIGHT["soft"], length=0)
        axis.grid(axis="y", color=LIGHT["line"], linewidth=0.6)
        axis.set_axisbelow(True)
    axes[0].set_ylim(-top if by_team else 0, top)
    axes[0].yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0%}")
    if by_team:
        for team, at in ((0, 0.97), (1, 0.03)):
            where = {"transform": axes[0].transAxes, "va": "top" if team == 0 else "bottom"}
            axes[0].text(0.008, at, curves.teams[team], color=_TEAM_COLOURS[team], fontsize=10, weight="bold", **where)
    action = short_name(ACTIONS[c]).lower()
    figure.suptitle(f"Chance of a {action} within 5 s{f', {title}' if title else ''}", fontsize=12, x=0.01, ha="left")
    figure.text(0.995, 0.985, f"● {action}s that happened", fontsize=9, ha="right", va="top", color=LIGHT["soft"])
    with atomic_write(path) as part:
        figure.savefig(part, dpi=150, format=path.suffix[1:])


def _mark(axis, curves: Curves, half: int, c: int, team: int | None, height: float, colour: str) -> None:
    half_A, t_ms_A, class_A, team_A = curves.actions
    shown_A: NDArray[np.bool_] = (half_A == half) & (class_A == c) & (True if team is None else team_A == team)
    minutes = t_ms_A[shown_A] / 60_000
    axis.scatter(minutes, np.full(len(minutes), height), s=22, color=colour, edgecolor="white", linewidth=0.6, zorder=3)
