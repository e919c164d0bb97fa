"""Feeds that hold anything a feed may hold, finer columns included."""

import numpy as np
from hypothesis import strategies as st

from playahead.domain.feed import FLAGS, N_CODES, ROLES, UNKNOWN, Detail, FeedHalf

PLACES = [0, 30, 50, 100, UNKNOWN]
VALUES = {
    **{"code": range(N_CODES), "team": [0, 1, UNKNOWN], "x": PLACES, "y": PLACES},
    **{"setpiece": [0, 1, 2, 3, 4, 5, 9, UNKNOWN], "confidence": [0, 70, 100, UNKNOWN]},
    **{"detail": [*Detail, UNKNOWN], "flags": [0, 1, 2 ** len(FLAGS) - 1, UNKNOWN]},
    **{"player": [0, 1, 21, UNKNOWN], "role": [*range(len(ROLES)), UNKNOWN]},
}


@st.composite
def feeds(draw: st.DrawFn) -> FeedHalf:
    """A minute of at most 40 rows."""
    n = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows: dict = {name: rng.choice(np.array(values), n).astype(np.uint8) for name, values in VALUES.items()}
    rows["delay_ms"] = rng.choice([0, 0, 400, 5_000], n).astype(np.uint16)
    rows["late_ms"] = rng.choice([0, 3_000], n).astype(np.uint16)
    rows["t_ms"] = np.sort(rng.integers(0, 60_000, n)).astype(np.int32)
    reports, since_ms = frozenset(rng.choice(N_CODES, 9).tolist()), int(rng.choice([0, 20_000]))
    return FeedHalf(1, 1, **rows, reports=reports, clock_known=bool(rng.integers(2)), seen_from_ms=since_ms)
