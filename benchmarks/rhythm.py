"""Prints the tables of ``simulation/plays.py`` and the usual rates of ``sources/feeds.py`` from real matches.

.venv/bin/python benchmarks/rhythm.py DATA
"""

import sys
from pathlib import Path

import numpy as np

from playahead.domain.actions import ACTIONS
from playahead.sources.feed_tables import read_split


def main() -> None:
    """Transitions between consecutive actions of the train split: share, same side, median gap."""
    n = len(ACTIONS)
    gaps: dict[tuple[int, int], list[int]] = {}
    same = np.zeros((n, n))
    halves = read_split(Path(sys.argv[1]), "train")
    for half in halves:
        action = half.code < n
        code, t_ms, team = half.code[action].astype(int), half.t_ms[action], half.team[action]
        for a, b, gap_ms, same_side in zip(code[:-1], code[1:], np.diff(t_ms), team[:-1] == team[1:], strict=True):
            gaps.setdefault((a, b), []).append(int(gap_ms))
            same[a, b] += same_side
    count = np.array([[len(gaps.get((a, b), ())) for b in range(n)] for a in range(n)])
    print("next, permille", (1000 * count / count.sum(axis=1, keepdims=True)).round().astype(int).tolist(), sep="\n")
    print("same side, percent", (100 * same / np.maximum(count, 1)).round().astype(int).tolist(), sep="\n")
    median = [[int(np.median(gaps.get((a, b), [1000]))) for b in range(n)] for a in range(n)]
    print("gap, ms", median, sep="\n")
    minutes = sum(int(half.t_ms[-1]) for half in halves) / 60_000
    counts = np.sum([np.bincount(half.code[half.is_target], minlength=n) for half in halves], axis=0)
    print("per 90 minutes", (counts * 90 / minutes).round(1).tolist(), sep="\n")


if __name__ == "__main__":
    main()
