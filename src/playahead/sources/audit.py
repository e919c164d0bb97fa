"""What a dataset holds, and whether one part of it gives another part away.

Clips of the benchmark start every 5 s, so neighbours share up to 25 s of video, and one clip's future is in another
clip's past. Within a split that is how the benchmark is made; across splits it is a leak (``overlaps.py``).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from playahead.sources.overlaps import Overlap, Stretch, find_overlaps, stretches_of
from playahead.sources.soccernet_baa import BaaSplit


@dataclass
class SplitFacts:
    """Counts of one split."""

    clips: int
    actions: Counter[str]
    observed: Counter[str]
    per_clip: Counter[int]
    withheld: int
    dropped: Counter[str] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)
    sharing: int = 0
    future_visible: int = 0

    @property
    def mean_actions(self) -> float:
        """Actions to anticipate in a clip, withheld ones left out."""
        known = sum(self.per_clip.values())
        return sum(n * count for n, count in self.per_clip.items()) / known if known else 0.0

    @property
    def empty(self) -> int:
        """Clips in which nothing happens."""
        return self.per_clip[0]


@dataclass
class Audit:
    """Facts of every split, and overlaps across splits (each an error).

    Attributes:
        splits: by name.
        leaks: video that two splits share.
        set_aside: clips without a video, few enough to go on without them.
        broken: splits in which too many clips have none.
    """

    splits: dict[str, SplitFacts]
    leaks: list[str]
    set_aside: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def rejected(self) -> list[str]:
        """Bad entries of all splits, and splits that are broken."""
        return [*self.broken, *(reason for facts in self.splits.values() for reason in facts.rejected)]

    @property
    def fine(self) -> bool:
        """No bad entries, no overlap across splits."""
        return not self.leaks and not self.rejected


def audit_splits(splits: Mapping[str, BaaSplit]) -> Audit:
    """Count, and look for shared video within and across splits."""
    facts = {name: _facts(split) for name, split in splits.items()}
    stretches = {name: stretches_of(split.clips) for name, split in splits.items()}
    for name, joined in stretches.items():
        facts[name].sharing = sum(len(stretch.clips) for stretch in joined if len(stretch.clips) > 1)
        facts[name].future_visible = sum(map(_shown_later, joined))
    leaks = [
        _in_words(ours, theirs, overlap)
        for ours, theirs in combinations(splits, 2)
        for overlap in find_overlaps(stretches[ours], stretches[theirs])
    ]
    return Audit(facts, leaks)


def _facts(split: BaaSplit) -> SplitFacts:
    known = [clip for clip in split.clips if clip.anticipation is not None]
    return SplitFacts(
        clips=len(split.clips),
        actions=Counter(str(e.action) for clip in known for e in clip.anticipation or ()),
        observed=Counter(str(e.action) for clip in split.clips for e in clip.observation),
        per_clip=Counter(len(clip.anticipation or ()) for clip in known),
        withheld=len(split.clips) - len(known),
        dropped=split.dropped,
        rejected=split.rejected,
    )


def _shown_later(stretch: Stretch) -> int:
    """Clips whose future (where something happens in it) is in the past of a later clip, up to 30 s on."""
    return sum(bool(clip.anticipation) for clip in stretch.clips[:-1])


def _in_words(ours: str, theirs: str, overlap: Overlap) -> str:
    labels = f"{overlap.alike:,} of {overlap.alike + overlap.unlike:,} labels alike"
    return f"{ours}/{overlap.ours} and {theirs}/{overlap.theirs} share video ({labels})"
