"""Facts about a dataset, and leaks from one part of it to another.

Clips of the benchmark start every 5 s, so neighbours share up to 25 s of video, and one clip's future is in another
clip's past. Within a split that is how the benchmark is made; across splits it is a leak, recognised by its labels:
clips carry no match id, and the same match may have been cut again: from another second on, in part, with some labels
changed. Short runs of actions agree by chance, above all where positions lie on a grid of frames. So clips are first
joined into the stretches that they were cut from, and two stretches share video only where a long run of their labels
agrees at one offset, with more agreement than chance gives.

Axes: E events of a stretch, C classes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.domain.records import Clip
from playahead.sources.soccernet import BaaSplit

_FRAME_MS = 1000 // GRID.fps
_STRIDE_MS = GRID.window_ms
_CLIP_MS = OBSERVATION_MS + ANTICIPATION_MS
_TOLERANCE = 1
"""Frames that the same label may lie apart: each position was rounded on its own."""
_SEED = 3
"""Actions in a row, alike to the frame, that make an offset worth a look."""
_MOST_OFFSETS = 5_000
_A_CLASS = 1 << 32
"""Added to a frame for each class before its own: frames of one class never reach the next class's."""
_LOSS = 2.5
"""Log of how much likelier a label without a partner is between different matches (nearly all) than in one (a few)."""
_ENOUGH = 40.0
"""Log of how much likelier the same video must be than chance: about twelve common actions on a grid of 40 ms. Chance
reaches 24 among 40 real matches."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive clips, the next one always 5 s later, and the actions of all of them in time order.

    Attributes:
        clips: clips in time order.
        frame_E: frame of each action, at 25 fps from the first clip's start.
        class_E: index of each action's class.
        key_E: class and frame in one number, sorted: to look a label up.
    """

    clips: Sequence[Clip]
    frame_E: NDArray[np.int64]
    class_E: NDArray[np.int64]
    key_E: NDArray[np.int64]

    def names(self, first_frame: int, last_frame: int) -> str:
        """The clips that show any of these frames."""
        last = min(last_frame * _FRAME_MS // _STRIDE_MS, len(self.clips) - 1)
        first = min(max(-((_CLIP_MS - first_frame * _FRAME_MS) // _STRIDE_MS), 0), last)
        ours, theirs = self.clips[first].name, self.clips[last].name
        return ours if first == last else f"{ours} to {theirs}"


def stretches_of(clips: Sequence[Clip]) -> list[Stretch]:
    """Clips joined where the next one, in the file's order, shows the same actions 5 s earlier."""
    runs: list[list[Clip]] = []
    for clip in clips:
        if runs and _follows(runs[-1][-1], clip):
            runs[-1].append(clip)
        else:
            runs.append([clip])
    return [_stretch(run) for run in runs]


def _overlaps(ours: Sequence[Stretch], theirs: Sequence[Stretch]) -> Iterator[Sequence[Any]]:
    """Facts of ``_longest_run`` for every two stretches of two splits that share video, the longest agreement each."""
    gain_C = _gains(ours, theirs)
    best: dict[tuple[int, int], Sequence[Any]] = {}
    for mine, yours, shift in _offsets(ours, theirs):
        run = _longest_run(ours[mine], theirs[yours], shift, gain_C)
        if run[0] >= _ENOUGH and run[0] > best.get((mine, yours), (0.0,))[0]:
            best[mine, yours] = run
    return (best[pair] for pair in sorted(best))


def _follows(earlier: Clip, later: Clip) -> bool:
    """True if both show the same actions where they overlap; one on the edges may be in one of them only."""
    until_ms = OBSERVATION_MS - _STRIDE_MS  # the future of either may be withheld
    frames = []
    for clip, start_ms in ((earlier, _STRIDE_MS), (later, 0)):
        inside = [e for e in clip.observation if _FRAME_MS < e.position_ms - start_ms < until_ms - _FRAME_MS]
        frames.append(sorted((e.action.class_index, e.position_ms - start_ms) for e in inside))
    return len(frames[0]) == len(frames[1]) and all(
        a == b and abs(s - t) <= _FRAME_MS for (a, s), (b, t) in zip(*frames, strict=True)
    )


def _stretch(clips: Sequence[Clip]) -> Stretch:
    """Each action once: a clip adds what lies after the observation of the clip before it."""
    shown = [*(clip.observation for clip in clips[:-1]), (*clips[-1].observation, *(clips[-1].anticipation or ()))]
    rows = {
        (round((event.position_ms + index * _STRIDE_MS) / _FRAME_MS), event.action.class_index)
        for index, events in enumerate(shown)
        for event in events
        if event.position_ms > (OBSERVATION_MS - _STRIDE_MS if index else -1)
    }
    table = np.array(sorted(rows), np.int64).reshape(-1, 2)
    return Stretch(clips, table[:, 0], table[:, 1], np.sort(table[:, 1] * _A_CLASS + table[:, 0]))


def _offsets(ours: Sequence[Stretch], theirs: Sequence[Stretch]) -> Iterator[tuple[int, int, int]]:
    """(our stretch, their stretch, frames by which theirs are to be moved), what most seeds speak for first."""
    places: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for index, stretch in enumerate(theirs):
        for key, frame in _seeds(stretch):
            places[key].append((index, frame))
    votes = Counter(
        (mine, yours, frame - their_frame)
        for mine, stretch in enumerate(ours)
        for key, frame in _seeds(stretch)
        for yours, their_frame in places.get(key, ())
    )
    return (offset for offset, _ in votes.most_common(_MOST_OFFSETS))


def _seeds(stretch: Stretch) -> Iterator[tuple[bytes, int]]:
    """(classes and intervals of some actions in a row, frame of the first)."""
    for start in range(len(stretch.frame_E) - _SEED + 1):
        frames = stretch.frame_E[start : start + _SEED]
        yield stretch.class_E[start : start + _SEED].tobytes() + np.diff(frames).tobytes(), int(frames[0])


def _has_partner(stretch: Stretch, other: Stretch, shift: int) -> NDArray[np.bool_]:
    """Mask of the actions with one of their class, within the tolerance, in the other stretch moved by ``shift``."""
    sought_E = stretch.class_E * _A_CLASS + stretch.frame_E - shift
    after_E = np.searchsorted(other.key_E, sought_E + _TOLERANCE, "right")
    return after_E > np.searchsorted(other.key_E, sought_E - _TOLERANCE)


def _gains(ours: Sequence[Stretch], theirs: Sequence[Stretch]) -> NDArray[np.float64]:
    """Minus log of how often an action of each class has a partner by chance.

    Measured at offsets of whole strides: they lie on whatever grid the labels lie on, and a coarser one agrees more.
    """
    # The longest stretches of both, at offsets that no seed speaks for: how many labels find a partner all the same.
    paired_C, all_C = np.ones(len(ACTIONS)), np.full(len(ACTIONS), 2.0)  # none was tried: chance is a half
    longest = sorted(theirs, key=lambda stretch: -len(stretch.frame_E))[:4]
    stride = _STRIDE_MS // _FRAME_MS
    for stretch in sorted(ours, key=lambda stretch: -len(stretch.frame_E))[:4]:
        for other in longest:
            for shift in range(-20 * stride, 21 * stride, stride):
                inside = _within(stretch, other, shift)
                paired = inside & _has_partner(stretch, other, shift)
                paired_C += np.bincount(stretch.class_E[paired], minlength=len(ACTIONS))
                all_C += np.bincount(stretch.class_E[inside], minlength=len(ACTIONS))
    return -np.log(paired_C / all_C)


def _within(stretch: Stretch, other: Stretch, shift: int) -> NDArray[np.bool_]:
    """Mask of the actions in the part that the other stretch, moved, shows too."""
    end = ((len(other.clips) - 1) * _STRIDE_MS + _CLIP_MS) // _FRAME_MS
    return (stretch.frame_E >= shift) & (stretch.frame_E <= end + shift)


def _longest_run(
    ours: Stretch, theirs: Stretch, shift: int, gain_C: NDArray[np.float64]
) -> tuple[float, str, str, int, int]:
    """Evidence for the same video in the best run of labels at one offset; the clips of both that show it; labels in it
    that agree, and labels of either without a partner."""
    # Labels with a partner in the other stretch, and those of theirs without one where ours look, too.
    our_pairs, their_pairs = _has_partner(ours, theirs, shift), _has_partner(theirs, ours, -shift)
    alone = _within(theirs, ours, -shift) & ~their_pairs
    inside = _within(ours, theirs, shift)
    # Labels of both in time order, a pair once, each with its log-likelihood ratio for the same video.
    frame_E = np.concatenate([ours.frame_E[inside], theirs.frame_E[alone] + shift])
    our_evidence_E = np.where(our_pairs, gain_C[ours.class_E], -_LOSS)[inside]
    evidence_E = np.concatenate([our_evidence_E, np.full(alone.sum(), -_LOSS)])
    order = np.argsort(frame_E, kind="stable")
    frame_E, evidence_E = frame_E[order], evidence_E[order]
    # The run of largest sum ends where the sum so far is furthest above its lowest value before.
    sums = np.concatenate([[0.0], np.cumsum(evidence_E)])
    above = sums - np.minimum.accumulate(sums)
    stop = int(above.argmax())
    start = int(sums[: stop + 1].argmin())
    run = evidence_E[start:stop]
    first, last = (int(frame_E[start]), int(frame_E[stop - 1])) if len(run) else (0, 0)
    names = ours.names(first, last), theirs.names(first - shift, last - shift)
    return float(above[stop]), *names, int((run > 0).sum()), int((run < 0).sum())


@dataclass
class SplitFacts:
    """Counts of one split."""

    clips: int
    actions: Counter[str]
    observed: Counter[str]
    per_clip: Counter[int]
    withheld: int
    dropped: Counter[str]
    rejected: list[str]
    sharing: int
    future_visible: int

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
        splits: facts by the split's name.
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
    stretches = {name: stretches_of(split.clips) for name, split in splits.items()}
    facts: dict[str, SplitFacts] = {}
    for name, split in splits.items():
        known = [clip for clip in split.clips if clip.anticipation is not None]
        facts[name] = SplitFacts(
            clips=len(split.clips),
            actions=Counter(str(e.action) for clip in known for e in clip.anticipation or ()),
            observed=Counter(str(e.action) for clip in split.clips for e in clip.observation),
            per_clip=Counter(len(clip.anticipation or ()) for clip in known),
            withheld=len(split.clips) - len(known),
            dropped=split.dropped,
            rejected=split.rejected,
            sharing=sum(len(one.clips) for one in stretches[name] if len(one.clips) > 1),
            # Clips whose future (where something happens in it) is in the past of a later clip, up to 30 s on.
            future_visible=sum(bool(clip.anticipation) for one in stretches[name] for clip in one.clips[:-1]),
        )
    leaks = [
        f"{ours}/{mine} and {theirs}/{yours} share video ({alike:,} of {alike + unlike:,} labels alike)"
        for ours, theirs in combinations(splits, 2)
        for _, mine, yours, alike, unlike in _overlaps(stretches[ours], stretches[theirs])
    ]
    return Audit(facts, leaks)
