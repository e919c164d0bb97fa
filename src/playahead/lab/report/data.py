"""What a report says of the data behind its figures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playahead.datasets.dataset import Dataset, FeedDataset
from playahead.datasets.evaluation_set import EvaluationSet
from playahead.datasets.feed_audit import FeedFacts, audit_feed
from playahead.domain.actions import ACTIONS
from playahead.evaluation.frames import NO_EVENT
from playahead.io.errors import InputError
from playahead.lab.report.page import Split
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS
from playahead.sources.layouts import SIMULATED_MARKER, folder_of_split, is_clip_split
from playahead.sources.soccernet import read_baa_split


def is_simulated(data: Path) -> bool:
    """``data simulate`` has written it."""
    return (data / SIMULATED_MARKER).exists()


@dataclass(frozen=True)
class DataFacts:
    """What each split holds, what is in two of them (None: not checked), and what could not be read, and why."""

    splits: list[Split]
    leaks: list[str] | None
    unread: list[str]


def describe_splits(dataset: Dataset) -> DataFacts:
    """Of every split that is there."""
    if isinstance(dataset, FeedDataset):
        tables = {split: dataset.folder / f"{split}.npz" for split in FEED_SPLITS}
        audit = audit_feed({split: path for split, path in tables.items() if path.exists()})
        return DataFacts([_of_feed(name, facts) for name, facts in audit.splits.items()], audit.leaks, audit.rejected)
    folders = {split: folder_of_split(dataset.folder, split) for split in FEED_SPLITS}
    folders = {split: folder for split, folder in folders.items() if folder.is_dir()}
    splits, unread = [], []
    for split in folders:
        try:
            splits.append(_of_video(split, dataset.evaluation_set(split)))
        except InputError as reason:
            unread.append(str(reason))
    if not all(is_clip_split(folder) for folder in folders.values()):
        return DataFacts(splits, None, unread)
    leaks = audit_splits({split: read_baa_split(folder, keep_going=True) for split, folder in folders.items()}).leaks
    return DataFacts(splits, leaks, unread)


def _of_feed(name: str, facts: FeedFacts) -> Split:
    empty = facts.per_example[0] / max(facts.examples, 1)
    counts_C = [facts.actions[str(action)] for action in ACTIONS]
    return Split(name, facts.matches, facts.examples, facts.mean_actions, empty, counts_C)


def _of_video(name: str, found: EvaluationSet) -> Split:
    labels_NR = np.concatenate([labels for labels, _ in found.frames])
    counts_C = np.bincount(labels_NR[labels_NR != NO_EVENT] - 1, minlength=len(ACTIONS)).tolist()
    empty = float((labels_NR == NO_EVENT).all(axis=1).mean())
    return Split(name, len(found.matches), len(found), sum(counts_C) / len(labels_NR), empty, counts_C)
