"""A feed at one moment, as a row of columns: what is known now, then the latest rows, newest first.

Where ``features/feed.py`` films 30 s in steps, this describes the moment that is asked about. It looks at the rows that
became visible in the 30 s before, at most 32 of them, and at nothing that happened later. Places are turned to the side
in possession: "x near 1" is always near the goal under attack. The place of a row with a delay is never used
(``features/feed.py`` says why). Of what lies further back, one thing counts: how often each side has done what in the
half so far, which tells how it plays, and how its source reports.

The columns of the moment and of its four latest rows come first. They are enough for a model without any memory
(recipe ``now``); a model of all rows reads on (recipe ``rows``).

Axes: O moments, R rows (newest first), G columns of a row, N columns of the moment, K codes, H decays, E rows of the
half in order of visibility.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import (
    DUEL,
    FLAGS,
    N_CODES,
    N_SETPIECES,
    PLAYS_BALL,
    ROLES,
    TACKLE,
    UNKNOWN,
    Detail,
    FeedHalf,
    Possession,
    tally_places,
)
from playahead.domain.grid import GRID

NOW_ROWS, MOST_ROWS = 4, 32
"""Latest rows that a model without memory sees, and that one with memory sees."""
_AGES_S = (0.5, 2.0, 8.0)
_DECAYS_S = (1.0, 4.0, 15.0)
_LATE_MS = 10_000
_LONGEST_GAP_MS = 5_000  # no single row further back than 35 s need be known
_HALF_LENGTH_MS = 45 * 60_000
_PRIOR_S = 120.0  # counts of a half are divided by the time that they took, and this
_PER_S = 40.0
_CODES = np.arange(N_CODES, dtype=np.uint8)
_DETAILS = np.array(sorted(Detail), np.uint8)
_KNOWN = np.arange(1, N_SETPIECES, dtype=np.uint8)
_BITS = 1 << np.arange(len(FLAGS), dtype=np.uint8)

ROW_NAMES: tuple[str, ...] = (
    *(f"code_{code}" for code in range(N_CODES)),
    *(f"detail_{detail.name.lower()}" for detail in sorted(Detail)),
    *(f"flag_{flag}" for flag in FLAGS),
    *(f"role_{role}" for role in ROLES),
    *(f"setpiece_{kind}" for kind in range(1, N_SETPIECES)),
    *("detail_known", "flags_known", "setpiece_known", "team_known", "position_known"),
    *("confidence", "confidence_known", "lateness", "gap", "same_player_as_before"),
    *("is_there", "in_possession", "same_player_as_latest", "x", "y", "goal_distance"),
    *("age", *(f"age_{s:g}" for s in _AGES_S)),
)
"""Columns of a row: facts that stay, then those that depend on the moment (from ``is_there`` on)."""
MOMENT_NAMES: tuple[str, ...] = (
    *(f"{side}_{code}_{s:g}" for side in ("all", "own") for s in _DECAYS_S for code in range(N_CODES)),
    *(f"recent_{detail.name.lower()}" for detail in sorted(Detail)),
    *(f"latest_{code}" for code in range(N_CODES)),
    *("possession_known", "possession", "possession_5", "rows", "rows_5"),
    *("ball_known", "ball_x", "ball_y", "ball_off_centre", "ball_goal_distance", "ball_age"),
    *("ball_moved_known", "ball_dx", "ball_dy", "ball_speed"),
    *("clock", "clock_known", "second_half", "observed"),
    *(f"reports_{code}" for code in range(N_CODES)),
    *(f"{side}_so_far_{code}" for side in ("own", "other", "unknown") for code in range(N_CODES)),
    "watched",
)
_FIXED = ROW_NAMES.index("is_there")
_AT = {name: place for place, name in enumerate(MOMENT_NAMES)}


def n_columns(n_rows: int) -> int:
    """Length of a description with so many rows."""
    return len(MOMENT_NAMES) + n_rows * len(ROW_NAMES)


@dataclass(frozen=True)
class Moments:
    """A half prepared for describing any moment of it; rows in order of visibility.

    Attributes:
        half: the half itself.
        n_rows: number of rows in a description.
        visible_ms_E: time at which each row became visible.
        t_ms_E: time at which it happened.
        fixed_EG: the columns of a row that stay.
        team_E: team, -1 unknown.
        player_E: player, -1 unknown.
        xy_E2: place in team 0's frame, -1 to 1; 0 where unknown.
        located_E: latest row up to e with a place, -1 none.
        played_E: latest row up to e of a known team that plays the ball, -1 none.
        next_played_E: first such row from e on.
        gained_ms_E: time at which the team in possession after row e gained it.
        count_ETK: rows of each team (0, 1, unknown) and code before row e (E + 1 rows).
    """

    half: FeedHalf
    n_rows: int
    visible_ms_E: NDArray[np.int64]
    t_ms_E: NDArray[np.int64]
    fixed_EG: NDArray[np.float32]
    team_E: NDArray[np.intp]
    player_E: NDArray[np.intp]
    xy_E2: NDArray[np.float32]
    located_E: NDArray[np.intp]
    played_E: NDArray[np.intp]
    next_played_E: NDArray[np.intp]
    gained_ms_E: NDArray[np.int64]
    count_ETK: NDArray[np.int32]

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """See ``at``: a moment needs nothing before it."""
        return self.at(end_ms)

    def at(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Descriptions (O, 1, columns) of these moments, float32, roughly within [-1, 1]."""
        found = np.zeros((len(end_ms), n_columns(self.n_rows)), np.float32)
        ends_ms = np.asarray(end_ms, np.int64)
        known_O = np.searchsorted(self.visible_ms_E, ends_ms, side="left")
        _about_half(self, ends_ms, known_O, found)
        if len(self.t_ms_E):
            _describe(self, ends_ms, known_O, found)
        return found[:, None]

    def sides(self, end_ms: NDArray[np.int64]) -> NDArray[np.intp]:
        """Team in possession at these times, as far as the 30 s before tell; -1 unknown."""
        if not len(self.t_ms_E):
            return np.full(len(end_ms), -1)
        ends = (end_ms, end_ms - GRID.observation_ms)
        return self.sides_among(*(np.searchsorted(self.visible_ms_E, end, side="left") for end in ends))

    def sides_among(self, known_O: NDArray[np.intp], first_O: NDArray[np.intp]) -> NDArray[np.intp]:
        """The same from the number of rows that are visible, and of those that became so more than 30 s before."""
        played_O = self.played_E[np.maximum(known_O - 1, 0)]
        return np.where((known_O > first_O) & (played_O >= first_O), self.team_E[played_O], -1)

    def possession(self, end_ms: NDArray[np.int64]) -> Possession:
        """The same with the names of both."""
        return Possession(self.sides(end_ms), self.half.teams)


