"""What splits of whole matches hold (compact feed tables, or videos with their labels), and whether they share some."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from playahead.datasets.slicing import class_counts, example_ends_ms, labels_of_half
from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import FeedHalf, feed_of_actions
from playahead.io.errors import InputError
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.layouts import find_labelled_videos, match_numbers


@dataclass
class FeedFacts:
    """Counts of one split: rows by label, and the benchmark's examples at a 5-s stride."""

    matches: int
    rows: int
    examples: int
    actions: Counter[str]
    observed: Counter[str]
    per_example: Counter[int]

    @property
    def mean_actions(self) -> float:
        """Actions that follow an example, on average."""
        return sum(n * count for n, count in self.per_example.items()) / max(self.examples, 1)


@dataclass
class FeedAudit:
    """Facts of every split that could be read, tables that could not, and matches in two splits."""

    splits: dict[str, FeedFacts] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Everything was read and no match is in two splits."""
        return not self.rejected and not self.leaks


def audit_feed(tables: Mapping[str, Path]) -> FeedAudit:
    """Count each table (a bad one is noted, the others go on) and compare their matches."""
    return _audit(tables, _in_table)


def audit_videos(places: Mapping[str, Path]) -> FeedAudit:
    """The same of labelled videos of whole matches: folders in the spotting benchmark's layout, or OSL JSON."""
    return _audit(places, _on_video)


def _in_table(path: Path) -> tuple[list[FeedHalf], set[str]]:
    halves = read_feed_table(path)
    return halves, {str(half.match) for half in halves}


def _on_video(place: Path) -> tuple[list[FeedHalf], set[str]]:
    videos = find_labelled_videos(place)
    numbered = zip(videos, match_numbers(videos), strict=True)
    halves = [replace(feed_of_actions(video.events), match=match) for video, match in numbered]
    return halves, {video.match for video in videos}


def _audit(places: Mapping[str, Path], read: Callable[[Path], tuple[list[FeedHalf], set[str]]]) -> FeedAudit:
    """``read`` gives a split's halves, and the names of its matches."""
    audit = FeedAudit()
    matches: dict[str, set[str]] = {}
    for split, place in places.items():
        try:
            halves, matches[split] = read(place)
            audit.splits[split] = _facts(halves)
        except InputError as reason:
            audit.rejected.append(str(reason))
    for ours, theirs in combinations(matches, 2):
        shared = sorted(matches[ours] & matches[theirs])
        audit.leaks += [f"match {match} is in {ours} and {theirs}" for match in shared]
    return audit


def _facts(halves: list[FeedHalf]) -> FeedFacts:
    following = [labels_of_half(half).following(example_ends_ms(half)) for half in halves]
    counts_OC = np.concatenate([class_counts(found.class_OE) for found in following])
    labels = (*map(str, ACTIONS), *OBSERVED_TOKENS)
    rows_K = np.bincount(np.concatenate([half.code for half in halves]), minlength=len(labels))
    return FeedFacts(
        matches=len({half.match for half in halves}),
        rows=int(rows_K.sum()),
        examples=len(counts_OC),
        actions=Counter(dict(zip(map(str, ACTIONS), counts_OC.sum(axis=0).tolist(), strict=True))),
        observed=Counter(dict(zip(labels, rows_K.tolist(), strict=True))),
        per_example=Counter(counts_OC.sum(axis=1).tolist()),
    )
