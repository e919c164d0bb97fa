"""A running match on one screen of a terminal: a lane for each class, the past on the left of now, the future right."""

from types import TracebackType

import numpy as np
from rich.console import Console, Group, RenderableType
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
_NEWS = 4


class LiveScreen:
    """Shows the latest answer; where output is no terminal, one line for each.

    Args:
        source: its name.
        console: to draw on.
    """

    def __init__(self, source: str, console: Console) -> None:
        self._source, self._console = printable(source), console
        self._news: list[str] = []
        self._waiting: Text | None = Text(f"{self._source}: waiting for the match", style="dim")
        self._live = Live(self._waiting, console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> "LiveScreen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._live.stop()

    def tell(self, what: str) -> None:
        """Something about the source that cannot wait for an answer; later ones carry it themselves."""
        if not self._console.is_terminal:
            notice(what)
        elif self._waiting:
            self._news = [*self._news, printable(what)][-_NEWS:]
            self._live.update(Group(self._waiting, *(Text(news, style="dim") for news in self._news)), refresh=True)

    def show(self, answer: Answer) -> None:
        """Draw an answer."""
        if not self._console.is_terminal:
            self._console.print(_line(answer), soft_wrap=True)
            return
        if self._waiting:
            self._waiting, self._news = None, []
        clock = format_clock(answer.now_ms)
        self._news += [f"{clock}  {printable(what)}" for what in answer.told]
        self._news = self._news[-_NEWS:]
        self._live.update(self._drawn(answer), refresh=True)

    def _drawn(self, answer: Answer) -> RenderableType:
        half = f"half {answer.half}  " if answer.half else ""
        seen = "" if answer.seen_ms == OBSERVATION_MS else f"  (seen so far: {answer.seen_ms / 1000:g} s of 30)"
        title = Text.assemble(
            (self._source, "bold"), f"  {half}", (format_clock(answer.now_ms), "bold"), (seen, "yellow")
        )
        return Group(title, _lanes(answer), *(Text(news, style="dim") for news in self._news))


def _lanes(answer: Answer) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("")
    table.add_column("last 30 s", min_width=_PAST_COLUMNS, no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("next 5 s", no_wrap=True)
    table.add_column("expected", no_wrap=True)
    for c, action in enumerate(ACTIONS):
        coming = [line for line in answer.expected if line.action == action]
        likeliest = max(coming, key=lambda line: line.confidence, default=None)
        said = Text()
        if likeliest is not None:
            said = Text(f"{likeliest.confidence:.0%} in {(likeliest.time_ms - answer.now_ms) / 1000:.1f} s")
        style = "bold green" if likeliest is not None else "cyan"
        future = Text(_heights(answer.intensity_RC[:, c]), style=style)
        table.add_row(action.capitalize(), _past(answer, c), Text("│", style="red"), future, said)
    return table


def _past(answer: Answer, c: int) -> Text:
    """A mark in each second in which the class was seen."""
    cells = ["·"] * _PAST_COLUMNS
    for mark in answer.seen:
        column = _PAST_COLUMNS - 1 - int((answer.now_ms - mark.time_ms) // 1000)
        if mark.action == ACTIONS[c] and 0 <= column < _PAST_COLUMNS:
            cells[column] = "●"
    text = Text()
    for cell in cells:
        text.append(cell, style="bold" if cell == "●" else "bright_black")
    return text


def _heights(intensity_R: np.ndarray) -> str:
    level = np.sqrt(np.clip(intensity_R / _FULL, 0, 1)) * (len(_LEVELS) - 1)
    return "".join(_LEVELS[int(height)] for height in level.round())


def _line(answer: Answer) -> Text:
    """An answer in a line, for files and pipes."""
    half = f"{answer.half} - " if answer.half else ""
    expected = ", ".join(
        f"{line.action.capitalize()} in {(line.time_ms - answer.now_ms) / 1000:.1f} s ({line.confidence:.0%})"
        for line in sorted(answer.expected, key=lambda line: line.time_ms)
    )
    told = "".join(f"  [{printable(what)}]" for what in answer.told)
    return Text(f"{half}{format_clock(answer.now_ms)}  {expected or '-'}{told}")
