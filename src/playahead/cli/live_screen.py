"""A running match on one screen of a terminal: a lane for each class, the past left of now and the future right."""

from types import TracebackType

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from playahead.cli.terminal import notice, printable
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import OBSERVATION_MS
from playahead.domain.time import format_clock
from playahead.live.session.answer import Answer

_PAST_COLUMNS = 30  # one a second
_LEVELS = " ▁▂▃▄▅▆▇█"
_FULL = 0.12  # events per frame that fill a cell's height
_NOTICES = 4


class LiveScreen:
    """Shows the latest answer; if the output is not a terminal, prints a line for each.

    Args:
        source: name of the source.
        console: console to draw on.
    """

    def __init__(self, source: str, console: Console) -> None:
        self._source, self._console = printable(source), console
        self._notices: list[str] = []
        self._waiting: Text | None = Text(f"{self._source}: waiting for the match", style="dim")
        self._live = Live(self._waiting, console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> "LiveScreen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._live.stop()

    def notice(self, text: str) -> None:
        """Show a notice that comes before any answer; later ones come with an answer."""
        if not self._console.is_terminal:
            notice(text)
        elif self._waiting:
            self._notices = [*self._notices, printable(text)][-_NOTICES:]
            self._live.update(Group(self._waiting, *self._dim_notices()), refresh=True)

    def show(self, answer: Answer) -> None:
        """Draw an answer."""
        if not self._console.is_terminal:
            self._console.print(_line(answer), soft_wrap=True)
            return
        if self._waiting:
            self._waiting, self._notices = None, []
        clock = format_clock(answer.now_ms)
        self._notices += [f"{clock}  {printable(text)}" for text in answer.notices]
        self._notices = self._notices[-_NOTICES:]
        half = f"half {answer.half}  " if answer.half else ""
        seen = "" if answer.seen_ms == OBSERVATION_MS else f"  (seen so far: {answer.seen_ms / 1000:g} s of 30)"
        title = Text.assemble((self._source, "bold"), f"  {half}", (clock, "bold"), (seen, "yellow"))
        self._live.update(Group(title, _lanes(answer), *self._dim_notices()), refresh=True)

    def _dim_notices(self) -> list[Text]:
        return [Text(text, style="dim") for text in self._notices]


def _lanes(answer: Answer) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for title, width in (("", None), ("last 30 s", _PAST_COLUMNS), ("", None), ("next 5 s", None), ("expected", None)):
        table.add_column(title, min_width=width, no_wrap=True)
    for c, action in enumerate(ACTIONS):
        coming = [line for line in answer.expected if line.action == action]
        likeliest = max(coming, key=lambda line: line.confidence, default=None)
        in_words, style = "", "cyan"
        if likeliest is not None:
            in_words = f"{likeliest.confidence:.0%} in {(likeliest.time_ms - answer.now_ms) / 1000:.1f} s"
            style = "bold green"
        share_R = np.clip(answer.intensity_RC[:, c] / _FULL, 0, 1)
        height_R = (np.sqrt(share_R) * (len(_LEVELS) - 1)).round()
        future = Text("".join(_LEVELS[int(height)] for height in height_R), style=style)
        table.add_row(action.capitalize(), _past(answer, c), Text("│", style="red"), future, Text(in_words))
    return table


def _past(answer: Answer, c: int) -> Text:
    """The last 30 s, with a mark in each second in which the class was seen."""
    cells = ["·"] * _PAST_COLUMNS
    for mark in answer.seen:
        column = _PAST_COLUMNS - 1 - int((answer.now_ms - mark.time_ms) // 1000)
        if mark.action == ACTIONS[c] and 0 <= column < _PAST_COLUMNS:
            cells[column] = "●"
    return Text.assemble(*((cell, "bold" if cell == "●" else "bright_black") for cell in cells))


def _line(answer: Answer) -> Text:
    """An answer as one line, for files and pipes."""
    half = f"{answer.half} - " if answer.half else ""
    expected = ", ".join(
        f"{line.action.capitalize()} in {(line.time_ms - answer.now_ms) / 1000:.1f} s ({line.confidence:.0%})"
        for line in sorted(answer.expected, key=lambda line: line.time_ms)
    )
    notices = "".join(f"  [{printable(text)}]" for text in answer.notices)
    return Text(f"{half}{format_clock(answer.now_ms)}  {expected or '-'}{notices}")
