"""Compact tables with the columns of ``wyscout_extra`` in them: python finer_tables.py TABLES LARGE EXTRA OUT.

Writes OUT/{train,val,test}.npz, train from LARGE. ``playahead data convert`` gives the same columns of the raw matches,
so this is only for data of which the tables alone are at hand.
"""

import sys
from pathlib import Path

import numpy as np

from playahead.domain.feed import DRIVE, FINER, UNKNOWN, Detail
from playahead.sources.feed_tables import read_feed_table, write_feed_table

_LATER_MS = 15_000


def main(tables: Path, large: Path, extra: Path, out: Path) -> None:
    """Write the three tables."""
    out.mkdir(parents=True, exist_ok=True)
    named = {"train": (large / "train.npz", "large_train"), "val": (tables / "val.npz", "val")}
    named["test"] = (tables / "test.npz", "test")
    for split, (path, name) in named.items():
        with np.load(extra / f"{name}.npz", allow_pickle=False) as columns:
            finer = {"detail": columns["sub"], **{column: columns[column] for column in FINER[1:]}}
        halves, start = [], 0
        for half in read_feed_table(path):
            rows = slice(start, start + len(half))
            start += len(half)
            halves.append(_with(half, {column: values[rows].copy() for column, values in finer.items()}))
        write_feed_table(out / f"{split}.npz", halves)
        print(f"{split}: {len(halves):,} halves, {start:,} rows")


def _with(half, finer):
    """A half with these columns, of which rows that follow from later ones tell nothing but the player."""
    from dataclasses import replace

    finer["detail"][_implied_before_a_touch(half, finer)] = 0
    finer["detail"][finer["detail"] == 0] = UNKNOWN
    finer["flags"][finer["detail"] == UNKNOWN] = UNKNOWN
    return replace(half, **finer)


def _implied_before_a_touch(half, finer):
    """Implied drives that carry the detail of the touch that they were inferred from, which lies in their future."""
    is_touch = finer["detail"] == Detail.TOUCH
    doubtful = np.flatnonzero(is_touch & (half.code == DRIVE) & (half.delay_ms > 0))
    found = []
    for row in doubtful:
        stop = np.searchsorted(half.t_ms, half.t_ms[row] + _LATER_MS)
        later = slice(row + 1, stop)
        same = is_touch[later] & (finer["player"][later] == finer["player"][row])
        same &= (half.x[later] == half.x[row]) & (half.y[later] == half.y[row])
        if same.any():
            found.append(row)
    return np.array(found, np.intp)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
