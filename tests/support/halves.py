"""Halves of a feed, by hand."""

import numpy as np

from playahead.domain.feed import UNKNOWN, FeedHalf


def half_of(t_ms, code, delay_ms=0, match: int = 1) -> FeedHalf:
    """Rows of one team at unknown places."""
    n = len(t_ms)
    unknown, zeros = np.full(n, UNKNOWN, np.uint8), np.zeros(n, np.uint8)
    delays = np.broadcast_to(delay_ms, n).astype(np.uint16)
    return FeedHalf(
        match, 1, np.array(t_ms, np.int32), np.array(code, np.uint8), zeros, unknown, unknown, zeros, delays
    )