def prepare_moments(half: FeedHalf, n_rows: int = MOST_ROWS) -> Moments:
    """Sort rows by when they become visible, and compute what does not depend on the moment."""
    all_visible_ms = half.visible_ms
    order = np.argsort(all_visible_ms, kind="stable")
    order = order[all_visible_ms[order] >= half.seen_from_ms]
    visible_ms, t_ms = all_visible_ms[order], half.t_ms[order].astype(np.int64)
    columns = {name: column[order] for name, column in half.columns.items()}
    code, row_E = columns["code"], np.arange(len(order))
    team_E, player_E = (np.where(columns[n] == UNKNOWN, -1, columns[n].astype(np.intp)) for n in ("team", "player"))

    # Places in team 0's frame; none of a row with a delay, whose place is that of the next action (but a touch's).
    is_known = (columns["x"] != UNKNOWN) & (columns["y"] != UNKNOWN)
    is_known &= (columns["delay_ms"] == 0) | (columns["detail"] == Detail.TOUCH)
    xy_E2 = np.stack([columns["x"], columns["y"]], axis=1).astype(np.float32) / 50 - 1
    xy_E2 = np.where(team_E[:, None] == 1, -xy_E2, xy_E2) * is_known[:, None]

    # Possession: the team of the latest row that plays the ball, gained where that team changes.
    plays_E = PLAYS_BALL[code] & (team_E >= 0)
    played_E = np.maximum.accumulate(np.where(plays_E, row_E, -1))
    next_played_E = np.minimum.accumulate(np.where(plays_E, row_E, len(order) - 1)[::-1])[::-1]
    side_E = np.where(played_E >= 0, team_E[played_E], -1)
    gained_ms_E = np.maximum.accumulate(np.where(np.diff(side_E, prepend=-2) != 0, visible_ms, -1))

    # Rows so far; those that the half's tally holds are not counted again.
    counted = half.counted
    count_ETK = np.zeros((len(order) + 1, 3, N_CODES), np.int32)
    count_ETK[0] = counted.count_TK
    new_E = np.flatnonzero(visible_ms >= counted.until_ms)
    count_ETK.reshape(len(order) + 1, -1)[new_E + 1, tally_places(columns["team"], code)[new_E]] = 1

    # The columns of a row that stay, in the order of ROW_NAMES.
    flags_known, confident = columns["flags"] != UNKNOWN, columns["confidence"] != UNKNOWN
    gap_ms = np.minimum(np.diff(visible_ms, prepend=-_LONGEST_GAP_MS), _LONGEST_GAP_MS)
    same_player = (np.diff(player_E, prepend=-1) == 0) & (player_E >= 0) & (gap_ms < _LONGEST_GAP_MS)
    fixed = (
        code[:, None] == _CODES,
        columns["detail"][:, None] == _DETAILS,
        ((columns["flags"][:, None] & _BITS) > 0) & flags_known[:, None],
        columns["role"][:, None] == np.arange(len(ROLES)),
        columns["setpiece"][:, None] == _KNOWN,
        columns["detail"] != UNKNOWN,
        flags_known,
        columns["setpiece"] != UNKNOWN,
        team_E >= 0,
        is_known,
        np.where(confident, columns["confidence"] / np.float32(100), 0),
        confident,
        np.minimum((visible_ms - t_ms) / _LATE_MS, 1.0),
        np.log1p(gap_ms / 1000) / 2,
        same_player,
    )
    fixed_EG = np.column_stack(fixed).astype(np.float32)
    return Moments(
        half=half,
        n_rows=n_rows,
        visible_ms_E=visible_ms,
        t_ms_E=t_ms,
        fixed_EG=fixed_EG,
        team_E=team_E,
        player_E=player_E,
        xy_E2=xy_E2,
        located_E=np.maximum.accumulate(np.where(is_known, row_E, -1)),
        played_E=played_E,
        next_played_E=next_played_E,
        gained_ms_E=gained_ms_E,
        count_ETK=count_ETK.cumsum(axis=0, dtype=np.int32),
    )


