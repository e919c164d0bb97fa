"""DataFactory's match files, on a small match in their form."""

import json
from pathlib import Path

import pytest

from playahead.domain.notices import Notices
from playahead.io.errors import InputError
from playahead.sources.feeds import read_feed
from tests.support.provider_files import datafactory_entry as entry, timeline


def write(folder: Path, **incidences: list[dict]) -> Path:
    match = {"matchId": 42, "homeTeamId": 1, "awayTeamId": 2}
    listed = {name: {f"{n:04d}": e for n, e in enumerate(found)} for name, found in incidences.items()}
    (folder / "match.json").write_text(json.dumps({"match": match, "incidences": listed}))
    return folder / "match.json"


def test_a_small_match(tmp_path):
    passes = [entry(1, 5), entry(1, 10, player=11, x=0.2), entry(1, 60, 2, 20), entry(1, 70, 2, 21, x=-0.5)]
    path = write(
        tmp_path,
        correctPasses=[*passes, entry(2, 5, x=0.4), entry(2, 9, player=12, x=0.4)],
        goalkick=[entry(1, 60, 2, 29, 48)],
        throwIn=[entry(1, 30, 2, 20, 46)],
        fouls=[entry(1, 65, 1, 10, 36)],
        shots=[entry(1, 80, kind=33, x=0.9), entry(1, 90, kind=10, x=-0.9)],
        stealings=[entry(2, 20, kind=182)],
    )
    first, second = read_feed(path)
    assert timeline(first, "x", "setpiece") == (
        "5000 PASS 50 0; 5975 DRIVE 60 0; 10000 PASS 60 0; 13000 OUT 255 9; 30000 THROW IN 50 1; 33000 OUT 255 9; "
        "60000 PASS 50 2; 65000 STOPPAGE 50 0; 70000 PASS 75 4; 80000 SHOT 95 0"
    )
    assert timeline(second, "x", "setpiece") == "5000 PASS 30 0; 5975 DRIVE 30 0; 9000 PASS 30 0; 20000 TOUCH 50 0"


def test_the_shoot_out_odd_entries_and_unknown_kinds_are_counted(tmp_path):
    notices = Notices()
    passes = [entry(1, second) for second in range(5, 65, 5)]
    timeless = [entry(1, 5, t={"half": 1, "m": 3, "s": None}), entry(1, 5, t="soon"), entry(1, 5, team=3)]
    path = write(
        tmp_path, correctPasses=[*passes, *timeless], penaltyShootout=[entry(5, 9, kind=13)], hats=[entry(1, 1)]
    )
    assert len(read_feed(path, notices)[0]) == len(passes)
    assert notices.counts == {
        "events with no second not read": 1,
        "events with a field of the wrong kind not read": 1,
        "events with a third team (3) not read": 1,
        "events of the shoot-out not read": 1,
        "events with an unknown type (hats) not read": 1,
    }


def test_a_match_that_holds_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="DataFactory: none of its events is one that becomes a row"):
        read_feed(write(tmp_path, goals=[entry(1, 1)]))
    (tmp_path / "x.json").write_text('{"incidences": {}}')
    with pytest.raises(InputError, match="DataFactory: has no 'match'"):
        read_feed(tmp_path / "x.json")
