"""How a library function reports how far it is: it calls back, and prints nothing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Attributes:
        task: what is being done, as "extracting 12 videos"; one bar a task.
        done, total: in ``unit``.
        unit: "steps", "bytes", "s of video" ...; empty where a plain count says enough.
        note: what else there is to say, as a loss.
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
    """A function that advances a task by one, or by as much as it is given."""
    done = 0.0

    def advance(more: float = 1) -> None:
        nonlocal done
        done += more
        show(Progress(task, done, total, unit))

    return advance
