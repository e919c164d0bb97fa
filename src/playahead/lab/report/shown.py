"""The examples that a page shows: the best and the worst explained ones, with a picture where there is video."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playahead.datasets.evaluation_set import EvaluationSet
from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.io.errors import InputError
from playahead.lab.report.diagnose import Diagnosis
from playahead.lab.report.examples import Example, example, place_of

if TYPE_CHECKING:
    from av import VideoFrame

_APART = 6  # examples share no video


def shown_examples(
    evaluation_set: EvaluationSet, folder: Path, probabilities: FrameTable, found: Diagnosis, count: int
) -> tuple[list[Example], list[Example]]:
    """(best, worst) explained examples in which something happens, none near another.

    Args:
        evaluation_set: what was predicted.
        folder: of the split's videos, for pictures.
        probabilities: of the run shown in detail.
        found: its diagnosis.
        count: on either side.
    """
    happens = np.flatnonzero((probabilities.labels_NR != NO_EVENT).any(axis=1))
    ranked = happens[np.argsort(-found.gain_O[happens])].tolist()
    best, worst = (
        [_example(evaluation_set, folder, o, probabilities, found) for o in _spread(order, count)]
        for order in (ranked, ranked[::-1])
    )
    return best, worst


def _spread(ranked: Sequence[int], count: int) -> list[int]:
    chosen: list[int] = []
    for o in ranked:
        if len(chosen) == count:
            break
        if all(abs(o - other) >= _APART for other in chosen):
            chosen.append(o)
    return chosen


def _example(
    evaluation_set: EvaluationSet, folder: Path, o: int, probabilities: FrameTable, found: Diagnosis
) -> Example:
    starts = np.cumsum([0, *(len(ends) for ends in evaluation_set.end_ms)])
    index = int(np.searchsorted(starts, o, side="right")) - 1
    half = evaluation_set.halves[index]
    end_ms = int(evaluation_set.end_ms[index][o - starts[index]])
    where, picture = place_of(half, end_ms), ""
    if evaluation_set.names:
        where = evaluation_set.names[index]
        picture = _picture(folder / where, end_ms)
    return example(half, where, end_ms, probabilities.scores_NRV[o], float(found.gain_O[o]), picture)


def _picture(place: Path, end_ms: int) -> str:
    """The last frame seen, as a small JPEG in a data URI; empty where the video is not at hand."""
    from PIL import Image  # here and not above: a feed has no pictures

    from playahead.video.reader import read_drawn

    path = next(iter(sorted(place.glob("*.mp4"))), None) if place.is_dir() else place
    if path is None or not path.is_file():
        return ""
    try:
        frames = read_drawn(path, _rgb, end_ms / 1000 - 0.04)
        _, rgb_HWC = next(iter(frames))
    except (InputError, StopIteration):
        return ""
    image = Image.fromarray(rgb_HWC)
    image.thumbnail((320, 180))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=70)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"


def _rgb(frame: "VideoFrame") -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
