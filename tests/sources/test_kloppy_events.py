"""Wyscout's version 3, which kloppy reads, on the file that kloppy is tested on."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from playahead.sources.kloppy_events import read_kloppy_dataset
from tests.support.provider_files import rows_of

kloppy = pytest.importorskip("kloppy")


FILES = Path(kloppy.__file__).parent / "tests" / "files"
if not FILES.is_dir():
    pytest.skip("kloppy without its test files", allow_module_level=True)


rows = rows_of


@pytest.fixture
def wyscout() -> dict:
    """The beginnings of both halves of a match, as Wyscout's version 3 has it."""
    root = json.loads((FILES / "wyscout_events_v3.json").read_text())
    halves = ([event for event in root["events"] if event["matchPeriod"] == period] for period in ("1H", "2H"))
    return root | {"events": [event for half in halves for event in half[:150]]}


def saved(folder: Path, root: dict) -> Path:
    (folder / "match.json").write_text(json.dumps(root))
    return folder / "match.json"


def test_wyscouts_version_3_to_the_millisecond_with_its_drives_and_outs(wyscout, tmp_path):
    notices = Notices()
    halves = read_feed(saved(tmp_path, wyscout), notices)
    count = Counter(label for _, _, label in rows(halves))
    interruptions = [event for event in wyscout["events"] if event["type"]["primary"] == "game_interruption"]
    assert count["OUT"] == len(interruptions) > 3, "kloppy calls them generic"
    assert count["DRIVE"] > 0.5 * count["PASS"], "the carries that it names are few: the others are implied"
    assert any(t_ms % 1000 for _, t_ms, label in rows(halves) if label == "PASS")
    first = next(event for event in wyscout["events"] if event["type"]["primary"] == "pass")
    assert (1, round(1000 * float(first["matchTimestamp"].split(":")[-1])), "PASS") in rows(halves)
    assert {half.match for half in halves} == {5154199}


def test_a_shoot_out_after_half_2_any_order_and_a_type_that_wyscout_has_not(wyscout, tmp_path):
    whole = read_feed(saved(tmp_path, wyscout))
    events = wyscout["events"]
    shoot_out = [event | {"matchPeriod": "P", "minute": 120} for event in events[-3:]]
    unknown = events[-1] | {"type": {"primary": "moonwalk", "secondary": []}}
    halves_swapped = [*events[150:], *events[:150]]
    notices = Notices()
    halves = read_feed(saved(tmp_path, wyscout | {"events": [*shoot_out, *halves_swapped, unknown]}), notices)
    assert rows(halves) == rows(whole)
    assert notices.counts["events of the shoot-out not read"] == 3
    assert notices.counts["events with an unknown type (moonwalk) not read"] == 1


def test_version_3_is_told_by_its_events_wherever_they_stand(wyscout, tmp_path):
    whole = read_feed(saved(tmp_path, wyscout))
    late = {"match": {"matchPeriod": "F"}, "pad": "x" * 70_000}
    late |= {name: value for name, value in wyscout.items() if name not in ("match", "events")}
    late |= {"match": wyscout["match"] | {"matchPeriod": "F"}, "events": wyscout["events"]}
    assert rows(read_feed(saved(tmp_path, late))) == rows(whole)


def test_an_event_that_kloppy_stumbles_over_is_left_out_and_counted(wyscout, tmp_path):
    whole = rows(read_feed(saved(tmp_path, wyscout)))
    wyscout["events"][50]["team"]["id"] = 99
    del wyscout["events"][120]["type"]
    notices = Notices()
    assert len(whole) - 6 <= len(rows(read_feed(saved(tmp_path, wyscout), notices))) < len(whole)
    assert sum(notices.counts.values()) == 2
    assert all(reason.startswith("events that kloppy does not read (") for reason in notices.counts)
    for event in wyscout["events"]:
        event["team"]["id"] = 99
    with pytest.raises(InputError, match="cannot be read as a match of Wyscout v3"):
        read_feed(saved(tmp_path, wyscout))


def test_a_shoot_out_is_counted(wyscout, tmp_path):
    shots = [event | {"matchPeriod": "P", "minute": 121} for event in wyscout["events"][-40:]]
    extra = [
        event | {"matchPeriod": period, "minute": minute}
        for period, minute in (("E1", 91), ("E2", 106))
        for event in wyscout["events"][-40:]
    ]
    wyscout["events"] += [*extra, *shots]
    notices = Notices()
    assert {half.half for half in read_feed(saved(tmp_path, wyscout), notices)} == {1, 2, 3, 4}
    assert notices.counts["events of the shoot-out not read"] == 40


def test_without_kloppy_the_message_says_what_to_install(wyscout, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kloppy", None)
    monkeypatch.setitem(sys.modules, "kloppy.domain", None)
    with pytest.raises(InputError, match=r"is a match of Wyscout v3, which needs kloppy \(pip install"):
        read_feed(saved(tmp_path, wyscout))


def test_without_directions_the_places_of_a_dataset_are_unknown(wyscout, tmp_path):
    from kloppy import wyscout as reader
    from kloppy.domain import Orientation

    dataset = reader.load(event_data=str(saved(tmp_path, wyscout)), data_version="V3")
    aimless = replace(dataset, metadata=replace(dataset.metadata, orientation=Orientation.NOT_SET))
    notices = Notices()
    assert all((half.x == 255).all() for half in read_kloppy_dataset(aimless, notices))
    assert any("nothing says which way the teams attack" in line for line in notices.lines)
