"""SkillCorner's dynamic events: possessions become carries, passes and shots; restarts stand before receptions."""

import json

import pytest

from playahead.domain.feed import SetPiece
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed, reader_of
from tests.support.provider_files import timeline

COLUMNS = (
    *("event_id", "index", "match_id", "frame_start", "time_start", "time_end", "period", "event_type", "team_id"),
    *("team_shortname", "player_id", "x_start", "y_start", "x_end", "y_end", "channel_end", "third_end", "start_type"),
    *("end_type", "pass_outcome", "high_pass", "is_header", "pass_distance", "game_interruption_before"),
    *("player_targeted_penalty_area_reception",),
)


def possession(start: str, end: str, team: int = 867, ends: str = "pass", **about: object) -> dict[str, object]:
    row = {"event_id": "8_1", "index": 1, "match_id": 2011166, "frame_start": 1, "time_start": start, "time_end": end}
    row |= {
        "period": 1,
        "event_type": "player_possession",
        "team_id": team,
        "team_shortname": {867: "Reds"}.get(team, "Blues"),
    }
    row |= {"player_id": 5, "x_start": 0, "y_start": 0, "x_end": 10.5, "y_end": 6.8, "end_type": ends}
    return row | {"pass_outcome": "successful", "high_pass": False, "is_header": False, "pass_distance": 12} | about


def csv_of(*rows: dict[str, object]) -> str:
    lines = [",".join(COLUMNS), *(",".join(str(row.get(name, "")) for name in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path):
    def read(*rows: dict[str, object], companion: dict | None = None, notices: Notices | None = None):
        path = tmp_path / "events.csv"
        path.write_text(csv_of(*rows))
        other = []
        if companion is not None:
            (tmp_path / "match.json").write_text(json.dumps(companion))
            other = [tmp_path / "match.json"]
        return read_feed(path, notices, other)

    return read


SHORT = [possession("00:10.0", "00:12.0"), possession("00:13.0", "00:13.2", 868, "shot", player_id=6)]


def test_a_possession_is_a_carry_and_what_ends_it(read):
    (half,) = read(*SHORT)
    assert half.match == 2011166
    assert half.teams == ("Reds", "Blues")
    assert timeline(half, "x", "y") == "10000 DRIVE 50 50; 12000 PASS 60 40; 13200 SHOT 60 40"
    assert half.rows[0].delay_ms == 400, "a carry is known once it lasts"


@pytest.mark.parametrize(
    ("about", "label"),
    [
        ({"is_header": True}, "HEADER"),
        ({"high_pass": True}, "HIGH PASS"),
        ({"pass_distance": 45}, "PASS"),
        (
            {
                "channel_end": "wide_left",
                "third_end": "attacking_third",
                "player_targeted_penalty_area_reception": True,
            },
            "CROSS",
        ),
        (
            {"channel_end": "center", "third_end": "attacking_third", "player_targeted_penalty_area_reception": True},
            "PASS",
        ),
        ({"end_type": "clearance"}, "PASS"),
        ({"end_type": "clearance", "pass_distance": ""}, "HIGH PASS"),
    ],
)
def test_what_a_kick_is(read, about, label):
    (half,) = read(possession("00:10.0", "00:10.1", **about), SHORT[1])
    assert timeline(half).startswith(f"10100 {label}")


@pytest.mark.parametrize(
    ("before", "team", "setpiece", "label"),
    [
        ("throw_in_for", 0, SetPiece.THROW_IN, "THROW IN"),
        ("throw_in_against", 1, SetPiece.THROW_IN, "THROW IN"),
        ("corner_for", 0, SetPiece.CORNER, "CROSS"),
        ("goal_kick_against", 1, SetPiece.GOAL_KICK, "PASS"),
    ],
)
def test_a_restart_stands_before_its_reception_and_an_out_before_it(read, before, team, setpiece, label):
    (half,) = read(*SHORT, possession("00:40.0", "00:40.2", game_interruption_before=before))
    (restart,) = [row for row in half.rows if row.setpiece == setpiece]
    assert (restart.team, 37_000 < restart.t_ms < 40_000) == (team, True)
    assert f" {label};" in timeline(half)
    (out,) = [row for row in half.rows if row.code == 7]
    assert (out.t_ms, out.setpiece) == (16_200, 9)


def test_a_regain_is_a_tackle_and_a_foul_stops_play(read):
    regain = possession("00:11.5", "00:12.0", 868, "direct_regain", event_type="on_ball_engagement", player_id=9)
    (half,) = read(possession("00:10.0", "00:12.0", ends="possession_loss"), regain, SHORT[1])
    assert timeline(half, "team") == "10000 DRIVE 0; 12000 PLAYER SUCCESSFUL TACKLE 1; 13200 SHOT 1"
    (half,) = read(possession("00:10.0", "00:12.0", ends="foul_suffered"), SHORT[1])
    assert timeline(half, "team") == "10000 DRIVE 0; 12000 STOPPAGE 1; 13200 SHOT 1"


def test_the_second_half_has_its_own_clock_and_the_match_file_names_the_home_side(read):
    about = {"id": 2011166, "home_team": {"id": 868}, "away_team": {"id": 867}, "away_team_kit": {"id": 1}}
    later = possession("45:10.0", "45:10.2", 868, "shot", period=2)
    first, second = read(*SHORT, later, companion=about)
    assert first.teams == ("Blues", "Reds")
    assert timeline(second, "team") == "10200 SHOT 0"
    with pytest.raises(InputError, match="is of match 7"):
        read(*SHORT, companion={**about, "id": 7})


def test_what_cannot_be_read_is_counted_or_named(read, tmp_path):
    notices = Notices()
    odd = [possession("", "00:20.0"), possession("00:20.0", "00:21.0", ends="teleport"), possession("a", "b", period=9)]
    (half,) = read(*SHORT, *SHORT, possession("00:30.0", "00:31.0"), *odd, notices=notices)
    assert len(half) >= 5
    assert any("teleport" in line for line in notices.lines)
    (tmp_path / "cut.csv").write_text(",".join(COLUMNS[:8]) + "\n")
    assert reader_of(tmp_path / "cut.csv").provider == "SkillCorner"
    with pytest.raises(InputError, match="has no column 'team_id'"):
        read_feed(tmp_path / "cut.csv")
    (tmp_path / "two.csv").write_text(csv_of(*SHORT, possession("00:30.0", "00:31.0", match_id=4)))
    with pytest.raises(InputError, match="holds 2 matches"):
        read_feed(tmp_path / "two.csv")
