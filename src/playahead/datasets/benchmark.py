"""Wyscout-BAA, version 1: which matches each split holds, and what their rows must be.

``wyscout-baa-v1.json`` lists 1,510 matches, each with a digest of its rows. So anybody's tables can be compared with
ours match by match, and a figure can say which benchmark it is of. Version 1 is: the match lists, the mapping of
``sources/wyscout_rules.py``, and the benchmark's metric (docs/paper.md 3). A change to any of them is another version.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from playahead.domain.feed import COLUMNS, EVERY_CODE, FINER, UNKNOWN, FeedHalf

_FILE = Path(__file__).with_name("wyscout-baa-v1.json")
_PLAIN = ("t_ms", "code", "team", "x", "y", "setpiece", "delay_ms")
_HEX = 12  # letters of a digest: a chance of one in 10^14 that another match has the same


@dataclass(frozen=True)
class Source:
    """A published file: its address and what it must be."""

    address: str
    sha256: str


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's splits.

    Attributes:
        name: name with its version.
        splits: for each split, the digest of each match's rows. ``large`` is a larger training set, which holds
            ``train``.
        sources: the published "events" and "players" that it is made of.
    """

    name: str
    splits: Mapping[str, Mapping[int, str]]
    sources: Mapping[str, Source]

    def recognise(self, halves: Sequence[FeedHalf]) -> str:
        """The split that these halves are, to the row and all known at once and for sure; empty if they are none."""
        for half in halves:
            if half.late_ms.any() or (half.confidence != UNKNOWN).any() or half.reports != EVERY_CODE:
                return ""
        digests = digests_of(halves)
        return next((split for split, matches in self.splits.items() if matches == digests), "")

    def differences(self, split: str, halves: Sequence[FeedHalf]) -> dict[str, list[int]]:
        """Matches of a split that are "missing" or "different"."""
        wanted, found = self.splits[split], digests_of(halves)
        return {
            "missing": sorted(wanted.keys() - found.keys()),
            "different": sorted(match for match in wanted.keys() & found.keys() if wanted[match] != found[match]),
        }


@cache
def wyscout_baa() -> Benchmark:
    """Wyscout-BAA as it ships with the package."""
    root = json.loads(_FILE.read_text())
    splits = {split: {int(match): digest for match, digest in of.items()} for split, of in root["splits"].items()}
    sources = {name: Source(**root["source"][name]) for name in ("events", "players")}
    return Benchmark(root["name"], splits, sources)


def digests_of(halves: Sequence[FeedHalf]) -> dict[int, str]:
    """Digest of the rows of each match."""
    by_match: dict[int, list[FeedHalf]] = {}
    for half in halves:
        by_match.setdefault(half.match, []).append(half)
    return {match: _digest(sorted(of, key=lambda half: half.half)) for match, of in by_match.items()}


def _digest(halves: Sequence[FeedHalf]) -> str:
    """Two things do not count: players are numbered anew, in the order of their first rows, and where no detail is told
    (an offside has none) flags say nothing."""
    whole = hashlib.sha256()
    number_of = {UNKNOWN: UNKNOWN}
    for half in halves:
        whole.update(bytes([half.half]))
        for name in (*_PLAIN, *FINER):
            column = getattr(half, name)
            if name == "player":
                column = np.array([number_of.setdefault(one, len(number_of)) for one in column.tolist()])
            elif name == "flags":
                column = np.where(half.detail == UNKNOWN, UNKNOWN, column)
            whole.update(np.ascontiguousarray(column, np.dtype(COLUMNS[name]).newbyteorder("<")).tobytes())
    return whole.hexdigest()[:_HEX]
