"""SPADL actions in, rows out: from any table with columns by name, and from files in any shape that pandas writes."""

import csv
import gzip
import io
import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.feed import UNKNOWN
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from playahead.sources.spadl import ATOMIC_TYPES, TYPES, read_spadl
from tests.support.provider_files import timeline

PLAYS = [
    # second, type, team, player, start_x, start_y, end_x, end_y: each team attacks to the right
    (10, "pass", 1, 5, 50, 34, 60, 34),
    (11, "dribble", 1, 6, 60, 34, 70, 34),
    (13, "shot", 1, 6, 94.5, 17, 105, 34),
    (30, "goalkick", 2, 8, 5, 34, 50, 34),
    (40, "cross", 2, 9, 84, 60, 100, 34),
]


def records(plays=PLAYS, game=77, period=1, names=False) -> list[dict]:
    said = []
    for index, (second, kind, team, player, *places) in enumerate(plays):
        entry = {"game_id": game, "original_event_id": f"e{index}", "action_id": index, "period_id": period}
        entry |= {"time_seconds": float(second), "team_id": team, "player_id": player}
        entry |= dict(zip(("start_x", "start_y", "end_x", "end_y"), places, strict=True))
        by_name = {"type_name": kind, "result_name": "success", "bodypart_name": "foot"}
        said.append(entry | (by_name if names else {"type_id": TYPES.index(kind), "result_id": 1, "bodypart_id": 0}))
    return said


def by_column(entries: list[dict]) -> dict[str, list]:
    return {name: [entry[name] for entry in entries] for name in entries[0]}


def table(*actions: tuple, **changed) -> dict[str, np.ndarray]:
    """Actions of (second, type, team, player, start_x, start_y, end_x, end_y)."""
    columns = {name: np.array(column) for name, column in by_column(records(actions, game=9)).items()}
    return columns | changed


SHORT = (10, "pass", 1, 5, 50, 34, 60, 34)
CARRIED = (11, "dribble", 1, 6, 60, 34, 70, 34)
CROSSED = (13, "cross", 1, 6, 70, 60, 100, 34)
CLEARED = (14.5, "clearance", 2, 7, 5, 34, 30, 34)


def test_a_stretch_of_play():
    (half,) = read_spadl(table(SHORT, CARRIED, CROSSED, CLEARED, (30, "throw_in", 2, 8, 40, 68, 50, 60)))
    assert timeline(half) == "10000 PASS; 11000 DRIVE; 13000 CROSS; 14500 HEADER; 30000 THROW IN"
    assert 7 not in half.reports


@pytest.mark.parametrize(
    ("shot", "home"), [((12, "shot", 2, 7, 10.5, 17, 0, 34), 1), ((12, "shot", 2, 7, 94.5, 51, 105, 34), None)]
)
def test_places_are_turned_to_the_attack_of_the_team(shot, home):
    (half,) = read_spadl(table(SHORT, shot), home_team_id=home)
    assert timeline(half, "x", "y") == "10000 PASS 48 50; 12000 SHOT 90 25"


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ({}, "SPADL: no column 'game_id'"),
        (table(SHORT, CARRIED, time_seconds=np.array(["soon", "later"])), "column time_seconds does not hold numbers"),
        (table(SHORT, CARRIED, game_id=np.array([1, 2])), "more than one match"),
        (table(SHORT, CARRIED, CROSSED, team_id=np.array([1, 2, 3])), "more than two teams: 1, 2, 3"),
        (table(SHORT, type_id=np.array([0.5])), "column type_id does not hold whole numbers"),
    ],
)
def test_what_cannot_be_is_one_line(actions, reason):
    with pytest.raises(InputError, match=reason):
        read_spadl(actions)


number = st.one_of(st.floats(-10, 200), st.just(float("nan")))
who = st.sampled_from((1, 2)), st.integers(1, 3)
some_action = st.tuples(st.floats(0, 3000), st.sampled_from(TYPES), *who, *[number] * 4)


@settings(max_examples=100, deadline=None)
@given(actions=st.lists(some_action, min_size=1, max_size=25), seed=st.integers(0, 99))
def test_any_actions_in_any_order_become_a_feed(actions, seed):
    """FeedHalf checks every row; the order of the table does not matter but for ties."""
    halves = read_spadl(table(*actions))
    if halves and len({second for second, *_ in actions}) == len(actions):
        shuffled = [actions[i] for i in np.random.default_rng(seed).permutation(len(actions))]
        assert read_spadl(table(*shuffled))[0].t_ms.tolist() == halves[0].t_ms.tolist()


