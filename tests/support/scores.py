"""Scores of systems whose skill is known."""

import numpy as np

from playahead.evaluation.frames import NO_EVENT, FrameTable
from playahead.evaluation.official import count_detections
from playahead.evaluation.scores import Scores, score
from tests.support.tables import with_labels


def skilled_table(rng: np.random.Generator, skill: float, n: int = 60) -> FrameTable:
    """One event a clip, found in its frame with probability ``skill``, and a false alarm."""
    labels_NR = np.full((n, 32), NO_EVENT, np.int32)
    scores_NRV = np.zeros((n, 32, 11), np.float32)
    for clip in range(n):
        c, frame = rng.integers(0, 10), rng.integers(0, 32)
        labels_NR[clip, frame] = c + 1
        predicted = frame if rng.random() < skill else rng.integers(0, 32)
        scores_NRV[clip, predicted, c + 1] = rng.random()
        scores_NRV[clip, rng.integers(0, 32), rng.integers(1, 11)] = 0.8 * rng.random()
    return with_labels(labels_NR, scores_NRV)


def skilled_scores(seed: int, skill: float, n: int = 60, n_matches: int = 8) -> Scores:
    """Scores over several matches of ``n`` clips."""
    rng = np.random.default_rng(seed)
    tables = [skilled_table(rng, skill, n) for _ in range(n_matches)]

    def by_match(scores):
        parts = np.split(scores, n_matches)
        return [count_detections(with_labels(t.labels_NR, part)) for t, part in zip(tables, parts, strict=True)]

    return score(np.concatenate([table.scores_NRV for table in tables]), by_match)
