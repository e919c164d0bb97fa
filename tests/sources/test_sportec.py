"""Sportec's event files, on a small match in their form."""

from pathlib import Path

import numpy as np
import pytest

from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import (
    SPORTEC as EVENTS,
    SPORTEC_KICK_OFF as KICK_OFF,
    rows_of,
    sportec_event as event,
    sportec_kick_off as kick_off,
    sportec_play as play,
    timeline,
)


def write(folder: Path, *events: str, home: str = "H", match: str = "M1") -> list[Path]:
    (folder / "events.xml").write_text(f"<PutDataRequest>\n{chr(10).join(events)}\n</PutDataRequest>")
    general = f'<General MatchId="{match}" HomeTeamId="{home}" GuestTeamId="{"A" if home == "H" else "H"}"/>'
    place = '<Environment PitchX="105.00" PitchY="68.00"/>'
    (folder / "meta.xml").write_text(f"<X><MatchInformation>{general}{place}</MatchInformation></X>")
    return [folder / "events.xml", folder / "meta.xml"]


def rows(path: Path, *companions: Path, notices: Notices | None = None) -> list[tuple]:
    return rows_of(read_feed(path, notices, companions), "team")


def test_a_small_match(tmp_path):
    notices = Notices()
    path, about = write(tmp_path, *EVENTS)
    first, second = read_feed(path, notices, [about])
    assert timeline(first, "team") == (
        "0 PASS 0; 450 DRIVE 0; 5000 HIGH PASS 0; 7000 DUEL 1; 8000 HEADER 1; 15000 CROSS 1; 17000 HEADER 0; "
        "20000 PASS 1; 21000 BALL PLAYER BLOCK 0; 25000 SHOT 0; 25400 BALL PLAYER BLOCK 1; 28000 SHOT 0; 28400 SAVE 1; "
        "31000 PLAYER SUCCESSFUL TACKLE 1; 32000 PASS 1; 43000 OUT 0; 50000 THROW IN 1; 90000 OUT 1; 100000 CROSS 0; "
        "120000 STOPPAGE 1"
    )
    assert timeline(second, "team") == "0 PASS 0; 2890 DRIVE 0; 4000 PASS 0"
    assert notices.lines == []
    throw = list(first.code).index(4)
    assert (int(first.x[throw]), int(first.y[throw])) == (62, 100), "to the left; the line on its right"
    assert (int(second.x[-1]), int(second.y[-1])) == (90, 15), "ends are changed"


def test_the_file_may_be_in_any_order_and_zone(tmp_path):
    expected = rows(*write(tmp_path, *EVENTS))
    assert rows(*write(tmp_path, *EVENTS[::-1])) == expected
    for old, new in (
        ("+02:00", ""),
        ('+02:00" M', '" M'),
        ('.0" Y', ',0" Y'),
    ):  # or the decisions alone keep their zone
        assert rows(*write(tmp_path, *(text.replace(old, new) for text in EVENTS))) == expected


def test_the_information_is_not_needed_and_must_be_of_the_match(tmp_path):
    path, about = write(tmp_path, *EVENTS)
    assert [row[:3] for row in rows(path)] == [row[:3] for row in rows(path, about)]
    path, about = write(tmp_path, *EVENTS, home="A")
    assert rows(path, about)[0][3] == 1
    path, about = write(tmp_path, *EVENTS, match="M2")
    with pytest.raises(InputError, match="is the match information of another match: M2, the events are of M1"):
        rows(path, about)
    path, about = write(tmp_path, *(text.replace('"A"', '"B"') for text in EVENTS))
    with pytest.raises(InputError, match="is the match information of another match: its teams are H and A"):
        rows(path, about)


def test_halves_are_found_where_kick_offs_do_not_name_them(tmp_path):
    path, about = write(tmp_path, *EVENTS)
    expected = rows(path, about)
    unnamed = [text.replace(' GameSection="firstHalf"', "").replace(' GameSection="secondHalf"', "") for text in EVENTS]
    again = kick_off(1).replace(' GameSection="firstHalf"', "").replace(KICK_OFF[1], "15:31:00")  # after a goal
    assert {row[0] for row in rows(*write(tmp_path, *unnamed, again))} == {1, 2}
    assert rows(*write(tmp_path, *unnamed)) == expected
    with pytest.raises(InputError, match="Sportec: holds no kick-off of a half"):
        rows(*write(tmp_path, *EVENTS[1:15]))


def test_a_shoot_out_and_odd_events_are_counted(tmp_path):
    penalty = event(9, '<Penalty Team="H"><ShotAtGoal Team="H" Player="h1"><SuccessfulShot/></ShotAtGoal></Penalty>', 2)
    odd = [event(60, "<Hologram/>"), event(61, play("X", "x1")), event(62, play()).replace("2024-03-10T", "soon")]
    events = [*EVENTS[:-2], *odd, kick_off(2, "penaltyShootOut"), penalty]
    notices = Notices()
    path, about = write(tmp_path, *events)
    assert {row[0] for row in rows(path, about, notices=notices)} == {1}
    assert notices.counts == {
        "events with an unknown type (Hologram) not read": 1,
        "events with a third team (X) not read": 1,
        "events with a field of the wrong kind not read": 1,
        "events of the shoot-out not read": 2,
    }


def test_places_are_unknown_where_the_file_gives_none(tmp_path):
    bare = [text.replace('X-Position="52.5" ', "") for text in EVENTS]
    halves = read_feed(write(tmp_path, *bare)[0])
    assert np.all(halves[0].x[halves[0].code == 6] == 255)
