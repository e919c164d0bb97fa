"""The encoded windows that a session still needs: each is encoded once and kept for 25 s.

Axes: P windows, N steps, F features, D model.
"""

from collections.abc import Callable

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

    def predict(self, time_ms: int, features: Features) -> Predictions:
        """Predictions of one example, after this time.

        Args:
            time_ms: not before that of any call before.
            features: of the windows that are not encoded yet.
        """
        ends_W = time_ms - _BEFORE_MS
        missing = np.array([end for end in ends_W if int(end) not in self._encoded], np.int64)
        if len(missing):
            self._encoded.update(zip(missing.tolist(), self._predictor.encode(features(missing)), strict=True))
        encoded_WND = np.stack([self._encoded[end] for end in ends_W.tolist()])
        self._encoded = {end: kept for end, kept in self._encoded.items() if end > ends_W[0]}
        return self._predictor.answer(encoded_WND, np.arange(len(ends_W))[None])
