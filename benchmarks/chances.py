"""Are chances what they say? python chances.py DATA WEIGHTS [--split val] [--matches 40] [--match FILE].

For each class and horizon: how often it happened and what was said on average, then in the tenth of the times with the
highest chances, and the largest ratio of said to happened over tenths with at least fifty of them. Then how well the
chance of a shot within 5 s tells the times before a shot from others (area under the ROC curve), beside the rate of
shots at the ball's place with the side in possession, and at the place alone, counted on train. FILE is a provider's
match to look at instead of the split.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.dataset import FeedDataset
from playahead.decoding.chances import HORIZONS_S
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf
from playahead.features.now import MOMENT_NAMES, prepare_moments
from playahead.inference.curves import curves
from playahead.sources.feed_tables import read_split
from playahead.sources.feeds import read_feed

_EVERY_MS, _FITTED = 5_000, 200
_ALONG, _ACROSS = 20, 6
_FEWEST = 50


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--matches", type=int)
    parser.add_argument("--match", type=Path)
    options = parser.parse_args()
    split = FeedDataset(options.data).evaluation_set(options.split) if options.match is None else None
    halves = split.halves if split is not None else read_feed(str(options.match))
    matches = list(dict.fromkeys(half.match for half in halves))[: options.matches]
    chances, happened, cells = [], [], []
    for half in (half for half in halves if half.match in matches):
        found = curves([half], _EVERY_MS / 1000, options.weights)
        ends_O = found.time_ms_O[found.time_ms_O <= half.t_ms[-1] - 1000 * HORIZONS_S[-1]]
        chances.append(found.chance_OHC[: len(ends_O)])
        happened.append(_happened(half, ends_O))
        cells.append(_cells(half, ends_O))
    chance_OHC, happened_OHC = np.concatenate(chances), np.concatenate(happened)
    print(f"{options.match or options.split}: {len(matches)} matches, {len(chance_OHC):,} times\n")
    print("| class | within, s | happened | said | happened, top tenth | said, top tenth | largest ratio |")
    print("|---|---|---|---|---|---|---|")
    for action in ACTIONS:
        for h, horizon_s in enumerate(HORIZONS_S):
            said_O, came_O = chance_OHC[:, h, action.class_index], happened_OHC[:, h, action.class_index]
            tenths = np.array_split(np.argsort(said_O, kind="stable"), 10)
            rows = [(float(said_O[t].mean()), float(came_O[t].mean()), int(came_O[t].sum())) for t in tenths]
            ratios = [said / came for said, came, n in rows if n >= _FEWEST]
            worst = max(ratios, key=lambda ratio: abs(np.log(ratio)), default=1.0)
            figures = (came_O.mean(), said_O.mean(), rows[-1][1], rows[-1][0])
            ratio = f"{worst:.2f}" if ratios else ""
            print(f"| {action} | {horizon_s} | {' | '.join(f'{100 * f:.2f} %' for f in figures)} | {ratio} |")
    shot = Action.SHOT.class_index
    came_O = happened_OHC[:, -1, shot]
    print("\n| chance of a shot within 5 s | AUC | mean before shots | mean otherwise |\n|---|---|---|---|")
    rows = {"model": chance_OHC[:, -1, shot]}
    by_place, by_both = _rates_of_cells(read_split(options.data, "train"), shot)
    place_O, both_O = np.concatenate(cells).T
    rows |= {"place and possession": by_both[both_O], "place": by_place[place_O]}
    for name, said_O in rows.items():
        before, otherwise = said_O[came_O].mean(), said_O[~came_O].mean()
        print(f"| {name} | {_auc(said_O, came_O):.3f} | {100 * before:.2f} % | {100 * otherwise:.2f} % |")


def _happened(half: FeedHalf, ends_O: NDArray[np.int64]) -> NDArray[np.bool_]:
    """happened_OHC: whether an action of each class came within each horizon."""
    happened_OHC = np.zeros((len(ends_O), len(HORIZONS_S), len(ACTIONS)), bool)
    for c in range(len(ACTIONS)):
        t_ms = half.t_ms[half.is_target & (half.code == c)]
        after = np.searchsorted(t_ms, ends_O, side="right")
        for h, horizon_s in enumerate(HORIZONS_S):
            happened_OHC[:, h, c] = np.searchsorted(t_ms, ends_O + 1000 * horizon_s, side="right") > after
    return happened_OHC


def _cells(half: FeedHalf, ends_O: NDArray[np.int64]) -> NDArray[np.intp]:
    """Cell of the ball's place in the attack of the side in possession, and the same with how long it has had it."""
    moments_OF = prepare_moments(half, 4).at(ends_O)[:, 0]
    x, y, known, held = (
        moments_OF[:, MOMENT_NAMES.index(name)] for name in ("ball_x", "ball_y", "ball_known", "possession")
    )
    along = ((x + 1) / 2 * _ALONG).astype(int).clip(0, _ALONG - 1)
    across = ((y + 1) / 2 * _ACROSS).astype(int).clip(0, _ACROSS - 1)
    place = np.where(known > 0, 1 + along * _ACROSS + across, 0)
    return np.stack([place, 4 * place + (held * 6).astype(int).clip(0, 3)], axis=1)


def _rates_of_cells(halves: list[FeedHalf], c: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n_cells = 1 + _ALONG * _ACROSS
    count, shots = np.zeros((2, 4 * n_cells)), np.zeros((2, 4 * n_cells))
    matches = set(list(dict.fromkeys(half.match for half in halves))[:_FITTED])
    for half in (half for half in halves if half.match in matches):
        ends_O = np.arange(30_000, int(half.t_ms[-1]) - 5_000, _EVERY_MS)
        cells_O2, came_O = _cells(half, ends_O), _happened(half, ends_O)[:, -1, c]
        for which in (0, 1):
            np.add.at(count[which], cells_O2[:, which], 1)
            np.add.at(shots[which], cells_O2[:, which], came_O)
    usual = shots[0].sum() / count[0].sum()
    rates = (shots + 20 * usual) / (count + 20)
    return rates[0], rates[1]


def _auc(said_O: NDArray[np.floating], came_O: NDArray[np.bool_]) -> float:
    """Chance that a time before a shot has a higher value than another; ties count half."""
    before, otherwise = np.sort(said_O[came_O]), said_O[~came_O]
    lower = np.searchsorted(before, otherwise, side="left")
    equal = np.searchsorted(before, otherwise, side="right") - lower
    return float((len(before) - lower - equal / 2).mean() / len(before))


if __name__ == "__main__":
    main()
