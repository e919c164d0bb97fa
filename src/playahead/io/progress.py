"""Progress of a library function: it calls back, and prints nothing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Progress of a task.

    Attributes:
        task: description, as "extracting 12 videos"; one bar a task.
        done, total: amounts in ``unit``.
        unit: "steps", "bytes", "s of video" ...; empty for a plain count.
        note: anything else to show, as a loss.
    """

    task: str
    done: float
    total: float
    unit: str = ""
    note: str = ""


Show = Callable[[Progress], None]


def quiet(progress: Progress) -> None:
    """A ``Show`` that shows nothing."""


def counter(show: Show, task: str, total: float, unit: str = "") -> Callable[..., None]:
    """Make a function that advances a task by one, or by a given amount."""
    done = 0.0

    def advance(more: float = 1) -> None:
        nonlocal done
        done += more
        show(Progress(task, done, total, unit))

    return advance
