"""Audit of a dataset in any layout: counts, bad entries, and matches or video that two splits share."""

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
from playahead.io.files import are_few, file_size
from playahead.sources.audit import Audit, audit_splits
from playahead.sources.feed_tables import SPLITS as FEED_SPLITS, read_feed_table
from playahead.sources.layouts import clip_video, find_labelled_videos, folder_of_split, match_numbers, name_of_split
from playahead.sources.soccernet import LABELS_NAME, SPLITS, BaaSplit, read_baa_split


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
        """Mean number of actions that follow an example."""
        return sum(n * count for n, count in self.per_example.items()) / max(self.examples, 1)


@dataclass
class FeedAudit:
    """Facts of every split that could be read, tables that could not, and matches in two splits."""

    splits: dict[str, FeedFacts] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """True if everything was read and no match is in two splits."""
        return not self.rejected and not self.leaks


def _in_table(path: Path) -> tuple[list[FeedHalf], set[str]]:
    halves = read_feed_table(path)
    return halves, {str(half.match) for half in halves}


def _on_video(place: Path) -> tuple[list[FeedHalf], set[str]]:
    videos = find_labelled_videos(place)
    numbered = zip(videos, match_numbers(videos), strict=True)
    halves = [replace(feed_of_actions(video.events), match=match) for video, match in numbered]
    return halves, {video.match for video in videos}


def audit_feed(
    places: Mapping[str, Path], read: Callable[[Path], tuple[list[FeedHalf], set[str]]] = _in_table
) -> FeedAudit:
    """Count each split (a bad one is noted, the others go on) and compare their matches.

    Args:
        places: table of each split, or whatever ``read`` takes.
        read: gives a split's halves, and the names of its matches.
    """
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
    counts_OC = np.concatenate([class_counts(of_half.class_OE) for of_half in following])
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


def check_dataset(path: Path) -> Audit | FeedAudit:
    """Audit a dataset in a benchmark's layout or in OSL JSON, one split of it, or a folder of compact feed tables.

    Raises:
        InputError: no dataset there.
    """
    tables = {split: path / f"{split}.npz" for split in FEED_SPLITS if (path / f"{split}.npz").exists()}
    if tables:
        return audit_feed(tables)
    if clips := _splits_of_clips(path):
        splits = {name: read_baa_split(place, keep_going=True) for name, place in clips.items()}
        audit = audit_splits(splits)
        for split in splits.values():
            missing = _without_video(split)
            if are_few(len(missing), len(split.clips)):
                audit.set_aside += missing
            else:
                audit.broken.append(f"{len(missing):,} of {len(split.clips):,} clips, the first: {missing[0]}")
        return audit
    if videos := _splits_of_matches(path):
        return audit_feed(videos, _on_video)
    expected = f"{LABELS_NAME} in it or below, annotations_train.json, or train.npz, val.npz, test.npz"
    raise InputError(path, "no dataset found", f"expected {expected}")


def _without_video(split: BaaSplit) -> list[str]:
    """List clips whose video is missing or empty; a split of labels alone has none."""
    folder = split.path.parent
    videos = [clip_video(folder, clip) for clip in split.clips] if any(folder.glob("clip_*/*.mp4")) else []
    return [f"{path}: no video" for path in videos if not file_size(path)]


def _splits_of_clips(path: Path) -> dict[str, Path]:
    """Splits of the anticipation benchmark: those of a dataset, or the one that ``path`` is."""
    if path.name == LABELS_NAME or (path / LABELS_NAME).exists():
        return {path.name if path.is_dir() else path.parent.name: path}
    return {split: path / split for split in SPLITS if (path / split / LABELS_NAME).exists()}


def _splits_of_matches(path: Path) -> dict[str, Path]:
    """Splits of whole matches: those of a dataset, or the one that ``path`` is."""
    if path.is_file():
        return {name_of_split(path): path}
    places = {split: folder_of_split(path, split) for split in SPLITS}
    places = {split: place for split, place in places.items() if place.is_file() or _holds_matches(place)}
    return places or ({path.name: path} if _holds_matches(path) else {})


def _holds_matches(folder: Path) -> bool:
    return any(folder.glob(f"**/{LABELS_NAME}"))
