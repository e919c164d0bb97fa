"""Rows of a feed, written as they are made."""

import csv
import io
import json
import re

import pytest
from rich.cells import cell_len

from playahead.cli.formats import writer_of
from playahead.cli.main import run
from playahead.inference.feed import predict_feed
from playahead.inference.result import PredictConfig
from playahead.lab.simulation.plays import simulate_match

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


@pytest.mark.parametrize("form", ["table", "json", "csv", "vtt", "osl"])
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


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_match_without_anticipations(form, capsys):
    nothing = predict_feed(MATCH, PredictConfig(start="2:59"))
    writer_of(form).end(nothing)
    printed = capsys.readouterr().out
    if form == "json":
        assert json.loads(printed)["anticipated"] == []
    else:
        assert len(printed.splitlines()) == {"csv": 1, "table": 3}[form]


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
