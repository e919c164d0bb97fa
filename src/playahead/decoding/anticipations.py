"""Scored frames, or slots that emit -> anticipated actions as records, and back.

Axes: N clips, R frames, V vector entries, O examples, K slots, C classes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playahead.decoding.predictions import SlotPredictions
from playahead.decoding.slots import emitted
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS, RASTER_FRAME_MS, RASTER_FRAMES
from playahead.domain.records import Anticipation
from playahead.evaluation.frames import VECTOR_LENGTH, frame_of_ms, rasterise
from playahead.paper.inference import Confidence

_LAST_CENTRE_MS = RASTER_FRAMES * RASTER_FRAME_MS - RASTER_FRAME_MS // 2  # 5040: just outside the 5 s


def anticipations_of(
    scores_NRV: NDArray[np.float32],
    min_confidence: float = 0.0,
    probabilities_NRV: NDArray[np.float32] | None = None,
) -> list[list[Anticipation]]:
    """One record per frame with a score, in time order, at the frame's centre.

    Args:
        scores_NRV: decoded frames.
        min_confidence: records less confident than this are left out.
        probabilities_NRV: which class is the likeliest, where scores are on another scale for every class.
    """
    named_by_NRC = (scores_NRV if probabilities_NRV is None else probabilities_NRV)[:, :, 1:]
    listed: list[list[Anticipation]] = [[] for _ in scores_NRV]
    best_NR = scores_NRV[:, :, 1:].max(axis=2)
    for clip, frame in zip(*np.nonzero(best_NR > min_confidence), strict=True):
        vector, likeliest = scores_NRV[clip, frame, 1:], int(named_by_NRC[clip, frame].argmax())
        listed[clip].append(
            Anticipation(
                action=ACTIONS[likeliest],
                offset_ms=frame_centre_ms(int(frame)),
                confidence=float(vector[likeliest]),
                class_confidence=tuple(float(value) for value in vector),
            )
        )
    return listed


def slots_that_emit(
    predictions: SlotPredictions, tau: float, confidence: Confidence = "product", min_confidence: float = 0.0
) -> list[list[Anticipation]]:
    """The paper's inference, one record for each slot above tau, in time order (docs/paper.md 1.3 i-k).

    The class is the likeliest one, the whole class vector is kept, and the time is the centre of the likeliest bin to
    the millisecond.
    """
    found = emitted(predictions, tau, confidence)
    offset_ms_P = np.rint(found.time_P.astype(np.float64) * ANTICIPATION_MS).astype(np.int64)
    listed: list[list[Anticipation]] = [[] for _ in range(len(predictions))]
    for example, offset_ms, vector_C in zip(found.example_P, offset_ms_P, found.confidence_PC, strict=True):
        if vector_C.max() > min_confidence:
            listed[example].append(
                Anticipation(
                    action=ACTIONS[int(vector_C.argmax())],
                    offset_ms=int(offset_ms),
                    confidence=float(vector_C.max()),
                    class_confidence=tuple(float(value) for value in vector_C),
                )
            )
    for records in listed:
        records.sort(key=lambda record: record.offset_ms)
    return listed


def frame_centre_ms(frame: int) -> int:
    """Middle of a frame, kept within the 5 s (the last frame reaches 120 ms beyond)."""
    centre_ms = frame * RASTER_FRAME_MS + RASTER_FRAME_MS // 2
    return centre_ms if centre_ms < _LAST_CENTRE_MS else 5_000


def frames_of(listed: Sequence[Sequence[Anticipation]]) -> NDArray[np.float32]:
    """Records -> scores_NRV, two in one frame averaged as the official scorer's road does."""
    clip = np.array([n for n, records in enumerate(listed) for _ in records], np.int64)
    records = [record for clip_records in listed for record in clip_records]
    frame = frame_of_ms(np.array([OBSERVATION_MS + r.offset_ms for r in records], np.int64))
    vectors = np.zeros((len(records), VECTOR_LENGTH), np.float32)
    for row, record in zip(vectors, records, strict=True):
        row[1:] = record.class_confidence
    return rasterise(clip, frame, vectors, len(listed))
