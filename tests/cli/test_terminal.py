"""Tables: a long one looks as a short one does."""

import pytest

from playahead.cli import terminal


@pytest.mark.parametrize("title", ["all of it", "a [red] title, 東京"])
def test_a_long_table_looks_as_a_short_one(title, capsys, monkeypatch):
    columns = ("half", "", "action")
    rows = [("1", "in 0.4 s", "Pass"), ("12", "", "東京 [bold]"), ("", "in 11.2 s", "a\nb")]
    terminal.print_table(title, columns, rows)
    short = capsys.readouterr().out
    monkeypatch.setattr(terminal, "_MANY_ROWS", 0)
    terminal.print_table(title, columns, rows)
    long = capsys.readouterr().out
    assert [line.rstrip() for line in long.splitlines()] == [line.rstrip() for line in short.splitlines()]
