"""Rows of a feed, written as they are made."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from playahead.cli.formats import writer_of
from playahead.cli.main import run
from playahead.domain.actions import ACTIONS, Action
from playahead.inference.feed import predict_feed
from playahead.inference.result import PredictConfig
from playahead.lab.simulation.plays import simulate_match
from playahead.sources.feeds import read_feed

MATCH = simulate_match(3, minutes_per_half=3)
ASKED = PredictConfig(every=1, kick_off="0:12,58:40")


@pytest.fixture(scope="module")
def parts():
    parts = []
    return predict_feed(MATCH, ASKED, on_rows=parts.append), parts


def test_parts_make_the_whole(parts):
    whole, made = parts
    assert len(made) >= 4, "each half begins with a few"
    assert [line for part in made for line in part.expected] == list(whole.expected)
    assert {part.min_C for part in made} == {whole.min_C}


@pytest.mark.parametrize("form", ["table", "json", "csv", "spadl", "kloppy", "vtt", "osl"])
def test_part_by_part_is_what_comes_at_once(parts, form, capsys):
    whole, made = parts
    writer_of(form).end(whole)
    at_once = capsys.readouterr().out
    writer, lengths = writer_of(form), []
    for part in made:
        writer.rows(part)
        lengths.append(capsys.readouterr().out)
    writer.end(whole)
    assert "".join([*lengths, capsys.readouterr().out]) == at_once
    assert bool(lengths[0]) is writer.is_prompt


def test_machines_can_read_them(parts, capsys):
    whole, _ = parts
    writer_of("json").end(whole)
    document = json.loads(capsys.readouterr().out)
    assert document["anticipated"] == [line.as_json() for line in whole.expected]
    assert document["min_confidence"]["SHOT"] == whole.min_C[6]
    writer_of("csv").end(whole)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["action"] for row in rows] == [str(line.action) for line in whole.expected]


def test_spadl_is_what_our_own_reader_takes_for_the_same_actions(parts, capsys, tmp_path):
    whole, _ = parts
    writer_of("spadl").end(whole)
    path = tmp_path / "anticipated.csv"
    path.write_text(capsys.readouterr().out)
    rows = list(csv.DictReader(path.open()))
    assert [row["action"] for row in rows] == [str(line.action) for line in whole.expected]
    assert list(rows[0])[:6] == ["game_id", "action_id", "period_id", "time_seconds", "team_id", "player_id"]
    body = {"HEADER": "head", "THROW IN": "other"}
    assert {(row["action"], row["bodypart_name"]) for row in rows} == {
        (str(line.action), body.get(str(line.action), "")) for line in whole.expected
    }
    seen = [half for half in read_feed(path) if half.half == 1]
    passes = [line for line in whole.expected if line.action is Action.PASS and line.half == 1 and line.x is not None]
    (half,) = seen
    placed = set(zip(half.t_ms.tolist(), half.x.tolist(), half.y.tolist(), strict=True))
    assert len(passes) > 5
    assert {(line.time_ms, line.x, line.y) for line in passes} <= placed


def test_kloppys_columns_hold_its_own_words(parts, capsys):
    from kloppy.domain import BodyPart, DuelType, EventType, PassType, SetPieceType

    whole, _ = parts
    every = [replace(whole.expected[0], action=action, x=25, y=75) for action in ACTIONS]
    writer_of("kloppy").end(replace(whole, expected=every))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["event_type"] for row in rows if row["event_type"] not in EventType.__members__] == []
    for name, words in (("pass_type", PassType), ("set_piece_type", SetPieceType), ("duel_type", DuelType)):
        assert {row[name] for row in rows if row[name]} <= set(words.__members__)
    assert {row["body_part_type"] for row in rows if row["body_part_type"]} <= set(BodyPart.__members__)
    assert {(row["coordinates_x"], row["coordinates_y"]) for row in rows} == {("0.25", "0.75")}
    assert all(re.fullmatch(r"0 days \d\d:\d\d:\d\d\.\d{6}", row["timestamp"]) for row in rows)


@pytest.mark.parametrize("form", ["table", "json", "csv", "spadl", "kloppy"])
def test_a_match_without_anticipations(form, capsys):
    nothing = predict_feed(MATCH, PredictConfig(start="2:59"))
    writer_of(form).end(nothing)
    printed = capsys.readouterr().out
    if form == "json":
        assert json.loads(printed)["anticipated"] == []
    else:
        assert len(printed.splitlines()) == {"table": 3}.get(form, 1)


@pytest.mark.parametrize("columns", [60, 80, 110, 200])
def test_a_table_keeps_action_time_and_confidence(parts, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("playahead.cli.formats.out", lambda: _console(columns))
    writer_of("table").end(parts[0])
    title, _, *rows, _ = capsys.readouterr().out.splitlines()
    assert title == "feed"
    assert max(map(cell_len, rows)) <= max(columns, 78)
    assert all(re.search(r"in \d\.\d s  [A-Z][a-z ]+ \d+%", row) for row in rows)


def _console(columns):
    from rich.console import Console

    return Console(width=columns, highlight=False, markup=False)


def test_the_first_rows_come_before_the_last_are_computed(monkeypatch, capsys):
    """What a reader sees when the second part begins is the first part."""
    seen, write = [], type(writer_of("csv")).add

    def add(writer, part):
        seen.append(len(part.expected))
        write(writer, part)

    monkeypatch.setattr(type(writer_of("csv")), "add", add)
    assert run(["predict", "sample", "--every", "1", "--half", "1", "--format", "csv"]) == 0
    assert len(seen) > 5
    assert sum(seen) == len(capsys.readouterr().out.splitlines()) - 1
