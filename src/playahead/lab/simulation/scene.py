"""Places of ball and players at every frame of a half, given its actions.

The ball goes from each action to the next as the action sends it: rolling, in the air, carried, dead for the rest of a
long gap. Players keep their formation around it, and whoever acts next runs there beforehand.

World axes: x 0-105 m along the pitch (team 0 attacks towards 105), y 0-68 m across it, z up.
Axes: E events, T frames, J players (22: team 0, then team 1), 2 or 3 coordinates in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.grid import GRID
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError

STANDING, JUMPING, SLIDING, ARMS_UP = range(4)

_SPEED_M_S = {
    Action.PASS: 9.0,
    Action.HEADER: 9.0,
    Action.HIGH_PASS: 14.0,
    Action.THROW_IN: 9.0,
    Action.CROSS: 15.0,
    Action.SHOT: 24.0,
    Action.OUT: 6.0,
    Action.BLOCK: 8.0,
    Action.TACKLE: 5.0,
}
_SHORTEST_FLIGHT_S = 0.35
_LOFT = {
    Action.HIGH_PASS: (1.5, 12.0),
    Action.CROSS: (1.5, 6.0),
    Action.HEADER: (0.3, 2.0),
    Action.THROW_IN: (0.3, 1.5),
}
_RELEASE_M = {Action.HEADER: 2.0, Action.THROW_IN: 2.3}
_GROUND_M = 0.2
_HELD_S = 1.2  # a thrower lifts the ball so long before he throws
_POSE = {Action.HEADER: JUMPING, Action.TACKLE: SLIDING, Action.THROW_IN: ARMS_UP}
_POSE_S = 0.5
_RUN_S, _RETURN_S = 2.0, 1.5
_FORMATION = np.array(
    [(4, 34), (20, 10), (17, 26), (17, 42), (20, 58), (40, 12), (36, 28), (36, 42), (40, 57), (58, 24), (60, 44)], float
)
_FOLLOW = np.array([0.5, 0.35])  # how far a formation follows the ball along and across the pitch


@dataclass(frozen=True)
class Scene:
    """A half, frame by frame: places in metres, and poses (STANDING, JUMPING, SLIDING or ARMS_UP)."""

    ball_T3: NDArray[np.float32]
    players_TJ2: NDArray[np.float32]
    pose_TJ: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ball_T3)


@dataclass(frozen=True)
class _Events:
    time_s_E: NDArray[np.float64]
    action_E: list[Action]
    team_E: NDArray[np.int64]
    xy_E2: NDArray[np.float64]


def stage(half: FeedHalf, n_frames: int, seed: int) -> Scene:
    """Play a half's actions out over ``n_frames`` frames at 25 a second."""
    events = _events_of(half)
    time_s_T = np.arange(n_frames) / GRID.fps
    ball_T3 = _ball(events, time_s_T)
    formation_TJ2 = _formations(ball_T3, time_s_T, np.random.default_rng([seed, half.match, half.half]))
    actor_E = _actors(events, formation_TJ2)
    players_TJ2 = formation_TJ2.copy()
    pose_TJ = np.zeros((n_frames, 2 * len(_FORMATION)), np.uint8)
    for player in np.unique(actor_E):
        own = np.flatnonzero(actor_E == player)
        _run(players_TJ2[:, player], events, own, time_s_T)
        _pose(pose_TJ[:, player], events, own, time_s_T)
    # While a drive lasts its player stays with the ball.
    for e in range(len(actor_E) - 1):
        if events.action_E[e] is Action.DRIVE and actor_E[e + 1] == actor_E[e]:
            start, stop = np.searchsorted(time_s_T, events.time_s_E[e : e + 2])
            players_TJ2[start:stop, actor_E[e]] = ball_T3[start:stop, :2]
    return Scene(ball_T3.astype(np.float32), players_TJ2.astype(np.float32), pose_TJ)


