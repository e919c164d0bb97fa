"""WhoScored's match centre: Opta's events by name, on the match clock."""

import json

import pytest

from playahead.domain.actions import ACTIONS
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import LABELS


def event(clock: str, kind: str, team: int = 13, *said: str, period: int = 1, won: bool = True, **more) -> dict:
    minute, second = map(int, clock.split(":"))
    return {
        "minute": minute,
        "second": second,
        "teamId": team,
        "playerId": 7,
        "x": 40.0,
        "y": 30.0,
        "period": {"value": period, "displayName": "FirstHalf"},
        "type": {"value": 1, "displayName": kind},
        "outcomeType": {"value": int(won), "displayName": "Successful" if won else "Unsuccessful"},
        "qualifiers": [{"type": {"value": 1, "displayName": name}} for name in said],
        **more,
    }


def read(tmp_path, *events: dict, notices: Notices | None = None, **about):
    path = tmp_path / "match.json"
    path.write_text(json.dumps({"matchId": 1234, "matchCentreData": {"home": {}, "events": list(events)}} | about))
    return read_feed(path, notices)


PLAYED = [
    event("0:00", "Start"),
    event("0:03", "Pass", 13, endX=50.0, endY=30.0),
    event("0:08", "Pass", 13, "Chipped", playerId=8, endX=90.0, endY=30.0),
    event("0:12", "Aerial", 26, won=False),
    event("0:12", "Aerial", 13),
    event("0:30", "Foul", 13),
    event("0:30", "Foul", 26, won=False),
    event("0:50", "Pass", 13, "FreekickTaken", "Cross", endX=90.0, endY=50.0),
    event("0:52", "Save", 26, "OutfielderBlock"),
    event("1:02", "Pass", 13, "CornerTaken", "Cross", endX=90.0, endY=50.0),
    event("1:04", "Goal", 13, "Head"),
    event("46:10", "Pass", 26, "ThrowIn", endX=50.0, endY=0.0),
    event("45:02", "Tackle", 26, period=2),
    event("45:04", "Pass", 26, period=2, endX=45.0, endY=30.0),
]


def test_events_become_rows_of_their_half(tmp_path):
    first, second = read(tmp_path, *PLAYED)
    assert first.match == 1234
    assert [(int(t_ms), LABELS[code]) for t_ms, code in zip(first.t_ms, first.code, strict=True)] == [
        (3_000, "PASS"), (3_975, "DRIVE"), (8_000, "HIGH PASS"), (12_000, "HEADER"), (30_000, "STOPPAGE"),
        (50_000, "CROSS"), (52_000, "BALL PLAYER BLOCK"), (62_000, "CROSS"), (64_000, "SHOT"), (2_770_000, "THROW IN"),
    ]  # fmt: skip
    assert [(int(t_ms), LABELS[code]) for t_ms, code in zip(second.t_ms, second.code, strict=True)] == [
        (2_000, "PLAYER SUCCESSFUL TACKLE"),
        (4_000, "PASS"),
    ]
    assert first.setpiece.tolist()[5:8] == [4, 0, 3]
    assert (first.x[0], first.y[0]) == (40, 70)
    assert first.team.tolist() == [0, 0, 0, 0, 1, 0, 1, 0, 0, 1]
    assert ACTIONS.index("OUT") not in first.reports


def test_a_bare_list_and_one_period_number_do_as_well(tmp_path):
    path = tmp_path / "events.json"
    path.write_text(json.dumps([{"expandedMinute": 0, **event("0:03", "Pass", 13, period=1)} | {"period": 1}]))
    assert len(read_feed(path)[0]) == 1


@pytest.mark.parametrize(
    ("events", "about", "said"),
    [
        ([event("0:03", "Card")], {}, "none of its events is one that becomes a row"),
        ([event("0:03", "Pass", team) for team in (1, 2, 3)], {}, "more than two teams: 1, 2, 3"),
        ([event("0:03", "Pass") | {"minute": "soon"}], {}, "event 0: WhoScored: minute 'soon', second 3 is no time"),
        ([], {"matchCentreData": {"events": {"0": 1}}}, "events: expected a list"),
        ([], {"matchCentreData": {"events": [3]}}, "event 0: expected an object"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, events, about, said):
    with pytest.raises(InputError, match=said) as refused:
        read(tmp_path, *events, **about)
    assert "match.json" in str(refused.value)


def test_the_shoot_out_is_counted(tmp_path):
    notices = Notices()
    read(tmp_path, *PLAYED, event("120:00", "Goal", period=5), notices=notices)
    assert notices.counts == {"events of the shoot-out not read": 1}
