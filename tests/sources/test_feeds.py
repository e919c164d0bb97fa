"""Any feed: rates beside those of real matches, and whole matches of other providers, where they are at hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import ESTIMATED_OUT
from playahead.sources.feed_tables import write_feed_table
from playahead.sources.feeds import READERS, choose_reader, read_feed, unusual_rates
from tests.conftest import simulate_half
from tests.support.paths import ROOT
from tests.support.provider_files import STATSBOMB, statsbomb_event, statsbomb_line_up, statsbomb_pass


@pytest.fixture(scope="module")
def halves():
    return [simulate_half(7, half=half, minutes=45) for half in (1, 2)]


def without(half, action: Action, keep: int = 0):
    found = np.flatnonzero(half.code == action.class_index)
    return half.take(np.setdiff1d(np.arange(len(half)), found[keep:]))


def test_a_match_like_any_other_says_nothing(halves):
    assert unusual_rates(halves, "Somebody") == []


def test_rates_far_from_the_usual_are_named_with_the_provider(halves):
    (line,) = unusual_rates([without(half, Action.DRIVE, keep=12) for half in halves], "Somebody")
    assert line.startswith("Somebody: unusual numbers in ")
    assert "DRIVE 24 instead of 6" in line
    assert "PASS" not in line
    many = [
        half.take(np.sort(np.r_[np.arange(len(half)), np.repeat(np.flatnonzero(half.code == 7), 2)])) for half in halves
    ]
    assert "OUT " in unusual_rates(many, "Somebody")[0]


def test_estimates_and_short_stretches_are_not_judged(halves):
    estimated = [
        replace(half, setpiece=np.where(half.code == 7, ESTIMATED_OUT, half.setpiece).astype(np.uint8))
        for half in halves
    ]
    assert unusual_rates(estimated, "Somebody") == []
    assert unusual_rates([without(halves[0].take(halves[0].t_ms < 600_000), Action.DRIVE)], "Somebody") == []


def test_places_in_another_unit_are_named(halves):
    shares = [replace(half, x=(half.x // 10).astype(np.uint8)) for half in halves]
    assert (
        "places lie within 9 % of the pitch's length, are they in another unit?" in unusual_rates(shares, "Somebody")[0]
    )


@pytest.mark.parametrize("command", [["predict"], ["evaluate", "feed"], ["data", "convert"]])
def test_every_command_that_reads_a_feed_says_so(halves, command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_feed_table(tmp_path / "odd.npz", [without(half, Action.DRIVE, keep=12) for half in halves])
    more = ["--every", "600"] if command == ["predict"] else []
    assert run([*command, str(tmp_path / "odd.npz"), *more]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "compact table: unusual numbers in 90 minutes" in said
    assert "DRIVE 24 instead of" in said


def test_several_matches_with_their_companions_become_one_table(tmp_path, capsys):
    files = []
    for name in ("first", "second"):
        more = [statsbomb_event(200 + n, "Pass", 100 + n, **statsbomb_pass()) for n in range(len(name))]
        (tmp_path / f"{name}_events.json").write_text(json.dumps([*STATSBOMB, *more]))
        (tmp_path / f"{name}_lineup.json").write_text(json.dumps(statsbomb_line_up()))
        files += [str(tmp_path / f"{name}_{kind}.json") for kind in ("lineup", "events")]
    assert run(["data", "convert", *files, "--out", str(tmp_path / "test.npz")]) == 0
    assert "2 matches" in capsys.readouterr().out
    assert run(["evaluate", "feed", files[1], files[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"]
    (tmp_path / "first_lineup.json").write_text(json.dumps(statsbomb_line_up(71)))
    assert run(["data", "convert", *files, "--out", str(tmp_path / "test.npz")]) == 2
    assert "first_lineup.json: is the line-up of another match" in capsys.readouterr().err.replace("\n", "")
    assert run(["evaluate", "feed", files[1], files[3]]) == 2
    assert "is a match of its own" in " ".join(capsys.readouterr().err.split())


PROVIDERS = Path(__file__).parents[3] / "shared" / "data" / "providers"


@pytest.mark.parametrize(
    ("name", "provider", "counts"),
    [
        ("statsbomb_events.json", "StatsBomb", [920, 824, 63, 141, 17, 26, 28, 35, 50, 10]),
        ("statsperform_ma3.json", "Stats Perform", [665, 566, 112, 108, 37, 62, 33, 76, 26, 10]),
        ("datafactory_events.json", "DataFactory", [669, 500, 0, 120, 45, 8, 20, 54, 0, 0]),
        ("sportec_match_events.xml", "Sportec", [665, 503, 85, 161, 41, 31, 26, 70, 31, 18]),
        ("metrica_events.csv", "Metrica (CSV)", [970, 626, 67, 88, 32, 21, 24, 49, 3, 28]),
    ],
)
def test_rows_of_each_class(name, provider, counts):
    if not (PROVIDERS / name).is_file():
        pytest.skip(f"needs {PROVIDERS / name}")
    halves = read_feed(PROVIDERS / name)
    assert choose_reader(PROVIDERS / name).provider == provider
    code = np.concatenate([half.code for half in halves])
    assert np.bincount(code, minlength=len(ACTIONS))[: len(ACTIONS)].tolist() == counts


def test_the_page_of_providers_has_a_section_for_each_and_the_tables_as_they_were_made():
    page = (ROOT / "docs" / "providers.md").read_text()
    assert (ROOT / "docs" / "tables" / "providers.md").read_text() in page
    headings = " ".join(line for line in page.splitlines() if line.startswith("## "))
    without_provider = {"compact table", "OSL JSON", "SoccerNet spotting", "SPADL"}
    providers = {reader.provider.split(" (")[0].split(" v")[0] for reader in READERS} - without_provider
    assert not {provider for provider in providers if provider not in headings}
