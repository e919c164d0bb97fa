"""Event feed -> step features on the paper's grid: each 5-s window is 33 steps of 5/33 s.

Two rules keep a window honest, and make it cheap:

* A step sees only rows whose ``t_ms + delay_ms + late_ms`` lies *before the step's end*. Nothing later can change it.
* A window sees only rows that became visible *inside that window*. So an example of six windows rests on
  30 s and no more, and the window is the same in all six examples that hold it: it is encoded once.

A third rule is about one kind of row. A row with a delay is an inference (a drive, from the pass before it and the time
until the next action), and providers give it the place of that *next* action: a pass's end is the next event's start.
So the place of a delayed row is never looked at; the ball stays where it was last seen.

Positions are turned to the side in possession at that step (the acting side where none is known), so "x near 1" is
always near the goal under attack. Rows of an unknown team keep the direction in which their own team attacks.

What the source does not say is told apart from what did not happen: the last columns say what is known.

Axes: P windows asked for, N steps (33), F features, K codes (14), E rows of the half.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import Action
from playahead.domain.feed import DUEL, N_CODES, N_SETPIECES, STOPPAGE, UNKNOWN, FeedHalf
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
FEED_FEATURES = {"kind": "feed", "names": list(FEATURE_NAMES)}
"""What weights trained on them say of their features."""

_MIRRORED = [FEATURE_NAMES.index(name) for name in ("y", "dy")]
_SIDE = FEATURE_NAMES.index("side")
_REPORTS = slice(FEATURE_NAMES.index("reports_0"), FEATURE_NAMES.index("reports_0") + N_CODES)
_LONG_AGO = [FEATURE_NAMES.index(name) for name in ("gap", "age")]  # at 1 where nothing was seen


@dataclass(frozen=True)
class FeedTrack:
    """A half made ready for looking up what was known at any moment; rows in order of *visibility*.

    Attributes:
        half: where it comes from.
        visible_ms_E: when each row became visible.
        team_E: -1 unknown.
        weight_EK: confidence, in percent, of all rows of each code that were visible before row e (E + 1 rows); 100
            where unknown.
        last_ms_EK: latest visibility of each code up to and including row e.
        played_E: latest row up to e that plays the ball (its team is in possession), -1 none.
        next_played_E: first such row from e on.
        gained_ms_E: when the team in possession after row e gained it.
        xy_E2: ball position in team 0's frame, -1 to 1, NaN unknown or not to be looked at.
        located_E: latest row up to e whose position is known, -1 none.
        confidence_E: percent, or ``UNKNOWN``.
        late_ms_E: how long after it could be known each row arrived.
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

    def seen_ms(self, until_ms: int) -> int:
        """How much of the 30 s before a time are observed."""
        return until_ms - max(until_ms - GRID.observation_ms, min(self.half.seen_from_ms, until_ms), 0)

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows (W, N, F) of the examples that end at these times, which lie 5 s apart."""
        earlier = end_ms[0] - np.arange(GRID.n_windows - 1, 0, -1) * GRID.window_ms
        return window_features(self, np.r_[earlier, end_ms])


def prepare_track(half: FeedHalf) -> FeedTrack:
    """Order rows by when they can be seen and run through them once; those from before the observation are left out."""
    all_visible_ms = half.visible_ms
    order = np.argsort(all_visible_ms, kind="stable")
    order = order[all_visible_ms[order] >= half.seen_from_ms]
    visible_ms, code = all_visible_ms[order], half.code[order].astype(np.intp)
    team = np.where(half.team[order] == UNKNOWN, -1, half.team[order].astype(np.intp))
    is_code_EK = np.arange(N_CODES) == code[:, None]
    last_ms_EK = np.maximum.accumulate(np.where(is_code_EK, visible_ms[:, None], -1), axis=0)
    confidence = half.confidence[order]
    weight_EK = is_code_EK * np.where(confidence == UNKNOWN, 100, confidence.astype(np.int64))[:, None]
    plays_ball = ~np.isin(code, (DUEL, STOPPAGE, Action.OUT.class_index))
    row_E = np.arange(len(code))
    played_E = np.maximum.accumulate(np.where(plays_ball, row_E, -1))
    next_played_E = np.minimum.accumulate(np.where(plays_ball, row_E, len(code) - 1)[::-1])[::-1]
    side_E = np.where(played_E >= 0, team[played_E], -1)
    gained = np.diff(side_E, prepend=-2) != 0
    xy_E2 = _common_frame(half.x[order], half.y[order], team)
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


def _common_frame(x: NDArray[np.uint8], y: NDArray[np.uint8], team: NDArray[np.intp]) -> NDArray[np.float32]:
    xy_E2 = np.stack([x, y], axis=1).astype(np.float32) / 50 - 1
    xy_E2[(x == UNKNOWN) | (y == UNKNOWN)] = np.nan
    return np.where(team[:, None] == 1, -xy_E2, xy_E2)


def window_features(track: FeedTrack, end_ms_P: NDArray[np.integer]) -> NDArray[np.float32]:
    """Features of the 5-s windows that end at the given times.

    Args:
        track: a prepared half.
        end_ms_P: window ends, ms from the half's start; may lie before 5000 (nothing was seen then).

    Returns:
        features_PNF, float32, N = 33 steps, F = ``N_FEATURES``, roughly within [-1, 1].
    """
    start_P1 = np.asarray(end_ms_P, np.float64)[:, None] - GRID.window_ms
    step_end_PN = start_P1 + np.arange(1, GRID.n_snippets + 1) * (GRID.window_ms / GRID.n_snippets)
    known_PN = np.searchsorted(track.visible_ms_E, step_end_PN, side="left")
    first_P1 = np.searchsorted(track.visible_ms_E, start_P1, side="left")
    features_PNF = np.zeros((*known_PN.shape, N_FEATURES), np.float32)
    if len(track.visible_ms_E):
        _fill(features_PNF, track, step_end_PN, known_PN, first_P1)
    else:
        features_PNF[..., _LONG_AGO] = 1.0
    half = track.half
    if half.clock_known:
        features_PNF[..., FEATURE_NAMES.index("clock")] = step_end_PN / _HALF_LENGTH_MS - 0.5
    features_PNF[..., _REPORTS] = [code in half.reports for code in range(N_CODES)]
    features_PNF[..., FEATURE_NAMES.index("observed")] = step_end_PN > half.seen_from_ms
    features_PNF[..., FEATURE_NAMES.index("clock_known")] = half.clock_known
    return features_PNF


def _fill(
    out_PNF: NDArray[np.float32],
    track: FeedTrack,
    step_end_PN: NDArray[np.float64],
    known_PN: NDArray[np.intp],
    first_P1: NDArray[np.intp],
) -> None:
    """Everything that rests on rows: ``known_PN`` rows are visible, those from ``first_P1`` on in this window."""
    seen_PN = known_PN > first_P1
    row_PN = np.maximum(known_PN - 1, 0)
    before_PN = np.concatenate([first_P1, known_PN[:, :-1]], axis=1)
    start_ms_P1 = step_end_PN[:, -1:] - GRID.window_ms
    put = _Writer(out_PNF)
    put(np.minimum(track.weight_EK[known_PN] - track.weight_EK[before_PN], 100) / 100)
    put((np.arange(N_CODES) == track.code_E[row_PN][..., None]) & seen_PN[..., None])
    last_ms = track.last_ms_EK[row_PN]
    recency = np.exp((last_ms - step_end_PN[..., None]) / (_RECENCY_S * 1000))
    put(np.where((last_ms >= np.maximum(start_ms_P1, 0)[..., None]) & seen_PN[..., None], recency, 0))

    played_PN = track.played_E[row_PN]
    side = np.where(seen_PN & (played_PN >= first_P1), track.team_E[played_PN], -1)
    actor = track.team_E[row_PN]
    turn = np.where(np.where(side >= 0, side, actor) == 1, -1.0, 1.0)
    put(seen_PN)
    put(np.where(side >= 0, 1.0 - 2.0 * side, 0.0))
    put(np.where(seen_PN & (side >= 0) & (actor >= 0), np.where(actor == side, 1.0, -1.0), 0.0))
    located_PN = _put_movement(put, track, row_PN, seen_PN, first_P1, turn)
    gap_s = (track.visible_ms_E[row_PN] - track.visible_ms_E[np.maximum(row_PN - 1, 0)]) / 1000
    put(np.where(seen_PN & (row_PN > first_P1), np.minimum(gap_s, 5.0) / 5, 1.0))
    age_s = np.where(seen_PN, (step_end_PN - track.visible_ms_E[row_PN]) / 1000, 5.0)
    put(age_s / 5)
    put(np.where(seen_PN, np.exp(-age_s / _INSTANT_S), 0.0))
    setpiece = track.setpiece_E[row_PN][..., None] == np.arange(1, N_SETPIECES)
    put(setpiece & seen_PN[..., None])
    first_played_P1 = track.next_played_E[np.minimum(first_P1, len(track.next_played_E) - 1)]
    since_ms = np.maximum(track.gained_ms_E[row_PN], track.visible_ms_E[first_played_P1])
    put(np.where(side >= 0, (step_end_PN - since_ms) / GRID.window_ms, 0.0))
    put((known_PN - first_P1) / 5)
    put.skip("clock")
    put(seen_PN & (actor >= 0))
    put(located_PN)
    put(seen_PN & (track.setpiece_E[row_PN] != UNKNOWN))
    confident = seen_PN & (track.confidence_E[row_PN] != UNKNOWN)
    put(np.where(confident, track.confidence_E[row_PN] / 100, 0.0))
    put(confident)
    put(np.where(seen_PN, np.minimum(track.late_ms_E[row_PN] / _VERY_LATE_MS, 1.0), 0.0))


def _put_movement(
    put: "_Writer",
    track: FeedTrack,
    row_PN: NDArray[np.intp],
    seen_PN: NDArray[np.bool_],
    first_P1: NDArray[np.intp],
    turn_PN: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Where the ball was last seen in this window, and how it came there; returns at which steps that is known."""
    at_PN = np.where(seen_PN, track.located_E[row_PN], -1)
    from_PN = np.where(at_PN > 0, track.located_E[np.maximum(at_PN - 1, 0)], -1)
    known, moved_known = at_PN >= first_P1, from_PN >= first_P1
    here = np.where(known[..., None], track.xy_E2[at_PN], 0) * turn_PN[..., None]
    there = np.where(moved_known[..., None], track.xy_E2[from_PN], 0) * turn_PN[..., None]
    moved = np.where(moved_known[..., None], here - there, 0)
    took_s = (track.visible_ms_E[at_PN] - track.visible_ms_E[from_PN]) / 1000
    put(here)
    put(np.abs(here[..., 1]))
    put(np.where(known, np.hypot(1 - here[..., 0], 0.65 * here[..., 1]) / 2, 0.0))
    put(moved)
    put(np.minimum(np.hypot(moved[..., 0], moved[..., 1]) / np.maximum(took_s, 0.2), 3.0) / 3)
    return known


class _Writer:
    """Appends feature columns in the order of ``FEATURE_NAMES``."""

    def __init__(self, out_PNF: NDArray[np.float32]) -> None:
        self._out = out_PNF
        self._next = 0

    def __call__(self, values: NDArray) -> None:
        columns = values if values.ndim == 3 else values[..., None]
        self._out[..., self._next : self._next + columns.shape[-1]] = columns
        self._next += columns.shape[-1]

    def skip(self, name: str) -> None:
        """Past a column that is written elsewhere."""
        assert FEATURE_NAMES[self._next] == name
        self._next += 1


def mirror(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left and right exchanged (y -> -y): the same play on a mirrored pitch."""
    mirrored = features.copy()
    mirrored[..., _MIRRORED] *= -1
    return mirrored


def swap_sides(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Team 0 and 1 exchanged: positions are turned to possession, so only the side's name changes."""
    swapped = features.copy()
    swapped[..., _SIDE] *= -1
    return swapped
