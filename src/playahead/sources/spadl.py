"""SPADL actions (socceraction) -> halves of a feed, from files, or from any table with columns by name.

Atomic SPADL is read as well: its actions have a place and a way (x, y, dx, dy) and no result; receptions, cards and
goals are rows of their own there, and the ball going out is one. Files: JSON in any of pandas' shapes, JSON lines, CSV,
and Parquet.
"""

import csv
import importlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playahead.domain.feed import PERIODS, UNKNOWN, FeedHalf, SetPiece
from playahead.domain.notices import Notices
from playahead.domain.pitch import PITCH_M, distance_m
from playahead.io.errors import InputError
from playahead.io.files import readable_size
from playahead.sources import reading
from playahead.sources.provider_events import Kind, ProviderEvent, halves_of
from playahead.sources.reading import FeedFile, match_id, match_id_of_file, number, parse_json

TYPES = (
    *("pass", "cross", "throw_in", "freekick_crossed", "freekick_short", "corner_crossed", "corner_short", "take_on"),
    *("foul", "tackle", "interception", "shot", "shot_penalty", "shot_freekick", "keeper_save", "keeper_claim"),
    *("keeper_punch", "keeper_pick_up", "clearance", "bad_touch", "non_action", "dribble", "goalkick"),
)
"""SPADL's action types in the order of ``type_id``."""
ATOMIC_TYPES = (
    *TYPES,
    *("receival", "", "out", "offside", "goal", "owngoal", "yellow_card", "red_card", "corner", "freekick"),
)
"""Those of atomic SPADL; 24 is called an interception, too, but means only that the other team has the ball next."""
_RESULTS = ("fail", "success", "offside", "owngoal", "yellow_card", "red_card")
_BODY_PARTS = ("foot", "head", "other", "head/other", "foot_left", "foot_right")
_HEAD, _HEAD_OR_OTHER, _SUCCESS, _OFFSIDE = 1, 3, 1, 2
_SHOOT_OUT = 5
_NEEDED = ("game_id", "period_id", "time_seconds", "team_id", "player_id")
_PLACES = ("start_x", "start_y", "end_x", "end_y")
_ATOMIC_PLACES = ("x", "y", "dx", "dy")
_PASSES = ("pass", "cross", "throw_in", "freekick_crossed", "freekick_short", "freekick")
_TYPES: dict[Kind, tuple[str, ...]] = {
    "pass": (*_PASSES, "corner_crossed", "corner_short", "corner", "goalkick"),
    "shot": ("shot", "shot_penalty", "shot_freekick"),
    "save": ("keeper_save", "keeper_punch"),
    "touch": ("keeper_claim", "keeper_pick_up", "bad_touch"),
    "take on": ("take_on",),
    "carry": ("dribble",),
    "clearance": ("clearance",),
    "block": ("interception",),
    "out": ("out",),
    "stoppage": ("foul", "offside"),
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _TYPES.items() for name in names}
_SETPIECES = {
    **{"throw_in": SetPiece.THROW_IN, "goalkick": SetPiece.GOAL_KICK},
    **dict.fromkeys(("corner", "corner_crossed", "corner_short"), SetPiece.CORNER),
    **dict.fromkeys(("freekick", "freekick_crossed", "freekick_short"), SetPiece.FREE_KICK),
    **dict.fromkeys(("shot_penalty", "shot_freekick"), SetPiece.DIRECT_SHOT),
}
_PARQUET = b"PAR1"
_BY_COLUMN = re.compile(rb'\{\s*"(game_id|original_event_id|action_id|period_id|time_seconds)"\s*:\s*[\[{]')
_TOWARDS = ("shot", "cross", "corner", "freekick_crossed")
_OWN_END = ("goalkick", "keeper_")


