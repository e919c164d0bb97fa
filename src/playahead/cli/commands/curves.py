"""``playahead curves`` and ``playahead plot``."""

import sys
from pathlib import Path

from playahead.cli import terminal
from playahead.domain.actions import ACTIONS, actions_named
from playahead.inference.curves import curves as curves_of
from playahead.io.errors import InputError


def curves(
    match: Path,
    of: str = "",
    every: float = 1.0,
    out: Path | None = None,
    half: int | None = None,
    start: str = "0:30",
    end: str = "",
    weights: Path | None = None,
) -> None:
    """Give the chance of each action within 1, 2 and 5 s, all through a match.

    Args:
        match: event feed of any readable provider; "sample" is the match that ships with the package.
        of: actions to give, separated by commas, as shot,cross; all if not given.
        every: seconds from one time to the next.
        out: .csv, .json or .parquet to write; CSV on standard output if not given.
        half: half of the match; all if not given.
        start: first time of each half, as 12:30.
        end: last time; the end if not given.
        weights: weights of the model; the packaged ones if not given.
    """
    actions = actions_named(of.split(",")) if of else list(ACTIONS)
    found = curves_of(match, every, weights, start, end, half)
    if out is None:
        sys.stdout.write(found.csv(actions))
        return
    found.write(out, actions)
    terminal.errors.print(f"{len(found):,} times: {out}")


def plot(
    match: Path,
    out: Path,
    of: str = "shot",
    title: str = "",
    half: int | None = None,
    start: str = "0:30",
    end: str = "",
    weights: Path | None = None,
) -> None:
    """Draw the chance of an action within 5 s over a match, one team above, one below, with what happened.

    Args:
        match: event feed of any readable provider; "sample" is the match that ships with the package.
        out: .svg or .png to write.
        of: action to draw.
        title: the match, written over the picture.
        half: half of the match; all if not given.
        start: first time of each half, as 12:30.
        end: last time; the end if not given.
        weights: weights of the model; the packaged ones if not given.
    """
    from playahead.lab.plot import plot_curves  # needs the extra "report"

    action, *more = actions_named(of.split(","))
    if more:
        raise InputError("of", "names more than one action", "draw one at a time")
    plot_curves(curves_of(match, 1.0, weights, start, end, half), action, out, title)
    terminal.errors.print(f"picture: {out}")