def _events_of(half: FeedHalf) -> _Events:
    chosen = np.flatnonzero(half.is_target)
    if not len(chosen):
        raise InputError(f"match {half.match}, half {half.half}", "holds no actions to show")
    # Places in metres in team 0's frame; an unknown place is where the ball was last known to be.
    share_E2 = np.stack([half.x[chosen], half.y[chosen]], axis=1).astype(np.float64)
    known_E = (share_E2 != UNKNOWN).all(axis=1)
    share_E2[~known_E] = 50.0
    team_E = half.team[chosen].astype(np.int64)
    common_E2 = np.where(team_E[:, None] == 0, share_E2, 100 - share_E2)
    latest_E = np.maximum.accumulate(np.where(known_E, np.arange(len(chosen)), 0))
    return _Events(
        time_s_E=half.t_ms[chosen] / 1000,
        action_E=[ACTIONS[code] for code in half.code[chosen]],
        team_E=team_E,
        xy_E2=common_E2[latest_E] / 100 * np.array(PITCH_M),
    )


def _ball(events: _Events, time_s_T: NDArray[np.float64]) -> NDArray[np.float64]:
    # Each frame lies between the last action (now) and the next one (then); share is how far the ball has gone.
    at_T = np.searchsorted(events.time_s_E, time_s_T, side="right") - 1
    last = len(events.time_s_E) - 1
    now_T, then_T = np.maximum(at_T, 0), np.minimum(at_T + 1, last)
    flight_s_E = _flight_s(events)
    since_s_T = time_s_T - events.time_s_E[now_T]
    share_T = np.clip(since_s_T / flight_s_E[now_T], 0, 1) * (at_T >= 0)
    rolls_E = np.array([action in (Action.PASS, Action.BLOCK, Action.OUT) for action in events.action_E])
    along_T = np.where(rolls_E[now_T], 1 - (1 - share_T) ** 1.5, share_T)[:, None]
    xy_T2 = events.xy_E2[now_T] * (1 - along_T) + events.xy_E2[then_T] * along_T

    # Height: a line from release to arrival, an arc over it, and the wait in a thrower's hands.
    release_E = np.array([_RELEASE_M.get(action, _GROUND_M) for action in events.action_E])
    arrival_E = np.array([2.0 if action is Action.HEADER else _GROUND_M for action in events.action_E])
    # A free flight of t seconds rises g t^2 / 8.
    lowest_E, highest_E = np.array([_LOFT.get(action, (0.0, 0.0)) for action in events.action_E]).T
    loft_E = np.clip(9.81 * flight_s_E**2 / 8, lowest_E, highest_E)
    height_T = release_E[now_T] * (1 - share_T) + arrival_E[then_T] * share_T
    height_T += loft_E[now_T] * 4 * share_T * (1 - share_T)
    thrown_E = np.array([action is Action.THROW_IN for action in events.action_E])
    to_go_s_T = events.time_s_E[then_T] - time_s_T
    held_T = thrown_E[then_T] & (to_go_s_T >= 0) & (to_go_s_T < _HELD_S) & (share_T >= 1)
    return np.column_stack([xy_T2, np.where(held_T, _RELEASE_M[Action.THROW_IN], height_T)])


def _flight_s(events: _Events) -> NDArray[np.float64]:
    """Time that the ball travels after each action: until the next one if it is carried."""
    gap_s_E = np.diff(events.time_s_E, append=events.time_s_E[-1] + 1)
    step_E2 = np.diff(events.xy_E2, axis=0, append=events.xy_E2[-1:])
    distance_E = np.hypot(step_E2[:, 0], step_E2[:, 1])
    speed_E = np.array([_SPEED_M_S.get(action, 1e-3) for action in events.action_E])
    free_s_E = np.maximum(distance_E / speed_E, _SHORTEST_FLIGHT_S)
    carried_E = np.array([action is Action.DRIVE for action in events.action_E])
    return np.maximum(np.where(carried_E, gap_s_E, np.minimum(gap_s_E, free_s_E)), 0.04)