def read_spadl(actions: Any, home_team_id: object = None, notices: Notices | None = None) -> list[FeedHalf]:
    """The halves of one match; none if none of its actions is one that becomes a row.

    SPADL does not say when the ball goes out (atomic SPADL does), nor how high a pass is: OUT is not reported, and long
    passes are high.

    Args:
        actions: a pandas or polars DataFrame, or a mapping of arrays, with SPADL's or atomic SPADL's columns (ids or
            names of type, result and body part), in metres on a pitch of 105 x 68.
        home_team_id: the team that attacks from left to right throughout, as socceraction's converters leave it; None
            if every action was turned to its team's attack (``play_left_to_right``).
        notices: collector of what was not read.

    Raises:
        InputError: a column is missing or holds what it cannot, several matches, or more than two teams.
    """
    table = _numbered(actions)
    turned = set() if home_team_id is None else set(table["team_id"].tolist()) - {home_team_id}
    return _halves(table, turned, set(), notices or Notices())


def is_spadl(head: bytes) -> bool:
    """True if a file begins like a table of SPADL actions, or is Parquet (whose columns stand at its end)."""
    if head.startswith(_PARQUET) or _BY_COLUMN.match(head):
        return True
    first = head if head[:1] in (b"{", b"[") else head.split(b"\n", 1)[0]
    return first[:1] != b"<" and all(name in first for name in (b"period_id", b"time_seconds", b"team_id"))


