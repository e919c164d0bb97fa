"""Event feed -> step features on the paper's grid: each 5-s window is 33 steps of 5/33 s.

Three rules keep a window honest, and make it cheap:

* A step sees only rows whose ``t_ms + delay_ms + late_ms`` lies *before the step's end*. Nothing later can change it.
* A window sees only rows that became visible *inside that window*. So an example of six windows depends on 30 s and no
  more, and a window is the same in all six examples that contain it: it is encoded once.
* The position of a row with a delay is never used. Such a row is an inference: a drive, from the pass before it and the
  time until the next action. Providers give it the position of that *next* action, as a pass ends where the next event
  starts. The ball stays where it was last seen.

Positions are turned to the side in possession at that step (the acting side where none is known), so "x near 1" is
always near the goal under attack. Rows of an unknown team keep the direction in which their own team attacks.

The last columns say what is known: they distinguish what the source does not report from what did not happen.

Axes: P windows, N steps (33), F features, K codes (14), E rows of the half.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import N_CODES, N_SETPIECES, PLAYS_BALL, UNKNOWN, FeedHalf
from playahead.domain.grid import GRID

_RECENCY_S = 2.0  # decay of "how long ago was the last one of this code"
_INSTANT_S = 0.5  # decay of "did something just happen"
_HALF_LENGTH_MS = 45 * 60_000
_VERY_LATE_MS = 10_000

FEATURE_NAMES: tuple[str, ...] = (
    *(f"arrived_{code}" for code in range(N_CODES)),
    *(f"last_{code}" for code in range(N_CODES)),
    *(f"recency_{code}" for code in range(N_CODES)),
    *("seen", "side", "actor_in_possession"),
    *("x", "y", "off_centre", "goal_distance"),
    *("dx", "dy", "speed", "gap"),
    *("age", "instant"),
    *(f"setpiece_{kind}" for kind in range(1, N_SETPIECES)),
    *("possession", "actions", "clock"),
    *("team_known", "position_known", "setpiece_known", "confidence", "confidence_known", "lateness"),
    *(f"reports_{code}" for code in range(N_CODES)),
    *("observed", "clock_known"),
)
N_FEATURES = len(FEATURE_NAMES)
_COLUMN = {name: index for index, name in enumerate(FEATURE_NAMES)}


@dataclass(frozen=True)
class FeedTrack:
    """A half prepared for looking up what was known at any moment; rows in order of *visibility*.

    Attributes:
        half: the half itself.
        visible_ms_E: time at which each row became visible.
        code_E: code of each row.
        team_E: team of each row, -1 unknown.
        setpiece_E: set piece of each row, or ``UNKNOWN``.
        weight_EK: sum of the confidences, in percent, of all rows of each code before row e (E + 1 rows); an unknown
            confidence counts as 100.
        last_ms_EK: latest visibility of each code up to and including row e, -1 none.
        played_E: latest row up to e that plays the ball (its team is in possession), -1 none.
        next_played_E: first such row from e on.
        gained_ms_E: time at which the team in possession after row e gained it.
        xy_E2: position of the ball in team 0's frame, -1 to 1, NaN unknown or not to be used.
        located_E: latest row up to e with a position, -1 none.
        confidence_E: confidence in percent, or ``UNKNOWN``.
        late_ms_E: time by which each row arrived later than it could be known.
    """

    half: FeedHalf
    visible_ms_E: NDArray[np.int64]
    code_E: NDArray[np.intp]
    team_E: NDArray[np.intp]
    setpiece_E: NDArray[np.intp]
    weight_EK: NDArray[np.int64]
    last_ms_EK: NDArray[np.int64]
    played_E: NDArray[np.intp]
    next_played_E: NDArray[np.intp]
    gained_ms_E: NDArray[np.int64]
    xy_E2: NDArray[np.float32]
    located_E: NDArray[np.intp]
    confidence_E: NDArray[np.uint8]
    late_ms_E: NDArray[np.uint16]

    def at(self, end_ms_P: NDArray[np.int64]) -> NDArray[np.float32]:
        """The windows that end at these times, see ``window_features``."""
        return window_features(self, end_ms_P)

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows (W, N, F) of the examples that end at these times, which lie 5 s apart."""
        earlier = end_ms[0] - np.arange(GRID.n_windows - 1, 0, -1) * GRID.window_ms
        return window_features(self, np.r_[earlier, end_ms])


