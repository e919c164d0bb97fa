"""StatsBomb's event files, on a small match in their form."""

import json
from pathlib import Path

import pytest

from playahead.domain.feed import FeedHalf
from playahead.domain.notices import Notices
from playahead.inference.predict import predict
from playahead.inference.result import PredictConfig
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import (
    STATSBOMB as EVENTS,
    statsbomb_event,
    statsbomb_line_up as line_up,
    statsbomb_pass as passing,
    timeline,
)


@pytest.fixture
def match(tmp_path) -> Path:
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    (tmp_path / "lineup.json").write_text(json.dumps(line_up()))
    return tmp_path / "events.json"


def test_a_small_match_in_statsbombs_form(match):
    first, second = read_feed(match)
    assert timeline(first, "delay_ms", "setpiece") == (
        "1500 PASS 0 0; 2500 DRIVE 400 0; 4500 HIGH PASS 0 0; 6000 HEADER 0 0; 20000 THROW IN 0 1; 22000 STOPPAGE 0 0"
    )
    assert (int(first.x[0]), int(first.y[0])) == (50, 49), "whole yards mean the middle of a cell"
    assert (second.half, timeline(second)) == (2, "3000 PASS")


def test_the_line_up_is_not_needed_and_must_be_of_the_match_where_it_is_given(match, tmp_path):
    lineup = tmp_path / "lineup.json"
    assert [*map(timeline, read_feed(match, companions=[lineup]))] == [*map(timeline, read_feed(match))]
    lineup.write_text(json.dumps(line_up(71)))
    with pytest.raises(InputError, match=r"lineup.json: is the line-up of another match: teams 71, 72"):
        read_feed(match, companions=[lineup])
    with pytest.raises(InputError, match="is not the line-up of a match of StatsBomb"):
        read_feed(match, companions=[match])


def test_files_may_come_in_any_order(match, tmp_path):
    asked = PredictConfig(half=1, short=True, end="0:20", min_confidence=0.01)
    result = predict([str(tmp_path / "lineup.json"), str(match)], asked)
    assert result.provider == "StatsBomb"
    assert result.expected


@pytest.mark.parametrize(
    ("name", "odd", "reason"),
    [
        ("Pass", passing({"type": {"id": 900, "name": "New restart"}}), "an unknown type of pass (New restart)"),
        ("Pass", passing(height=9), "an unknown height of a pass (?)"),
        ("Tunnel Cam", {}, "an unknown type (Tunnel Cam)"),
        ("Duel", {"duel": {"type": {"id": 12, "name": "Duelo"}}}, "an unknown type of duel (Duelo)"),
        ("Pass", passing() | {"team": 2}, "a third team (77)"),
        ("Pass", passing() | {"timestamp": "soon"}, "a field of the wrong kind"),
    ],
)
def test_one_odd_event_is_left_out_and_counted(match, name, odd, reason):
    notices, others = Notices(), [statsbomb_event(100 + n, "Pass", 100 + n, **passing()) for n in range(20)]
    match.write_text(json.dumps([*EVENTS, *others, statsbomb_event(99, name, 60, **odd)]))
    first, _ = read_feed(match, notices)
    assert notices.counts == {f"events with {reason} not read": 1}
    assert first.code.tolist().count(0) == 21


def with_more(match: Path, *events: dict) -> list[FeedHalf]:
    match.write_text(json.dumps([*EVENTS, *events]))
    return read_feed(match)


@pytest.mark.parametrize("formation", [523, 4420, None, "?"])
def test_formations_decide_nothing(match, formation):
    shift = statsbomb_event(98, "Tactical Shift", 30, tactics={"formation": formation}, location=None)
    assert [len(half) for half in with_more(match, shift)] == [6, 1]


def test_an_abandoned_match_and_one_without_its_head_are_read(match):
    match.write_text(json.dumps([event for event in EVENTS if event["period"] == 1 and event["type"]["id"] != 34]))
    assert [half.half for half in read_feed(match)] == [1]
    match.write_text(json.dumps(EVENTS[6:]))
    assert [len(half) for half in read_feed(match)] == [6, 1]


def test_a_carry_without_a_duration_is_a_drive(match):
    carry = statsbomb_event(90, "Carry", 30.0, carry={"end_location": [80.0, 40.0]}, duration=None)
    assert timeline(with_more(match, carry)[0]).endswith("; 30000 DRIVE")


def test_the_ball_goes_out_when_and_where_the_kick_ends(match):
    kicked = passing({"outcome": {"id": 75, "name": "Out"}}, end=(120.0, 8.0))
    first = with_more(match, statsbomb_event(90, "Pass", 30.0, **kicked))[0]
    assert timeline(first, "x").endswith("; 30000 PASS 50; 31000 OUT 100")


def test_two_matches_of_one_name_have_two_ids(match, tmp_path):
    other = tmp_path / "other" / "events.json"
    other.parent.mkdir()
    other.write_text(json.dumps([*EVENTS, statsbomb_event(90, "Pass", 40.0, **passing())]))
    ids = {half.match for file in (match, other) for half in read_feed(file)}
    assert len(ids) == 2
    named = tmp_path / "3788741.json"
    named.write_text(match.read_text())
    assert {half.match for half in read_feed(named)} == {3788741}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda events: [*events[:3], {"type": {"id": 30}, "possession_team": 1, "period": 1}], "none of its events"),
        (lambda events: [event | {"timestamp": "soon"} for event in events], "7 of 13 events cannot be read"),
        (lambda events: {"events": events}, "expected a list"),
    ],
    ids=["no fields", "no time", "not a list"],
)
def test_what_cannot_be_read_is_one_line(match, spoil, reason):
    match.write_text(json.dumps(spoil(EVENTS)))
    with pytest.raises(InputError, match=f"events.json: StatsBomb: {reason}"):
        read_feed(match)


def test_the_provider_can_be_named(match):
    assert len(read_feed(match, provider="statsbomb")) == 2
    with pytest.raises(InputError, match="DataFactory: expected an object"):
        read_feed(match, provider="data factory")
    with pytest.raises(InputError, match="provider: 'statsbob' is not one of compact table"):
        read_feed(match, provider="statsbob")


def test_a_line_up_alone_is_named_for_what_it_is(match, tmp_path):
    with pytest.raises(
        InputError, match=r"lineup.json: is the line-up of a match of StatsBomb \(give the file of its ev"
    ):
        predict(str(tmp_path / "lineup.json"))
