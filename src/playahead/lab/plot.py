"""A picture of chances over a match: one team above, the other below, with what happened marked."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from playahead.domain.actions import Action
from playahead.domain.feed import UNKNOWN
from playahead.domain.palette import COLOURS, LIGHT, TEAM_COLOURS, short_name
from playahead.inference.curves import Curves
from playahead.io.errors import InputError
from playahead.io.files import atomic_write

_BAR_MS = 10_000
_ROOM = 1.22  # above the highest bar, for what happened


def plot_curves(curves: Curves, of: Action, path: Path, title: str = "") -> None:
    """Draw the chance of an action within 5 s over a match; each bar is the highest of 10 s.

    Args:
        curves: chances.
        of: the action.
        path: .svg or .png to write.
        title: the match.

    Raises:
        InputError: another ending.
    """
    if path.suffix not in (".svg", ".png"):
        raise InputError(path, "ends in neither .svg nor .png")
    # Both teams where the model knows who acts, else one curve for whoever does.
    chance_O, first_O = curves.chance_OHC[:, -1, of.class_index], curves.first_OC[:, of.class_index]
    teams = (0, 1) if not np.isnan(first_O).all() else (None,)
    halved_O = np.nan_to_num(first_O, nan=0.5)  # where nobody is known to have the ball
    shares = {0: halved_O, 1: 1 - halved_O, None: np.ones_like(first_O)}
    bars = {team: _bars(curves, chance_O * shares[team]) for team in teams}
    top = _ROOM * max(0.05, *(float(height.max()) for of_team in bars.values() for _, height in of_team.values()))
    halves = np.unique(curves.half_O).tolist()
    figure = Figure(figsize=(11, 3.6), layout="constrained", facecolor="white")
    lengths = [int(curves.time_ms_O[curves.half_O == half].max()) for half in halves]
    axes = figure.subplots(1, len(halves), sharey=True, squeeze=False, width_ratios=lengths)[0]
    for axis, half, length_ms in zip(axes, halves, lengths, strict=True):
        for team in teams:
            sign, colour = -1 if team == 1 else 1, COLOURS[of] if team is None else TEAM_COLOURS[team]
            start_ms, height = bars[team][half]
            axis.bar(start_ms / 60_000, sign * height, _BAR_MS / 60_000, align="edge", color=colour, linewidth=0)
            _mark(axis, curves, half, of, team, sign * top * 0.92, colour)
        if len(teams) == 2:
            _mark(axis, curves, half, of, UNKNOWN, 0, LIGHT["soft"])
        axis.set_xlim(0, length_ms / 60_000)
        axis.set_ylim(-top if len(teams) == 2 else 0, top)
        axis.set_xlabel(f"minute of half {half}", fontsize=9, color=LIGHT["soft"])
        axis.axhline(0, color=LIGHT["soft"], linewidth=0.8)
        axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axis.tick_params(labelsize=9, colors=LIGHT["soft"], length=0)
        axis.grid(axis="y", color=LIGHT["line"], linewidth=0.6)
        axis.set_axisbelow(True)
    axes[0].yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0%}")
    action, match = short_name(of).lower(), title or " - ".join(curves.teams)
    figure.suptitle(f"Chance of a {action} within 5 s · {match}", fontsize=12, x=0.01, ha="left")
    figure.text(0.995, 0.985, f"●  a {action} that happened", fontsize=9, ha="right", va="top", color=LIGHT["soft"])
    if len(teams) == 2:  # beside the axes, where no action stands
        for at, side in ((0.78, 0), (0.22, 1)):
            name, colour = curves.teams[side], TEAM_COLOURS[side]
            about = {"transform": axes[-1].transAxes, "rotation": 270, "ha": "left", "va": "center", "weight": "bold"}
            axes[-1].text(1.01, at, name, color=colour, fontsize=9, **about)
    with atomic_write(path) as part:
        figure.savefig(part, dpi=150, format=path.suffix[1:])


def _bars(curves: Curves, value_O: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """(starts in ms, highest values) of the bars of each half."""
    bars = {}
    for half in np.unique(curves.half_O).tolist():
        here_O = curves.half_O == half
        bar_O = curves.time_ms_O[here_O] // _BAR_MS
        height = np.zeros(int(bar_O.max()) + 1)
        np.maximum.at(height, bar_O, value_O[here_O])
        bars[half] = np.arange(len(height)) * _BAR_MS, height
    return bars


def _mark(axis: Axes, curves: Curves, half: int, of: Action, team: int | None, height: float, colour: str) -> None:
    half_A, t_ms_A, class_A, team_A = curves.actions
    shown_A = (half_A == half) & (class_A == of.class_index) & (np.bool_(team is None) | (team_A == team))
    minutes = t_ms_A[shown_A] / 60_000
    axis.scatter(minutes, np.full(len(minutes), height), s=26, color=colour, edgecolor="white", linewidth=0.6, zorder=3)
