"""Plays: seeded sequences of actions with real rates and rhythms, as a feed or in the benchmarks' layouts.

A first-order chain over the ten actions. The ball's place also leans on what is likely: crosses come from the
wing near the goal, shots from in front of it, throw-ins from the line.
"""

import json
from pathlib import Path

import numpy as np

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf, FeedRow, SetPiece
from playahead.domain.pitch import PITCH_M
from playahead.domain.records import ActionEvent, Clip
from playahead.io.errors import InputError
from playahead.sources.soccernet import cut_into_clips

_NEAR_GOAL = 72.0  # percent of the pitch's length from which crosses and shots come

# The tables: what follows what, who does it and how soon, rounded from 200 real matches (Wyscout-BAA train, CC BY 4.0).
# Rows and columns are the ten actions in benchmark order. ``benchmarks/rhythm.py`` prints them.
_NEXT_PERMILLE = np.array(
    [
        [212, 695, 6, 26, 0, 7, 5, 21, 24, 4],
        [686, 130, 8, 94, 0, 41, 17, 16, 2, 6],
        [297, 279, 177, 98, 0, 11, 21, 102, 10, 7],
        [210, 268, 350, 52, 0, 5, 4, 87, 18, 6],
        [212, 598, 122, 31, 0, 4, 1, 18, 4, 10],
        [106, 99, 415, 56, 0, 5, 101, 64, 153, 1],
        [207, 20, 13, 83, 0, 5, 21, 421, 229, 1],
        [24, 0, 0, 213, 623, 132, 0, 7, 0, 0],
        [393, 85, 31, 106, 0, 19, 32, 323, 8, 4],
        [669, 236, 0, 68, 0, 13, 3, 3, 8, 0],
    ]
)
"""How often the column follows the row."""

_SAME_SIDE_PERCENT = np.array(
    [
        [75, 99, 46, 55, 50, 90, 83, 51, 1, 10],
        [97, 96, 37, 95, 50, 99, 99, 50, 48, 8],
        [42, 80, 38, 45, 50, 30, 36, 53, 13, 30],
        [27, 95, 30, 15, 50, 73, 75, 54, 2, 14],
        [75, 99, 40, 50, 50, 80, 78, 53, 9, 12],
        [14, 89, 13, 2, 50, 99, 99, 44, 0, 11],
        [10, 36, 55, 4, 50, 80, 98, 44, 4, 20],
        [42, 50, 50, 56, 49, 44, 50, 24, 50, 50],
        [48, 49, 48, 72, 50, 13, 10, 52, 52, 68],
        [99, 26, 50, 98, 50, 96, 99, 50, 99, 50],
    ]
)
"""How often the side that did the row also does the column."""

_GAP_MS = np.array(
    [
        [1274, 1267, 1441, 1617, 1000, 1526, 1247, 3932, 300, 1779],
        [1649, 360, 762, 1982, 1000, 1646, 1448, 4963, 1607, 1357],
        [2648, 1148, 1812, 2563, 1000, 4389, 1679, 4285, 702, 2395],
        [4066, 2537, 2717, 5280, 1000, 3379, 2520, 5176, 810, 2897],
        [1381, 1234, 1830, 2831, 827, 13464, 2087, 5795, 1239, 1693],
        [3399, 1995, 1651, 8197, 1000, 2048, 1738, 6374, 644, 1715],
        [21092, 7443, 21859, 11854, 1000, 4353, 2423, 5168, 630, 3824],
        [12998, 11564, 1000, 20316, 7632, 20279, 1000, 2413, 1000, 1000],
        [2714, 2499, 2188, 3401, 1000, 3614, 1989, 4292, 1617, 2774],
        [1951, 412, 1000, 2278, 1000, 2541, 1878, 4321, 1615, 1000],
    ]
)
"""Median time from the row to the column."""

_GAP_LOG_SPREAD = 0.6  # standard deviation of the log of a gap around its median
_REACH_METRES = np.array([14, 9, 11, 34, 14, 26, 18, 6, 5, 4])  # typical distance that the ball goes with each action