def prepare_track(half: FeedHalf) -> FeedTrack:
    """Sort rows by when they become visible and run through them once; those before the observation are left out."""
    all_visible_ms = half.visible_ms
    order = np.argsort(all_visible_ms, kind="stable")
    order = order[all_visible_ms[order] >= half.seen_from_ms]
    visible_ms, code = all_visible_ms[order], half.code[order].astype(np.intp)
    team = np.where(half.team[order] == UNKNOWN, -1, half.team[order].astype(np.intp))
    row_E = np.arange(len(code))

    # For each code: when it was last seen, and the running sum of its rows' confidences.
    is_code_EK = np.arange(N_CODES) == code[:, None]
    last_ms_EK = np.maximum.accumulate(np.where(is_code_EK, visible_ms[:, None], -1), axis=0)
    confidence = half.confidence[order]
    weight_EK = is_code_EK * np.where(confidence == UNKNOWN, 100, confidence.astype(np.int64))[:, None]

    # Possession: the team of the latest row that plays the ball, gained where that team changes.
    plays_ball = PLAYS_BALL[code]
    played_E = np.maximum.accumulate(np.where(plays_ball, row_E, -1))
    next_played_E = np.minimum.accumulate(np.where(plays_ball, row_E, len(code) - 1)[::-1])[::-1]
    side_E = np.where(played_E >= 0, team[played_E], -1)
    gained = np.diff(side_E, prepend=-2) != 0

    # Positions in team 0's frame: rows are in the frame of their own team's attack. NaN unknown, or of a delayed row.
    x, y = half.x[order], half.y[order]
    xy_E2 = np.stack([x, y], axis=1).astype(np.float32) / 50 - 1
    xy_E2[(x == UNKNOWN) | (y == UNKNOWN)] = np.nan
    xy_E2 = np.where(team[:, None] == 1, -xy_E2, xy_E2)
    xy_E2[half.delay_ms[order] > 0] = np.nan
    return FeedTrack(
        half=half,
        visible_ms_E=visible_ms,
        code_E=code,
        team_E=team,
        setpiece_E=half.setpiece[order].astype(np.intp),
        weight_EK=np.vstack([np.zeros((1, N_CODES), np.int64), weight_EK.cumsum(axis=0)]),
        last_ms_EK=last_ms_EK,
        played_E=played_E,
        next_played_E=next_played_E,
        gained_ms_E=np.maximum.accumulate(np.where(gained, visible_ms, -1)),
        xy_E2=xy_E2,
        located_E=np.maximum.accumulate(np.where(np.isnan(xy_E2).any(axis=1), -1, row_E)),
        confidence_E=confidence,
        late_ms_E=half.late_ms[order],
    )


def window_features(track: FeedTrack, end_ms_P: NDArray[np.integer]) -> NDArray[np.float32]:
    """Features of the 5-s windows that end at the given times.

    Args:
        track: a prepared half.
        end_ms_P: ends of the windows, ms from the half's start; may lie before 5000 (nothing was seen then).

    Returns:
        features_PNF, float32, N = 33 steps, F = ``N_FEATURES``, roughly within [-1, 1].
    """
    half = track.half
    features_PNF = np.zeros((len(end_ms_P), GRID.n_snippets, N_FEATURES), np.float32)

    def put(name: str, values: NDArray) -> None:
        """Write a column, or a group of columns from this one on."""
        columns = values if values.ndim == 3 else values[..., None]
        features_PNF[..., _COLUMN[name] : _COLUMN[name] + columns.shape[-1]] = columns

    # Each step's end, and two numbers of rows: those visible before it, and those visible before its window began.
    start_P1 = np.asarray(end_ms_P, np.float64)[:, None] - GRID.window_ms
    step_end_PN = start_P1 + np.arange(1, GRID.n_snippets + 1) * (GRID.window_ms / GRID.n_snippets)
    known_PN = np.searchsorted(track.visible_ms_E, step_end_PN, side="left")
    first_P1 = np.searchsorted(track.visible_ms_E, start_P1, side="left")
    if len(track.visible_ms_E):
        _put_rows(put, track, step_end_PN, known_PN, first_P1)
    else:  # nothing was ever seen: as long ago as can be
        put("gap", np.array(True))
        put("age", np.array(True))

    # Facts about the source and the time, which need no rows.
    if half.clock_known:
        put("clock", step_end_PN / _HALF_LENGTH_MS - 0.5)
    put("reports_0", np.array([[[code in half.reports for code in range(N_CODES)]]]))
    put("observed", step_end_PN > half.seen_from_ms)
    put("clock_known", np.array(half.clock_known))
    return features_PNF


