"""Charts as SVG that takes its colours from the page, so that they suit dark mode and print.

Axes: D tolerances, C classes, H thresholds, B bins.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from playahead.domain.actions import ACTIONS
from playahead.domain.palette import short_name
from playahead.lab.report.diagnose import ERROR_EDGES_S, Diagnosis

_INK, _FAINT, _ACCENT, _OTHER, _LINE = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {_INK: "--ink", _FAINT: "--faint", _ACCENT: "--accent", _OTHER: "--other", _LINE: "--line"}
_STYLE: dict[str, object] = {"svg.fonttype": "none", "svg.hashsalt": "playahead", "font.family": "sans-serif"}
_STYLE |= dict.fromkeys(("font.size", "axes.titlesize"), 8.5) | {"grid.linewidth": 0.6}
_STYLE |= dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False)
_STYLE |= dict.fromkeys(("axes.grid", "axes.axisbelow"), True)
_STYLE |= dict.fromkeys(("text.color", "xtick.labelcolor", "ytick.labelcolor"), _INK)
_STYLE |= dict.fromkeys(("axes.labelcolor", "xtick.color", "ytick.color"), _FAINT)
_STYLE |= dict.fromkeys(("axes.edgecolor", "grid.color"), _LINE)
_STYLE |= dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none")
_TOLERANCES = {
    0: ("within 1 s", {"color": _ACCENT, "linewidth": 1.4}),
    2: ("within 3 s", {"color": _OTHER, "linewidth": 1.2, "linestyle": "--"}),
    5: ("at any time", {"color": _FAINT, "linewidth": 1.0, "linestyle": ":"}),
}


@contextmanager
def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> Iterator[tuple[Figure, NDArray]]:
    """A figure of so many inches, at the page's 72 points each, and its axes; drawn in the page's style."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots(rows, columns, squeeze=False)


def _svg(figure: Figure, title: str) -> str:
    """The figure as an element of the page, with a name for screen readers."""
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    # Colours become the page's variables, and the font the page's own.
    text = re.sub(r"font:\s*([\d.]+px) [^;\"]*", r"font-size: \1", text)
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{title}" ', text, count=1)


Difference = tuple[Sequence[float], bool]
"""[value, low, high], and whether it is significant."""


def forest(names: Sequence[str], panels: Mapping[str, Sequence[Difference]], title: str) -> str:
    """Differences with their intervals: a line for each name, and panels beside each other, each with its own label."""
    with _figure(7.2, 0.55 + 0.19 * len(names), 1, len(panels)) as (figure, axes):
        for axis, (label, differences) in zip(axes[0], panels.items(), strict=True):
            value, low, high = np.array([interval for interval, _ in differences]).T
            is_significant, place = np.array([sure for _, sure in differences]), np.arange(len(names))
            for chosen, colour in ((is_significant, _ACCENT), (~is_significant, _FAINT)):
                axis.hlines(place[chosen], low[chosen], high[chosen], color=colour, linewidth=1.6)
                axis.plot(value[chosen], place[chosen], "o", color=colour, markersize=3.5)
            axis.axvline(0, color=_INK, linewidth=0.8)
            axis.set_xlabel(f"{label}, points")
            axis.set_yticks(place, [""] * len(names))
            axis.set_ylim(len(names) - 0.4, -0.6)
            axis.grid(axis="y", visible=False)
        axes[0, 0].set_yticklabels([name.replace("$", r"\$") for name in names])  # "$" begins a formula
        return _svg(figure, title)


