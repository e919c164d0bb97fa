"""Providers that kloppy reads, on a small match in StatsBomb's form, and on real files where they are at hand."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from playahead.domain.actions import ACTIONS, OBSERVED_TOKENS
from playahead.errors import InputError
from playahead.inference.predict import predict
from playahead.inference.result import PredictConfig
from playahead.sources.feeds import read_feed
from playahead.sources.notes import SourceNotes

pytest.importorskip("kloppy")
PROVIDERS = Path(__file__).parents[3] / "shared" / "data" / "providers"
LABELS = (*map(str, ACTIONS), *OBSERVED_TOKENS)
TEAMS = ({"id": 1, "name": "Reds"}, {"id": 2, "name": "Blues"})
TYPES = {"Pass": 30, "Carry": 43, "Clearance": 9, "Foul Committed": 22}
TYPES |= {"Starting XI": 35, "Half Start": 18, "Half End": 34}


def statsbomb_event(index: int, name: str, second: float, team: int = 0, period: int = 1, **details) -> dict:
    minutes, seconds = divmod(second, 60)
    raw = {
        "id": f"00000000-0000-0000-0000-{index:012d}",
        "index": index,
        "period": period,
        "timestamp": f"00:{int(minutes):02d}:{seconds:06.3f}",
        "minute": int(minutes),
        "second": int(seconds),
        "type": {"id": TYPES[name], "name": name},
        "possession": 1,
        "possession_team": TEAMS[team],
        "play_pattern": {"id": 1, "name": "Regular Play"},
        "team": TEAMS[team],
        "player": {"id": 10 * (team + 1), "name": "Somebody"},
        "location": [60.0, 40.0],
        "duration": 1.0,
        "related_events": [],
        **details,
    }
    return {name: value for name, value in raw.items() if value is not None}


def passing(kind: dict | None = None, height: int = 1, end: tuple[float, float] = (70.0, 40.0)) -> dict:
    details = {"length": 10.0, "angle": 0.0, "end_location": list(end), "height": {"id": height, "name": "?"}}
    return {"pass": details | (kind or {})}


def line_up() -> list[dict]:
    players = [[{"player_id": 10 * n, "player_name": "Somebody", "jersey_number": 9}] for n in (1, 2)]
    return [
        {"team_id": team["id"], "team_name": team["name"], "lineup": squad}
        for team, squad in zip(TEAMS, players, strict=True)
    ]


EVENTS = [
    *(
        statsbomb_event(n + 1, "Starting XI", 0, n, tactics={"formation": 442, "lineup": []}, location=None)
        for n in range(2)
    ),
    *(statsbomb_event(10 + period, "Half Start", 0, period=period, location=None) for period in (1, 2)),
    *(statsbomb_event(20 + period, "Half End", 2700, period=period, location=None) for period in (1, 2)),
    statsbomb_event(3, "Pass", 1.5, **passing()),
    statsbomb_event(4, "Carry", 2.5, carry={"end_location": [80.0, 40.0]}, duration=2.0),
    statsbomb_event(5, "Pass", 4.5, **passing(height=3, end=(110.0, 40.0))),
    statsbomb_event(6, "Clearance", 6.0, 1, clearance={}),
    statsbomb_event(7, "Pass", 20.0, **passing({"type": {"id": 67, "name": "Throw-in"}})),
    statsbomb_event(8, "Foul Committed", 22.0, 1),
    statsbomb_event(9, "Pass", 3.0, 1, period=2, **passing()),
]


@pytest.fixture
def match(tmp_path) -> Path:
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    (tmp_path / "lineup.json").write_text(json.dumps(line_up()))
    return tmp_path / "events.json"


def test_a_small_match_in_statsbombs_form(match):
    notes = SourceNotes()
    first, second = read_feed(match, notes)
    assert notes.provider == "StatsBomb"
    rows = [(int(t), LABELS[code]) for t, code in zip(first.t_ms, first.code, strict=True)]
    assert rows == [
        (1_500, "PASS"),
        (2_500, "DRIVE"),
        (4_500, "HIGH PASS"),
        (6_000, "HEADER"),
        (20_000, "THROW IN"),
        (22_000, "STOPPAGE"),
    ]
    assert first.delay_ms.tolist() == [0, 400, 0, 0, 0, 0]
    assert first.setpiece.tolist() == [0, 0, 0, 0, 1, 0]
    assert (int(first.x[0]), int(first.y[0])) == (50, 49), "kloppy takes the middle of StatsBomb's cells"
    assert (second.half, second.t_ms.tolist()) == (2, [3_000])


def test_the_companion_is_found_beside_given_or_named(match, tmp_path):
    lineup = tmp_path / "lineup.json"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(lineup, elsewhere / "squads.json")
    with pytest.raises(InputError, match=r"a match of StatsBomb, whose line-up was not found beside it"):
        read_feed(match)
    assert len(read_feed(match, companions=[elsewhere / "squads.json"])) == 2
    with pytest.raises(InputError, match="is not the line-up of a match of StatsBomb"):
        read_feed(match, companions=[match])
    for name in ("a.json", "b.json"):
        shutil.copy(elsewhere / "squads.json", tmp_path / name)
    with pytest.raises(InputError, match="2 files beside it could be its line-up"):
        read_feed(match)
    shutil.copy(elsewhere / "squads.json", tmp_path / "events_lineup.json")
    assert len(read_feed(match)) == 2, "the nearest by name"


def test_files_may_come_in_any_order(match, tmp_path):
    asked = PredictConfig(half=1, short=True, end="0:20", min_confidence=0.01)
    result = predict([str(tmp_path / "lineup.json"), str(match)], asked)
    assert result.provider == "StatsBomb"
    assert result.expected


def test_a_file_too_many_is_refused(tmp_path, match):
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"annotations": [{"gameTime": "1 - 0:1", "label": "PASS"}]}))
    with pytest.raises(InputError, match="is not needed: a match of SoccerNet spotting is one file"):
        read_feed(labels, companions=[match])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda events: [*events[:3], {"type": {"id": 30}, "possession_team": 1, "period": 1}],
        lambda events: [event | {"timestamp": "soon"} for event in events],
        lambda events: [event | {"team": {"id": 77, "name": "Greens"}} for event in events],
        lambda events: [event | {"location": ["x", float("nan")]} for event in events],
        lambda events: {"events": events},
    ],
    ids=["no fields", "no time", "third team", "no place", "not a list"],
)
def test_what_kloppy_cannot_read_is_one_line(match, spoil):
    match.write_text(json.dumps(spoil(EVENTS)))
    try:
        read_feed(match)
    except InputError as refused:
        assert "events.json" in str(refused)
        assert "StatsBomb" in str(refused)
        assert "\n" not in str(refused)


def test_a_truncated_file_is_refused(match):
    match.write_text(match.read_text()[:-200])
    with pytest.raises(InputError, match="cannot be read as a match of StatsBomb"):
        read_feed(match)


def test_without_kloppy_the_message_says_what_to_install(match, monkeypatch):
    monkeypatch.setitem(sys.modules, "kloppy", None)
    monkeypatch.setitem(sys.modules, "kloppy.domain", None)
    with pytest.raises(InputError, match=r"is a match of StatsBomb, which needs kloppy \(pip install"):
        read_feed(match)


def test_the_provider_can_be_named(match):
    assert len(read_feed(match, provider="statsbomb")) == 2
    with pytest.raises(InputError, match="cannot be read as a match of DataFactory"):
        read_feed(match, provider="data factory")
    with pytest.raises(InputError, match="--provider: 'statsbob' is not one of compact table"):
        read_feed(match, provider="statsbob")


@pytest.mark.parametrize(
    ("name", "provider", "counts"),
    [
        ("statsbomb_events.json", "StatsBomb", {"PASS": 920, "DRIVE": 824, "THROW IN": 17, "SHOT": 28, "OUT": 35}),
        ("datafactory_events.json", "DataFactory", {"PASS": 669, "DRIVE": 213, "THROW IN": 45, "SHOT": 21, "OUT": 71}),
        ("sportec_events.xml", "Sportec", {"PASS": 3, "SHOT": 5, "THROW IN": 1, "OUT": 3}),
        ("metrica_events.csv", "Metrica (CSV)", {"PASS": 973, "DRIVE": 626, "THROW IN": 28, "SHOT": 24, "OUT": 49}),
    ],
)
def test_real_files_of_other_providers(name, provider, counts):
    if not (PROVIDERS / name).is_file():
        pytest.skip(f"needs {PROVIDERS / name}")
    notes = SourceNotes()
    halves = read_feed(PROVIDERS / name, notes)
    assert notes.provider == provider
    rows_K = np.bincount(np.concatenate([half.code for half in halves]), minlength=len(LABELS))
    assert {label: int(rows_K[LABELS.index(label)]) for label in counts} == counts
