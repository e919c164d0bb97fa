"""Plays: seeded sequences of actions with real rates and rhythms, as a feed or in the benchmark's layouts.

A first-order chain over the ten actions. The ball's place also leans on what is likely: crosses come from the
wing near the goal, shots from in front of it, throw-ins from the line.
"""

import json
from pathlib import Path

import numpy as np

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.domain.records import ActionEvent, Clip
from playahead.io.errors import InputError
from playahead.lab.simulation.rhythm import (
    GAP_LOG_SPREAD,
    GAP_MS,
    NEXT_PERMILLE,
    REACH_METRES,
    SAME_SIDE_PERCENT,
)
from playahead.sources.soccernet import cut_into_clips

_NEAR_GOAL = 72.0  # percent of the pitch's length from which crosses and shots come
_SETPIECE = {Action.THROW_IN: 1}


def simulate_half(seed: int, match: int = 1, half: int = 1, minutes: float = 45.0) -> FeedHalf:
    """One half of simulated football; the same arguments give the same rows.

    Raises:
        InputError: a duration that is not positive.
    """
    if not 0.1 <= minutes <= 120:
        raise InputError("minutes", f"{minutes} of a half is not in 0.1 to 120")
    if seed < 0:
        raise InputError("seed", f"{seed} is negative")
    rng = np.random.default_rng([seed, match, half])
    ball = _Ball(rng)
    rows: list[tuple[int, int, int, int, int]] = []
    now_ms, action, team = 1_000.0, Action.PASS, int(rng.integers(2))
    while now_ms < minutes * 60_000:
        x, y = ball.place(action, team)
        rows.append((round(now_ms), action.class_index, team, x, y))
        ball.travel(action)
        following = ball.next_action(action, team)
        gap_ms = GAP_MS[action.class_index, following.class_index] * np.exp(GAP_LOG_SPREAD * rng.standard_normal())
        now_ms += max(gap_ms, 80.0)
        if rng.random() * 100 >= SAME_SIDE_PERCENT[action.class_index, following.class_index]:
            team = 1 - team
        action = following
    t_ms, code, teams, x, y = (np.array(column) for column in zip(*rows, strict=True))
    setpiece = np.zeros(len(rows), np.uint8)
    for kind, number in _SETPIECE.items():
        setpiece[code == kind.class_index] = number
    return FeedHalf(
        match=match,
        half=half,
        t_ms=t_ms.astype(np.int32),
        code=code.astype(np.uint8),
        team=teams.astype(np.uint8),
        x=x.astype(np.uint8),
        y=y.astype(np.uint8),
        setpiece=setpiece,
        delay_ms=np.zeros(len(rows), np.uint16),
    )


class _Ball:
    """Where the ball is, in team 0's frame, percent of the pitch; and what its place makes likely."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.xy = np.array([50.0, 50.0])

    def place(self, action: Action, team: int) -> tuple[int, int]:
        """The acting team's view of the ball, put where the action can happen."""
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
        metres = REACH_METRES[action.class_index] * self.rng.uniform(0.4, 1.6)
        angle = self.rng.uniform(0, 2 * np.pi)
        step = metres * np.array([np.cos(angle), np.sin(angle)]) / PITCH_M * 100
        self.xy = np.clip(self.xy + step, 1.0, 99.0)

    def next_action(self, action: Action, team: int) -> Action:
        """Draw what follows; near the goal under attack crosses and shots are likelier, elsewhere rarer."""
        chance = NEXT_PERMILLE[action.class_index].astype(np.float64)
        x = self.xy[0] if team == 0 else 100 - self.xy[0]
        for attack in (Action.CROSS, Action.SHOT):
            chance[attack.class_index] *= 3.0 if x > _NEAR_GOAL else 0.2
        return ACTIONS[self.rng.choice(len(ACTIONS), p=chance / chance.sum())]


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


def clips_of(half: FeedHalf, stride_ms: int = 5_000, video: str = "224p.mp4") -> list[Clip]:
    """A half in the anticipation benchmark's layout."""
    duration_ms = int(half.t_ms[-1]) if len(half) else 0
    return cut_into_clips(actions_of(half), duration_ms, stride_ms, video)


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
