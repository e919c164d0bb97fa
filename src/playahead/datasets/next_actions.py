"""Moments at which an action has just become visible, and which action came next.

Axes: O moments, W windows (6), N steps, F features.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.features.feed import FEED_FEATURES, prepare_track, window_features
from playahead.io.errors import InputError

_TOGETHER = 256  # moments in a batch
_JUST_AFTER_MS = 1  # a step sees what became visible before its end


class NextActions:
    """Every moment, from 30 s on, at which an action became visible, while another is to come in its half.

    Args:
        halves: to observe.
        split: names them in errors.

    Attributes:
        features: what its windows hold, as ``Predictor.check`` reads it.
        match_O: whose moments they are.
        class_O: the next action's class.
        wait_s_O: seconds until then.
    """

    features = FEED_FEATURES

    def __init__(self, halves: Sequence[FeedHalf], split: str = "") -> None:
        found = [_moments(half) for half in halves]
        kept = [(half, moments) for half, moments in zip(halves, found, strict=True) if len(moments[0])]
        if not kept:
            raise InputError(split or "feed", "in no half does an action follow another after the first 30 s")
        self.halves = [half for half, _ in kept]
        self.end_ms = [moments[0] for _, moments in kept]
        self.match_O = np.concatenate([np.full(len(end), half.match) for half, (end, _, _) in kept])
        self.class_O = np.concatenate([moments[1] for _, moments in kept])
        self.wait_s_O = np.concatenate([moments[2] for _, moments in kept]) / 1000

    def __len__(self) -> int:
        """Moments."""
        return len(self.class_O)

    def batches(self) -> Iterator[NDArray[np.float32]]:
        """Windows (O, W, N, F): a moment lies on no grid, so it shares no window with others."""
        back_ms_W = np.arange(GRID.n_windows - 1, -1, -1) * GRID.window_ms
        for half, end_ms_O in zip(self.halves, self.end_ms, strict=True):
            track = prepare_track(half)
            for first, stop in pairwise([*range(0, len(end_ms_O), _TOGETHER), len(end_ms_O)]):
                ends_OW = end_ms_O[first:stop, None] - back_ms_W
                windows_PNF = window_features(track, ends_OW.ravel())
                yield windows_PNF.reshape(*ends_OW.shape, *windows_PNF.shape[1:])


def _moments(half: FeedHalf) -> tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.int64]]:
    """(ends of the observations, next class, wait in ms) of one half."""
    is_action = half.is_target
    at_ms, code = half.t_ms[is_action].astype(np.int64), half.code[is_action].astype(np.intp)
    seen_ms = np.unique(half.visible_ms[is_action])
    seen_ms = seen_ms[seen_ms >= OBSERVATION_MS]
    coming = np.searchsorted(at_ms, seen_ms, side="right")
    seen_ms, coming = seen_ms[coming < len(at_ms)], coming[coming < len(at_ms)]
    return seen_ms + _JUST_AFTER_MS, code[coming], at_ms[coming] - seen_ms
