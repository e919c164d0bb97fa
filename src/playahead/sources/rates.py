"""Whether a feed holds about as many actions as football has: the guard against files that are read wrongly."""

from collections.abc import Sequence

import numpy as np

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import ESTIMATED_OUT, UNKNOWN, FeedHalf

USUAL_PER_90_MIN = (671.3, 641.7, 91.6, 118.2, 41.6, 43.6, 22.4, 66.9, 31.8, 9.2)
"""Actions of each class in 1,406 matches of Wyscout-BAA (``benchmarks/rhythm.py`` prints them)."""
LOW, HIGH, LEAST, SHORTEST_MIN = 0.4, 2.5, 15, 20
"""7 of those 1,406 matches have a class outside these shares of what is usual, where either number is 15 or more."""
CROWD = 100
"""So many actions tell of less than ``SHORTEST_MIN`` minutes, too, that they are too many."""
SPAN = 20
"""Percent of the pitch's length that so many actions never stay within."""


def unusual_rates(halves: Sequence[FeedHalf], provider: str) -> list[str]:
    """A line on classes whose rates are far from the usual ones, or on places that cannot be; none if all are near.

    Args:
        halves: of one match or many.
        provider: whose file it is, as the line names it.
    """
    x = np.concatenate([half.x[half.x != UNKNOWN] for half in halves])
    if len(x) >= CROWD and np.ptp(x) < SPAN:
        what = f"all {len(x):,} places lie within {int(np.ptp(x))} % of the pitch's length"
        return [f"{provider}: {what}, are they in another unit?"]
    minutes = sum((int(half.t_ms[-1]) - half.seen_from_ms) / 60_000 for half in halves if len(half))
    counts_C = np.bincount(np.concatenate([half.code[half.is_target] for half in halves]), minlength=len(ACTIONS))
    estimated = {int(code) for half in halves for code in half.code[half.setpiece == ESTIMATED_OUT]}
    odd = []
    for c, (count, usual) in enumerate(zip(counts_C.tolist(), np.array(USUAL_PER_90_MIN) / 90 * minutes, strict=True)):
        too_few = count < LOW * usual and usual >= LEAST and not (count == 0 and c in estimated)
        if too_few or (count > HIGH * usual and count >= LEAST):
            odd.append(f"{ACTIONS[c]} {count:,} instead of {usual:,.0f}")
    total, most = int(counts_C.sum()), HIGH * sum(USUAL_PER_90_MIN) / 90 * minutes
    if minutes < SHORTEST_MIN and total >= max(CROWD, most):
        what = f"{total:,} actions in {60 * minutes:,.0f} s are more than anyone plays"
        return [f"{provider}: {what}, are its times in another unit?"]
    if not odd or minutes < SHORTEST_MIN:
        return []
    return [f"{provider}: unusual numbers in {minutes:.0f} minutes, is the file read right? {', '.join(odd)}"]
