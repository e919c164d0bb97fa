"""Feeds without hindsight: rows as a viewer of each moment would know them, who has not seen the future.

Annotators look ahead. Of the rules behind a feed's rows, these need what came later, and here is what becomes of each:

* *A touch* is written as TOUCH at once where the ball is lost next, and as a DRIVE 0.4 s later where it is kept. Here
  all are told 0.4 s later: as a DRIVE unless somebody has played on by then, else as a TOUCH.
* *TACKLE*: the duel was won, and the winner kept the ball for up to 5 s. Here a DUEL, if the source reports duels; a
  source of the ten actions alone, such as a spotter, has seen what it says.
* *A duel for a loose ball* has a row for its winner alone. Its place stays; its side is the one that played last.
* *A won duel in the air* is a DUEL if the same header follows as a row of its own within 1.5 s. Here a HEADER.
* *Clearances, free kicks, goal kicks, corners* get their class from where the ball came down. Here it is HIGH PASS,
  PASS, PASS and CROSS.
* *An OUT estimated* from the pause before a restart: the restart tells it. Here it is told 3 s after the last row.

Implied drives stay: they are told 0.4 s after the reception, when a viewer sees them too. So do blocks, whose time is
estimated from what came before.

Every rule looks at rows in the order in which they become visible, at most 5 s back, so that a running session, which
keeps 40 s of rows, sees the same as ``predict`` on the whole match.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain import feed
from playahead.domain.feed import ESTIMATED_OUT, PLAYS_BALL, UNKNOWN, Detail, FeedHalf

_CARRIED_MS = 400
_LOOK_BACK_MS = 5_000
_OUT_SEEN_MS = 3_000
_SEEN_AS = {
    **{Detail.CLEARANCE: feed.HIGH_PASS, Detail.CORNER: feed.CROSS},
    **{Detail.FREE_KICK: feed.PASS, Detail.GOAL_KICK: feed.PASS},
}
_FLIES = np.isin(np.arange(feed.N_CODES), (feed.PASS, feed.HIGH_PASS, feed.CROSS))


RULES = ("touches", "tackles", "loose balls", "air duels", "flights", "estimated outs")
"""What becomes of rows that look ahead, in the order above."""


def seen_live(half: FeedHalf, rules: Collection[str] = RULES) -> FeedHalf:
    """The rows of a half without what only the future tells (see above).

    Args:
        half: rows as they were recorded.
        rules: the ones of ``RULES`` to follow; the others' rows stay as they are.
    """
    columns: dict[str, Any] = {name: column.copy() for name, column in half.columns.items()}
    code, detail = columns["code"], columns["detail"]
    # Classes that follow from a duel's end or a ball's flight.
    judges_duels = "tackles" in rules and feed.DUEL in half.reports
    if judges_duels:
        code[code == feed.TACKLE] = feed.DUEL
    if "air duels" in rules:
        code[(detail == Detail.AIR_DUEL) & (code == feed.DUEL)] = feed.HEADER
    for kind, seen_as in _SEEN_AS.items() if "flights" in rules else ():
        code[(detail == kind) & _FLIES[code]] = seen_as
    if "touches" in rules:
        _judge_touches(half, columns)
    # The others look at what was told before: rows in order of visibility.
    told_ms = half.t_ms.astype(np.int64) + columns["delay_ms"] + columns["late_ms"]
    order = np.argsort(told_ms, kind="stable")
    if "loose balls" in rules:
        _hide_winners(columns, order, told_ms[order])
    if "estimated outs" in rules:
        _delay_estimated_outs(columns, order, told_ms[order])
    reports = half.reports - {feed.TACKLE} if judges_duels else half.reports
    return half.changed(**columns, reports=reports)


def _judge_touches(half: FeedHalf, columns: dict[str, NDArray]) -> None:
    """Tell every touch 0.4 s after it, as a drive unless another row that plays the ball became visible by then."""
    code = columns["code"]
    is_touch = (columns["detail"] == Detail.TOUCH) & ((code == feed.DRIVE) | (code == feed.TOUCH))
    delay_ms = np.maximum(half.delay_ms[is_touch], _CARRIED_MS)
    told_ms = half.t_ms[is_touch].astype(np.int64) + delay_ms + half.late_ms[is_touch]
    play_ms = np.sort(half.visible_ms[~is_touch & PLAYS_BALL[code]])
    played_on = np.searchsorted(play_ms, told_ms, "left") > np.searchsorted(play_ms, told_ms - _CARRIED_MS, "right")
    code[is_touch] = np.where(played_on, feed.TOUCH, feed.DRIVE)
    columns["delay_ms"][is_touch] = delay_ms


def _hide_winners(columns: dict[str, NDArray], order: NDArray[np.intp], at_ms: NDArray[np.int64]) -> None:
    """Give each duel for a loose ball to the side that played last in the 5 s before it, and turn its place."""
    team = columns["team"]
    known_E = PLAYS_BALL[columns["code"][order]] & (team[order] != UNKNOWN)
    last_E = np.maximum.accumulate(np.where(known_E, np.arange(len(order)), -1))
    duels_E = np.flatnonzero(columns["detail"][order] == Detail.GROUND_LOOSE_BALL_DUEL)
    for place in duels_E.tolist():
        row, last = order[place], last_E[place]
        # Rows that become visible with the duel do not count: their order among themselves says nothing.
        while last >= 0 and (at_ms[last] == at_ms[place] or not known_E[last]):
            last -= 1
        side = team[order[last]] if last >= 0 and at_ms[place] - at_ms[last] <= _LOOK_BACK_MS else UNKNOWN
        for axis in ("x", "y"):
            value = columns[axis][row]
            if side == UNKNOWN:
                columns[axis][row] = UNKNOWN
            elif side != team[row] and value != UNKNOWN:
                columns[axis][row] = 100 - value
        columns["player"][row] = columns["role"][row] = UNKNOWN
        team[row] = side


def _delay_estimated_outs(columns: dict[str, NDArray], order: NDArray[np.intp], at_ms: NDArray[np.int64]) -> None:
    """Tell estimated outs 3 s after the last row before them, and not after half of a pause that is not over yet."""
    before_ms = np.concatenate([[-_OUT_SEEN_MS], at_ms[:-1]])
    late_E = np.maximum(before_ms + _OUT_SEEN_MS - at_ms, 0) * (columns["setpiece"][order] == ESTIMATED_OUT)
    columns["delay_ms"][order] = np.minimum(columns["delay_ms"][order] + late_E, feed.LONGEST_DELAY_MS)
