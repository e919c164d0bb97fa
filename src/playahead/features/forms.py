"""The forms in which a model reads a feed, and what it is shown of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import FINER, NOTHING_COUNTED, UNKNOWN, FeedHalf, Possession
from playahead.domain.grid import GRID
from playahead.features import feed, now
from playahead.features.hindsight import seen_live

FormName = Literal["windows", "now", "rows"]


class Track(Protocol):
    """A half, prepared in some form."""

    @property
    def half(self) -> FeedHalf:
        """The rows that it describes."""
        ...

    def at(self, end_ms_P: NDArray[np.int64], /) -> NDArray[np.float32]:
        """A window (or the description of a moment) for each of these times, by itself."""
        ...

    def windows(self, end_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """All that a model needs for the examples that end at these times, 5 s apart."""
        ...


@dataclass(frozen=True)
class _Form:
    """A form: what weights say of it, its number of columns, how a half is prepared, how many windows come before an
    example's own, augmentation.
    """

    about: dict[str, object]
    n_features: int
    prepare: Callable[[FeedHalf], Track]
    n_before: int
    augment: Callable[[NDArray[np.float32], np.random.Generator], tuple[NDArray[np.float32], bool]]


def _augment_windows(features: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], bool]:
    if is_mirrored := rng.random() < 0.5:
        features = feed.mirror(features)
    return (feed.swap_sides(features) if rng.random() < 0.5 else features), is_mirrored


def _augment_moments(features: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], bool]:
    is_mirrored = rng.random() < 0.5
    return now.mirror(features) if is_mirrored else features, is_mirrored


def _moments(n_rows: int) -> _Form:
    about: dict[str, object] = {"names": [*now.MOMENT_NAMES, *now.ROW_NAMES], "rows": n_rows}
    prepare = partial(now.prepare_moments, n_rows=n_rows)
    return _Form(about, now.n_columns(n_rows), prepare, 0, _augment_moments)


def _windows() -> _Form:
    about: dict[str, object] = {"names": list(feed.FEATURE_NAMES)}
    return _Form(about, feed.N_FEATURES, feed.prepare_track, GRID.n_windows - 1, _augment_windows)


_FORMS = {
    "windows": _windows(),
    "now": _moments(now.NOW_ROWS),
    "rows": _moments(now.MOST_ROWS),
}


@dataclass(frozen=True)
class Reading:
    """A model's way of reading a feed.

    Attributes:
        form: "windows" (six windows of 33 steps, the paper's shape), "now" (the columns of a moment and its latest 4
            rows), or "rows" (the same with the latest 32).
        hindsight: rows as they were recorded; else as a viewer of each moment would know them
            (``features/hindsight.py``).
        without: columns of ``domain.feed.FINER`` that it is not shown, and "tally": how often each side has done what.
    """

    form: FormName = "windows"
    hindsight: bool = True
    without: tuple[str, ...] = ()

    def seen(self, half: FeedHalf) -> FeedHalf:
        """The rows that the model is shown of a half."""
        seen = half if self.hindsight else seen_live(half)
        columns = [name for name in self.without if name in FINER]
        hidden: dict[str, Any] = dict.fromkeys(columns, np.full(len(half), UNKNOWN, np.uint8))
        return seen.changed(**hidden) if hidden else seen

    def prepare(self, seen: FeedHalf) -> Track:
        """Prepare rows that the model is shown."""
        return _FORMS[self.form].prepare(seen.changed(tally=NOTHING_COUNTED) if "tally" in self.without else seen)

    def augmented(self, features: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], bool]:
        """Mirror the pitch, and swap sides where the form knows them, each at random; and whether it was mirrored."""
        return _FORMS[self.form].augment(features, rng)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return _FORMS[self.form].n_features

    @property
    def shape(self) -> tuple[int, int, int]:
        """Windows, steps and columns of one example."""
        n_steps = GRID.n_snippets if self.form == "windows" else 1
        return self.n_before + 1, n_steps, self.n_features

    @property
    def n_before(self) -> int:
        """Windows that an example needs before its own."""
        return _FORMS[self.form].n_before

    @property
    def description(self) -> dict[str, object]:
        """Description that weights carry of the features that they were trained on."""
        return {"kind": "feed", **_FORMS[self.form].about}


def possession_at(source: object, end_ms: NDArray[np.int64]) -> Possession | None:
    """Who has the ball at these times, of a source that tells moments."""
    return source.possession(end_ms) if isinstance(source, now.Moments) else None


def reading_of(train: Mapping[str, Any]) -> Reading:
    """The reading of a model with these training settings (``TrainConfig`` as a mapping)."""
    model = train.get("model")
    encoder = model.get("encoder") if isinstance(model, Mapping) else None
    form: FormName = encoder if encoder in ("now", "rows") else "windows"
    return Reading(form, train.get("hindsight") is not False, tuple(train.get("without") or ()))


AS_RECORDED = Reading()
"""The paper's windows, of rows as they were recorded."""
FEED_FEATURES = {"kind": "feed"}
"""Description of a feed's features, in whatever form a model reads them."""