def _describe(
    track: Moments, end_ms_O: NDArray[np.int64], known_O: NDArray[np.intp], found_OF: NDArray[np.float32]
) -> None:
    """Write all columns that depend on the rows of the last 30 s; ``known_O`` of the half are visible."""
    # The latest rows of each moment, newest first; those of more than 30 s ago are not there.
    oldest_ms_O = end_ms_O - GRID.observation_ms
    first_O = np.searchsorted(track.visible_ms_E, oldest_ms_O, side="left")
    row_OR = known_O[:, None] - 1 - np.arange(MOST_ROWS)
    there_OR = row_OR >= first_O[:, None]
    row_OR = np.maximum(row_OR, 0)
    age_s_OR = np.where(there_OR, (end_ms_O[:, None] - track.t_ms_E[row_OR]) / np.float32(1000), np.float32(60))

    # The side in possession, and which rows are its own.
    latest_O = row_OR[:, 0]
    side_O = track.sides_among(known_O, first_O)
    has_side_O = side_O >= 0
    team_OR = track.team_E[row_OR]
    own_OR = np.where((team_OR >= 0) & has_side_O[:, None], np.where(team_OR == side_O[:, None], 1, -1), 0)
    turn_O = np.where(side_O == 1, np.float32(-1), np.float32(1))

    # The rows: facts that stay, then those of this moment.
    rows_ORG = np.empty((*row_OR.shape, len(ROW_NAMES)), np.float32)
    rows_ORG[..., :_FIXED] = track.fixed_EG[row_OR]
    player_OR = track.player_E[row_OR]
    xy_OR2 = track.xy_E2[row_OR] * turn_O[:, None, None]
    located_OR = rows_ORG[..., ROW_NAMES.index("position_known")]
    of_moment = (
        there_OR,
        own_OR,
        (player_OR == player_OR[:, :1]) & (player_OR >= 0),
        xy_OR2[..., 0],
        xy_OR2[..., 1],
        _goal_distance(xy_OR2) * located_OR,
        np.minimum(age_s_OR, 30) / 30,
        *(np.exp(-age_s_OR / np.float32(s)) for s in _AGES_S),
    )
    for place, column_OR in enumerate(of_moment, start=_FIXED):
        rows_ORG[..., place] = column_OR
    rows_ORG *= there_OR[..., None]
    moment = found_OF[:, : len(MOMENT_NAMES)]
    found_OF[:, len(MOMENT_NAMES) :] = rows_ORG[:, : track.n_rows].reshape(len(end_ms_O), -1)

    def put(name: str, values: NDArray) -> None:
        """Write a column, or a group of columns from this one on."""
        columns = values.reshape(len(end_ms_O), -1)
        moment[:, _AT[name] : _AT[name] + columns.shape[1]] = columns

    # Decayed counts of each code, of all rows and of the own side's, less where doubtful; and how recently each came.
    sure_OR = rows_ORG[..., ROW_NAMES.index("confidence")]
    sure_OR = np.where(rows_ORG[..., ROW_NAMES.index("confidence_known")] > 0, sure_OR, 1)
    decay_ORH = np.exp(-age_s_OR[..., None] / np.array(_DECAYS_S, np.float32)) * (sure_OR * there_OR)[..., None]
    code_ORK = rows_ORG[..., :N_CODES]
    detail_ORD = rows_ORG[..., N_CODES : N_CODES + len(_DETAILS)]
    put(f"all_0_{_DECAYS_S[0]:g}", decay_ORH.transpose(0, 2, 1) @ code_ORK)
    put(f"own_0_{_DECAYS_S[0]:g}", (decay_ORH * (own_OR == 1)[..., None]).transpose(0, 2, 1) @ code_ORK)
    put(f"recent_{Detail(_DETAILS[0]).name.lower()}", decay_ORH[..., 1][:, None] @ detail_ORD)
    put("latest_0", (decay_ORH[..., 1, None] * code_ORK).max(axis=1))

    # Of a source without duels, confidences tell a spotter, which may say TACKLE, from labels, of which none is known.
    if TACKLE in track.half.reports and DUEL not in track.half.reports:
        moment[:, _AT[f"reports_{TACKLE}"]] = (rows_ORG[..., ROW_NAMES.index("confidence_known")] > 0).any(axis=1)

    # What the side in possession, and the other, have done so far: exchanged where team 1 is in possession.
    so_far_OK = moment[:, _AT["own_so_far_0"] :][:, : 2 * N_CODES]
    so_far_OK[side_O == 1] = np.roll(so_far_OK[side_O == 1], N_CODES, axis=1)

    # Possession, from no earlier than the side's first touch of these 30 s; and how much happened.
    first_played_O = track.next_played_E[np.minimum(first_O, len(track.next_played_E) - 1)]
    since_ms_O = np.maximum(track.gained_ms_E[latest_O], track.visible_ms_E[first_played_O])
    held_s_O = np.where(has_side_O, (end_ms_O - since_ms_O) / 1000, 0)
    put("possession_known", has_side_O)
    put("possession", np.log1p(held_s_O) / 3)
    put("possession_5", np.exp(-held_s_O / 5) * has_side_O)
    put("rows", np.minimum(known_O - first_O, 60) / 30)
    put("rows_5", np.minimum((there_OR & (age_s_OR < 5)).sum(axis=1), 15) / 5)

    # The ball: where it was last seen, and how it came there.
    at_O = np.where(there_OR[:, 0], track.located_E[latest_O], -1)
    from_O = np.where(at_O > 0, track.located_E[np.maximum(at_O - 1, 0)], -1)
    seen_O, moved_O = at_O >= first_O, (at_O >= first_O) & (from_O >= first_O)
    xy_O2 = track.xy_E2[at_O] * (turn_O * seen_O)[:, None]
    step_O2 = (xy_O2 - track.xy_E2[from_O] * turn_O[:, None]) * moved_O[:, None]
    took_s_O = np.maximum((track.t_ms_E[at_O] - track.t_ms_E[from_O]) / 1000, 0.2)
    put("ball_known", seen_O)
    put("ball_x", xy_O2)
    put("ball_off_centre", np.abs(xy_O2[:, 1]))
    put("ball_goal_distance", _goal_distance(xy_O2) * seen_O)
    put("ball_age", np.where(seen_O, np.exp(np.minimum(track.t_ms_E[at_O] - end_ms_O, 0) / 4000), 0))
    put("ball_moved_known", moved_O)
    put("ball_dx", step_O2)
    put("ball_speed", np.minimum(np.hypot(step_O2[:, 0], step_O2[:, 1]) / took_s_O, 3) / 3)