def simulate_half(seed: int, match: int = 1, half: int = 1, minutes: float = 45.0) -> FeedHalf:
    """One half of simulated football; the same arguments give the same rows."""
    if not 0.1 <= minutes <= 120:
        raise InputError("minutes", f"{minutes} of a half is not in 0.1 to 120")
    if seed < 0:
        raise InputError("seed", f"{seed} is negative")
    rng = np.random.default_rng([seed, match, half])
    ball = _Ball(rng)
    rows: list[FeedRow] = []
    now_ms, action, team = 1_000.0, Action.PASS, int(rng.integers(2))
    while now_ms < minutes * 60_000:
        x, y = ball.place(action, team)
        setpiece = SetPiece.THROW_IN if action is Action.THROW_IN else SetPiece.OPEN_PLAY
        rows.append(FeedRow(half, round(now_ms), action.class_index, team, x, y, setpiece))
        ball.travel(action)
        following = ball.next_action(action, team)
        gap_ms = _GAP_MS[action.class_index, following.class_index] * np.exp(_GAP_LOG_SPREAD * rng.standard_normal())
        now_ms += max(gap_ms, 80.0)
        if rng.random() * 100 >= _SAME_SIDE_PERCENT[action.class_index, following.class_index]:
            team = 1 - team
        action = following
    return FeedHalf.from_rows(match, half, rows)


class _Ball:
    """The ball's place, in percent of the pitch as team 0 sees it, and what that place makes likely."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.xy = np.array([50.0, 50.0])

    def place(self, action: Action, team: int) -> tuple[int, int]:
        """Move the ball to where the action can happen; returns its place as the acting team sees it."""
        x, y = self.xy if team == 0 else 100 - self.xy
        if action is Action.CROSS:
            x, y = max(x, _NEAR_GOAL), (8.0 if y < 50 else 92.0)
        elif action is Action.SHOT:
            x, y = max(x, _NEAR_GOAL + 8), 50 + (y - 50) * 0.4
        elif action in (Action.THROW_IN, Action.OUT):
            y = 0.0 if y < 50 else 100.0
        self.xy = np.array([x, y]) if team == 0 else 100 - np.array([x, y])
        return round(x), round(y)

    def travel(self, action: Action) -> None:
        """Move the ball as far as the action usually sends it."""
        metres = _REACH_METRES[action.class_index] * self.rng.uniform(0.4, 1.6)
        angle = self.rng.uniform(0, 2 * np.pi)
        step = metres * np.array([np.cos(angle), np.sin(angle)]) / PITCH_M * 100
        self.xy = np.clip(self.xy + step, 1.0, 99.0)

    def next_action(self, action: Action, team: int) -> Action:
        """Draw what follows; crosses and shots are likelier near the goal under attack, and rarer elsewhere."""
        probability = _NEXT_PERMILLE[action.class_index].astype(np.float64)
        x = self.xy[0] if team == 0 else 100 - self.xy[0]
        for attack in (Action.CROSS, Action.SHOT):
            probability[attack.class_index] *= 3.0 if x > _NEAR_GOAL else 0.2
        return ACTIONS[self.rng.choice(len(ACTIONS), p=probability / probability.sum())]


def simulate_match(seed: int, match: int = 1, minutes_per_half: float = 45.0) -> list[FeedHalf]:
    """Two simulated halves."""
    return [simulate_half(seed, match, half, minutes_per_half) for half in (1, 2)]


def actions_of(half: FeedHalf) -> tuple[ActionEvent, ...]:
    """The rows of a half that are benchmark actions, as records (team 0 is home)."""
    target = half.is_target
    return tuple(
        ActionEvent(int(t), ACTIONS[int(code)], "home" if team == 0 else "away")
        for t, code, team in zip(half.t_ms[target], half.code[target], half.team[target], strict=True)
    )


def clips_of(half: FeedHalf) -> list[Clip]:
    """A half in the anticipation benchmark's layout: a clip every 5 s."""
    return cut_into_clips(actions_of(half), int(half.t_ms[-1]) if len(half) else 0, 5_000, "224p.mp4")


def write_bas_labels(path: Path, halves: list[FeedHalf]) -> None:
    """A match in the spotting benchmark's layout (``gameTime``, ``position``, ``label``)."""
    annotations = [
        {
            "gameTime": f"{half.half} - {e.position_ms // 60000:02d}:{e.position_ms // 1000 % 60:02d}",
            "label": str(e.action),
            "position": str(e.position_ms),
            "team": e.side,
            "visibility": "visible",
        }
        for half in halves
        for e in actions_of(half)
    ]
    path.write_text(json.dumps({"annotations": annotations}, indent=1), encoding="utf-8")
