"""Videos as stored features with labels, made up."""

import numpy as np

from playahead.datasets.slicing import labels_of_half
from playahead.datasets.stored import LabelledFeatures
from playahead.domain.feed import feed_of_actions
from playahead.domain.records import ActionEvent

F = 8
"""Features of a snippet."""


def recording(n_windows: int, events=(), last_end_ms: int | None = None, name="v", seed=0) -> LabelledFeatures:
    """Random windows with (ms, action) events."""
    rng = np.random.default_rng(seed)
    windows = [rng.standard_normal((33, F)).astype(np.float16) for _ in range(n_windows)]
    actions = feed_of_actions([ActionEvent(ms, action) for ms, action in events])
    end = (n_windows - 1) * 5000 if last_end_ms is None else last_end_ms
    return LabelledFeatures(name, windows, actions, labels_of_half(actions), end)
