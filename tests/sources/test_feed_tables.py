"""Compact feed tables: round trip, faults; simulated plays; the audit."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.io.errors import InputError, RecordError
from playahead.lab.simulation.plays import clips_of, simulate_half, simulate_match, write_bas_labels
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import read_feed_table, read_split, write_feed_table
from playahead.sources.soccernet import BaaSplit, read_bas_match


def same(ours: FeedHalf, theirs: FeedHalf) -> bool:
    return all(np.array_equal(vars(ours)[name], vars(theirs)[name]) for name in vars(ours))


def test_round_trip(tmp_path):
    halves = simulate_match(1, match=7, minutes_per_half=2)
    write_feed_table(tmp_path / "train.npz", halves)
    assert all(same(a, b) for a, b in zip(read_split(tmp_path, "train"), halves, strict=True))


def test_round_trip_of_what_is_unknown(tmp_path):
    plain, other = simulate_match(1, match=7, minutes_per_half=2)
    rng = np.random.default_rng(0)
    odd = replace(
        other,
        half=4,
        team=np.full(len(other), UNKNOWN, np.uint8),
        setpiece=np.full(len(other), UNKNOWN, np.uint8),
        late_ms=rng.integers(0, 9000, len(other)).astype(np.uint16),
        confidence=rng.choice([0, 40, 100, UNKNOWN], len(other)).astype(np.uint8),
        reports=frozenset({0, 1, 9}),
    )
    write_feed_table(tmp_path / "train.npz", [plain, odd])
    assert all(same(a, b) for a, b in zip(read_split(tmp_path, "train"), [plain, odd], strict=True))


def test_a_half_reports_the_same_codes_throughout(tmp_path):
    half = replace(simulate_half(0, minutes=2), reports=frozenset({0}))
    write_feed_table(tmp_path / "train.npz", [half])
    with np.load(tmp_path / "train.npz") as table:
        columns = dict(table)
    columns["reports"][3] = 2
    np.savez(tmp_path / "train.npz", **columns)
    with pytest.raises(InputError, match=r"match 1, half 1, from row 0: reports differs within the half"):
        read_split(tmp_path, "train")


def test_real_tables(real_matches):
    halves = read_split(real_matches, "test")
    assert len(halves) == 18
    assert sum(len(half) for half in halves) == 18_141


def test_all_real_tables(wyscout_baa):
    halves = read_split(wyscout_baa, "val")
    assert len(halves) == 80
    assert sum(len(half) for half in halves) == 83_620


def test_an_entry_that_lost_its_header_is_one_line(tmp_path):
    write_feed_table(tmp_path / "train.npz", [simulate_half(0, minutes=1)])
    with zipfile.ZipFile(tmp_path / "train.npz") as whole, zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad:
        for name in whole.namelist():
            bad.writestr(name, b"junk" if name == "team.npy" else whole.read(name))
    with pytest.raises(InputError, match="column team is no array"):
        read_feed_table(tmp_path / "bad.npz")


def test_faults(tmp_path):
    path = tmp_path / "train.npz"
    with pytest.raises(InputError, match="no such file"):
        read_feed_table(path)
    with pytest.raises(InputError, match="not one of train, val, test"):
        read_split(tmp_path, "tset")
    path.write_bytes(b"not a zip")
    with pytest.raises(InputError, match="not a readable"):
        read_feed_table(path)
    np.savez(path, match=np.zeros(3, np.int32))
    with pytest.raises(InputError, match="half"):
        read_feed_table(path)


@pytest.mark.parametrize(
    "change",
    [
        {"delay_ms": lambda c: c.astype(np.int32) - 20_000},
        {"cls": lambda c: c.astype(np.int8) - 20},
        {"match": lambda c: c + np.nan},
        {"half": lambda c: c.astype(str)},
        {"half": lambda c: c + 0.7},
        {"x": lambda c: c[:, None]},
        {"y": lambda c: c[:-1]},
        {"team": lambda c: np.int64(3)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_columns_that_no_table_holds(tmp_path, change):
    path = tmp_path / "train.npz"
    write_feed_table(path, [simulate_half(0, minutes=3)])
    with np.load(path) as table:
        columns = dict(table)
    np.savez(path, **columns | {name: alter(columns[name]) for name, alter in change.items()})
    with pytest.raises(InputError, match=r"train\.npz"):
        read_feed_table(path)


@pytest.mark.parametrize("at", [10, 100, 400, 900, -30])
def test_damaged_tables_are_refused_or_read_never_a_traceback(tmp_path, at):
    path = tmp_path / "train.npz"
    write_feed_table(path, [simulate_half(0, minutes=3)])
    body = bytearray(path.read_bytes())
    body[at] ^= 0xFF
    for damaged in (bytes(body), bytes(body[: abs(at)])):
        path.write_bytes(damaged)
        try:
            read_feed_table(path)
        except InputError as refusal:
            assert str(path) in str(refusal)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("code", 14, "code is not in"),
        ("team", 2, "team is not 0, 1 or 255"),
        ("x", 101, "position is not in"),
        ("setpiece", 7, "setpiece is not in"),
        ("t_ms", -5, "t_ms"),
    ],
)
def test_rows_that_no_feed_can_hold(played_half, column, value, reason):
    values = getattr(played_half, column).copy()
    values[20] = value
    with pytest.raises(RecordError, match=reason):
        replace(played_half, **{column: values})


def test_columns_of_different_length_or_kind(played_half):
    with pytest.raises(RecordError, match="has shape"):
        replace(played_half, x=played_half.x[:-1])
    with pytest.raises(RecordError, match="not whole numbers"):
        replace(played_half, x=played_half.x.astype(float))


def test_simulation_is_seeded_and_has_real_rates():
    assert same(simulate_half(5), simulate_half(5))
    assert not same(simulate_half(5), simulate_half(6))
    halves = [simulate_half(seed) for seed in range(6)]
    code = np.concatenate([half.code for half in halves])
    share = np.bincount(code, minlength=10) / len(code)
    real = np.array([0.387, 0.369, 0.052, 0.067, 0.024, 0.024, 0.013, 0.038, 0.018, 0.005])
    assert np.abs(share - real).max() < 0.05
    assert (share > 0).all(), "every class occurs"
    per_window = len(code) / sum(half.t_ms[-1] / 5000 for half in halves)
    assert 1.2 < per_window < 2.2


def test_simulation_needs_a_duration():
    with pytest.raises(InputError, match=r"not in 0\.1 to 120"):
        simulate_half(0, minutes=0)


def test_simulated_spotting_labels_are_read_back(tmp_path):
    halves = simulate_match(2, minutes_per_half=2)
    write_bas_labels(tmp_path / "Labels-ball.json", halves)
    match = read_bas_match(tmp_path / "Labels-ball.json")
    assert [e.position_ms for e in match[1]] == halves[0].t_ms.tolist()


def split(clips) -> BaaSplit:
    return BaaSplit(Path("x"), list(clips))


def test_audit_counts_what_neighbouring_clips_share():
    clips = clips_of(simulate_half(0, minutes=10))
    facts = audit_splits({"train": split(clips)}).splits["train"]
    assert facts.clips == len(clips)
    assert facts.sharing > 0.8 * len(clips)
    assert facts.future_visible > 0.5 * len(clips)
    assert sum(facts.per_clip.values()) == len(clips)


def test_audit_finds_video_shared_across_splits_and_only_there():
    clips = clips_of(simulate_half(0, minutes=10))
    other = clips_of(simulate_half(1, minutes=10))
    assert audit_splits({"train": split(clips), "test": split(other)}).fine
    overlapping = audit_splits({"train": split(clips[:40]), "test": split(clips[41:])})
    assert not overlapping.fine
    assert "share video" in overlapping.leaks[0]


def test_audit_of_nothing():
    facts = audit_splits({"train": split([])}).splits["train"]
    assert (facts.clips, facts.mean_actions, facts.empty) == (0, 0.0, 0)