def _put_rows(
    put: Callable[[str, NDArray], None],
    track: FeedTrack,
    step_end_PN: NDArray[np.float64],
    known_PN: NDArray[np.intp],
    first_P1: NDArray[np.intp],
) -> None:
    """Write all features that depend on rows: row ``first_P1`` is the window's first, ``known_PN`` - 1 the latest."""
    seen_PN = known_PN > first_P1  # anything of this window
    row_PN = np.maximum(known_PN - 1, 0)  # the latest row, of no meaning unless seen

    # Codes: what arrived in this step (at most 1, less where doubtful), what came last, how recently each code came.
    before_PN = np.concatenate([first_P1, known_PN[:, :-1]], axis=1)
    put("arrived_0", np.minimum(track.weight_EK[known_PN] - track.weight_EK[before_PN], 100) / 100)
    put("last_0", (np.arange(N_CODES) == track.code_E[row_PN][..., None]) & seen_PN[..., None])
    last_ms = track.last_ms_EK[row_PN]
    start_ms = np.maximum(step_end_PN[:, -1:] - GRID.window_ms, 0)[..., None]
    recency = np.exp((last_ms - step_end_PN[..., None]) / (_RECENCY_S * 1000))
    put("recency_0", np.where((last_ms >= start_ms) & seen_PN[..., None], recency, 0))

    # Possession: the side that played the ball last in this window, as +1, -1 or 0; whether the acting team has it.
    played_PN = track.played_E[row_PN]
    side = np.where(seen_PN & (played_PN >= first_P1), track.team_E[played_PN], -1)
    actor = track.team_E[row_PN]
    put("seen", seen_PN)
    put("side", np.where(side >= 0, 1.0 - 2.0 * side, 0.0))
    both_known = seen_PN & (side >= 0) & (actor >= 0)
    put("actor_in_possession", np.where(both_known, np.where(actor == side, 1.0, -1.0), 0.0))
    put("team_known", seen_PN & (actor >= 0))

    # How long that side has had the ball, counted from no earlier than its first touch in this window.
    first_played_P1 = track.next_played_E[np.minimum(first_P1, len(track.next_played_E) - 1)]
    since_ms = np.maximum(track.gained_ms_E[row_PN], track.visible_ms_E[first_played_P1])
    put("possession", np.where(side >= 0, (step_end_PN - since_ms) / GRID.window_ms, 0.0))

    # Position: where the ball was last seen in this window and where before that, turned to the side in possession.
    turn_PN1 = np.where(np.where(side >= 0, side, actor) == 1, -1.0, 1.0)[..., None]
    at_PN = np.where(seen_PN, track.located_E[row_PN], -1)
    from_PN = np.where(at_PN > 0, track.located_E[np.maximum(at_PN - 1, 0)], -1)
    located, moved_known = at_PN >= first_P1, from_PN >= first_P1
    xy = np.where(located[..., None], track.xy_E2[at_PN], 0) * turn_PN1
    earlier_xy = np.where(moved_known[..., None], track.xy_E2[from_PN], 0) * turn_PN1
    put("x", xy)
    put("off_centre", np.abs(xy[..., 1]))
    put("goal_distance", np.where(located, np.hypot(1 - xy[..., 0], 0.65 * xy[..., 1]) / 2, 0.0))
    put("position_known", located)

    # Movement between these two positions, and its speed in half pitches a second, at most 3.
    moved = np.where(moved_known[..., None], xy - earlier_xy, 0)
    took_s = (track.visible_ms_E[at_PN] - track.visible_ms_E[from_PN]) / 1000
    put("dx", moved)
    put("speed", np.minimum(np.hypot(moved[..., 0], moved[..., 1]) / np.maximum(took_s, 0.2), 3.0) / 3)

    # Time: between the latest two rows, since the latest row, and how many rows there were.
    gap_s = (track.visible_ms_E[row_PN] - track.visible_ms_E[np.maximum(row_PN - 1, 0)]) / 1000
    put("gap", np.where(seen_PN & (row_PN > first_P1), np.minimum(gap_s, 5.0) / 5, 1.0))
    age_s = np.where(seen_PN, (step_end_PN - track.visible_ms_E[row_PN]) / 1000, 5.0)
    put("age", age_s / 5)
    put("instant", np.where(seen_PN, np.exp(-age_s / _INSTANT_S), 0.0))
    put("actions", (known_PN - first_P1) / 5)

    # The latest row itself: its set piece, its confidence, how late it came.
    setpiece = track.setpiece_E[row_PN]
    put("setpiece_1", (setpiece[..., None] == np.arange(1, N_SETPIECES)) & seen_PN[..., None])
    put("setpiece_known", seen_PN & (setpiece != UNKNOWN))
    confident = seen_PN & (track.confidence_E[row_PN] != UNKNOWN)
    put("confidence", np.where(confident, track.confidence_E[row_PN] / 100, 0.0))
    put("confidence_known", confident)
    put("lateness", np.where(seen_PN, np.minimum(track.late_ms_E[row_PN] / _VERY_LATE_MS, 1.0), 0.0))


def mirror(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exchange left and right (y -> -y): the same play on a mirrored pitch."""
    mirrored = features.copy()
    mirrored[..., [_COLUMN["y"], _COLUMN["dy"]]] *= -1
    return mirrored


def swap_sides(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exchange teams 0 and 1: positions are turned to possession, so only the side's sign changes."""
    swapped = features.copy()
    swapped[..., _COLUMN["side"]] *= -1
    return swapped
