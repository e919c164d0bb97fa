"""Tables on terminals that can show little."""

import codecs
import io
import sys
import time

from rich.console import Console

from playahead.cli import terminal


def test_a_table_is_ascii_where_nothing_else_can_be_shown(monkeypatch):
    codecs.register_error("in_other_letters", terminal.in_other_letters)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", errors="in_other_letters"))
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


def test_a_slow_start_is_said_and_the_line_goes(monkeypatch):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, color_system=None, width=60)
    monkeypatch.setattr(terminal, "errors", console)
    monkeypatch.setattr(terminal, "_SILENT_S", 0.01)
    with terminal.starting():
        deadline = time.monotonic() + 5
        while "starting" not in written.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert written.getvalue() == "starting …\r" + " " * len("starting …") + "\r"
    monkeypatch.setattr(terminal, "_SILENT_S", 60)
    with terminal.starting():
        pass
    assert written.getvalue().count("starting") == 1
