"""What a provider's events become: the rules, and that any events give a feed or none."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.feed import UNKNOWN, SetPiece
from playahead.domain.notices import Notices
from playahead.sources.provider_events import ProviderEvent, halves_of
from tests.support.provider_files import LABELS


def event(second: float, kind, team: int = 0, player: str = "a", **changed) -> ProviderEvent:
    return replace(ProviderEvent(1, second * 1000, kind, team, player, 50, 50), **changed)


def rows(*events: ProviderEvent, knows_height: bool = True) -> list[tuple[int, str, int]]:
    halves = halves_of(7, events, knows_height, Notices())
    return [
        (int(t_ms), LABELS[code], int(delay_ms))
        for half in halves
        for t_ms, code, delay_ms in zip(half.t_ms, half.code, half.delay_ms, strict=True)
    ]


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "PASS"),
        ({"high": True}, "HIGH PASS"),
        ({"headed": True, "high": True}, "HEADER"),
        ({"crossed": True, "high": True}, "CROSS"),
        ({"setpiece": SetPiece.THROW_IN, "headed": True}, "THROW IN"),
        ({"setpiece": SetPiece.CORNER, "length_m": 40.0}, "CROSS"),
        ({"setpiece": SetPiece.CORNER}, "CROSS"),
        ({"setpiece": SetPiece.CORNER, "length_m": 6.0}, "PASS"),
        ({"setpiece": SetPiece.GOAL_KICK, "length_m": 60.0}, "HIGH PASS"),
        ({"setpiece": SetPiece.FREE_KICK, "length_m": 8.0}, "PASS"),
        ({"length_m": 60.0}, "PASS"),
    ],
)
def test_a_pass_is_what_its_qualifiers_say(changes, label):
    assert rows(event(10, "pass", **changes)) == [(10_000, label, 0)]


def test_long_passes_are_high_where_nobody_says_how_high():
    assert rows(event(10, "pass", length_m=40.0), knows_height=False) == [(10_000, "HIGH PASS", 0)]
    assert rows(event(10, "pass", length_m=20.0), knows_height=False) == [(10_000, "PASS", 0)]


def test_a_carry_is_known_once_it_has_lasted():
    long, short = event(10, "carry", lasts_ms=900.0), event(20, "carry", lasts_ms=300.0)
    assert rows(long, short) == [(10_000, "DRIVE", 400)]


def test_a_drive_is_implied_between_reception_and_the_next_pass():
    """Only where the provider records no carries; 10 m take 950 ms."""
    sent, passed_on = event(10, "pass", length_m=10.0), event(13, "pass", player="b")
    assert rows(sent, passed_on) == [(10_000, "PASS", 0), (10_950, "DRIVE", 400), (13_000, "PASS", 0)]
    received = replace(sent, lasts_ms=2000.0)
    assert rows(received, passed_on)[1] == (12_000, "DRIVE", 400)
    carry = event(30, "carry", lasts_ms=900.0)
    assert [label for _, label, _ in rows(sent, passed_on, carry)] == ["PASS", "PASS", "DRIVE"]


@pytest.mark.parametrize(
    "after",
    [
        event(13, "pass", team=1, player="b"),
        event(13, "pass", player="a"),
        event(13, "pass", player="b", headed=True),
        event(13, "pass", player="b", setpiece=SetPiece.FREE_KICK),
        event(11.2, "pass", player="b"),
        event(26, "pass", player="b"),
        event(13, "clearance", player="b", length_m=5.0),
    ],
    ids=["opponent", "same player", "header", "free kick", "first touch", "too late", "clearance"],
)
def test_no_drive_is_implied(after):
    found = [label for _, label, _ in rows(event(10, "pass", length_m=10.0), after)]
    assert "DRIVE" not in found


def test_a_reception_that_is_the_next_events_time_or_no_time_after_the_pass_is_unknown():
    """Of most passes, or it could be chance; 10 m take 950 ms."""
    chain = [event(10 * n, "pass", player="abc"[n % 3], length_m=10.0) for n in range(1, 8)]
    expected = rows(*chain)
    assert next(row for row in expected if row[1] == "DRIVE") == (10_950, "DRIVE", 400)
    assert rows(*(replace(sent, lasts_ms=10_000.0) for sent in chain)) == expected, "copied from the next event"
    assert rows(*(replace(sent, lasts_ms=2_700_000.0) for sent in chain)) == expected, "on another clock"
    assert rows(*(replace(sent, lasts_ms=0.0) for sent in chain)) == expected
    honest = [replace(sent, lasts_ms=3000.0) for sent in chain]
    assert (13_000, "DRIVE", 400) in rows(*honest)
    one_touch = [replace(honest[0], lasts_ms=10_000.0), *honest[1:]]
    assert (10_950, "DRIVE", 400) not in rows(*one_touch), "one that is played on at once"


def test_carries_that_are_few_are_not_all():
    chain = [event(10 * n, "pass", player="abc"[n % 3], length_m=10.0) for n in range(1, 8)]
    runs = event(200, "carry", lasts_ms=3000.0)
    drives = [t_ms for t_ms, label, _ in rows(*chain, runs) if label == "DRIVE"]
    assert drives == [10_950, 20_950, 30_950, 40_950, 50_950, 60_950, 200_000]


def test_a_carry_of_unknown_duration_is_a_drive():
    assert rows(event(10, "carry")) == [(10_000, "DRIVE", 400)]


def test_the_ball_goes_out_once_until_somebody_plays_it():
    found = rows(
        event(10, "pass"),
        event(12, "out", team=1),
        event(12, "out", team=0),
        event(12.5, "stoppage"),
        event(13, "out", team=1),
        event(30, "pass", setpiece=SetPiece.THROW_IN),
        event(31, "out"),
    )
    assert [row[:2] for row in found if row[1] == "OUT"] == [(12_000, "OUT"), (31_000, "OUT")]


def test_where_outs_are_not_recorded_they_are_estimated_and_never_scored():
    events = [
        event(10, "pass"),
        event(30, "pass", 1, setpiece=SetPiece.THROW_IN),
        event(32, "pass", setpiece=SetPiece.CORNER),
    ]
    (half,) = halves_of(7, events, True, Notices(), knows_outs=False)
    out = half.code == 7
    assert (half.t_ms[out].tolist(), half.team[out].tolist()) == ([13_000], [0])
    assert not half.is_target[out].any()
    assert half.only_estimated == {7}
    assert rows(*events) == [row for row in rows(*events) if row[1] != "OUT"]


def test_a_take_on_is_the_drive_that_it_belongs_to():
    carry, take_on, later = event(10, "carry", lasts_ms=2000.0), event(11, "take on"), event(13, "take on")
    assert rows(carry, take_on, later) == [(10_000, "DRIVE", 400), (13_000, "DRIVE", 0)]


def test_a_tackle_succeeds_if_its_side_plays_on():
    tackle = event(10, "tackle")
    assert rows(tackle, event(12, "pass"))[0][1] == "PLAYER SUCCESSFUL TACKLE"
    assert rows(tackle, event(12, "pass", team=1))[0][1] == "DUEL"
    assert rows(tackle, event(16, "pass"))[0][1] == "DUEL"


def test_an_air_duel_is_one_header():
    aerial = event(10, "aerial")
    assert [label for _, label, _ in rows(aerial)] == ["HEADER"]
    assert [label for _, label, _ in rows(aerial, event(10.5, "pass", headed=True))] == ["DUEL", "HEADER"]
    assert [label for _, label, _ in rows(aerial, event(10.5, "pass", team=1, headed=True))] == ["HEADER", "HEADER"]


def test_a_clearance_out_of_the_air_is_a_header():
    cross = event(10, "pass", crossed=True)
    cleared = event(12, "clearance", team=1, length_m=30.0)
    assert rows(cross, cleared)[1][1] == "HEADER"
    assert rows(cross, replace(cleared, time_ms=15_000.0))[1][1] == "HIGH PASS"
    assert rows(event(12, "clearance", length_m=10.0))[0][1] == "PASS"


def test_what_a_provider_never_records_is_not_reported():
    (half,) = halves_of(7, [event(10, "pass")], True, Notices())
    assert half.reports == {0, 1, 3, 4, 5, 6}
    (half,) = halves_of(7, [event(10, "pass"), event(11, "block"), event(12, "stoppage")], True, Notices())
    assert half.reports == {0, 1, 3, 4, 5, 6, 8, 12}


def test_events_at_impossible_times_are_counted():
    notices = Notices()
    (half,) = halves_of(
        7, [event(10, "pass"), event(1e9, "pass"), event(-1, "pass"), event(math.nan, "out")], True, notices
    )
    assert len(half) == 1
    assert notices.lines == ["3 events at an impossible time not read"]


KINDS = ("pass", "shot", "carry", "take on", "clearance", "block", "tackle", "aerial", "duel", "touch", "out", "save")
number = st.one_of(st.floats(-50, 150), st.just(math.nan))
some_event = st.builds(
    ProviderEvent,
    st.integers(1, 4),
    st.one_of(st.floats(0, 60_000), st.floats(), st.integers(0, 20).map(lambda s: s * 500.0)),
    st.sampled_from((*KINDS, "stoppage")),
    st.sampled_from((0, 1, UNKNOWN)),
    st.sampled_from((None, "a", "b")),
    number,
    number,
    number,
    st.one_of(st.floats(0, 5000), st.just(math.nan)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 5),
)


@settings(max_examples=100, deadline=None)
@given(events=st.lists(some_event, max_size=40), knows_height=st.booleans(), seed=st.integers(0, 99))
def test_any_events_in_any_order_become_a_feed(events, knows_height, seed):
    """FeedHalf checks every row; shuffled events give the same halves but for ties."""
    halves = halves_of(7, events, knows_height, Notices())
    for half in halves:
        assert len(half)
        assert set(np.unique(half.delay_ms)) <= {0, 400}
        assert set(np.unique(half.code)) <= half.reports | {1}
    times = [event.time_ms for event in events]
    if len(set(times)) == len(times):
        shuffled = [events[i] for i in np.random.default_rng(seed).permutation(len(events))]
        again = halves_of(7, shuffled, knows_height, Notices())
        assert [half.t_ms.tolist() for half in again] == [half.t_ms.tolist() for half in halves]