def as_csv(entries: list[dict], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["", *entries[0]], delimiter=delimiter)
    writer.writeheader()
    writer.writerows({"": index, **entry} for index, entry in enumerate(entries))
    return out.getvalue()


SHAPES = {
    "records": json.dumps,
    "indented": lambda entries: json.dumps(entries, indent=1),
    "lines": lambda entries: "\n".join(map(json.dumps, entries)),
    "columns": lambda e: json.dumps({name: {str(i): v for i, v in enumerate(c)} for name, c in by_column(e).items()}),
    "lists": lambda entries: json.dumps(by_column(entries)),
    "split": lambda e: json.dumps(
        {"columns": list(e[0]), "index": [*range(len(e))], "data": [[*x.values()] for x in e]}
    ),
    "table": lambda entries: json.dumps({"schema": {"fields": [{"name": n} for n in entries[0]]}, "data": entries}),
    "csv": as_csv,
    "semicolons": lambda entries: as_csv(entries, ";"),
    "tabs": lambda entries: as_csv(entries, "\t"),
}


def written(folder, entries: object, name: str = "actions.json"):
    path = folder / name
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


WANTED = "10000 PASS 48 50; 11000 DRIVE 57 50; 13000 SHOT 90 75; 30000 HIGH PASS 5 50; 40000 CROSS 80 12"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("names", [False, True])
def test_every_shape_of_a_table_is_read(tmp_path, shape, names):
    notices = Notices()
    (half,) = read_feed(written(tmp_path, SHAPES[shape](records(names=names))), notices)
    assert (timeline(half, "x", "y"), half.match, half.half) == (WANTED, 77, 1)
    assert notices.lines == []


@pytest.mark.parametrize("shape", ["records", "columns", "lists"])
def test_a_table_of_a_whole_match_is_recognised_by_its_first_bytes(tmp_path, shape):
    entries = [entry | {"original_event_id": "x" * 36} for entry in records(PLAYS * 500)]
    assert len(SHAPES[shape](entries)) > 3 * 65_536
    halves = read_feed(written(tmp_path, SHAPES[shape](entries)))
    assert len(halves) == 1


@pytest.mark.parametrize("turned", [(), (1,), (2,), (1, 2)])
def test_places_are_turned_to_the_attack_of_a_team_whichever_way_they_were_left(tmp_path, turned):
    def play(second, kind, team, player, *places):
        there = (size - at for at, size in zip(places, (105, 68, 105, 68), strict=True))
        return second, kind, team, player, *(there if team in turned else places)

    (half,) = read_feed(written(tmp_path, records([play(*one) for one in PLAYS])))
    assert timeline(half, "x", "y") == WANTED


def test_the_places_of_a_team_are_unknown_where_nothing_says_which_way_it_attacks(tmp_path):
    notices = Notices()
    (half,) = read_feed(written(tmp_path, records([*PLAYS[:3], (20, "pass", 2, 8, 30, 34, 40, 34)])), notices)
    assert (half.x[-1], half.x[0]) == (UNKNOWN, 48)
    assert notices.lines == ["no shot says which way team 2 attacks: places unknown"]


def test_atomic_actions_say_when_the_ball_goes_out(tmp_path):
    plays = [
        ("pass", 10, 50, 34, 10, 0, 5),
        ("receival", 10.5, 60, 34, 0, 0, 6),
        ("dribble", 11, 60, 34, 10, 0, 6),
        ("shot", 13, 94.5, 17, 10, 10, 6),
        ("out", 13, 104.5, 27, 0, 0, 6),
        ("corner", 30, 105, 68, -10, -30, 7),
        ("tackle", 31, 90, 34, 0, 0, 7),
        ("freekick", 32, 90, 34, 5, 0, 7),
        ("offside", 40, 95, 34, 0, 0, 7),
    ]
    entries = [
        {"game_id": 7, "period_id": 2, "team_id": 1, "type_id": ATOMIC_TYPES.index(kind), "bodypart_id": 0}
        | dict(zip(("time_seconds", "x", "y", "dx", "dy", "player_id"), values, strict=True))
        for kind, *values in plays
    ]
    entries.append(entries[-1] | {"time_seconds": 50.0, "type_id": 24})  # the other team has the ball: no block
    (half,) = read_feed(written(tmp_path, entries))
    assert timeline(half, "setpiece") == (
        "10000 PASS 0; 11000 DRIVE 0; 13000 SHOT 0; 13000 OUT 0; 30000 CROSS 3; 31000 PLAYER SUCCESSFUL TACKLE 0; "
        "32000 PASS 4; 40000 STOPPAGE 0"
    )
    assert 7 in half.reports


