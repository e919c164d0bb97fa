"""Metrica's events: the same rows from a table and from JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.sources.test_any_file import as_csv, metrica

LABELS = (*map(str, ACTIONS), *OBSERVED_TOKENS)
ENTRIES = [
    metrica("SET PIECE", "KICK OFF", 1, 14, 0, 50),
    metrica("PASS", "", 1, 14, 0, 50),
    metrica("SHOT", "HEAD-ON TARGET-SAVED", 1, 20, 0, 90),
    metrica("RECOVERY", "SAVED", 1, 21, 1, 90),
    metrica("CHALLENGE", "AERIAL-WON", 1, 30, 1, 60),
    metrica("RECOVERY", "THEFT", 1, 40, 0, 60),
    metrica("PASS", "", 1, 41, 0, 60),
    metrica("BALL OUT", "CLEARANCE", 1, 60, 1, 60),
    metrica("SET PIECE", "THROW IN", 1, 70, 0, 60),
    metrica("PASS", "", 1, 70, 0, 60),
    metrica("PASS", "", 2, 2803, 1, 50),
]


def as_json(entries: Sequence[dict]) -> list[dict]:
    ids = {"Home": "FIFATMA", "Away": "FIFATMB"}

    def at(entry: dict, end: str) -> dict:
        return {"time": entry[f"{end} Time [s]"], "x": entry[f"{end} X"], "y": entry[f"{end} Y"]}

    return [
        {
            "team": {"id": ids[entry["Team"]]},
            "type": {"name": entry["Type"], "id": 1},
            "subtypes": [{"name": name} for name in entry["Subtype"].split("-")] if entry["Subtype"] else None,
            "period": entry["Period"],
            "from": {"id": entry["From"]},
            "start": at(entry, "Start"),
            "end": at(entry, "End"),
        }
        for entry in entries
    ]


def metadata(folder: Path, second_half_s: float = 2803.6, teams: tuple[str, ...] = ("FIFATMA", "FIFATMB")) -> Path:
    said = {"first_half_start": 14, "first_half_end": 2800, "second_half_start": second_half_s, "second_half_end": 5600}
    parameters = "".join(
        f"<ProviderParameter><Name>{name}</Name><Value>{25 * value}</Value></ProviderParameter>"
        for name, value in said.items()
    )
    listed = "".join(f'<Team id="{team}"/>' for team in teams)
    text = f"<main><Metadata><FrameRate>25.0</FrameRate>{parameters}<Teams>{listed}</Teams></Metadata></main>"
    (folder / "about.xml").write_text(text)
    return folder / "about.xml"


@pytest.fixture
def match(tmp_path) -> Path:
    (tmp_path / "events.json").write_text(json.dumps({"data": as_json(ENTRIES)}))
    return tmp_path / "events.json"


def rows(path: Path, *companions: Path, notices: Notices | None = None) -> list[tuple]:
    return [
        (half.half, int(t_ms), LABELS[code], int(team), int(x))
        for half in read_feed(path, notices, companions)
        for t_ms, code, team, x in zip(half.t_ms, half.code, half.team, half.x, strict=True)
    ]


def test_both_forms_give_the_same_rows(match, tmp_path):
    (tmp_path / "events.csv").write_text(as_csv(ENTRIES))
    found = rows(match)
    assert found == rows(tmp_path / "events.csv")
    assert [row[1:4] for row in found if row[0] == 1] == [
        (0, "PASS", 0),
        (6_000, "SHOT", 0),
        (7_000, "SAVE", 1),
        (16_000, "HEADER", 1),
        (26_000, "PLAYER SUCCESSFUL TACKLE", 0),
        (27_000, "PASS", 0),
        (46_000, "PASS", 1),
        (46_000, "OUT", 1),
        (56_000, "THROW IN", 0),
    ]
    assert found[1][4] == 90, "towards the goal that was shot at"


def test_a_carry_is_a_drive(match):
    carry = as_json([metrica("CARRY", "", 1, 50, 0, 60)])
    carry[0]["end"]["time"] = 52
    match.write_text(json.dumps({"data": [*as_json(ENTRIES), *carry]}))
    assert (1, 36_000, "DRIVE", 0, 60) in rows(match)


def test_the_metadata_are_not_needed_and_must_be_of_the_match(match, tmp_path):
    assert rows(match, metadata(tmp_path)) == rows(match)
    with pytest.raises(InputError, match=r"about.xml: is of another match: its half 2 is from 26 to"):
        rows(match, metadata(tmp_path, second_half_s=26))
    with pytest.raises(InputError, match="is of another match: its teams are X, Y"):
        rows(match, metadata(tmp_path, teams=("X", "Y")))


def test_odd_events_are_left_out_and_counted(match):
    odd = as_json([metrica("HOLOGRAM", "", 1, 50, 0, 60), metrica("PASS", "", 5, 5900, 0, 60), *ENTRIES[:3]])
    odd[2]["team"]["id"] = "FIFATMC"
    odd[3]["start"]["time"] = "soon"
    del odd[4]["type"]
    notices = Notices()
    match.write_text(json.dumps({"data": [*as_json(ENTRIES * 2), *odd]}))
    assert len(rows(match, notices=notices)) >= len(rows(match)) > 8
    assert notices.counts["events with an unknown type (HOLOGRAM) not read"] == 1
    assert notices.counts["events of the shoot-out not read"] == 1
    assert notices.counts["events with a third team (FIFATMC) not read"] == 1
    assert notices.counts["events without 'type' not read"] == 1
    assert sum(notices.counts.values()) >= 5
