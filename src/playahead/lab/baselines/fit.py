"""Baselines by name."""

from collections.abc import Sequence
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import DensePredictions
from playahead.domain.feed import FeedHalf
from playahead.io.errors import InputError
from playahead.lab.baselines.constant_rate import ConstantRate
from playahead.lab.baselines.markov import MarkovRenewal

BaselineName = Literal["constant-rate", "markov"]
BASELINES: tuple[BaselineName, ...] = ("constant-rate", "markov")


class Baseline(Protocol):
    """Predicts without training."""

    def predict(self, half: FeedHalf, end_ms_O: NDArray[np.int64]) -> DensePredictions:
        """Predictions of the examples that end at these times."""
        ...


def fit_baseline(name: str, halves: Sequence[FeedHalf], lasted_ms: int) -> Baseline:
    """Fit a baseline on halves (or clips) whose labels last so long in all.

    Raises:
        InputError: no baseline of that name, or halves that it cannot be fitted on.
    """
    if name == "constant-rate":
        return cast(Baseline, ConstantRate(halves, lasted_ms))
    if name == "markov":
        return MarkovRenewal(halves)
    raise InputError("baseline", f"{name!r} is not one of {', '.join(BASELINES)}")