def lagging(place_T2: NDArray[np.float64], keep: float) -> NDArray[np.float64]:
    """Places of something that follows: at each frame it keeps this share of its distance."""
    followed_T2 = np.empty_like(place_T2)
    x, y = place_T2[0].tolist()
    for t, (to_x, to_y) in enumerate(place_T2.tolist()):
        x, y = (1 - keep) * to_x + keep * x, (1 - keep) * to_y + keep * y
        followed_T2[t] = x, y
    return followed_T2


def _formations(
    ball_T3: NDArray[np.float64], time_s_T: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Both teams around the ball, each player wandering a little."""
    keep = np.exp(-1 / GRID.fps)  # follows with a lag of a second
    followed_T2 = lagging(ball_T3[:, :2], keep)
    centre = np.array(PITCH_M) / 2
    shift_T2 = (followed_T2 - centre) * _FOLLOW
    base_J2 = np.concatenate([_FORMATION, np.array(PITCH_M) - _FORMATION])
    phase_J2, hertz_J2 = rng.uniform(0, 2 * np.pi, (22, 2)), rng.uniform(0.03, 0.12, (22, 2))
    wander_TJ2 = 2.0 * np.sin(2 * np.pi * hertz_J2 * time_s_T[:, None, None] + phase_J2)
    return np.clip(base_J2 + shift_T2[:, None] + wander_TJ2, -1, np.array(PITCH_M) + 1)


def _actors(events: _Events, formation_TJ2: NDArray[np.float64]) -> NDArray[np.int64]:
    """Acting player of each event: after a drive the same, else the nearest of the team who did not act last."""
    actors: list[int] = []
    for e, (time_s, team) in enumerate(zip(events.time_s_E, events.team_E, strict=True)):
        own = np.arange(11) + 11 * team
        if e > 0 and events.action_E[e - 1] is Action.DRIVE and events.team_E[e - 1] == team:
            actors.append(actors[-1])
            continue
        frame = min(int(time_s * GRID.fps), len(formation_TJ2) - 1)
        away = np.linalg.norm(formation_TJ2[frame, own] - events.xy_E2[e], axis=1)
        if actors and actors[-1] in own:
            away[actors[-1] - own[0]] = np.inf
        actors.append(int(own[away.argmin()]))
    return np.array(actors)


def _run(path_T2: NDArray[np.float64], events: _Events, own: NDArray[np.intp], time_s_T: NDArray[np.float64]) -> None:
    """Bend a player's path through his own actions: he runs there beforehand and returns afterwards."""
    own_s, own_xy = events.time_s_E[own], events.xy_E2[own]
    # Between two of his actions he is partly on the way back (leaving) and partly on the way there (coming).
    following_T = np.searchsorted(own_s, time_s_T, side="right")
    has_next_T, has_last_T = following_T < len(own), following_T > 0
    next_T, last_T = np.minimum(following_T, len(own) - 1), np.maximum(following_T - 1, 0)
    run_s = np.minimum(_RUN_S, 0.95 * np.diff(own_s, prepend=own_s[0] - _RUN_S / 0.95))
    coming_T = np.where(has_next_T, 1 - _eased((own_s[next_T] - time_s_T) / np.maximum(run_s, 0.04)[next_T]), 0.0)
    leaving_T = np.where(has_last_T, 1 - _eased((time_s_T - own_s[last_T]) / _RETURN_S), 0.0)
    home_T2 = path_T2.copy()
    path_T2 += (leaving_T * (1 - coming_T))[:, None] * (own_xy[last_T] - home_T2)
    path_T2 += coming_T[:, None] * (own_xy[next_T] - home_T2)


def _eased(share: NDArray[np.float64]) -> NDArray[np.float64]:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _pose(pose_T: NDArray[np.uint8], events: _Events, own: NDArray[np.intp], time_s_T: NDArray[np.float64]) -> None:
    for e in own:
        pose = _POSE.get(events.action_E[e])
        if pose is not None:
            before_s = _HELD_S if pose == ARMS_UP else _POSE_S
            start, stop = np.searchsorted(time_s_T, [events.time_s_E[e] - before_s, events.time_s_E[e] + _POSE_S])
            pose_T[start:stop] = pose
