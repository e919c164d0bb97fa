"""Every class at its mean rate, at every moment.

Axes: C classes, O examples, R raster frames.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions, event_probabilities
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import RASTER_FRAME_MS, RASTER_FRAMES
from playahead.io.errors import InputError


class ConstantRate:
    """How often each action happens in the halves that it was fitted on.

    Attributes:
        rate_C: actions a raster frame.
    """

    def __init__(self, halves: Sequence[FeedHalf], lasted_ms: int) -> None:
        """Count the actions of halves (or clips) that last so long in all.

        Raises:
            InputError: they last no time at all.
        """
        if lasted_ms <= 0:
            raise InputError("constant rate", "nothing to count in: the halves last no time")
        counts_C = np.bincount(np.concatenate([half.code[half.is_target] for half in halves]), minlength=len(ACTIONS))
        self.rate_C = counts_C / lasted_ms * RASTER_FRAME_MS

    def predict(self, half: FeedHalf, end_ms_O: NDArray[np.int64]) -> DensePredictions:  # noqa: ARG002 - it looks at nothing
        """The same for every example."""
        return DensePredictions(
            event_probabilities(np.broadcast_to(self.rate_C, (len(end_ms_O), RASTER_FRAMES, len(ACTIONS))))
        )
