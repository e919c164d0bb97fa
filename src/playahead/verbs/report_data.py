"""What a report says of the data behind its figures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playahead.domain.actions import ACTIONS
from playahead.errors import InputError
from playahead.evaluation.frames import NO_EVENT
from playahead.learning.matches import Matches
from playahead.report.page import Split
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS
from playahead.sources.simulation.plays import MARKER
from playahead.sources.soccernet_baa import read_baa_split
from playahead.spotting.videos import is_clip_split
from playahead.verbs.compared_data import Source
from playahead.verbs.feed_audit import FeedFacts, audit_feed


def is_simulated(data: Path) -> bool:
    """``data simulate`` has written it."""
    return (data / MARKER).exists()


@dataclass(frozen=True)
class DataFacts:
    """What each split holds, what is in two of them (None: not checked), and what could not be read, and why."""

    splits: list[Split]
    leaks: list[str] | None
    unread: list[str]


def describe_splits(source: Source) -> DataFacts:
    """Of every split that is there."""
    if source.features is None:
        tables = {split: source.data / f"{split}.npz" for split in FEED_SPLITS}
        audit = audit_feed({split: path for split, path in tables.items() if path.exists()})
        return DataFacts([_of_feed(name, facts) for name, facts in audit.splits.items()], audit.leaks, audit.rejected)
    there = [split for split in FEED_SPLITS if source.folder(split).is_dir()]
    splits, unread = [], []
    for split in there:
        try:
            splits.append(_of_matches(split, source.matches(split)))
        except InputError as reason:
            unread.append(str(reason))
    if not all(is_clip_split(source.folder(split)) for split in there):
        return DataFacts(splits, None, unread)
    leaks = audit_splits({split: read_baa_split(source.folder(split), keep_going=True) for split in there}).leaks
    return DataFacts(splits, leaks, unread)


def _of_feed(name: str, facts: FeedFacts) -> Split:
    empty = facts.per_window[0] / max(facts.windows, 1)
    counts_C = [facts.actions[str(action)] for action in ACTIONS]
    return Split(name, facts.matches, facts.windows, facts.mean_actions, empty, counts_C)


def _of_matches(name: str, matches: Matches) -> Split:
    labels_NR = np.concatenate([labels for labels, _ in matches.labels])
    counts_C = np.bincount(labels_NR[labels_NR != NO_EVENT] - 1, minlength=len(ACTIONS)).tolist()
    empty = float((labels_NR == NO_EVENT).all(axis=1).mean())
    return Split(name, len(matches.matches), len(matches), sum(counts_C) / len(labels_NR), empty, counts_C)
