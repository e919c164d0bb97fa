"""Reader and writer of compact feed tables: ``{train,val,test}.npz``, one row per event."""

from pathlib import Path

import numpy as np

from playahead.domain.feed import COLUMNS, DEFAULTS, EVERY_CODE, FINER, N_CODES, RANGES, FeedHalf, holds
from playahead.io.errors import InputError, RecordError
from playahead.io.files import atomic_write, require_archive
from playahead.sources.reading import FeedFile

SPLITS = ("train", "val", "test")
MOST_BYTES = 512 * 1024 * 1024
"""Largest size of a table, unpacked: 20,000 matches need no more."""
_OPTIONAL = ("late_ms", "confidence", *FINER, "reports")
"""Written where a feed has them. ``reports`` has a bit for each code that its half's source reports."""
_TYPES = {"match": np.int32, "half": np.uint8, **COLUMNS, "reports": np.uint16}
_NAME_OF = {column: {"code": "cls", "detail": "sub"}.get(column, column) for column in _TYPES}
"""Names in the file."""


def read_feed_table(path: Path) -> list[FeedHalf]:
    """All halves of a table, in its order.

    Raises:
        InputError: missing or damaged file, missing column, or a row that no feed can hold.
    """
    return read_table(FeedFile(Path(path)))


def read_table(file: FeedFile) -> list[FeedHalf]:
    """``read_feed_table`` of a file with options."""
    path = file.path
    columns = _good_rows(_load_columns(path), file)
    match, half, reports = columns.pop("match"), columns.pop("half"), columns.pop("reports", None)
    if not len(match):
        raise InputError(path, "holds no rows")
    # A half ends where match or half changes in the next row.
    new_half = np.flatnonzero((match[1:] != match[:-1]) | (half[1:] != half[:-1])) + 1
    halves: list[FeedHalf] = []
    for rows in np.split(np.arange(len(match)), new_half):
        first, part = rows[0], {name: column[rows] for name, column in columns.items()}
        try:
            codes = EVERY_CODE if reports is None else _codes(reports[rows])
            halves.append(FeedHalf(int(match[first]), int(half[first]), reports=codes, **part))  # type: ignore[bad-argument-type]
        except RecordError as reason:
            where = f"{path}: match {match[first]}, half {half[first]}, from row {first}"
            raise InputError(where, reason) from None
    if len({(h.match, h.half) for h in halves}) != len(halves):
        raise InputError(path, "a half's rows are not together", "sort by match, half, time")
    return halves


def read_split(folder: Path, split: str) -> list[FeedHalf]:
    """One split of a folder of compact tables."""
    if split not in SPLITS:
        raise InputError("split", f"{split!r} is not one of {', '.join(SPLITS)}")
    return read_feed_table(Path(folder) / f"{split}.npz")


def write_feed_table(path: Path, halves: list[FeedHalf]) -> None:
    """Write halves as one table that ``read_feed_table`` reads back."""
    columns = {name: np.concatenate([half.columns[name] for half in halves]) for name in COLUMNS}
    for name in ("late_ms", "confidence", *FINER):
        if (columns[name] == DEFAULTS[name]).all():
            del columns[name]
    # What is the same for all rows of a half is repeated for each of them.
    lengths = [len(half) for half in halves]
    about = {"match": [half.match for half in halves], "half": [half.half for half in halves]}
    if any(half.reports != EVERY_CODE for half in halves):
        about["reports"] = [sum(1 << code for code in half.reports) for half in halves]
    columns |= {name: np.repeat(values, lengths) for name, values in about.items()}
    arrays = {_NAME_OF[name]: columns[name].astype(kind) for name, kind in _TYPES.items() if name in columns}
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _codes(bits: np.ndarray) -> frozenset[int]:
    if (bits != bits[0]).any():
        raise RecordError("reports differs within the half")
    return frozenset(code for code in range(N_CODES) if int(bits[0]) >> code & 1)


def _good_rows(columns: dict[str, np.ndarray], file: FeedFile) -> dict[str, np.ndarray]:
    """Rows whose every value is one that its column can hold; checked before anything is converted."""
    good = np.ones(len(columns["match"]), bool)
    for name, column in columns.items():
        smallest, largest = RANGES[name]
        fine = holds(name, column)
        for row in np.flatnonzero(~fine & good):
            what = f"{_NAME_OF[name]} {column[row]} is not in {smallest}..{largest}"
            file.bad_row(InputError(f"{file.path}: row {row}", what))
        good &= fine
    return columns if good.all() else {name: column[good] for name, column in columns.items()}


def _load_columns(path: Path) -> dict[str, np.ndarray]:
    """The columns by the names of ``FeedHalf``."""
    if not path.exists():
        raise InputError(path, "no such file", "expected train.npz, val.npz and test.npz")
    require_archive(path, MOST_BYTES)
    needed = {column: name for column, name in _NAME_OF.items() if column not in _OPTIONAL}
    try:
        with np.load(path, allow_pickle=False) as table:
            columns = {c: table[name] for c, name in _NAME_OF.items() if c in needed or name in table}
    except KeyError as missing:
        raise InputError(path, missing.args[0], f"columns needed: {', '.join(needed.values())}") from None
    except Exception as reason:  # zipfile, zlib and NumPy each raise their own on damaged bytes
        raise InputError(path, f"not a readable .npz ({type(reason).__name__}: {reason})") from None
    for name, column in columns.items():
        if not isinstance(column, np.ndarray):  # what NumPy gives of an entry that lost its header
            raise InputError(path, f"column {_NAME_OF[name]} is no array", "is the file whole?")
        if column.ndim != 1 or not np.issubdtype(column.dtype, np.integer):
            what = f"column {_NAME_OF[name]} is {column.ndim}-d {column.dtype}, not one row of whole numbers"
            raise InputError(path, what)
    lengths = {_NAME_OF[name]: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise InputError(path, f"columns differ in length: {lengths}")
    return columns
