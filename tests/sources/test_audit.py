"""Video shared by two splits is found by its labels; different matches never are, however coarse the grid."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playahead.domain.feed import FeedHalf
from playahead.domain.records import Clip
from playahead.lab.simulation.plays import clips_of, simulate_half
from playahead.sources import audit
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import read_feed_table
from playahead.sources.soccernet import BaaSplit

GRIDS_MS = (1, 40, 1000)


def snapped(half: FeedHalf, grid_ms: int, shift_ms: int = 0, changed: float = 0.0) -> FeedHalf:
    """A half on another clock, its times on a grid, a share of its labels changed."""
    rng = np.random.default_rng(0)
    code = np.where(rng.random(len(half)) < changed, rng.integers(0, 10, len(half)), half.code).astype(np.uint8)
    t_ms = (np.round((half.t_ms.astype(np.int64) - shift_ms) / grid_ms) * grid_ms).astype(np.int32)
    rows = {**half.columns, "t_ms": t_ms, "code": code}
    return replace(half, **{name: column[t_ms >= 0] for name, column in rows.items()})


def numbered(*parts: list[Clip]) -> BaaSplit:
    clips = [clip for part in parts for clip in part]
    return BaaSplit(Path("x"), [replace(clip, name=f"clip_{n}") for n, clip in enumerate(clips)])


@pytest.fixture(scope="module")
def halves() -> list[FeedHalf]:
    return [simulate_half(seed, minutes=15) for seed in range(6)]


@pytest.mark.parametrize("grid_ms", GRIDS_MS)
def test_different_matches_share_nothing(halves, grid_ms):
    cut = [clips_of(snapped(half, grid_ms)) for half in halves]
    splits = {"train": numbered(*cut[:3]), "valid": numbered(cut[3]), "test": numbered(*cut[4:])}
    assert audit_splits(splits).leaks == []


def test_nine_real_matches_share_nothing(real_matches):
    by_match: dict[int, list[Clip]] = {}
    for half in read_feed_table(real_matches / "test.npz"):
        by_match.setdefault(half.match, []).extend(clips_of(snapped(half, 40)))
    cut = list(by_match.values())
    splits = {"train": cut[:4], "valid": cut[4:5], "test": cut[5:7], "challenge": cut[7:]}
    assert audit_splits({name: numbered(*part) for name, part in splits.items()}).leaks == []


@pytest.mark.parametrize("grid_ms", [1, 40])
@pytest.mark.parametrize(("shift_ms", "clips", "changed"), [(5_000, 200, 0.0), (312_340, 60, 0.1), (601_111, 24, 0.15)])
def test_a_match_cut_again_is_found_once(halves, grid_ms, shift_ms, clips, changed):
    """From another second on, in part, with some of its labels changed."""
    first = clips_of(snapped(halves[0], 40))
    again = clips_of(snapped(halves[0], grid_ms, shift_ms, changed))[:clips]
    other = clips_of(snapped(halves[1], 40))
    (leak,) = audit_splits({"train": numbered(first), "test": numbered(other, again)}).leaks
    said = re.match(r"train/clip_(\d+) to clip_(\d+) and test/clip_(\d+) to clip_(\d+) share video \(", leak)
    assert said, leak
    start = shift_ms // 5_000
    expected = [start, start + len(again), len(other), len(other) + len(again) - 1]
    assert [int(n) for n in said.groups()] == pytest.approx(expected, abs=7)


def test_a_quiet_stretch_is_found_by_its_length(halves):
    """Two labels a clip: no clip shows enough alone, some minutes of them do."""
    rows = np.arange(0, len(halves[0]), 8)
    quiet = replace(halves[0], **{name: column[rows] for name, column in halves[0].columns.items()})
    train, test = clips_of(snapped(quiet, 40)), clips_of(snapped(quiet, 40, 200_020))
    assert len(audit_splits({"train": numbered(train), "test": numbered(test)}).leaks) == 1
    assert audit_splits({"train": numbered(train), "test": numbered(test[:3])}).fine


def test_clips_in_no_order_are_compared_one_by_one(halves):
    rng = np.random.default_rng(0)
    first, again = clips_of(snapped(halves[0], 40)), clips_of(snapped(halves[0], 40, 7_777))
    train, test = [first[n] for n in rng.permutation(100)], [again[n] for n in rng.permutation(40)]
    other = clips_of(snapped(halves[1], 40))[:100]
    assert audit_splits({"train": numbered(train), "test": numbered(test)}).leaks
    assert audit_splits({"train": numbered(train), "test": numbered(other)}).fine


def test_withheld_labels_are_enough_to_find_it(halves):
    train = clips_of(snapped(halves[0], 40))
    hidden = [replace(clip, anticipation=None) for clip in clips_of(snapped(halves[0], 40, 300_000))[:50]]
    assert len(audit_splits({"train": numbered(train), "challenge": numbered(hidden)}).leaks) == 1


def test_clips_are_joined_into_the_halves_that_they_were_cut_from(halves):
    cut = [clips_of(snapped(half, 40)) for half in halves[:2]]
    joined = audit.stretches_of(numbered(*cut).clips)
    assert [len(stretch.clips) for stretch in joined] == [len(part) for part in cut]
    for stretch, half in zip(joined, halves, strict=False):
        is_action = (half.code < 10) & (half.t_ms > 20) & (half.t_ms < (len(stretch.clips) + 6) * 5_000)
        assert len(stretch.frame_E) == pytest.approx(is_action.sum(), abs=3)


def test_audit_counts_what_neighbouring_clips_share(halves):
    clips = clips_of(halves[0])
    facts = audit_splits({"train": numbered(clips)}).splits["train"]
    assert facts.clips == sum(facts.per_clip.values()) == len(clips)
    assert facts.sharing > 0.8 * len(clips)
    assert facts.future_visible > 0.5 * len(clips)
    facts = audit_splits({"train": numbered()}).splits["train"]
    assert (facts.clips, facts.mean_actions, facts.empty) == (0, 0.0, 0)
