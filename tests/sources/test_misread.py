"""What was misread in silence, or refused without its reason, in files that somebody made or cut."""

import json

import numpy as np
import pytest

from playahead.domain.actions import Action
from playahead.domain.notices import Notices
from playahead.io.errors import PlayaheadError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import METRICA_COLUMNS, statsbomb_event, statsbomb_pass

THROW_IN = Action.THROW_IN.class_index
LATE = "half 2: its clock starts at 45:00; its times are counted from there"
OUTSIDE = "half 2: 25 of 25 events lie before its start or hours after it"
SPORTEC_HALVES = {"firstHalf": "15:30:00", "secondHalf": "16:35:00"}


def read(tmp_path, content, name="match.json"):
    """The halves, and what a reader is told of them."""
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    notices = Notices()
    return read_feed(path, notices), notices.lines


BOTH = [(half, k) for half in (1, 2) for k in range(25)]


def statsbomb(start_s=0, **changed):
    passing = statsbomb_pass()
    events = [statsbomb_event(30 * n + k, "Pass", start_s * (n - 1) + k, k % 2, n, **passing) for n, k in BOTH]
    return [event | {"player": {"id": event["index"] % 30}} | changed for event in events]


def wyscout(half_2_s=0.0):
    kind = {"eventName": "Pass", "subEventName": "Simple pass", "tags": [], "matchId": 1}
    places = {"positions": [{"x": 50, "y": 50}, {"x": 55, "y": 50}]}
    return [
        {"matchPeriod": f"{n}H", "eventSec": k + (n - 1) * half_2_s, "teamId": k % 2 + 1, "playerId": k} | kind | places
        for n, k in BOTH
    ]


def whoscored(half_2_min=45, name="Pass"):
    about = {"outcomeType": {"displayName": "Successful"}, "x": 50, "y": 50, "endX": 60, "endY": 50}
    events = [
        {"minute": (n - 1) * half_2_min, "second": k, "teamId": k % 2 + 1, "period": {"value": n}, **about}
        | {"type": {"displayName": "Pass" if k % 5 else name}}
        for n, k in BOTH
    ]
    return {"expandedMinute": 0, "events": events}


def spadl(**changed):
    entries = [
        {"game_id": 1, "period_id": 1, "time_seconds": k, "team_id": 1 + k % 2, "player_id": k, "type_id": 0}
        | {"result_id": 1, "bodypart_id": 0, "start_x": 50, "start_y": 30, "end_x": 60, "end_y": 30}
        for k in range(25)
    ]
    entries[3] |= changed
    return "\n".join(",".join(map(str, line)) for line in (entries[0], *(entry.values() for entry in entries))) + "\n"


def sportec(sections=SPORTEC_HALVES, left=' TeamLeft="A"', twice=False):
    def event(time, inner, x=""):
        return f'<Event EventTime="2022-10-15T{time}.000+02:00"{x}>{inner}</Event>'

    events = ""
    for section, start in sections.items():
        named = f' GameSection="{section}"' if section else ""
        play = '<Play Team="{}" Player="{}"><Pass/></Play>'
        events += event(start, f"<KickOff{named}{left}>{play.format('A', 'a')}</KickOff>")
        for k in range(1, 10):
            place = f' X-Position="{30 + 3 * k}" Y-Position="30"'
            events += event(f"{start[:-1]}{k}", play.format("AB"[k % 2], f"p{k}"), place) * (1 + twice)
        events += event(f"{start[:2]}:59:00", "<FinalWhistle/>")
    return f"<PutDataRequest>{events}</PutDataRequest>"


@pytest.mark.parametrize("content", [statsbomb(start_s=2700), wyscout(half_2_s=2700)])
def test_a_clock_that_goes_on_after_the_break(tmp_path, content):
    halves, lines = read(tmp_path, content)
    assert [half.half for half in halves] == [1, 2]
    assert [int(half.t_ms[-1]) for half in halves] == [24_000, 24_000]
    assert LATE in lines


def test_most_of_a_half_at_times_of_another_is_refused(tmp_path):
    with pytest.raises(PlayaheadError, match=f"match.json: WhoScored: {OUTSIDE}"):
        read(tmp_path, whoscored(half_2_min=0))


def test_statsbombs_periods_and_order(tmp_path):
    halves, _ = read(tmp_path, [entry | {"period": str(entry["period"])} for entry in statsbomb()])
    assert [half.half for half in halves] == [1, 2]
    ordered, _ = read(tmp_path, statsbomb(timestamp="00:00:01.000"))
    shuffled, _ = read(tmp_path, statsbomb(timestamp="00:00:01.000")[::-1])
    assert all(np.array_equal(one.team, other.team) for one, other in zip(ordered, shuffled, strict=True))
    _, lines = read(tmp_path, [*statsbomb(), *statsbomb(period=7)[:2], *statsbomb(period=5)[:3]])
    assert sorted(lines) == ["2 events with an unknown period (7) not read", "3 events of the shoot-out not read"]


