"""What only the future tells, taken out of a feed: its rows as a viewer of each moment would know them.

Annotators look ahead. Of the rules behind a feed's rows, these need what came later, and here is what becomes of each:

| row | what tells | what stays |
|---|---|---|
| a touch: TOUCH at once where the ball is lost next, DRIVE 0.4 s later where it is kept | the next action | TOUCH at once; and a DRIVE 0.4 s later if nobody has played on by then, whoever plays next |
| TACKLE | the duel was won, and the winner kept the ball for up to 5 s | DUEL |
| duel for a loose ball, written for its winner alone | who won | its place; its side is the one that played last |
| won duel in the air: DUEL where the same header follows as a row of its own | the next 1.5 s | HEADER |
| clearance, free kick, goal kick, corner: the class follows from where the ball came down | the flight's end | HIGH PASS, PASS, PASS, CROSS |
| an OUT estimated from the pause before a restart | the restart | it is told 3 s after the last row |

Implied drives stay: they are told 0.4 s after the reception, when a viewer sees them too. So do blocks, whose time is
estimated from what came before.

Every rule looks at rows in the order in which they become visible, at most 5 s back, so that a running session, which
keeps 35 s of rows, sees the same as ``predict`` on the whole match.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from playahead.domain import feed
from playahead.domain.feed import COLUMNS, ESTIMATED_OUT, UNKNOWN, Detail, FeedHalf

_CARRIED_MS = 400
_LOOK_BACK_MS = 5_000
_OUT_SEEN_MS = 3_000
_NO_PLAY = (feed.DUEL, feed.STOPPAGE, feed.OUT)
_SETPLAYS = {Detail.CLEARANCE: feed.HIGH_PASS, Detail.FREE_KICK: feed.PASS, Detail.GOAL_KICK: feed.PASS}
_SETPLAYS[Detail.CORNER] = feed.CROSS
_FLIGHTS = (feed.PASS, feed.HIGH_PASS, feed.CROSS)


def seen_live(half: FeedHalf) -> FeedHalf:
    """The rows of a half without what only the future tells (see above).

    Rows of the same time keep their order; a touch that lasts becomes two rows.
    """
    columns = {name: column.copy() for name, column in half.columns.items()}
    code, detail = columns["code"], columns["detail"]

    # Classes that follow from a duel's end or a ball's flight.
    code[code == feed.TACKLE] = feed.DUEL
    code[(detail == Detail.AIR_DUEL) & (code == feed.DUEL)] = feed.HEADER
    for kind, seen_as in _SETPLAYS.items():
        code[(detail == kind) & np.isin(code, _FLIGHTS)] = seen_as
    is_touch = (detail == Detail.TOUCH) & np.isin(code, (feed.DRIVE, feed.TOUCH))
    code[is_touch] = feed.TOUCH
    columns["delay_ms"][is_touch] = 0
    known = replace(half, **columns)

    # From here on, rows in order of visibility.
    visible_ms = known.visible_ms
    order = np.argsort(visible_ms, kind="stable")
    at_ms = visible_ms[order]
    plays_E = ~np.isin(code, _NO_PLAY)[order]
    _hide_winners(columns, order, at_ms, plays_E)
    _delay_estimated_outs(columns, order, at_ms)
    seen = replace(half, **columns, reports=_reports(half.reports))

    # A touch after which nobody has played on for 0.4 s is a drive.
    play_ms = at_ms[plays_E]
    touch_ms = visible_ms[is_touch]
    played_on = np.searchsorted(play_ms, touch_ms + _CARRIED_MS, "left") > np.searchsorted(play_ms, touch_ms, "right")
    carried = np.flatnonzero(is_touch)[~played_on]
    return _with_drives(seen, carried)


def _hide_winners(
    columns: dict[str, NDArray], order: NDArray[np.intp], at_ms: NDArray[np.int64], plays_E: NDArray[np.bool_]
) -> None:
    """Give each duel for a loose ball to the side that played last in the 5 s before it, and turn its place."""
    team = columns["team"]
    known_E = plays_E & (team[order] != UNKNOWN)
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


def _reports(codes: frozenset[int]) -> frozenset[int]:
    return (codes - {feed.TACKLE}) | {feed.DUEL} if feed.TACKLE in codes else codes


def _with_drives(half: FeedHalf, carried: NDArray[np.intp]) -> FeedHalf:
    """A half with a DRIVE behind each of these touches, told 0.4 s after it."""
    place = np.sort(np.concatenate([np.arange(len(half)), carried]), kind="stable")
    columns = {name: half.columns[name][place] for name in COLUMNS}
    is_drive = np.diff(place, prepend=-1) == 0
    columns["code"][is_drive] = feed.DRIVE
    columns["delay_ms"][is_drive] = _CARRIED_MS
    for name in ("detail", "flags"):
        columns[name][is_drive] = UNKNOWN
    return replace(half, **columns)
