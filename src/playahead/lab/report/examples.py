"""Single windows as timelines: what happened before and after, and what was expected.

Axes: R raster frames, V vector entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, RASTER_FRAME_MS
from playahead.domain.palette import COLOURS, short_name
from playahead.domain.time import format_clock

PAST_MS = 10_000
_WIDTH, _MARGIN = 380.0, 8.0
_PER_MS = (_WIDTH - 2 * _MARGIN) / (PAST_MS + ANTICIPATION_MS)
_LETTER = 5.1  # width of a letter, about
_LANES = 3
_GUESSES = 6
_LEAST = 0.03


@dataclass(frozen=True)
class PlacedMark:
    """Something on a timeline, placed for drawing.

    Attributes:
        x: from the left.
        text_x: where its name begins; 0 width of text where ``name`` is empty.
        name: of the action, empty where there is no room for it.
        title: the whole of it, for who points at it.
        colour: of the action.
        lane: row of the name, 0 the nearest to the mark.
        share: confidence, 0 to 1 (1 for what happened).
    """

    x: float
    text_x: float
    name: str
    title: str
    colour: str
    lane: int
    share: float


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        where: match, half and clock, or the clip's name.
        gain: nats better than the constant rate.
        happened, expected: marks.
        now_x: where the observation ends.
        picture: the last frame seen, as a data URI; empty where there is no video.
    """

    where: str
    gain: float
    happened: list[PlacedMark]
    expected: list[PlacedMark]
    now_x: float = _MARGIN + PAST_MS * _PER_MS
    picture: str = ""


def example(
    half: FeedHalf, where: str, end_ms: int, probabilities_RV: NDArray[np.float32], gain: float, picture: str = ""
) -> Example:
    """A window of a half that is observed until ``end_ms``."""
    shown = half.is_target & (half.t_ms > end_ms - PAST_MS) & (half.t_ms <= end_ms + ANTICIPATION_MS)
    happened = [
        (int(t) - end_ms, ACTIONS[code], 1.0) for t, code in zip(half.t_ms[shown], half.code[shown], strict=True)
    ]
    probability_RC = probabilities_RV[:, 1:]
    surest = np.argsort(probability_RC, axis=None)[::-1][:_GUESSES]
    expected = []
    for frame, c in zip(*np.unravel_index(surest, probability_RC.shape), strict=True):
        if probability_RC[frame, c] >= _LEAST:
            offset_ms = min((int(frame) + 0.5) * RASTER_FRAME_MS, ANTICIPATION_MS)
            expected.append((int(offset_ms), ACTIONS[c], float(probability_RC[frame, c])))
    return Example(where, gain, _placed(happened), _placed(sorted(expected, key=lambda e: e[0])), picture=picture)


def place_of(half: FeedHalf, end_ms: int) -> str:
    """``"match 2499, half 1, 12:35"``."""
    return f"match {half.match}, half {half.half}, {format_clock(end_ms)[:-2]}"


def _placed(events: Sequence[tuple[int, Action, float]]) -> list[PlacedMark]:
    """Marks in time order; a name goes to the nearest lane where it overlaps no other, or is left out."""
    free = [0.0] * _LANES
    marks = []
    for offset_ms, action, share in events:
        x = _MARGIN + (PAST_MS + offset_ms) * _PER_MS
        name = short_name(action) if share == 1.0 else f"{short_name(action)} {100 * share:.0f}"
        text_x = min(max(x - 3, 1.0), _WIDTH - len(name) * _LETTER)
        lane = next((lane for lane in range(_LANES) if free[lane] <= text_x), -1)
        if lane >= 0:
            free[lane] = text_x + len(name) * _LETTER + 4
        when = f"{abs(offset_ms) / 1000:.1f} s {'before' if offset_ms <= 0 else 'after'}"
        title = f"{short_name(action)}, {when}" + ("" if share == 1.0 else f", {100 * share:.0f} %")
        marks.append(
            PlacedMark(
                round(x, 1), round(text_x, 1), name if lane >= 0 else "", title, COLOURS[action], max(lane, 0), share
            )
        )
    return marks
