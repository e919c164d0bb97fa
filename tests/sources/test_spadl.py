"""SPADL actions in, rows out, from any table whose columns can be asked for by name."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.spadl import TYPES, read_spadl
from tests.support.provider_files import LABELS


def table(*actions: tuple, **changed) -> dict[str, np.ndarray]:
    """Actions of (second, type, team, player, start_x, start_y, end_x, end_y)."""
    second, kind, team, player, *places = zip(*actions, strict=True)
    n = len(actions)
    columns = {
        "game_id": np.full(n, 9),
        "period_id": np.ones(n, int),
        "time_seconds": np.array(second, float),
        "team_id": np.array(team),
        "player_id": np.array(player),
        "type_id": np.array([TYPES.index(name) for name in kind]),
        "result_id": np.ones(n, int),
        "bodypart_id": np.zeros(n, int),
    }
    places = dict(zip(("start_x", "start_y", "end_x", "end_y"), map(np.array, places), strict=True))
    return columns | places | changed


def rows(actions: object, **asked) -> list[tuple[int, str]]:
    (half,) = read_spadl(actions, **asked)
    return [(int(t_ms), LABELS[code]) for t_ms, code in zip(half.t_ms, half.code, strict=True)]


SHORT = (10, "pass", 1, 5, 50, 34, 60, 34)
CARRIED = (11, "dribble", 1, 6, 60, 34, 70, 34)
CROSSED = (13, "cross", 1, 6, 70, 60, 100, 34)
CLEARED = (14.5, "clearance", 2, 7, 5, 34, 30, 34)


def test_a_stretch_of_play():
    found = rows(table(SHORT, CARRIED, CROSSED, CLEARED, (30, "throw_in", 2, 8, 40, 68, 50, 60)))
    assert found == [(10_000, "PASS"), (11_000, "DRIVE"), (13_000, "CROSS"), (14_500, "HEADER"), (30_000, "THROW IN")]


def test_places_are_turned_to_the_attack_of_the_team():
    (half,) = read_spadl(table(SHORT, (12, "shot", 2, 7, 10.5, 17, 0, 34)), home_team_id=1)
    assert half.x.tolist() == [48, 90]
    assert half.y.tolist() == [50, 25]
    (half,) = read_spadl(table(SHORT, (12, "shot", 2, 7, 94.5, 51, 105, 34)))
    assert half.x.tolist() == [48, 90]
    assert half.y.tolist() == [50, 25]


def test_what_spadl_does_not_say_is_not_reported():
    (half,) = read_spadl(table(SHORT, CARRIED))
    assert 7 not in half.reports


def test_names_do_as_well_as_numbers():
    numbered = table(SHORT, CARRIED, CROSSED, CLEARED)
    named = {
        name: column for name, column in numbered.items() if not name.endswith(("type_id", "result_id", "part_id"))
    }
    named["type_name"] = np.array([TYPES[i] for i in numbered["type_id"]])
    named["result_name"] = np.full(4, "success")
    named["bodypart_name"] = np.full(4, "foot")
    assert rows(named) == rows(numbered)


def test_the_shoot_out_is_counted():
    notices = Notices()
    read_spadl(table(SHORT, CARRIED, period_id=np.array([1, 5])), notices=notices)
    assert notices.lines == ["1 actions of the shoot-out not read"]


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
some_action = st.tuples(
    st.floats(0, 3000),
    st.sampled_from(TYPES),
    st.sampled_from((1, 2)),
    st.integers(1, 3),
    number,
    number,
    number,
    number,
)


@settings(max_examples=100, deadline=None)
@given(actions=st.lists(some_action, min_size=1, max_size=25), seed=st.integers(0, 99))
def test_any_actions_in_any_order_become_a_feed(actions, seed):
    """FeedHalf checks every row; the order of the table does not matter but for ties."""
    whole = table(*actions)
    halves = read_spadl(whole)
    if halves and len({second for second, *_ in actions}) == len(actions):
        order = np.random.default_rng(seed).permutation(len(actions))
        (again,) = read_spadl({name: column[order] for name, column in whole.items()})
        assert again.t_ms.tolist() == halves[0].t_ms.tolist()
