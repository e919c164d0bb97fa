"""What a dataset holds, and whether one part of it gives another part away.

Clips of the benchmark start every 5 s, so neighbours share up to 25 s of video, and one clip's future is in another
clip's past. Within a split that is how the benchmark is made; across splits it is a leak. Clips carry no match id,
so shared video is recognised by its labels: the same actions at the same times, shifted by a multiple of the stride.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, OBSERVATION_MS
from playahead.domain.records import ActionEvent, Clip, in_time_order
from playahead.sources.soccernet_baa import BaaSplit

_ENOUGH = 4
"""Actions that two stretches must share, at the same millisecond intervals, to be called the same video."""


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
    """Facts of every split, and overlaps across splits (each an error)."""

    splits: dict[str, SplitFacts]
    leaks: list[str]

    @property
    def rejected(self) -> list[str]:
        """Bad entries of all splits."""
        return [reason for facts in self.splits.values() for reason in facts.rejected]

    @property
    def fine(self) -> bool:
        """No bad entries, no overlap across splits."""
        return not self.leaks and not self.rejected


def audit_splits(splits: Mapping[str, BaaSplit]) -> Audit:
    """Count, and look for shared video within and across splits."""
    facts = {name: _facts(split) for name, split in splits.items()}
    places = {name: _fingerprints(split.clips) for name, split in splits.items()}
    for name, split in splits.items():
        shared = _shared_clips(split.clips, places[name])
        facts[name].sharing = len(shared)
        facts[name].future_visible = _futures_in_other_pasts(split.clips)
    leaks = []
    names = list(splits)
    for index, ours in enumerate(names):
        for theirs in names[index + 1 :]:
            leaks += _leaks(ours, places[ours], theirs, places[theirs])
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


def _events(clip: Clip) -> tuple[ActionEvent, ...]:
    return in_time_order((*clip.observation, *(clip.anticipation or ())))


Fingerprint = tuple[tuple[str, int], ...]


def _fingerprints(clips: Sequence[Clip]) -> dict[Fingerprint, list[str]]:
    """Every run of ``_ENOUGH`` actions (classes and the intervals between them) -> clips that hold it.

    A clip with fewer actions stands for itself as a whole, with the times at which they happen in it.
    """
    places: dict[Fingerprint, list[str]] = defaultdict(list)
    for clip in clips:
        events = _events(clip)
        if 1 < len(events) < _ENOUGH:
            places[tuple((str(e.action), e.position_ms) for e in events)].append(clip.name)
        for start in range(len(events) - _ENOUGH + 1):
            run = events[start : start + _ENOUGH]
            origin = run[0].position_ms
            places[tuple((str(e.action), e.position_ms - origin) for e in run)].append(clip.name)
    return places


def _shared_clips(clips: Sequence[Clip], places: Mapping[Fingerprint, list[str]]) -> set[str]:
    names = {clip.name for clip in clips}
    shared = {name for found in places.values() if len(set(found)) > 1 for name in found}
    return shared & names


def _futures_in_other_pasts(clips: Sequence[Clip]) -> int:
    """Clips whose whole (non-empty) future is among another clip's observed actions."""
    observed: set[Fingerprint] = set()
    for clip in clips:
        observed |= set(_stretches(clip.observation))
    return sum(bool(clip.anticipation) and _whole(clip) in observed for clip in clips)


def _whole(clip: Clip) -> Fingerprint:
    """The future with the two actions before it: enough to recognise it elsewhere."""
    before = clip.observation[-2:]
    run = [*before, *(clip.anticipation or ())]
    return tuple((str(e.action), e.position_ms - run[0].position_ms) for e in run)


def _stretches(events: Sequence[ActionEvent]) -> list[Fingerprint]:
    """Every run of 3 to 12 observed actions that lasts at most a future and what precedes it."""
    runs = []
    for start in range(len(events)):
        for stop in range(start + 3, min(start + 12, len(events)) + 1):
            run = events[start:stop]
            if run[-1].position_ms - run[0].position_ms > OBSERVATION_MS + ANTICIPATION_MS:
                break
            runs.append(tuple((str(e.action), e.position_ms - run[0].position_ms) for e in run))
    return runs


def _leaks(
    ours: str,
    our_places: Mapping[Fingerprint, list[str]],
    theirs: str,
    their_places: Mapping[Fingerprint, list[str]],
) -> list[str]:
    pairs = Counter(
        (mine, yours)
        for run in our_places.keys() & their_places.keys()
        for mine in our_places[run]
        for yours in their_places[run]
    )
    return [
        f"{ours}/{mine} and {theirs}/{yours} share video ({count} runs of actions alike)"
        for (mine, yours), count in sorted(pairs.items())
    ]


def rows_of(facts: SplitFacts) -> list[tuple[str, int, int]]:
    """(class, anticipated, observed) for a table, in benchmark order."""
    return [(str(a), facts.actions[str(a)], facts.observed[str(a)]) for a in ACTIONS]
