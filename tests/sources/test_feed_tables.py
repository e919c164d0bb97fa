"""Compact feed tables: round trip, faults; simulated plays."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.io.errors import InputError, RecordError
from playahead.lab.simulation.plays import simulate_half, simulate_match, write_bas_labels
from playahead.sources.feed_tables import read_feed_table, read_split, write_feed_table
from playahead.sources.soccernet import read_bas_match


def same(ours: FeedHalf, theirs: FeedHalf) -> bool:
    return all(np.array_equal(vars(ours)[name], vars(theirs)[name]) for name in vars(ours))


def test_round_trip_also_of_what_is_unknown(tmp_path):
    plain, other = simulate_match(1, match=7, minutes_per_half=2)
    rng, unknown = np.random.default_rng(0), np.full(len(other), UNKNOWN, np.uint8)
    late_ms = rng.integers(0, 9000, len(other)).astype(np.uint16)
    confidence = rng.choice([0, 40, 100, UNKNOWN], len(other)).astype(np.uint8)
    odd = replace(other, half=4, team=unknown, setpiece=unknown, late_ms=late_ms, confidence=confidence)
    for halves in ([plain, other], [plain, replace(odd, reports=frozenset({0, 1, 9}))]):
        write_feed_table(tmp_path / "train.npz", halves)
        assert all(same(a, b) for a, b in zip(read_split(tmp_path, "train"), halves, strict=True))


def changed(folder: Path, **changes: Callable[[np.ndarray], object]) -> Path:
    """A table whose columns are changed."""
    path = folder / "train.npz"
    write_feed_table(path, [replace(simulate_half(0, minutes=3), reports=frozenset({0}))])
    with np.load(path) as table:
        columns = dict(table)
    np.savez(path, **columns | {name: change(columns[name]) for name, change in changes.items()})
    return path


def with_value(value: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda column: np.where(np.arange(len(column)) == 3, value, column.astype(np.int64))


@pytest.mark.parametrize(
    ("column", "value"),
    [("half", 65_537), ("delay_ms", 10**12), ("t_ms", 2**31 - 1), ("x", 101), ("team", 256), ("match", 2**31)],
)
def test_values_that_would_wrap_around_are_refused_with_row_and_value(tmp_path, column, value):
    with pytest.raises(InputError, match=rf"row 3: {column} {value} is not in"):
        read_feed_table(changed(tmp_path, **{column: with_value(value)}))


@pytest.mark.parametrize(
    ("tables", "split", "n_halves", "n_rows"),
    [("real_matches", "test", 18, 18_141), ("wyscout_baa", "val", 80, 83_620)],
)
def test_real_tables(request, tables, split, n_halves, n_rows):
    halves = read_split(request.getfixturevalue(tables), split)
    assert (len(halves), sum(map(len, halves))) == (n_halves, n_rows)


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
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    with pytest.raises(InputError, match="unpacks to"):
        read_feed_table(path)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("cls", lambda c: c.astype(np.int8) - 20, "cls -"),
        ("match", lambda c: c + np.nan, "column match is 1-d float64"),
        ("half", lambda c: c.astype(str), "column half is 1-d <U"),
        ("x", lambda c: c[:, None], "column x is 2-d"),
        ("y", lambda c: c[:-1], "columns differ in length"),
        ("team", lambda c: np.int64(3), "column team is 0-d"),
        ("reports", with_value(2), "match 1, half 1, from row 0: reports differs within the half"),
        ("half", with_value(2), "a half's rows are not together"),
    ],
)
def test_columns_that_no_table_holds(tmp_path, name, change, reason):
    with pytest.raises(InputError, match=rf"train\.npz.*{reason}"):
        read_feed_table(changed(tmp_path, **{name: change}))


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
