"""What a provider's events become: the rules, and that any events give a feed or none."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.feed import UNKNOWN, SetPiece
from playahead.domain.notices import Notices
from playahead.sources.provider_events import ProviderEvent, halves_of
from tests.support.provider_files import timeline


def event(second: float, kind, team: int = 0, player: str = "a", **changed) -> ProviderEvent:
    return replace(ProviderEvent(1, second * 1000, kind, team, player, 50, 50), **changed)


def played(*events: ProviderEvent, knows_height: bool = True) -> str:
    """Rows of one half, with their delays where they have one."""
    (half,) = halves_of(7, events, knows_height, Notices())
    return timeline(half, "delay_ms").replace(" 0;", ";").removesuffix(" 0")


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
    assert played(event(10, "pass", **changes)) == f"10000 {label}"


CROSS = event(10, "pass", crossed=True)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # A carry is known once it has lasted.
        ([event(10, "carry", lasts_ms=900.0), event(20, "carry", lasts_ms=300.0)], "10000 DRIVE 400"),
        ([event(10, "carry")], "10000 DRIVE 400"),
        # A take-on is the drive that it belongs to.
        (
            [event(10, "carry", lasts_ms=2000.0), event(11, "take on"), event(13, "take on")],
            "10000 DRIVE 400; 13000 DRIVE",
        ),
        # A tackle succeeds if its side plays on.
        ([event(10, "tackle"), event(12, "pass")], "10000 PLAYER SUCCESSFUL TACKLE; 12000 PASS"),
        ([event(10, "tackle"), event(12, "pass", team=1)], "10000 DUEL; 12000 PASS"),
        ([event(10, "tackle"), event(16, "pass")], "10000 DUEL; 16000 PASS"),
        # An air duel is one header.
        ([event(10, "aerial")], "10000 HEADER"),
        ([event(10, "aerial"), event(10.5, "pass", headed=True)], "10000 DUEL; 10500 HEADER"),
        ([event(10, "aerial"), event(10.5, "pass", team=1, headed=True)], "10000 HEADER; 10500 HEADER"),
        # A clearance out of the air is a header.
        (
            [CROSS, event(12, "clearance", 1, length_m=30.0)],
            "10000 CROSS; 12000 HEADER",
        ),
        (
            [CROSS, event(15, "clearance", 1, length_m=30.0)],
            "10000 CROSS; 15000 HIGH PASS",
        ),
        ([event(12, "clearance", length_m=10.0)], "12000 PASS"),
    ],
)
def test_rules(events, expected):
    assert played(*events) == expected


def test_long_passes_are_high_where_nobody_says_how_high():
    long, short = event(10, "pass", length_m=40.0), event(20, "pass", length_m=20.0)
    assert played(long, short, knows_height=False) == "10000 HIGH PASS; 20000 PASS"


def test_a_drive_is_implied_between_reception_and_the_next_pass():
    """Only where the provider records no carries; 10 m take 950 ms."""
    sent, passed_on = event(10, "pass", length_m=10.0), event(13, "pass", player="b")
    assert played(sent, passed_on) == "10000 PASS; 10950 DRIVE 400; 13000 PASS"
    assert played(replace(sent, lasts_ms=2000.0), passed_on) == "10000 PASS; 12000 DRIVE 400; 13000 PASS"
    carry = event(30, "carry", lasts_ms=900.0)
    assert played(sent, passed_on, carry) == "10000 PASS; 13000 PASS; 30000 DRIVE 400"


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
    assert "DRIVE" not in played(event(10, "pass", length_m=10.0), after)


CHAIN = [event(10 * n, "pass", player="abc"[n % 3], length_m=10.0) for n in range(1, 8)]


def test_a_reception_that_is_the_next_events_time_or_no_time_after_the_pass_is_unknown():
    """Of most passes, or it could be chance; 10 m take 950 ms."""

    def lasting(lasts_ms: float) -> list[ProviderEvent]:
        return [replace(sent, lasts_ms=lasts_ms) for sent in CHAIN]

    expected = played(*CHAIN)
    assert "10950 DRIVE 400" in expected
    assert played(*lasting(10_000.0)) == expected, "copied from the next event"
    assert played(*lasting(2_700_000.0)) == expected, "on another clock"
    assert played(*lasting(0.0)) == expected
    honest = lasting(3000.0)
    assert "13000 DRIVE 400" in played(*honest)
    one_touch = [replace(honest[0], lasts_ms=10_000.0), *honest[1:]]
    assert "10950 DRIVE 400" not in played(*one_touch), "one that is played on at once"


def test_carries_that_are_few_are_not_all():
    (half,) = halves_of(7, [*CHAIN, event(200, "carry", lasts_ms=3000.0)], True, Notices())
    assert half.t_ms[half.code == 1].tolist() == [10_950, 20_950, 30_950, 40_950, 50_950, 60_950, 200_000]


def test_the_ball_goes_out_once_until_somebody_plays_it():
    outs = [event(12, "out", team=1), event(12, "out", team=0), event(12.5, "stoppage"), event(13, "out", team=1)]
    found = played(event(10, "pass"), *outs, event(30, "pass", setpiece=SetPiece.THROW_IN), event(31, "out"))
    assert found == "10000 PASS; 12000 OUT; 12500 STOPPAGE; 30000 THROW IN; 31000 OUT"


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
    assert "OUT" not in played(*events)


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
times = st.one_of(st.floats(0, 60_000), st.floats(), st.integers(0, 20).map(lambda s: s * 500.0))
kinds, who = (
    st.sampled_from((*KINDS, "stoppage")),
    (st.sampled_from((0, 1, UNKNOWN)), st.sampled_from((None, "a", "b"))),
)
number, lasts = (st.one_of(st.floats(*span), st.just(math.nan)) for span in ((-50, 150), (0, 5000)))
some_event = st.builds(
    ProviderEvent, st.integers(1, 4), times, kinds, *who, *[number] * 3, lasts, *[st.booleans()] * 3, st.integers(0, 5)
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
