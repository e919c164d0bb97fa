"""Who acts next, and where: python where.py DATA WEIGHTS [--split val].

After every action of a split, the side and the place of the next one: as the model says of the class that it holds
likeliest, and as if the side and the place of the latest action repeated.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.dataset import FeedDataset
from playahead.decoding.predictions import DensePredictions
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.evaluation.scores import SAMPLES, Interval
from playahead.features.now import prepare_moments
from playahead.inference.open_predictor import open_predictor
from playahead.lab.next_action import NextActions, next_action

_SIZE_M = np.array(PITCH_M)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--split", default="val")
    options = parser.parse_args()
    times = NextActions(FeedDataset(options.data).evaluation_set(options.split).halves)
    predictor = open_predictor(options.weights)
    said = predictor.predict_all(times)
    assert isinstance(said, DensePredictions)
    assert said.where_OC3 is not None
    class_OC, _ = next_action(said.intensity())
    own_x_y_O3 = said.where_OC3[np.arange(len(said)), class_OC.argmax(axis=1)]
    halves = zip(times.halves, times.end_ms, strict=True)
    moments = [_around(half, ends_O, predictor.reading.seen(half)) for half, ends_O in halves]
    side_O, last_team_O, last_m_O2, next_team_O, next_m_O2 = (np.concatenate(c) for c in zip(*moments, strict=True))

    # Repeating gives the latest action's place; the model's is turned to the side that it expects to act.
    model_team_O = np.where(own_x_y_O3[:, 0] >= 0.5, side_O, 1 - side_O)
    model_m_O2 = _metres(model_team_O, (own_x_y_O3[:, 1:] + 1) * 50)
    known_O = (side_O >= 0) & (last_team_O < 2) & (next_team_O < 2)
    known_O &= ~np.isnan(last_m_O2).any(axis=1) & ~np.isnan(next_m_O2).any(axis=1)
    print(f"{known_O.sum():,} of {len(known_O):,} times, at which both sides and places are known\n")
    print("| class of the next action | times | side, model | side, repeated | place, m, model | place, m, repeated |")
    print("|---|---|---|---|---|---|")
    for name, of_class_O in {
        "all": known_O,
        **{a: known_O & (times.class_O == a.class_index) for a in ACTIONS},
    }.items():
        figures = []
        for team_O in (model_team_O, last_team_O):
            figures.append(_interval((team_O == next_team_O)[of_class_O], times.match_O[of_class_O], 100))
        for place_m_O2 in (model_m_O2, last_m_O2):
            away_m_O = np.linalg.norm(place_m_O2 - next_m_O2, axis=1)[of_class_O]
            figures.append(_interval(away_m_O, times.match_O[of_class_O], 1))
        print(f"| {name} | {of_class_O.sum():,} | " + " | ".join(figures) + " |")


def _around(half: FeedHalf, ends_O: NDArray[np.int64], seen: FeedHalf) -> tuple[NDArray, ...]:
    """Side in possession; team and place, in metres from home's left corner flag, of the latest and the next action."""
    actions = half.take(half.is_target)
    places_m = _metres(actions.team, np.stack([actions.x, actions.y], axis=1).astype(float))
    places_m[(actions.x == UNKNOWN) | (actions.y == UNKNOWN)] = np.nan
    following = np.searchsorted(actions.t_ms, ends_O - 1, side="right")
    # A delayed row's place is that of the action after it, which must not be told.
    told = np.flatnonzero(actions.delay_ms == 0)
    latest = told[np.maximum(np.searchsorted(actions.visible_ms[told], ends_O, side="left") - 1, 0)]
    side_O = prepare_moments(seen).sides(ends_O)
    return side_O, actions.team[latest], places_m[latest], actions.team[following], places_m[following]


def _metres(team_O: NDArray, xy_O2: NDArray[np.floating]) -> NDArray[np.floating]:
    """Places in a team's attack, 0 to 100 -> metres in home's."""
    return np.where(team_O[:, None] == 1, 100 - xy_O2, xy_O2) / 100 * _SIZE_M


def _interval(figure_O: NDArray, match_O: NDArray, scale: float) -> str:
    """Mean over times, with an interval over matches."""
    _, match_O = np.unique(match_O, return_inverse=True)
    sum_M, count_M = np.bincount(match_O, figure_O), np.bincount(match_O)
    draw_SM = np.random.default_rng(0).multinomial(len(sum_M), np.full(len(sum_M), 1 / len(sum_M)), SAMPLES)
    found = Interval.of_samples(sum_M.sum() / count_M.sum(), draw_SM @ sum_M / (draw_SM @ count_M))
    return f"{scale * found.value:.1f} [{scale * found.low:.1f}, {scale * found.high:.1f}]"


if __name__ == "__main__":
    main()