def pasts(rows: Sequence[Mapping], names: Sequence[str]) -> str:
    """Exact area of each variant under each past, in the grid's order; baselines are drawn fainter."""
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    place = {name: float(index) for index, name in enumerate(names)}
    with _figure(7.2, 0.9 + 0.26 * len(names)) as (figure, ((axis,),)):
        for variant, style in zip(variants, _markers(rows, variants), strict=True):
            of_variant = [row for row in rows if row["variant"] == variant]
            at = [place[row["decoding"]] for row in of_variant]
            value, low, high = np.array([row["area"] for row in of_variant]).T
            axis.hlines(at, low, high, color=style["color"], linewidth=1.4)
            axis.plot(value, at, linestyle="", markersize=4.5, label=variant.replace("$", r"\$"), **style)
            for shown, end, y in zip(value, high, at, strict=True) if variant == variants[0] else ():
                axis.annotate(f"{shown:.1f}", (end, y), (4, -3), textcoords="offset points", fontsize=7.5)
        axis.set(xlabel="exact area, with its resampled interval", xlim=(0, None), ylim=(len(names) - 0.5, -0.5))
        axis.set_yticks(range(len(names)), list(names))
        figure.legend(loc="outside upper right", ncols=min(len(variants), 4))
        return _svg(figure, "exact area under each past")


def _markers(rows: Sequence[Mapping], variants: Sequence[str]) -> list[dict]:
    """A filled mark for each trained variant, a hollow one for each baseline."""
    trained = {row["variant"] for row in rows if row["examples"]}
    filled = zip(itertools.cycle("osD^v"), itertools.cycle((_ACCENT, _OTHER, _INK)), strict=False)
    hollow = zip(itertools.cycle("o|xsD"), itertools.repeat(_FAINT), strict=False)
    marks = [next(filled if variant in trained else hollow) for variant in variants]
    return [{"marker": m, "color": c, "markerfacecolor": c if c != _FAINT else "none"} for m, c in marks]


def precision_recall(diagnosis: Diagnosis) -> str:
    """A small curve for each class at three tolerances."""
    with _figure(7.2, 3.5, 2, 5) as (figure, axes):
        for axis in axes.flat:
            axis.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
            axis.label_outer()
        lines = []
        _hide_unused(axes, diagnosis)
        for c, (axis, index) in enumerate(zip(axes.flat, diagnosis.classes, strict=False)):
            axis.set_title(short_name(ACTIONS[index]), loc="left")
            lines = [
                axis.plot(diagnosis.recall_DCH[d, c], np.maximum.accumulate(diagnosis.precision_DCH[d, c]), **style)[0]
                for d, (_, style) in _TOLERANCES.items()
            ]
        figure.legend(lines, [name for name, _ in _TOLERANCES.values()], loc="outside upper right", ncols=3)
        figure.supxlabel("recall", fontsize=8.5, color=_FAINT)
        figure.supylabel("precision", fontsize=8.5, color=_FAINT)
        return _svg(figure, "precision and recall of each class")


def _hide_unused(axes: NDArray, diagnosis: Diagnosis) -> None:
    """Hide the axes that no annotated class needs."""
    for axis in axes.flat[len(diagnosis.classes) :]:
        axis.set_visible(False)


def threshold_sweep(diagnosis: Diagnosis) -> str:
    """mAP against the number of predictions per clip above a threshold."""
    threshold, made, score = np.array(diagnosis.sweep).T
    with _figure(4.6, 2.9) as (figure, ((axis,),)):
        axis.plot(made, score, "o-", color=_ACCENT, markersize=3, linewidth=1.3)
        for index in (5, 8, 11, 13):
            note, place = f"at least {threshold[index]:.2f}", (made[index], score[index])
            axis.annotate(note, place, (5, -9), textcoords="offset points", fontsize=7.5)
        scale = "log" if made.any() else "linear"
        axis.set(xlabel="predictions per clip (on the scorer's scale)", ylabel="mAP", xscale=scale, ylim=(0, None))
        axis.xaxis.set_major_formatter("{x:g}")
        return _svg(figure, "mAP against predictions per clip")