def read_spadl_file(file: FeedFile) -> list[FeedHalf]:
    """The halves of every match in the file, in its order.

    A team's shots, crosses and goal kicks show which way it attacks: socceraction's converters leave one team's
    places the other way round, its ``play_left_to_right`` does not.
    """
    path = file.path
    columns = {name: _typed(values) for name, values in _columns(path).items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise InputError(path, "columns differ in length")
    if "game_id" not in columns and columns:
        columns["game_id"] = np.full(max(lengths), match_id_of_file(path))
    halves: list[FeedHalf] = []
    try:
        table = _numbered(columns)
        for game in dict.fromkeys(columns["game_id"].tolist()):
            one = {name: column[table["game_id"] == game] for name, column in table.items()}
            turned, placeless = _directions(one)
            if placeless:
                file.notices.add(f"no shot says which way team {', '.join(placeless)} attacks: places unknown")
            halves += _halves(one, turned, set(placeless.values()), file.notices)
    except InputError as reason:
        raise InputError(path, f"SPADL: {reason.what}", reason.fix) from None
    return halves


def _halves(
    table: Mapping[str, NDArray], turned: Set[object], placeless: Set[object], notices: Notices
) -> list[FeedHalf]:
    """The halves of one match; ``turned`` teams attack from right to left, ``placeless`` ones nobody knows where to."""
    named = (team for team in dict.fromkeys(table["team_id"].tolist()) if _is_named(team))
    teams = {team: number for number, team in enumerate(named)}
    if len(teams) > 2:
        raise InputError("SPADL", f"more than two teams: {', '.join(map(str, teams))}")
    if len(set(table["game_id"].tolist())) > 1:
        raise InputError("SPADL", "more than one match", "give one game_id at a time")
    played = np.isin(table["period_id"], PERIODS)
    shoot_out = table["period_id"] == _SHOOT_OUT
    notices.count("actions of the shoot-out not read", int(shoot_out.sum()))
    notices.count("actions of an unknown period not read", int((~(played | shoot_out)).sum()))
    notices.count("actions of an unknown type not read", int((table["type"] == -1).sum()))
    table = {name: column[played] for name, column in table.items()}
    match = match_id(table["game_id"][0]) if played.any() else 0
    return halves_of(match, list(_events(table, teams, turned, placeless)), knows_height=False, notices=notices)


def _numbered(actions: Any) -> dict[str, NDArray]:
    """The columns that are needed, types and results as numbers, places as in SPADL, in time order."""
    table = {name: _column(actions, name) for name in _NEEDED}
    # Atomic SPADL has a place and a way instead of two places.
    is_atomic = all(_has(actions, name) for name in _ATOMIC_PLACES) and not _has(actions, "start_x")
    sources = zip(_PLACES, _ATOMIC_PLACES if is_atomic else _PLACES, strict=True)
    table |= {name: _column(actions, source) for name, source in sources}
    for name in ("period_id", "time_seconds", *_PLACES):
        try:
            table[name] = table[name].astype(np.float64)
        except (TypeError, ValueError):
            raise InputError("SPADL", f"column {name} does not hold numbers") from None
    if is_atomic:
        table["end_x"] += table["start_x"]
        table["end_y"] += table["start_y"]
    table["type"] = _coded(actions, "type", ATOMIC_TYPES if is_atomic else TYPES)
    if is_atomic:  # says no result: a tackle counts as won, and what follows says whether it keeps the ball
        table["result"] = np.full(len(table["type"]), _SUCCESS)
    else:
        table["result"] = _coded(actions, "result", _RESULTS)
    table["bodypart"] = _coded(actions, "bodypart", _BODY_PARTS)
    # Files need not be in order of time.
    order = np.lexsort((table["time_seconds"], table["period_id"]))
    return {name: column[order] for name, column in table.items()}


def _column(actions: Any, name: str) -> NDArray:
    try:
        return np.asarray(actions[name])
    except Exception:  # each kind of table has an error of its own
        raise InputError("SPADL", f"no column {name!r}") from None


def _has(actions: Any, name: str) -> bool:
    try:
        return _column(actions, name) is not None
    except InputError:
        return False


def _coded(actions: Any, name: str, known: tuple[str, ...]) -> NDArray[np.intp]:
    """``type_id`` or ``type_name`` as ids; -1 for what is not SPADL's."""
    if not _has(actions, f"{name}_id"):
        names = _column(actions, f"{name}_name")
        return np.array([known.index(str(one)) if str(one) in known else -1 for one in names], np.intp)
    ids = _column(actions, f"{name}_id")
    if not np.issubdtype(ids.dtype, np.integer):
        raise InputError("SPADL", f"column {name}_id does not hold whole numbers")
    return np.where((ids >= 0) & (ids < len(known)), ids, -1).astype(np.intp)


def _events(
    table: Mapping[str, NDArray], teams: Mapping[object, int], turned: Set[object], placeless: Set[object]
) -> Iterator[ProviderEvent]:
    until_s = np.r_[table["time_seconds"][1:], np.nan]
    for i, type_id in enumerate(table["type"]):
        name = ATOMIC_TYPES[type_id] if type_id >= 0 else ""
        success = table["result"][i] == _SUCCESS
        kind = ("tackle" if success else "duel") if name == "tackle" else _KINDS.get(name)
        if kind is None:
            continue
        x, y, end_x, end_y = (float(table[column][i]) for column in _PLACES)
        length_m = distance_m(x, y, end_x, end_y, size=PITCH_M)
        team = table["team_id"][i]
        if team in turned:
            x, y = PITCH_M[0] - x, PITCH_M[1] - y
        elif team in placeless:
            x, y = nan, nan
        event = ProviderEvent(
            half=int(table["period_id"][i]),
            time_ms=float(table["time_seconds"][i]) * 1000,
            kind=kind,
            team=teams.get(team, UNKNOWN),
            player=str(player) if _is_named(player := table["player_id"][i]) else None,
            x=100 * x / PITCH_M[0],
            y=100 * (1 - y / PITCH_M[1]),  # SPADL's y grows to the left of the attack
            length_m=length_m,
            lasts_ms=float(until_s[i] - table["time_seconds"][i]) * 1000 if kind == "carry" else nan,
            headed=table["bodypart"][i] in (_HEAD, _HEAD_OR_OTHER),
            crossed=name in ("cross", "freekick_crossed"),
            setpiece=_SETPIECES.get(name, 0),
        )
        yield event
        if kind == "pass" and table["result"][i] == _OFFSIDE:
            yield ProviderEvent(event.half, event.time_ms, "stoppage", event.team)


def _is_named(value: object) -> bool:
    """True if a cell with an id is not empty."""
    return value not in (None, "", "nan") and value == value  # NaN is not equal to itself


def _directions(table: Mapping[str, NDArray]) -> tuple[set[object], dict[str, object]]:
    """Teams that attack from right to left, and those (by name) of which nothing says where to."""
    # Shots and crosses happen near the goal attacked, goal kicks and saves near a team's own; each votes by how far
    # from the middle it is.
    names = [ATOMIC_TYPES[type_id] if type_id >= 0 else "" for type_id in table["type"]]
    sign = np.array([name.startswith(_TOWARDS) - 1.0 * name.startswith(_OWN_END) for name in names])
    along = np.clip(np.nan_to_num(table["start_x"], nan=PITCH_M[0] / 2), 0, PITCH_M[0])
    votes = sign * (along - PITCH_M[0] / 2)
    turned: set[object] = set()
    placeless: dict[str, object] = {}
    for team in filter(_is_named, dict.fromkeys(table["team_id"].tolist())):
        vote = votes[table["team_id"] == team].sum()
        if vote < 0:
            turned.add(team)
        elif vote == 0:
            placeless[str(team)] = team
    return turned, placeless


def _columns(path: Path) -> Mapping[str, Sequence[object]]:
    content = reading.read_unpacked(path)
    if content.startswith(_PARQUET):
        return _from_parquet(content, path)
    text = reading.read_source_text(path)
    if text.lstrip().startswith(("{", "[")):
        rows = _from_json(text.strip(), path)
    else:
        try:
            delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
            rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
        except csv.Error as reason:
            raise InputError(path, f"not CSV ({reason})") from None
        if rows and None in rows[-1].values():
            raise InputError(path, "the last line is cut short", "is the file whole?")
    if isinstance(rows, dict):
        return rows
    records = [reading.as_object(row, f"{path}: action {index}") for index, row in enumerate(rows)]
    names = dict.fromkeys(name for record in records for name in record if name)
    return {name: [record.get(name) for record in records] for name in names}


def _from_json(text: str, path: Path) -> dict[str, Sequence[object]] | Sequence[object]:
    """Columns, or records, from records, lines of records, or a table as pandas writes it."""
    first, _, more = text.partition("\n")
    if first.rstrip().endswith("}") and more.startswith("{"):
        return [parse_json(line.encode(), path) for line in text.splitlines() if line.strip()]
    root = parse_json(text.encode(), path)
    if not isinstance(root, dict):
        return reading.as_list(root, str(path))
    if isinstance(root.get("columns"), list):
        names = [str(name) for name in root["columns"]]
        rows = reading.list_in(root, "data", str(path))
        return [dict(zip(names, reading.as_list(row, f"{path}: data"), strict=False)) for row in rows]
    listed = next((root[name] for name in ("data", "actions", "events") if isinstance(root.get(name), list)), None)
    if listed is not None:
        return listed
    # A column is a list, or values by row number.
    return {
        name: list(column.values()) if isinstance(column, dict) else reading.as_list(column, f"{path}: {name}")
        for name, column in root.items()
    }


def _from_parquet(content: bytes, path: Path) -> Mapping[str, Sequence[object]]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(path, "is a Parquet file, which needs pyarrow", "pip install pyarrow, or write CSV") from None
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if size > reading.MOST_BYTES:
            raise InputError(path, f"unpacks to {readable_size(size)}, more than is read")
        return file.read().to_pydict()
    except InputError:
        raise
    except Exception as reason:  # pyarrow has errors of its own, and raises others
        raise InputError(path, f"cannot be read as Parquet ({type(reason).__name__})", "is it whole?") from None


def _typed(values: Sequence[object]) -> NDArray:
    """Whole numbers, else numbers (NaN where there is none), else text and whatever else there is."""
    # A column with one value that is neither a number nor empty is text.
    numbers = np.array([number(value) for value in values])
    texts = (str(value).lower() for n, value in zip(numbers, values, strict=True) if np.isnan(n) and value is not None)
    if any(text not in ("", "nan") for text in texts):
        return np.array([v if isinstance(v, str) else json.dumps(v, default=str) for v in values], object)
    if len(numbers) and np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all():
        whole = np.rint(numbers)
        return whole.astype(np.int64) if (np.abs(whole) < 2**53).all() else np.array([str(v) for v in values], object)
    return numbers
