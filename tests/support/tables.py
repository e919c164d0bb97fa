"""Frame tables, by hand and at random."""

import numpy as np

from playahead.evaluation.frames import ALL_CLASSES, NO_EVENT, FrameTable


def table_of(events=(), predictions=(), n_clips: int = 1, classes=ALL_CLASSES) -> FrameTable:
    """Events are (clip, frame, class index), predictions (clip, frame, class index, score)."""
    labels = np.full((n_clips, 32), NO_EVENT, np.int32)
    scores = np.zeros((n_clips, 32, 11), np.float32)
    for clip, frame, c in events:
        labels[clip, frame] = c + 1
    for clip, frame, c, score in predictions:
        scores[clip, frame, c + 1] = score
    return with_labels(labels, scores, classes)


def with_labels(labels: np.ndarray, scores: np.ndarray, classes=ALL_CLASSES) -> FrameTable:
    """All events are visible."""
    return FrameTable(labels, (labels != NO_EVENT).astype(np.int32), scores, classes)


def random_table(rng: np.random.Generator, n_clips: int) -> FrameTable:
    """Clips with some events, a fifth of them unshown, and scores that know nothing of them."""
    labels = np.where(rng.random((n_clips, 32)) < 0.06, rng.integers(1, 11, (n_clips, 32)), NO_EVENT).astype(np.int32)
    visibility = np.where(labels == NO_EVENT, 0, np.where(rng.random(labels.shape) < 0.8, 1, -1)).astype(np.int32)
    shown = rng.random((n_clips, 32, 1)) < 0.15
    scores = (rng.random((n_clips, 32, 11)) ** 3 * shown).round(3).astype(np.float32)
    return FrameTable(labels, visibility, scores)