def _goal_distance(xy_2: NDArray[np.float32]) -> NDArray[np.float32]:
    distance = np.hypot(1 - xy_2[..., 0], np.float32(0.65) * xy_2[..., 1]) / 2
    return distance.astype(np.float32, copy=False)


def _about_half(
    track: Moments, end_ms_O: NDArray[np.int64], known_O: NDArray[np.intp], found_OF: NDArray[np.float32]
) -> None:
    """Write what needs none of these rows: the clock, what was observed, what the source reports, the half so far."""
    half = track.half
    if half.clock_known:
        found_OF[:, _AT["clock"]] = end_ms_O / _HALF_LENGTH_MS - 0.5
        found_OF[:, _AT["second_half"]] = half.half == 2
    found_OF[:, _AT["clock_known"]] = half.clock_known
    watched_ms_O = end_ms_O - np.maximum(np.minimum(half.seen_from_ms, end_ms_O), 0)
    found_OF[:, _AT["observed"]] = np.minimum(watched_ms_O / GRID.observation_ms, 1)
    reports = half.reports if DUEL in half.reports else half.reports - {TACKLE}  # unless confidences tell a spotter
    found_OF[:, _AT["reports_0"] : _AT["reports_0"] + N_CODES] = [code in reports for code in range(N_CODES)]

    # Rows of each team so far, for the time that they took; ``_describe`` puts the side in possession first.
    slowly_s_O = watched_ms_O / 1000 + _PRIOR_S
    found_OF[:, _AT["watched"]] = 1 - _PRIOR_S / slowly_s_O
    rate_OTK = track.count_ETK[known_O] * (_PER_S / slowly_s_O)[:, None, None]
    found_OF[:, _AT["own_so_far_0"] :][:, : 3 * N_CODES] = rate_OTK.reshape(len(end_ms_O), -1)


def mirror(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exchange left and right: the same play on a mirrored pitch."""
    mirrored = found.copy()
    mirrored[..., [_AT["ball_y"], _AT["ball_dy"]]] *= -1
    mirrored[..., len(MOMENT_NAMES) + ROW_NAMES.index("y") :: len(ROW_NAMES)] *= -1
    return mirrored
