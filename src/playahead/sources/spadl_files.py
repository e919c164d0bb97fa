"""Files of SPADL or atomic SPADL actions: JSON in any of pandas' shapes, JSON lines, CSV, and Parquet."""

import csv
import importlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.io.files import readable_size
from playahead.sources import jsonfile
from playahead.sources.match_ids import match_id_of_file
from playahead.sources.notes import SourceNotes
from playahead.sources.opened import MOST_BYTES, read_source_text, read_unpacked
from playahead.sources.spadl import ATOMIC_TYPES, halves_of_spadl, is_named, spadl_columns

_PARQUET = b"PAR1"
_BY_COLUMN = re.compile(rb'\{\s*"(game_id|original_event_id|action_id|period_id|time_seconds)"\s*:\s*[\[{]')
_TOWARDS = ("shot", "cross", "corner", "freekick_crossed")
_OWN_END = ("goalkick", "keeper_")


def is_spadl(head: bytes) -> bool:
    """Whether a file begins like a table of SPADL actions (or is Parquet, which only its end tells)."""
    if head.startswith(_PARQUET) or _BY_COLUMN.match(head):
        return True
    first = head if head[:1] in (b"{", b"[") else head.split(b"\n", 1)[0]
    return first[:1] != b"<" and all(name in first for name in (b"period_id", b"time_seconds", b"team_id"))


def read_spadl_file(path: Path, notes: SourceNotes | None = None) -> list[FeedHalf]:
    """The halves of every match in the file, in its order.

    Which way a team attacks is told by its shots, crosses and goal kicks: socceraction's converters leave one team's
    places the other way round, its ``play_left_to_right`` does not.

    Raises:
        InputError: not such a table, a column is missing or holds what it cannot, or Parquet without pyarrow.
    """
    notes = notes or SourceNotes()
    columns = {name: _typed(values) for name, values in _columns(path).items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise InputError(path, "SPADL: columns differ in length")
    if "game_id" not in columns and columns:
        columns["game_id"] = np.full(len(next(iter(columns.values()))), match_id_of_file(path))
    halves: list[FeedHalf] = []
    try:
        table = spadl_columns(columns)
        for game in dict.fromkeys(columns["game_id"].tolist()):
            one = {name: column[table["game_id"] == game] for name, column in table.items()}
            turned, placeless = _directions(one)
            if placeless:
                notes.doubts.append(f"no shot says which way team {', '.join(placeless)} attacks: places unknown")
            halves += halves_of_spadl(one, turned, set(placeless.values()), notes)
    except InputError as reason:
        raise InputError(path, f"SPADL: {reason.what}", reason.fix) from None
    return halves


def _directions(table: Mapping[str, NDArray]) -> tuple[set[object], dict[str, object]]:
    """Teams that attack from right to left, and those (by name) of which nothing says where to."""
    names = [ATOMIC_TYPES[type_id] if type_id >= 0 else "" for type_id in table["type"]]
    sign = np.array([name.startswith(_TOWARDS) - 1.0 * name.startswith(_OWN_END) for name in names])
    along = np.clip(np.nan_to_num(table["start_x"], nan=PITCH_M[0] / 2), 0, PITCH_M[0])
    votes = sign * (along - PITCH_M[0] / 2)
    turned: set[object] = set()
    placeless: dict[str, object] = {}
    for team in filter(is_named, dict.fromkeys(table["team_id"].tolist())):
        vote = votes[table["team_id"] == team].sum()
        if vote < 0:
            turned.add(team)
        elif vote == 0:
            placeless[str(team)] = team
    return turned, placeless


def _columns(path: Path) -> Mapping[str, Sequence[object]]:
    content = read_unpacked(path)
    if content.startswith(_PARQUET):
        return _of_parquet(content, path)
    text = read_source_text(path)
    if not text.lstrip().startswith(("{", "[")):
        try:
            rows = list(csv.DictReader(io.StringIO(text), delimiter=_delimiter(text)))
            if rows and None in rows[-1].values():
                raise InputError(path, "SPADL: the last line is cut short", "is the file whole?")
            return _of_rows(rows, path)
        except csv.Error as reason:
            raise InputError(path, f"SPADL: not CSV ({reason})") from None
    return _of_json(text.strip(), path)


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _of_json(text: str, path: Path) -> Mapping[str, Sequence[object]]:
    """Records, lines of records, or a table by columns; ``data`` and ``columns`` as pandas writes them."""
    first, _, more = text.partition("\n")
    if first.rstrip().endswith("}") and more.startswith("{"):
        lines = (line for line in text.splitlines() if line.strip())
        return _of_rows((jsonfile.parse_json(line.encode(), path) for line in lines), path)
    root = jsonfile.parse_json(text.encode(), path)
    if isinstance(root, dict) and isinstance(root.get("columns"), list):
        names = [str(name) for name in jsonfile.as_list(root["columns"], f"{path}: columns")]
        rows = jsonfile.as_list(jsonfile.field(root, "data", str(path)), f"{path}: data")
        return _of_rows((dict(zip(names, jsonfile.as_list(row, f"{path}: data"), strict=False)) for row in rows), path)
    if isinstance(root, dict):
        listed = next((root[name] for name in ("data", "actions", "events") if isinstance(root.get(name), list)), None)
        if listed is None:
            return {name: _values(column, f"{path}: {name}") for name, column in root.items()}
        root = listed
    return _of_rows(jsonfile.as_list(root, str(path)), path)


def _values(column: object, where: str) -> Sequence[object]:
    """A column as a list, or as values by row number."""
    return list(column.values()) if isinstance(column, dict) else jsonfile.as_list(column, where)


def _of_rows(rows: Iterable[object], path: Path) -> Mapping[str, Sequence[object]]:
    records = [jsonfile.as_object(row, f"{path}: action {index}") for index, row in enumerate(rows)]
    names = dict.fromkeys(name for record in records for name in record if name)
    return {name: [record.get(name) for record in records] for name in names}


def _of_parquet(content: bytes, path: Path) -> Mapping[str, Sequence[object]]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(path, "is a Parquet file, which needs pyarrow", "pip install pyarrow, or write CSV") from None
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if size > MOST_BYTES:
            raise InputError(path, f"unpacks to {readable_size(size)}, at most {readable_size(MOST_BYTES)} are read")
        return file.read().to_pydict()
    except InputError:
        raise
    except Exception as reason:  # pyarrow has errors of its own, and raises others
        raise InputError(path, f"cannot be read as Parquet ({type(reason).__name__})", "is it whole?") from None


def _typed(values: Sequence[object]) -> NDArray:
    """Whole numbers, else numbers (NaN where there is none), else text and whatever else there is."""
    numbers = np.array([jsonfile.number(value) for value in values])
    if any(np.isnan(found) and not _is_empty(value) for found, value in zip(numbers, values, strict=True)):
        return np.array(
            [value if isinstance(value, str) else json.dumps(value, default=str) for value in values], object
        )
    if len(numbers) and np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all():
        whole = np.rint(numbers)
        return whole.astype(np.int64) if (np.abs(whole) < 2**53).all() else np.array([str(v) for v in values], object)
    return numbers


def _is_empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value)) or str(value).lower() == "nan"
