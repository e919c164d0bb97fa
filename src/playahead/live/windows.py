"""The encoded windows that a session still needs: each is encoded once and kept for 25 s.

Axes: P windows, N steps, F features, D model.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import Predictions
from playahead.domain.grid import GRID
from playahead.inference.any_predictor import AnyPredictor

Features = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Ends of windows, ms, increasing -> features_PNF."""

_BEFORE_MS = np.arange(GRID.n_windows - 1, -1, -1, dtype=np.int64) * GRID.window_ms


class RecentWindows:
    """Answers at one time after another, each window encoded once.

    Args:
        predictor: that encodes and answers.
    """

    def __init__(self, predictor: AnyPredictor) -> None:
        self._predictor = predictor
        self._encoded: dict[int, NDArray[np.float32]] = {}

    def clear(self) -> None:
        """Forget all: a new half, or a stream that starts again."""
        self._encoded.clear()

    def predict(self, times_ms: Sequence[int], features: Features) -> Predictions:
        """Predictions after each of these times.

        Args:
            times_ms: increasing, and not before those of any call before.
            features: of the windows that are not encoded yet.
        """
        ends_OW = np.asarray(times_ms, np.int64)[:, None] - _BEFORE_MS
        missing = np.array([end for end in np.unique(ends_OW) if int(end) not in self._encoded], np.int64)
        if len(missing):
            self._encoded.update(zip(missing.tolist(), self._predictor.encode(features(missing)), strict=True))
        order = sorted(set(ends_OW.ravel().tolist()))
        encoded_PND = np.stack([self._encoded[end] for end in order])
        found = self._predictor.answer(encoded_PND, np.searchsorted(order, ends_OW))
        self._encoded = {end: kept for end, kept in self._encoded.items() if end > times_ms[-1] - _BEFORE_MS[0]}
        return found
