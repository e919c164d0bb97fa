"""Examples of a page: the best and the worst explained windows as timelines, with a picture where there is video.

Axes: N examples, R raster frames, V vector entries, H height, W width, C colours.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import FeedHalf
from playahead.domain.grid import ANTICIPATION_MS, RASTER_FRAME_MS
from playahead.domain.palette import COLOURS, short_name
from playahead.domain.time import format_clock
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.io.errors import InputError

PAST_MS = 10_000
_MIN_APART = 6  # examples: so that two share no video
_WIDTH, _MARGIN = 380.0, 8.0
_PER_MS = (_WIDTH - 2 * _MARGIN) / (PAST_MS + ANTICIPATION_MS)
_LETTER = 5.1  # width of a letter, about
_LANES = 3
_MAX_EXPECTED = 6
_MIN_PROBABILITY = 0.03


@dataclass(frozen=True)
class PlacedMark:
    """An action on a timeline, placed for drawing.

    Attributes:
        name: name of the action, empty where there is no room for it; ``title`` is shown when it is pointed at.
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
    """One example, and the nats by which the model explains it better than the constant rate.

    ``picture`` is the last frame observed, as a data URI; empty where there is no video.
    """

    where: str
    gain: float
    happened: list[PlacedMark]
    expected: list[PlacedMark]
    now_x: float = _MARGIN + PAST_MS * _PER_MS
    picture: str = ""


def best_and_worst(
    evaluation_set: EvaluationSet, folder: Path, probabilities: FrameTable, gains: NDArray[np.float64], count: int
) -> tuple[list[Example], list[Example]]:
    """(best, worst) explained examples in which something happens, at most ``count`` each, none near another.

    The best gain on the constant rate, the worst lose, so either list may be short.
    ``folder`` holds the split's videos, for pictures; ``gains`` are nats as in ``Example``.
    """
    happens = np.flatnonzero((probabilities.labels_NR != NO_EVENT).any(axis=1))
    ranked = happens[np.argsort(-gains[happens])].tolist()
    starts = np.cumsum([0, *(len(ends) for ends in evaluation_set.end_ms)])

    def show(n: int) -> Example:
        index = int(np.searchsorted(starts, n, side="right")) - 1
        half, end_ms = evaluation_set.halves[index], int(evaluation_set.end_ms[index][n - starts[index]])
        where, picture = f"match {half.match}, half {half.half}, {format_clock(end_ms)[:-2]}", ""
        if evaluation_set.names:
            where = evaluation_set.names[index]
            picture = _picture(folder / where, end_ms)
        return example(half, where, end_ms, probabilities.scores_NRV[n], float(gains[n]), picture)

    chosen: tuple[list[int], list[int]] = ([], [])
    gaining = [n for n in ranked if gains[n] > 0]
    losing = [n for n in ranked[::-1] if gains[n] < 0]
    for side, order in zip(chosen, (gaining, losing), strict=True):
        for n in order:
            if len(side) < count and all(abs(n - other) >= _MIN_APART for other in side):
                side.append(n)
    return [show(n) for n in chosen[0]], [show(n) for n in chosen[1]]


def example(
    half: FeedHalf, where: str, end_ms: int, probabilities: NDArray[np.float32], gain: float, picture: str = ""
) -> Example:
    """Timeline of a half that is observed until ``end_ms``, with the probabilities (32, 11) of what follows."""
    shown = half.is_target & (half.t_ms > end_ms - PAST_MS) & (half.t_ms <= end_ms + ANTICIPATION_MS)
    rows = zip(half.t_ms[shown], half.code[shown], strict=True)
    happened = [(int(t_ms) - end_ms, ACTIONS[code], 1.0) for t_ms, code in rows]
    probability_RC = probabilities[:, 1:]
    surest = np.argsort(probability_RC, axis=None)[::-1][:_MAX_EXPECTED]
    expected = []
    for frame, c in zip(*np.unravel_index(surest, probability_RC.shape), strict=True):
        if probability_RC[frame, c] >= _MIN_PROBABILITY:
            offset_ms = min((int(frame) + 0.5) * RASTER_FRAME_MS, ANTICIPATION_MS)
            expected.append((int(offset_ms), ACTIONS[c], float(probability_RC[frame, c])))
    return Example(where, gain, _placed(happened), _placed(sorted(expected, key=lambda e: e[0])), picture=picture)


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
        name, colour = name if lane >= 0 else "", COLOURS[action]
        marks.append(PlacedMark(round(x, 1), round(text_x, 1), name, title, colour, max(lane, 0), share))
    return marks


def _picture(place: Path, end_ms: int) -> str:
    """Last frame observed, as a small JPEG in a data URI; empty where the video is missing."""
    from PIL import Image  # here and not above: a feed has no pictures

    from playahead.video.reader import read_drawn

    path = next(iter(sorted(place.glob("*.mp4"))), None) if place.is_dir() else place
    if path is None or not path.is_file():
        return ""
    try:
        _, rgb_HWC = next(iter(read_drawn(path, lambda frame: frame.to_ndarray(format="rgb24"), end_ms / 1000 - 0.04)))
    except (InputError, StopIteration):
        return ""
    image = Image.fromarray(rgb_HWC)
    image.thumbnail((320, 180))
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=70)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"
