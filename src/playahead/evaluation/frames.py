"""Frame tables, which the official scorer sees: 32 frames per clip, a class vector in each.

Axes: N clips, R raster frames (32), V vector entries (background first, then C = 10 classes), P predictions.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import OBSERVATION_MS, RASTER_FRAMES
from playahead.domain.records import Clip
from playahead.io.errors import InputError
from playahead.io.files import require_archive

_MAX_BYTES = 1 << 30  # of a file of frame tables, unpacked
NO_EVENT = 255  # label of a frame without an event, as the golden cases and upstream write it
VECTOR_LENGTH = len(ACTIONS) + 1  # background, then the ten classes
ALL_CLASSES = tuple(range(len(ACTIONS)))
"""Classes that a source annotates, unless it says otherwise."""


def common_classes(annotated: Iterable[Collection[int]]) -> tuple[int, ...]:
    """Classes that all sources annotate; for any other, no label does not mean that nothing happened."""
    sources = list(annotated)
    return tuple(c for c in ALL_CLASSES if all(c in classes for classes in sources))


@dataclass(frozen=True)
class FrameTable:
    """Labels and scores of one video's clips (for the benchmark: of one split).

    Attributes:
        labels_NR: class of the event in each frame, 1..10; 255 for none.
        visibility_NR: 1 for a visible event, -1 for one that is "not shown", 0 for none.
        scores_NRV: float32 confidence vectors after rasterising.
        classes: indices of the annotated classes; no other is scored.
    """

    labels_NR: NDArray[np.int32]
    visibility_NR: NDArray[np.int32]
    scores_NRV: NDArray[np.float32]
    classes: tuple[int, ...] = ALL_CLASSES

    def __post_init__(self) -> None:
        whole = (len(self.labels_NR), RASTER_FRAMES)
        required = {"labels_NR": whole, "visibility_NR": whole, "scores_NRV": (*whole, VECTOR_LENGTH)}
        for name, shape in required.items():
            values = getattr(self, name)
            if values.shape != shape:
                raise InputError("FrameTable", f"{name[:-3]} have shape {values.shape} instead of {shape}")
            if name != "scores_NRV" and not np.issubdtype(values.dtype, np.integer):
                raise InputError("FrameTable", f"{name} holds {values.dtype}, not whole numbers")
        if not (((self.labels_NR >= 1) & (self.labels_NR <= len(ACTIONS))) | (self.labels_NR == NO_EVENT)).all():
            raise InputError("FrameTable", f"a label is not in 1..{len(ACTIONS)} or {NO_EVENT}")
        if not (np.abs(self.visibility_NR) <= 1).all():
            raise InputError("FrameTable", "a visibility is not -1, 0 or 1")
        if not np.issubdtype(self.scores_NRV.dtype, np.floating) or not np.isfinite(self.scores_NRV).all():
            raise InputError("FrameTable", "scores hold NaN, infinity or something that is not a number")


def frame_of_ms(position_ms: NDArray[np.integer]) -> NDArray[np.int32]:
    """Frame of a time that counts from the clip's start: upstream's own ``int(ms / 1000 * 25 / 4 - 750 / 4)``."""
    return np.trunc(position_ms / 1000 * 25 / 4 - OBSERVATION_MS / 1000 * 25 / 4).astype(np.int32)


def label_frames(
    clip: NDArray[np.integer],
    frame: NDArray[np.integer],
    class_index: NDArray[np.integer],
    visible: NDArray[np.bool_],
    n_clips: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(labels_NR, visibility_NR) of events in reading order; the last one in a frame stays, as upstream has it."""
    labels_NR = np.full((n_clips, RASTER_FRAMES), NO_EVENT, np.int32)
    visibility_NR = np.zeros((n_clips, RASTER_FRAMES), np.int32)
    labels_NR[clip, frame] = class_index + 1
    visibility_NR[clip, frame] = np.where(visible, 1, -1)
    return labels_NR, visibility_NR


def clip_labels(clips: Sequence[Clip]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(labels_NR, visibility_NR) of the events to anticipate in each clip; withheld labels count as none."""
    events = [(n, event) for n, clip in enumerate(clips) for event in clip.anticipation or ()]
    return label_frames(
        np.array([n for n, _ in events], np.int64),
        frame_of_ms(np.array([event.position_ms for _, event in events], np.int64)),
        np.array([event.action.class_index for _, event in events], np.int64),
        np.array([event.visible for _, event in events], bool),
        len(clips),
    )


def rasterise(
    clip: NDArray[np.integer], frame: NDArray[np.integer], vectors: NDArray[np.float32], n_clips: int
) -> NDArray[np.float32]:
    """Frames (n_clips, 32, 11) of predictions at ``clip`` and ``frame`` (P,), with confidence vectors (P, 11).

    As upstream, a second vector in a frame gives (old + new) / 2, a third is averaged with that, and so on; predictions
    of a clip are in slot order.
    """
    # Rank of each prediction among those in its frame: 0 for the first, 1 for the next ...
    cell_P = clip.astype(np.int64) * RASTER_FRAMES + frame
    order = np.argsort(cell_P, kind="stable")
    first = np.r_[True, np.diff(cell_P[order]) > 0] if len(order) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    # One turn for each rank: within a turn no two predictions share a frame, so whole arrays can be averaged at once.
    flat = np.zeros((n_clips * RASTER_FRAMES, VECTOR_LENGTH), np.float32)
    for turn in range(int(rank.max(initial=-1)) + 1):
        chosen = order[rank == turn]
        old, new = flat[cell_P[chosen]], vectors[chosen].astype(np.float32)
        occupied = old.sum(axis=1, keepdims=True) > 0
        flat[cell_P[chosen]] = np.where(occupied, (old + new) / np.float32(2), new)
    return flat.reshape(n_clips, RASTER_FRAMES, VECTOR_LENGTH)


def load_frame_case(path: Path) -> list[FrameTable]:
    """Read a ``.npz`` in the golden cases' layout (``v{i}_target_labels`` and so on)."""
    require_archive(path, _MAX_BYTES)
    try:
        with np.load(path, allow_pickle=False) as case:
            n_videos = int(case["n_videos"])
            if not 1 <= n_videos <= len(case.files):
                raise InputError(path, f"n_videos is {n_videos}")
            arrays = ("target_labels", "target_visibility", "pred_scores")
            return [FrameTable(*(case[f"v{i}_{name}"] for name in arrays)) for i in range(n_videos)]
    except InputError as reason:
        raise InputError(path, reason) from None
    except KeyError as missing:
        raise InputError(path, f"{missing.args[0]}", "expected the golden cases' layout") from None
    except Exception as reason:  # zipfile and zlib raise their own kinds on damaged bytes
        raise InputError(path, f"damaged .npz ({type(reason).__name__}: {reason})") from None
