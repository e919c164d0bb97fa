"""Content of a report, as it is drawn. Axis: C classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playahead.lab.report.diagnose import Diagnosis
from playahead.lab.report.examples import Example


@dataclass(frozen=True)
class Split:
    """Numbers of a split; ``empty`` is the share of examples without any action."""

    name: str
    matches: int
    examples: int
    actions_per_example: float
    empty: float
    actions_C: Sequence[int]


@dataclass(frozen=True)
class Page:
    """Content of the page.

    Attributes:
        rows: rows of ``comparison-SPLIT.json``.
        chosen: name of the run shown in detail, and its decoding.
        variant: name of that run's variant; empty if no row is of it.
        diagnosis, best, worst: diagnosis of that run, and its best and worst explained examples.
        pasts: pasts that the rows were observed through, if that is what they differ in.
        importance_W: learned weight of each past window, oldest first; empty if the model has none.
        curves: step, loss, validated_step and map of every run.
        leaks, unread: what is in two splits (None: not checked), and what could not be read.
    """

    title: str
    about: str
    split: str
    n_matches: int
    n_examples: int
    simulated: bool
    rows: Sequence[Mapping]
    chosen: tuple[str, str]
    diagnosis: Diagnosis
    variant: str = ""
    reference: tuple[str, str] = ("", "")
    pasts: Sequence[str] = ()
    unit: str = "matches"
    notices: Sequence[str] = ()
    best: Sequence[Example] = ()
    worst: Sequence[Example] = ()
    importance_W: Sequence[float] = ()
    curves: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    splits: Sequence[Split] = ()
    leaks: Sequence[str] | None = ()
    unread: Sequence[str] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)

    @property
    def counted(self) -> str:
        """Number of matches, or of what else the figures were resampled by: "40 matches"."""
        return "1 match" if (self.n_matches, self.unit) == (1, "matches") else f"{self.n_matches} {self.unit}"
