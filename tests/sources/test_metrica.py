"""Metrica's events: the same rows from a table and from JSON."""

import json
from pathlib import Path

import pytest

from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import (
    METRICA as ENTRIES,
    metrica_csv as as_csv,
    metrica_entry as metrica,
    metrica_json as as_json,
    rows_of,
    timeline,
)


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
    return rows_of(read_feed(path, notices, companions), "team", "x")


def test_both_forms_give_the_same_rows(match, tmp_path):
    (tmp_path / "events.csv").write_text(as_csv(ENTRIES))
    assert rows(match) == rows(tmp_path / "events.csv")
    half = read_feed(match)[0]
    assert timeline(half, "team") == (
        "0 PASS 0; 6000 SHOT 0; 7000 SAVE 1; 16000 HEADER 1; 26000 PLAYER SUCCESSFUL TACKLE 0; 27000 PASS 0; "
        "46000 PASS 1; 46000 OUT 1; 56000 THROW IN 0"
    )
    assert half.x[1] == 90, "towards the goal that was shot at"


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
