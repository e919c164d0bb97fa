"""What a folder of compact feed tables holds, and whether its splits share matches."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from playahead.datasets.slicing import class_counts, example_ends_ms, labels_of_half
from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.feed import FeedHalf
from playahead.errors import InputError
from playahead.sources.feed_tables import read_feed_table


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
    audit = FeedAudit()
    matches: dict[str, set[int]] = {}
    for split, path in tables.items():
        try:
            halves = read_feed_table(path)
        except InputError as reason:
            audit.rejected.append(str(reason))
            continue
        audit.splits[split] = _facts(halves)
        matches[split] = {half.match for half in halves}
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
