"""Stored windows of one video with the actions in it.

Axes: W windows, N snippets, F features, O examples, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.slicing import Labels
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import GRID, OBSERVATION_MS
from playahead.evaluation.frames import ALL_CLASSES


@dataclass(frozen=True)
class LabelledFeatures:
    """A run of consecutive windows of one video, and the actions in it.

    Attributes:
        name: for error messages.
        windows: features_NF of each 5-s window, in time order (memory-mapped).
        actions: of the video, ms from the first window's start; up to 5 s beyond the last window.
        labels: the actions that its examples are to anticipate.
        last_end_ms: the last moment whose next 5 s are labelled.
        classes: indices of the classes that its annotators looked for.
    """

    name: str
    windows: Sequence[NDArray[np.float16]]
    actions: FeedHalf
    labels: Labels
    last_end_ms: int
    classes: tuple[int, ...] = ALL_CLASSES

    @property
    def is_short(self) -> bool:
        """A clip that cannot be observed: it is not trained on, and nothing is anticipated of it."""
        return len(self.windows) < GRID.n_windows

    @property
    def end_ms_O(self) -> NDArray[np.int64]:
        """Ends of the examples that can be made: 30 s, 35 s ..."""
        last_ms = self.last_end_ms if self.is_short else min(self.last_end_ms, len(self.windows) * GRID.window_ms)
        return np.arange(OBSERVATION_MS, last_ms + 1, GRID.window_ms, dtype=np.int64)

    def sequence(self, first: int, count: int) -> NDArray[np.float32]:
        """features_WNF of ``count`` windows."""
        return np.stack(self.windows[first : first + count]).astype(np.float32)

    def presence(self, first: int, count: int) -> NDArray[np.float32]:
        """presence_WNC: 1 at the snippet of these windows whose centre is nearest to an action."""
        presence_WNC = np.zeros((count, GRID.n_snippets, len(ACTIONS)), np.float32)
        window, frame = np.divmod(self.actions.t_ms * GRID.fps // 1000, GRID.window_frames)
        snippet = nearest_snippet(frame)
        inside = self.actions.is_target & (window >= first) & (window < first + count)
        presence_WNC[window[inside] - first, snippet[inside], self.actions.code[inside]] = 1.0
        return presence_WNC


def nearest_snippet(frame: NDArray[np.integer]) -> NDArray[np.integer]:
    """Which of a window's snippets has its centre nearest to these frames of the window."""
    centre = GRID.snippet_span_frames // 2
    nearest = (frame - centre + GRID.snippet_stride // 2) // GRID.snippet_stride
    return np.clip(nearest, 0, GRID.n_snippets - 1)