def test_several_matches_in_a_file_and_periods_that_go_on_at_45_minutes(tmp_path):
    late = [(2700 + play[0], *play[1:]) for play in PLAYS]
    entries = [*records(), *records(late, period=2), *records(game=78), *records(PLAYS, period=2, game=78)]
    notices = Notices()
    halves = read_feed(written(tmp_path, entries), notices)
    assert [(half.match, half.half) for half in halves] == [(77, 1), (77, 2), (78, 1), (78, 2)]
    assert all(half.t_ms[0] == 10_000 for half in halves)
    assert notices.lines == ["half 2: its clock starts at 45:00; its times are counted from there"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"type_name": "somersault"}, "1 actions of an unknown type not read"),
        ({"period_id": 5}, "1 actions of the shoot-out not read"),
        ({"period_id": 9}, "1 actions of an unknown period not read"),
    ],
)
def test_what_is_not_read_is_counted(tmp_path, change, line):
    entries = records(names=True)
    notices = Notices()
    read_feed(written(tmp_path, [entries[0] | change, *entries[1:]]), notices)
    assert notices.lines == [line]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time_seconds": "soon"}, "SPADL: column time_seconds does not hold numbers"),
        ({"team_id": 999}, "SPADL: more than two teams: "),
        ({"type_id": 2.5}, "SPADL: column type_id does not hold whole numbers"),
        ({"start_x": []}, "SPADL: column start_x does not hold numbers"),
    ],
)
def test_what_cannot_be_in_a_file_is_one_line(tmp_path, changed, said):
    entries = records()
    entries[2] |= changed
    with pytest.raises(InputError, match=f"actions.json: {said}"):
        read_feed(written(tmp_path, entries))


def test_columns_that_are_missing_or_too_short_are_named(tmp_path):
    columns = by_column(records())
    with pytest.raises(InputError, match="SPADL: no column 'player_id'"):
        read_feed(written(tmp_path, {name: column for name, column in columns.items() if name != "player_id"}))
    with pytest.raises(InputError, match="SPADL: columns differ in length"):
        read_feed(written(tmp_path, columns | {"type_id": [1]}))


def test_parquet_is_read_with_pyarrow(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    out = io.BytesIO()
    parquet.write_table(pyarrow.table(by_column(records())), out)
    for content in (out.getvalue(), gzip.compress(out.getvalue())):
        (tmp_path / "actions.parquet").write_bytes(content)
        assert timeline(read_feed(tmp_path / "actions.parquet")[0], "x", "y") == WANTED


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "actions.parquet").write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    with pytest.raises(
        InputError, match=r"actions.parquet: SPADL: is a Parquet file, which needs pyarrow \(pip install pyarrow"
    ):
        read_feed(tmp_path / "actions.parquet")


def test_parquet_columns_become_a_feed(tmp_path, monkeypatch):
    """What is done with them, without pyarrow: NumPy's kinds of numbers, and a size that is looked at first."""
    entries = by_column(records())

    class Module:
        num_row_groups = 1

        def __init__(self, file: io.BytesIO) -> None:
            self.metadata = self
            self.total_byte_size = int.from_bytes(file.read()[4:12], "little")

        def row_group(self, _: int) -> "Module":
            return self

        def read(self) -> "Module":
            return self

        def to_pydict(self) -> dict[str, list]:
            return {name: np.array(column).tolist() for name, column in entries.items()}

    Module.ParquetFile = Module
    monkeypatch.setitem(sys.modules, "pyarrow", Module)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", Module)
    path = tmp_path / "actions.parquet"
    path.write_bytes(b"PAR1" + (1000).to_bytes(8, "little"))
    assert timeline(read_feed(path)[0], "x", "y") == WANTED
    path.write_bytes(b"PAR1" + (10**12).to_bytes(8, "little"))
    with pytest.raises(InputError, match=r"unpacks to 1000\.0 GB"):
        read_feed(path)
