"""Providers that kloppy reads, on the files that it is tested on."""

import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.errors import InputError
from playahead.sources.feeds import read_feed
from playahead.sources.notes import SourceNotes

kloppy = pytest.importorskip("kloppy")
LABELS = (*map(str, ACTIONS), *OBSERVED_TOKENS)


FILES = Path(kloppy.__file__).parent / "tests" / "files"
if not FILES.is_dir():
    pytest.skip("kloppy without its test files", allow_module_level=True)


def rows(halves) -> list[tuple[int, int, str]]:
    return [
        (half.half, int(t_ms), LABELS[code]) for half in halves for t_ms, code in zip(half.t_ms, half.code, strict=True)
    ]


@pytest.fixture
def wyscout() -> dict:
    """The beginnings of both halves of a match, as Wyscout's version 3 has it."""
    root = json.loads((FILES / "wyscout_events_v3.json").read_text())
    halves = ([event for event in root["events"] if event["matchPeriod"] == period] for period in ("1H", "2H"))
    return root | {"events": [event for half in halves for event in half[:150]]}


@pytest.fixture
def metrica(tmp_path) -> Path:
    """The beginnings of both halves of a match, as Metrica's JSON has it."""
    events = json.loads((FILES / "metrica_events.json").read_text())["data"]
    halves = ([event for event in events if event["period"] == period] for period in (1, 2))
    (tmp_path / "events.json").write_text(json.dumps({"data": [event for half in halves for event in half[:100]]}))
    return tmp_path / "events.json"


def saved(folder: Path, root: dict) -> Path:
    (folder / "match.json").write_text(json.dumps(root))
    return folder / "match.json"


def test_wyscouts_version_3_to_the_millisecond_with_its_drives_and_outs(wyscout, tmp_path):
    notes = SourceNotes()
    halves = read_feed(saved(tmp_path, wyscout), notes)
    count = Counter(label for _, _, label in rows(halves))
    interruptions = [event for event in wyscout["events"] if event["type"]["primary"] == "game_interruption"]
    assert count["OUT"] == len(interruptions) > 3, "kloppy calls them generic"
    assert count["DRIVE"] > 0.5 * count["PASS"], "the carries that it names are few: the others are implied"
    assert any(t_ms % 1000 for _, t_ms, label in rows(halves) if label == "PASS")
    first = next(event for event in wyscout["events"] if event["type"]["primary"] == "pass")
    assert (1, round(1000 * float(first["matchTimestamp"].split(":")[-1])), "PASS") in rows(halves)
    assert {half.match for half in halves} == {5154199}


def test_an_event_that_kloppy_stumbles_over_is_left_out_and_counted(wyscout, tmp_path):
    whole = rows(read_feed(saved(tmp_path, wyscout)))
    wyscout["events"][50]["team"]["id"] = 99
    del wyscout["events"][120]["type"]
    notes = SourceNotes()
    assert len(whole) - 6 <= len(rows(read_feed(saved(tmp_path, wyscout), notes))) < len(whole)
    assert sum(notes.left_out.values()) == 2
    assert all(reason.startswith("events that kloppy does not read (") for reason in notes.left_out)
    for event in wyscout["events"]:
        event["team"]["id"] = 99
    with pytest.raises(InputError, match="cannot be read as a match of Wyscout v3"):
        read_feed(saved(tmp_path, wyscout))


def metadata(folder: Path, *changes: tuple[str, str]) -> Path:
    """Metadata that fit kloppy's events of Metrica; its own file is of another match."""
    text = (FILES / "epts_metrica_metadata.xml").read_text()
    fits = (("450", "350"), ("499", "69600"), ("650", "70060"), ("699", "143600"))
    for old, new in (*((f"<Value>{a}</Value>", f"<Value>{b}</Value>") for a, b in fits), *changes):
        assert old in text
        text = text.replace(old, new)
    (folder / "about.xml").write_text(text)
    return folder / "about.xml"


def test_metricas_events_go_with_the_metadata_of_their_match_alone(metrica, tmp_path):
    halves = read_feed(metrica, None, [metadata(tmp_path)])
    assert [half.half for half in halves] == [1, 2]
    assert max(int(half.t_ms[0]) for half in halves) < 5_000
    with pytest.raises(InputError, match=r"metadata.xml: .*is of another match: its half 2 does not fit the events"):
        read_feed(metrica, None, [FILES / "epts_metrica_metadata.xml"])


def test_the_companion_that_is_needed_is_found_beside_or_given(metrica, tmp_path):
    with pytest.raises(InputError, match=r"a match of Metrica \(JSON\), whose EPTS metadata was not found beside it"):
        read_feed(metrica)
    about = metadata(tmp_path)
    assert len(read_feed(metrica)) == 2
    shutil.copy(about, tmp_path / "other.xml")
    with pytest.raises(InputError, match="2 files beside it could be its EPTS metadata"):
        read_feed(metrica)
    shutil.copy(about, tmp_path / "events_about.xml")
    assert len(read_feed(metrica)) == 2, "the nearest by name"


def test_without_directions_places_are_unknown(metrica, tmp_path):
    aimless = metadata(tmp_path, ("left_to_right", "not_set"), ("right_to_left", "not_set"))
    notes = SourceNotes()
    halves = read_feed(metrica, notes, [aimless])
    assert all((half.x == 255).all() for half in halves)
    assert any("nothing says which way the teams attack" in line for line in notes.lines)


def test_a_shoot_out_is_counted(wyscout, tmp_path):
    shots = [event | {"matchPeriod": "P", "minute": 121} for event in wyscout["events"][-40:]]
    extra = [
        event | {"matchPeriod": period, "minute": minute}
        for period, minute in (("E1", 91), ("E2", 106))
        for event in wyscout["events"][-40:]
    ]
    wyscout["events"] += [*extra, *shots]
    notes = SourceNotes()
    assert {half.half for half in read_feed(saved(tmp_path, wyscout), notes)} == {1, 2, 3, 4}
    assert notes.left_out["events of the shoot-out"] == 40


def test_without_kloppy_the_message_says_what_to_install(wyscout, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kloppy", None)
    monkeypatch.setitem(sys.modules, "kloppy.domain", None)
    with pytest.raises(InputError, match=r"is a match of Wyscout v3, which needs kloppy \(pip install"):
        read_feed(saved(tmp_path, wyscout))