@pytest.mark.parametrize("content", [statsbomb(location=None), sportec(left="")])
def test_halves_without_a_place_are_told(tmp_path, content):
    assert read(tmp_path, content)[1] == ["half 1: no place is known", "half 2: no place is known"]


def test_wyscouts_events_without_ids_count_once(tmp_path):
    halves, lines = read(tmp_path, wyscout() * 2)
    assert sum(map(len, halves)) == sum(map(len, read(tmp_path, wyscout())[0]))
    assert lines == ["50 events given twice not read"]


def test_sportecs_events_given_twice_count_once_although_the_next_event_tells_their_length(tmp_path):
    once, _ = read(tmp_path, sportec())
    twice, lines = read(tmp_path, sportec(twice=True))
    assert [len(half) for half in twice] == [len(half) for half in once]
    assert lines == ["18 events given twice not read"]


def test_sportecs_kick_offs_in_the_order_of_the_halves(tmp_path):
    halves, _ = read(tmp_path, sportec({"firstHalf": "15:30:00", "": "16:35:00"}))
    assert [half.half for half in halves] == [1, 2]
    with pytest.raises(PlayaheadError, match="half 2 kicks off before half 1"):
        read(tmp_path, sportec({"secondHalf": "15:30:00", "firstHalf": "16:35:00"}))


def test_two_games_in_one_f24_are_refused(tmp_path):
    event = '<Event id="1" type_id="1" period_id="1" min="1" sec="1" team_id="1" outcome="1" x="9" y="9"/>'
    game = f'<Game id="1" home_team_id="1" away_team_id="2">{event}</Game>'
    with pytest.raises(PlayaheadError, match="Opta: holds 2 <Game>"):
        read(tmp_path, f"<Games>{game}{game}</Games>")


def test_whoscoreds_unknown_types_are_counted_and_an_unknown_team_is_no_third(tmp_path):
    match = whoscored(name="Bicycle")
    match["events"][1]["teamId"] = None
    halves, lines = read(tmp_path, match)
    assert lines == ["10 events with an unknown type (Bicycle) not read"]
    assert halves[0].team[0] == 255


def test_spadls_empty_cells_and_a_line_cut_short(tmp_path):
    halves, _ = read(tmp_path, spadl(team_id=""))
    assert (halves[0].team == 255).sum() == 1
    _, lines = read(tmp_path, spadl(period_id=""))
    assert lines[0] == "1 actions of an unknown period not read"
    with pytest.raises(PlayaheadError, match="the last line is cut short"):
        read(tmp_path, spadl()[:-12])


def test_metricas_throw_in_is_entered_just_before_its_pass(tmp_path):
    rows = [
        METRICA_COLUMNS,
        "Home,SHOT,ON TARGET,1,1,1.0,2,1.5,P1,,0.8,0.5,1.0,0.5",
        "Home,SET PIECE,THROW IN,1,1,10.0,,10.0,P1,,,,,",
        "Home,PASS,,1,1,10.28,2,11.0,P1,P2,0.5,0.0,0.6,0.2",
        "Away,SET PIECE,THROW IN,1,1,20.0,,20.0,P9,,,,,",
        "Away,BALL LOST,,1,1,20.2,2,21.0,P9,,0.5,0.0,0.6,0.2",
        "Home,PASS,,1,1,25.0,2,26.0,P1,P2,0.5,0.0,0.6,0.2",
    ]
    halves, _ = read(tmp_path, "\n".join(rows) + "\n")
    assert halves[0].t_ms[halves[0].code == THROW_IN].tolist() == [9_280, 19_200]


def test_many_actions_in_seconds_are_in_another_unit(tmp_path):
    labels = [{"half": "1", "position": str(k * 6), "label": "PASS"} for k in range(150)]
    _, lines = read(tmp_path, {"annotations": labels}, "Labels-ball.json")
    assert lines == [
        "SoccerNet spotting: 150 actions in 1 s are more than anyone plays, are its times in another unit?"
    ]


def test_files_of_one_name_in_two_folders_are_two_matches(tmp_path):
    table = spadl().replace("game_id", "league")
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    first, second = (read(tmp_path / folder, table, "actions.csv")[0] for folder in ("first", "second"))
    assert first[0].match != second[0].match