def calibration(diagnosis: Diagnosis) -> str:
    """For each bin of confidence: what was stated, what happened, and the number of anticipations."""
    rows = diagnosis.calibration
    place = np.arange(len(rows))
    with _figure(3.9, 0.95 + 0.21 * max(len(rows), 2)) as (figure, ((axis,),)):
        stated, happened = (np.array([100 * getattr(row, name) for row in rows]) for name in ("stated", "happened"))
        axis.hlines(place, stated, happened, color=_FAINT, linewidth=1.2)
        axis.plot(stated, place, "|", color=_INK, markersize=8, markeredgewidth=1.6, label="stated")
        axis.plot(happened, place, "o", color=_ACCENT, markersize=5, label="happened")
        axis.set_yticks(place, [f"{100 * row.low:.0f} to {100 * row.high:.0f} %" for row in rows])
        axis.set(xlabel="percent", ylabel="confidence", xlim=(-2, 102), ylim=(len(rows) - 0.4, -0.6))
        axis.grid(axis="y", visible=False)
        counts = axis.secondary_yaxis("right")
        counts.set_yticks(place, [f"{row.anticipations:,}" for row in rows])
        counts.set_ylabel("anticipations")
        counts.tick_params(length=0)
        for label in counts.get_yticklabels():
            label.set(horizontalalignment="right")
        counts.tick_params(pad=44)
        counts.spines["right"].set_visible(False)
        figure.legend(loc="outside upper center", ncols=2)
        return _svg(figure, "confidence, the share that happened and the number of anticipations, by bin")


def time_errors(diagnosis: Diagnosis) -> str:
    """Histogram of the time error of each class's most confident prediction."""
    centre_B = (ERROR_EDGES_S[:-1] + ERROR_EDGES_S[1:]) / 2
    with _figure(7.2, 2.7, 2, 5) as (figure, axes):
        for axis in axes.flat:
            axis.set(xlim=(-5, 5), xticks=(-4, 0, 4), yticks=())
            axis.grid(axis="y", visible=False)
            axis.label_outer()
        _hide_unused(axes, diagnosis)
        for counts_B, axis, index in zip(diagnosis.error_CB, axes.flat, diagnosis.classes, strict=False):
            axis.bar(centre_B, counts_B / max(counts_B.sum(), 1), width=0.42, color=_ACCENT)
            axis.set_title(f"{short_name(ACTIONS[index])}  {counts_B.sum():,}", loc="left")
        figure.supxlabel("prediction too early (s)  ·  too late (s)", fontsize=8.5, color=_FAINT)
        return _svg(figure, "time error of each class's most confident prediction")


def window_importance(weight_W: Sequence[float]) -> str:
    """The learned weight of each past window."""
    names = [f"{5 * n} to {5 * n - 5} s" for n in range(len(weight_W), 0, -1)]
    with _figure(4.6, 2.2) as (figure, ((axis,),)):
        axis.barh(names, weight_W, color=_ACCENT, height=0.6)
        axis.set(xlabel="learned weight", xlim=(0, 1))
        axis.grid(axis="y", visible=False)
        return _svg(figure, "learned weight of each past window")


def learning_curves(curves: Mapping[str, Mapping[str, Sequence[float]]], chosen: str) -> str:
    """Loss and validation score of every run over its training, the chosen one in colour."""
    with _figure(7.2, 2.8, 1, 2) as (figure, axes):
        for name, curve in sorted(curves.items(), key=lambda item: item[0] == chosen):
            is_chosen = name == chosen
            style = {"color": _ACCENT if is_chosen else _FAINT, "linewidth": 1.8 if is_chosen else 0.7}
            for axis, x, y in ((axes[0, 0], "step", "loss"), (axes[0, 1], "validated_step", "map")):
                axis.plot(curve[x], curve[y], marker="" if len(curve[x]) > 1 else "o", markersize=3, **style)
        axes[0, 0].set(xlabel="steps", ylabel="training loss")
        axes[0, 1].set(xlabel="steps", ylabel="validation, exact area")
        return _svg(figure, "loss and validation score over training")
