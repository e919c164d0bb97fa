"""Tables: a long one looks as a short one does."""

import codecs
import io
import sys

import pytest

from playahead.cli import terminal


def test_a_long_table_looks_as_a_short_one(capsys, monkeypatch):
    title, columns = "a [red] title, 東京", ("half", "", "action")
    rows = [("1", "in 0.4 s", "Pass"), ("12", "", "東京 [bold]"), ("", "in 11.2 s", "a\nb")]
    terminal.print_table(title, columns, rows)
    short = capsys.readouterr().out
    monkeypatch.setattr(terminal, "_MANY_ROWS", 0)
    terminal.print_table(title, columns, rows)
    long = capsys.readouterr().out
    assert [line.rstrip() for line in long.splitlines()] == [line.rstrip() for line in short.splitlines()]


@pytest.mark.parametrize("most", [0, 500])
def test_a_table_is_ascii_where_nothing_else_can_be_shown(most, monkeypatch):
    codecs.register_error("in_other_letters", terminal.in_other_letters)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", errors="in_other_letters"))
    monkeypatch.setattr(terminal, "_MANY_ROWS", most)
    terminal.print_table("all of it", ("half", "action"), [("1", "Pass"), ("2", "High pass")])
    sys.stdout.flush()
    assert [line.rstrip() for line in written.getvalue().decode().splitlines()] == [
        "all of it",
        "+------------------+",
        "| half |    action |",
        "|------+-----------|",
        "| 1    |      Pass |",
        "| 2    | High pass |",
        "+------------------+",
    ]


def test_what_only_draws_becomes_ascii_and_a_name_is_escaped():
    codecs.register_error("in_other_letters", terminal.in_other_letters)
    shown = "┏━┳┓│ ▁▅█ ●·… 0.5 ± 0.1 東 é".encode("ascii", "in_other_letters").decode()
    assert shown == "+-++| ### o.. 0.5 +- 0.1 \\u6771 \\xe9"
    assert "é ±".encode("latin-1", "in_other_letters") == "é ±".encode("latin-1")
