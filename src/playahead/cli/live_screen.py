"""A running match on one screen of a terminal: a lane for each class, the past left of now and the future right."""

from types import TracebackType

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from playahead.cli.terminal import notice, printable
from playahead.domain.actions import ACTIONS
from playahead.domain.grid import OBSERVATION_MS, RASTER_FRAMES
from playahead.domain.palette import short_name
from playahead.domain.time import format_clock
from playahead.live.session.answer import Answer

_PAST_S = OBSERVATION_MS // 1000
_NAMES = max(len(short_name(action)) for action in ACTIONS)
_IN_WORDS = len("99% in 4.8 s (16x)")
_LEVELS = " ▁▂▃▄▅▆▇█"
_FULL = 0.12  # events per frame that fill a cell's height
_NOTICES = 4


class LiveScreen:
    """Shows the latest answer of the source with this name; if the output is not a terminal, prints a line for each."""

    def __init__(self, source: str, console: Console) -> None:
        self._source, self._console = printable(source), console
        self._notices: list[str] = []
        self._waiting: Text | None = Text(f"{self._source}: waiting for the match", style="dim")
        self._live = Live(self._waiting, console=console, auto_refresh=False, transient=False)
        self._latest: Answer | None = None
        self._seen, self._n_answers = set[tuple[int, int, str]](), 0

    def __enter__(self) -> "LiveScreen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._live.stop()
        if self._latest is not None:
            half = f"half {self._latest.half}, " if self._latest.half else ""
            seen, answered = f"{len(self._seen):,} actions seen", f"{self._n_answers:,} answers"
            notice(f"until {half}{format_clock(self._latest.now_ms)}: {seen}, {answered}")

    def notice(self, text: str) -> None:
        """Show a notice that comes before any answer; later ones come with an answer."""
        if not self._console.is_terminal:
            notice(text)
        elif self._waiting:
            self._notices = [*self._notices, printable(text)][-_NOTICES:]
            self._live.update(Group(self._waiting, *self._dim_notices()), refresh=True)

    def show(self, answer: Answer) -> None:
        """Draw an answer."""
        self._latest, self._n_answers = answer, self._n_answers + 1
        self._seen |= {(answer.half, mark.time_ms, str(mark.action)) for mark in answer.seen}
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
        self._live.update(Group(title, _lanes(answer, self._console.width), *self._dim_notices()), refresh=True)

    def _dim_notices(self) -> list[Text]:
        return [Text(text, style="dim") for text in self._notices]


def _lanes(answer: Answer, width: int) -> Table:
    """A lane for each class; on a narrow terminal a cell stands for more time, and the names and chances stay."""
    past_s, frames = _cell(width)
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("", "last 30 s", "", "next 5 s", "expected"):
        table.add_column(name, no_wrap=True, overflow="crop", min_width=_IN_WORDS if name == "expected" else None)
    for c, action in enumerate(ACTIONS):
        coming = [line for line in answer.expected if line.action == action]
        likeliest = max(coming, key=lambda line: line.confidence, default=None)
        in_words, style = "", "cyan"
        if likeliest is not None:
            times = f" ({likeliest.times_usual:.0f}x)" if likeliest.is_raised else ""
            in_words = f"{likeliest.confidence:.0%} in {(likeliest.time_ms - answer.now_ms) / 1000:.1f} s{times}"
            style = "bold green"
        # The last 30 s, with a mark in each cell in which the class was seen; the next 5 s as heights.
        marks = {(answer.now_ms - mark.time_ms) // (1000 * past_s) for mark in answer.seen if mark.action == action}
        cells = range(_PAST_S // past_s)[::-1]
        past = [("●", "bold") if ago in marks else ("·", "bright_black") for ago in cells]
        rate = answer.intensity_RC[:, c].reshape(-1, frames).max(axis=1)
        level = np.sqrt(np.clip(rate / _FULL, 0, 1)) * (len(_LEVELS) - 1)
        future = Text("".join(_LEVELS[int(height)] for height in level.round()), style=style)
        table.add_row(short_name(action), Text.assemble(*past), Text("│", style="red"), future, in_words)
    return table


def _cell(width: int) -> tuple[int, int]:
    """Seconds of the past, and frames of the future, for which a cell stands: as few as fit."""
    spare = width - _NAMES - _IN_WORDS - 11  # the line at now, and spaces
    for past_s, frames in ((1, 1), (1, 2), (2, 2), (2, 4), (3, 4)):
        if _PAST_S // past_s + RASTER_FRAMES // frames <= spare:
            return past_s, frames
    return 5, 8


def _line(answer: Answer) -> Text:
    """An answer as one line, for files and pipes."""
    half = f"{answer.half} - " if answer.half else ""
    expected = ", ".join(
        f"{short_name(line.action)} in {(line.time_ms - answer.now_ms) / 1000:.1f} s ({line.how_likely})"
        for line in sorted(answer.expected, key=lambda line: line.time_ms)
    )
    notices = "".join(f"  [{printable(text)}]" for text in answer.notices)
    return Text(f"{half}{format_clock(answer.now_ms)}  {expected or '-'}{notices}")
