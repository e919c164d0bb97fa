"""The page and its template."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from playahead.domain.actions import ACTIONS
from playahead.domain.palette import COLOURS, short_name
from playahead.evaluation.official import TOLERANCES_S
from playahead.lab.report import charts
from playahead.lab.report.diagnose import Diagnosis
from playahead.lab.report.examples import Example

PUBLISHED = (
    ("FAANTRA-WS (winner 2026)", None, 24.08),
    ("FAANTRA-TS", None, 21.14),
    ("FAANTRA (organisers' baseline)", 18.05, 16.76),
    ("Hierarchical GRU with input-conditioned slots (the paper)", 17.91, 16.5),
)
"""(system, test, challenge) on SoccerNet Ball Action Anticipation, from the paper: video, other matches."""


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
        n_matches: number of ``unit`` in the split that was scored.
        rows: rows of ``comparison-SPLIT.json``.
        chosen: name of the run shown in detail, and its decoding.
        diagnosis, best, worst: diagnosis of that run, and its best and worst explained examples.
        pasts: pasts that the rows were observed through, if that is what they differ in.
        importance_W: learned weight of each past window, oldest first; empty if the model has none.
        curves: step, loss, validated_step and map of every run.
        leaks, unread: what is in two splits (None: not checked), and what could not be read.
        settings, environment: flat configuration of the run shown in detail, and the machine that trained it.
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


def render(page: Page) -> str:
    """Render one HTML document that needs no other file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["setting"] = json.dumps
    drawn = {
        "precision_recall": charts.precision_recall(page.diagnosis),
        "sweep": charts.threshold_sweep(page.diagnosis),
        "calibration": charts.calibration(page.diagnosis),
        "errors": charts.time_errors(page.diagnosis),
        "forest": charts.forest(page.rows, "differences to the reference"),
        "pasts": charts.pasts(page.rows, page.pasts) if page.pasts else "",
        "importance": charts.window_importance(page.importance_W) if page.importance_W else "",
        "curves": charts.learning_curves(page.curves, page.chosen[0]) if page.curves else "",
    }
    return environment.get_template("report.html").render(
        page=page,
        charts=drawn,
        actions=[short_name(ACTIONS[c]) for c in page.diagnosis.classes],
        colours=[COLOURS[ACTIONS[c]] for c in page.diagnosis.classes],
        tolerances=[f"{t} s" for t in TOLERANCES_S[:-1]] + ["any"],
        published=PUBLISHED,
        ranked=sorted(page.rows, key=lambda row: -row["area"][0]),
    )
