"""Stored windows of one video with the actions in it.

Axes: W windows, N snippets, F features, O examples, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS


@dataclass(frozen=True)
class LabelledFeatures:
    """A run of consecutive windows of one video, and the actions in it.

    Attributes:
        name: for error messages.
        windows: features_NF of each 5-s window, in time order (memory-mapped).
        actions: of the video, ms from the first window's start; up to 5 s beyond the last window.
        last_end_ms: the last moment whose next 5 s are labelled.
    """

    name: str
    windows: Sequence[NDArray[np.float16]]
    actions: FeedHalf
    last_end_ms: int

    @property
    def end_ms_O(self) -> NDArray[np.int64]:
        """Ends of the examples that can be made: 30 s, 35 s ..."""
        last_ms = min(self.last_end_ms, len(self.windows) * GRID.window_ms)
        return np.arange(OBSERVATION_MS, last_ms + 1, GRID.window_ms, dtype=np.int64)

    def sequence(self, first: int, count: int) -> NDArray[np.float32]:
        """features_WNF of ``count`` windows."""
        return np.stack(self.windows[first : first + count]).astype(np.float32)

    def presence(self, first: int, count: int) -> NDArray[np.float32]:
        """presence_WNC: 1 where an action happened in a step of these windows."""
        presence_WNC = np.zeros((count, GRID.n_snippets, len(ACTIONS)), np.float32)
        step = self.actions.t_ms * GRID.n_snippets // GRID.window_ms - first * GRID.n_snippets
        inside = self.actions.is_target & (step >= 0) & (step < count * GRID.n_snippets)
        presence_WNC.reshape(-1, len(ACTIONS))[step[inside], self.actions.code[inside]] = 1.0
        return presence_WNC
