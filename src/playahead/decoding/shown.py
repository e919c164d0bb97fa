"""Minimum confidences: from which confidence on an anticipation of each class is worth showing.

At most moments a pass is likely and a shot is not, whatever happens next: one bound for all classes shows passes and
drives alone. So each class has its own, chosen on validation: with an answer every 5 s, a class is shown as often as it
happens. A rare action stands beside what is usual for its kind ("shot 12 %, 8 times the usual").

Axes: O examples, R frames, V vector entries (background, then classes), C classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.marginal import TOLERANCES_S
from playahead.domain.actions import ACTIONS, Action, actions_named
from playahead.domain.grid import ANTICIPATION_MS
from playahead.io.errors import InputError

MinConfidence = float | str | None
"""What somebody asks for: one bound for all classes, bounds by class ("shot=0.05,pass=0.5"; the others keep their
own), or each class's own."""
_FOR_ALL = 0.3  # of weights that carry no bounds


@dataclass(frozen=True)
class Shown:
    """Bounds chosen on validation.

    Attributes:
        min_C: confidence from which on an anticipation of each class is shown.
        usual_C: confidence that an action of each class has at any moment, if only its frequency is known.
    """

    min_C: tuple[float, ...]
    usual_C: tuple[float, ...]

    def __post_init__(self) -> None:
        for bounds in (self.min_C, self.usual_C):
            if len(bounds) != len(ACTIONS) or not all(0 <= bound <= 1 for bound in bounds):
                raise InputError("Shown", f"needs a confidence for each of {len(ACTIONS)} classes")


def fit_shown(stated_ORV: NDArray[np.float32], class_index_X: NDArray[np.integer]) -> Shown:
    """Bounds that show each class as often as it happens.

    Args:
        stated_ORV: calibrated confidences of every example of validation, which follow each other every 5 s.
        class_index_X: classes of the actions that happened in their futures.
    """
    n_C = np.bincount(class_index_X, minlength=len(ACTIONS))
    min_C = [1.0] * len(ACTIONS)
    for c, n in enumerate(n_C.tolist()):
        stated = np.sort(stated_ORV[:, :, c + 1][stated_ORV[:, :, c + 1] > 0])[::-1]
        if n and len(stated):
            min_C[c] = round(float(stated[min(n, len(stated)) - 1]), 4)
    per_s_C = n_C / (len(stated_ORV) * ANTICIPATION_MS / 1000)
    spans_s = np.minimum(TOLERANCES_S, ANTICIPATION_MS / 1000)
    usual_C = (1 - np.exp(-per_s_C[:, None] * spans_s)).mean(axis=1)
    return Shown(tuple(min_C), tuple(usual_C.round(4).tolist()))


def min_confidences(wanted: MinConfidence, shown: Shown | None) -> NDArray[np.float64]:
    """min_C, the bound of each class.

    Args:
        wanted: what somebody asks for.
        shown: the weights' own bounds; 0.3 for all classes if there are none.

    Raises:
        InputError: it names no action, or a bound is not in [0, 1].
    """
    min_C = np.full(len(ACTIONS), _FOR_ALL) if shown is None else np.array(shown.min_C)
    if wanted is None:
        return min_C
    if isinstance(wanted, float | int):
        min_C[:] = _bound(wanted)
        return min_C
    for part in wanted.split(","):
        name, equals, bound = part.partition("=")
        if not equals:
            raise InputError(
                "min_confidence", f"{part!r} is neither a number nor as shot=0.05", "0.3, or shot=0.05,pass=0.5"
            )
        min_C[_action(name).class_index] = _bound(bound)
    return min_C


def check_min_confidence(config: Any) -> None:
    """Check the field ``min_confidence`` of a dataclass.

    Raises:
        InputError: ``min_confidences`` refuses it.
    """
    try:
        min_confidences(config.min_confidence, None)
    except InputError as reason:
        raise InputError(f"{type(config).__name__}.min_confidence", reason.what, reason.fix) from None


def _action(name: str) -> Action:
    try:
        (action,) = actions_named([name])
    except InputError as reason:
        raise InputError("min_confidence", reason.what, reason.fix) from None
    return action


def _bound(text: float | str) -> float:
    try:
        bound = float(text)
    except ValueError:
        bound = np.nan
    if not 0 <= bound <= 1:
        raise InputError("min_confidence", f"{text} is not in [0, 1]")
    return bound
