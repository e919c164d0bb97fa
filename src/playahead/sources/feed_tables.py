"""Reader and writer of compact feed tables: ``{train,val,test}.npz``, one row per event."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from playahead.domain.feed import EVERY_CODE, N_CODES, RANGES, UNKNOWN, FeedHalf, holds
from playahead.io.errors import InputError, RecordError
from playahead.io.files import atomic_write, require_archive
from playahead.sources.notes import SourceNotes

SPLITS = ("train", "val", "test")
MOST_BYTES = 512 * 1024 * 1024
"""Of a table, unpacked: 20,000 matches need no more."""
_COLUMNS = {
    "match": np.int32,
    "half": np.uint8,
    "t_ms": np.int32,
    "cls": np.uint8,
    "team": np.uint8,
    "x": np.uint8,
    "y": np.uint8,
    "setpiece": np.uint8,
    "delay_ms": np.uint16,
}
_OPTIONAL = {"late_ms": np.uint16, "confidence": np.uint8, "reports": np.uint16}
"""Written where a feed has them. ``reports`` has a bit for each code that its half's source reports."""


def read_feed_table(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """All halves of a table, in its order.

    Raises:
        InputError: missing or damaged file, missing column, or a row that no feed can hold.
    """
    columns = _good_rows(_load_columns(path), path, notes or SourceNotes())
    match, half, reports = columns.pop("match"), columns.pop("half"), columns.pop("reports", None)
    if not len(match):
        raise InputError(path, "holds no rows")
    new_half = np.flatnonzero((match[1:] != match[:-1]) | (half[1:] != half[:-1])) + 1
    halves: list[FeedHalf] = []
    for rows in np.split(np.arange(len(match)), new_half):
        first, part = rows[0], cast(dict[str, Any], {name: column[rows] for name, column in columns.items()})
        part["code"] = part.pop("cls")
        try:
            found = FeedHalf(int(match[first]), int(half[first]), **part)
            halves.append(found if reports is None else replace(found, reports=_codes(reports[rows])))
        except RecordError as reason:
            where = f"{path}: match {match[first]}, half {half[first]}, from row {first}"
            raise InputError(where, reason) from None
    keys = [(h.match, h.half) for h in halves]
    if len(set(keys)) != len(keys):
        raise InputError(path, "a half's rows are not together", "sort by match, half, time")
    return halves


def read_split(folder: Path, split: str) -> list[FeedHalf]:
    """One split of a folder of compact tables."""
    if split not in SPLITS:
        raise InputError("--split", f"{split!r} is not one of {', '.join(SPLITS)}")
    return read_feed_table(Path(folder) / f"{split}.npz")


def write_feed_table(path: Path, halves: list[FeedHalf]) -> None:
    """Write halves as one table that ``read_feed_table`` reads back."""
    arrays: dict[str, np.ndarray] = {
        "match": np.concatenate([np.full(len(h), h.match, np.int32) for h in halves]),
        "half": np.concatenate([np.full(len(h), h.half, np.uint8) for h in halves]),
        "cls": np.concatenate([h.code for h in halves]),
    }
    for name in ("t_ms", "team", "x", "y", "setpiece", "delay_ms"):
        arrays[name] = np.concatenate([getattr(h, name) for h in halves])
    if any(h.late_ms.any() for h in halves):
        arrays["late_ms"] = np.concatenate([h.late_ms for h in halves])
    if any((h.confidence != UNKNOWN).any() for h in halves):
        arrays["confidence"] = np.concatenate([h.confidence for h in halves])
    if any(h.reports != EVERY_CODE for h in halves):
        arrays["reports"] = np.concatenate([np.full(len(h), _bits(h.reports)) for h in halves])
    columns = {name: arrays[name].astype(kind) for name, kind in (_COLUMNS | _OPTIONAL).items() if name in arrays}
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **columns)


def _bits(codes: frozenset[int]) -> int:
    return sum(1 << code for code in codes)


def _codes(bits: np.ndarray) -> frozenset[int]:
    if (bits != bits[0]).any():
        raise RecordError("reports differs within the half")
    return frozenset(code for code in range(N_CODES) if int(bits[0]) >> code & 1)


def _good_rows(columns: dict[str, np.ndarray], path: Path, notes: SourceNotes) -> dict[str, np.ndarray]:
    """Rows whose every value is one that its column can hold; checked before anything is converted."""
    good = np.ones(len(columns["match"]), bool)
    for name, column in columns.items():
        called = "code" if name == "cls" else name
        least, most = RANGES[called]
        fine = holds(called, column)
        for row in np.flatnonzero(~fine & good):
            notes.bad_row(InputError(f"{path}: row {row}", f"{name} {column[row]} is not in {least}..{most}"))
        good &= fine
    return columns if good.all() else {name: column[good] for name, column in columns.items()}


def _load_columns(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise InputError(path, "no such file", "expected train.npz, val.npz and test.npz")
    require_archive(path, MOST_BYTES)
    try:
        with np.load(path, allow_pickle=False) as table:
            columns = {name: table[name] for name in _COLUMNS}
            columns |= {name: table[name] for name in _OPTIONAL if name in table}
    except KeyError as missing:
        raise InputError(path, missing.args[0], f"columns needed: {', '.join(_COLUMNS)}") from None
    except Exception as reason:  # zipfile, zlib and NumPy each raise their own on damaged bytes
        raise InputError(path, f"not a readable .npz ({type(reason).__name__}: {reason})") from None
    for name, column in columns.items():
        if not isinstance(column, np.ndarray):  # what NumPy gives of an entry that lost its header
            raise InputError(path, f"column {name} is no array", "is the file whole?")
        if column.ndim != 1 or not np.issubdtype(column.dtype, np.integer):
            raise InputError(path, f"column {name} is {column.ndim}-d {column.dtype}, not one row of whole numbers")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise InputError(path, f"columns differ in length: {lengths}")
    return columns
