"""StatsBomb's event files, on a small match in their form."""

import json
from pathlib import Path

import pytest

from playahead.domain.notices import Notices
from playahead.inference.predict import predict
from playahead.inference.result import PredictConfig
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import (
    LABELS,
    STATSBOMB as EVENTS,
    statsbomb_event,
    statsbomb_line_up as line_up,
    statsbomb_pass as passing,
)


@pytest.fixture
def match(tmp_path) -> Path:
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    (tmp_path / "lineup.json").write_text(json.dumps(line_up()))
    return tmp_path / "events.json"


def test_a_small_match_in_statsbombs_form(match):
    notices = Notices()
    first, second = read_feed(match, notices)
    rows = [(int(t), LABELS[code]) for t, code in zip(first.t_ms, first.code, strict=True)]
    assert rows == [
        (1_500, "PASS"),
        (2_500, "DRIVE"),
        (4_500, "HIGH PASS"),
        (6_000, "HEADER"),
        (20_000, "THROW IN"),
        (22_000, "STOPPAGE"),
    ]
    assert first.delay_ms.tolist() == [0, 400, 0, 0, 0, 0]
    assert first.setpiece.tolist() == [0, 0, 0, 0, 1, 0]
    assert (int(first.x[0]), int(first.y[0])) == (50, 49), "whole yards mean the middle of a cell"
    assert (second.half, second.t_ms.tolist()) == (2, [3_000])


def test_the_line_up_is_not_needed_and_must_be_of_the_match_where_it_is_given(match, tmp_path):
    lineup = tmp_path / "lineup.json"
    assert [half.t_ms.tolist() for half in read_feed(match, companions=[lineup])] == [
        half.t_ms.tolist() for half in read_feed(match)
    ]
    lineup.write_text(json.dumps([squad | {"team_id": squad["team_id"] + 70} for squad in line_up()]))
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


@pytest.mark.parametrize("formation", [523, 4420, 333, None, "?"])
def test_formations_decide_nothing(match, formation):
    shift = statsbomb_event(98, "Tactical Shift", 30, tactics={"formation": formation}, location=None)
    match.write_text(json.dumps([*EVENTS, shift]))
    notices = Notices()
    assert [len(half) for half in read_feed(match, notices)] == [6, 1]
    assert not notices.counts


def test_an_abandoned_match_and_one_without_its_head_are_read(match):
    match.write_text(json.dumps([event for event in EVENTS if event["period"] == 1 and event["type"]["id"] != 34]))
    assert [half.half for half in read_feed(match)] == [1]
    match.write_text(json.dumps(EVENTS[6:]))
    assert [len(half) for half in read_feed(match)] == [6, 1]


def test_a_carry_without_a_duration_is_a_drive(match):
    carry = statsbomb_event(90, "Carry", 30.0, carry={"end_location": [80.0, 40.0]}, duration=None)
    match.write_text(json.dumps([*EVENTS, carry]))
    assert 30_000 in read_feed(match)[0].t_ms


def test_the_ball_goes_out_when_and_where_the_kick_ends(match):
    kicked = passing({"outcome": {"id": 75, "name": "Out"}}, end=(120.0, 8.0))
    match.write_text(json.dumps([*EVENTS, statsbomb_event(90, "Pass", 30.0, **kicked)]))
    first = read_feed(match)[0]
    assert [(int(first.t_ms[i]), LABELS[first.code[i]], int(first.x[i])) for i in (-2, -1)] == [
        (30_000, "PASS", 50),
        (31_000, "OUT", 100),
    ]


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
    "spoil",
    [
        lambda events: [*events[:3], {"type": {"id": 30}, "possession_team": 1, "period": 1}],
        lambda events: [event | {"timestamp": "soon"} for event in events],
        lambda events: [event | {"team": {"id": 77, "name": "Greens"}} for event in events],
        lambda events: [event | {"location": ["x", float("nan")]} for event in events],
        lambda events: {"events": events},
    ],
    ids=["no fields", "no time", "third team", "no place", "not a list"],
)
def test_what_cannot_be_read_is_one_line(match, spoil):
    match.write_text(json.dumps(spoil(EVENTS)))
    try:
        read_feed(match)
    except InputError as refused:
        assert "events.json" in str(refused)
        assert "StatsBomb" in str(refused)
        assert "\n" not in str(refused)


def test_a_truncated_file_is_refused(match):
    match.write_text(match.read_text()[:-200])
    with pytest.raises(InputError, match="StatsBomb: not JSON"):
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
