"""The three questions that a report answers first. Every word follows from the page's figures. Axis: C classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playahead.domain.actions import ACTIONS
from playahead.domain.palette import short_name
from playahead.evaluation.reliability import ReliabilityRow
from playahead.lab.compare.compare import FEW_MATCHES
from playahead.lab.report.diagnose import Diagnosis
from playahead.lab.report.page import Page

MIN_EVENTS = 5
"""Classes with fewer events are not judged."""
_SURE = 0.5  # from this confidence on, a prediction is called sure
_MIN_IN_BIN = 100  # anticipations: fewer say little about a confidence
_TOLERATED = 0.05  # between what is stated and what happens


@dataclass(frozen=True)
class Answer:
    """A question and its answer, sentence by sentence; ``warnings`` say what limits the meaning of every figure."""

    question: str
    sentences: Sequence[str]
    warnings: Sequence[str] = ()


def answers(page: Page) -> list[Answer]:
    """Answer the three questions for the run that the page shows in detail."""
    return [
        Answer("How good is it?", how_good(page), warnings(page)),
        Answer("Better than what?", better_than_what(page)),
        Answer("Where does it fail?", where_it_fails(page)),
    ]


def how_good(page: Page) -> list[str]:
    """Scores of the run's row, and what its high confidences are worth."""
    row, where = own_row(page), f"on {page.n_examples:,} examples of {page.counted}"
    if row:
        seeds = f"; mean of {len(row['seeds'])} seeds" if len(row["seeds"]) > 1 else ""
        scores = f"{_with_interval(row['area'])} of 100 in exact area and {_with_interval(row['mean'])} in official mAP"
        said = [f"{_quoted(row)} reaches {scores}, {where}{seeds}."]
    else:
        said = [f"{page.chosen[0]} reaches {page.diagnosis.precision_DC.mean():.2f} in official mAP, {where}."]
    sure = [line for line in page.diagnosis.calibration if line.low >= _SURE]
    if made := sum(line.anticipations for line in sure):
        stated, happened = (_mean_of(sure, name) for name in ("stated", "happened"))
        said.append(
            f"Where it is at least {_percent(_SURE)} sure ({made:,} times, {_percent(stated)} on average), "
            f"such an action comes near that time in {_percent(happened)} of cases."
        )
    elif page.diagnosis.calibration:
        top = page.diagnosis.calibration[-1]
        said.append(f"It is never {_percent(_SURE)} sure; at its surest, {_percent(top.happened)} comes true.")
    if page.split == "val":
        said.append("Checkpoints and decodings were chosen on val, which makes its figures optimistic.")
    return said


def warnings(page: Page) -> list[str]:
    """Facts that limit the meaning of every figure on the page."""
    said = []
    if page.simulated:
        said.append("Simulated matches: nothing here says anything about real football.")
    if page.n_matches < FEW_MATCHES:
        said.append(f"With only {page.counted} the figures mean little.")
    return said


def better_than_what(page: Page) -> list[str]:
    """Compare the run's row with the best baseline (else a constant rate), the reference and the strongest other."""
    row = own_row(page)
    others = [other for other in page.rows if row and other is not row and other["decoding"] == row["decoding"]]
    baselines, trained = ([other for other in others if bool(other["examples"]) == is_trained] for is_trained in (0, 1))
    said = []
    if row and baselines:
        best = max(baselines, key=_area)
        said.append(f"The best baseline, {_quoted(best)}, has {_difference(best, row, page)}.")
    else:
        gain_O = page.diagnosis.gain_O
        better, mean = _percent(float((gain_O > 0).mean())), float(gain_O.mean())
        said.append(
            f"It explains {better} of the examples better than a constant rate does, "
            f"and is {abs(mean):.2f} nats per example {'better' if mean > 0 else 'worse'} on average."
        )
    if row is None:
        return [*said, "It is in no row of the table below, so it is compared with nothing else."]
    if not others:
        return [*said, "No other model was scored here; playahead compare adds variants and baselines."]
    if _is_reference(row, page) and len(others) > 1:
        said.append(_count(others))
    for other in trained:
        if _is_reference(other, page):
            said.append(f"The reference, {_quoted(other)}, has {_difference(other, row, page)}.")
    strongest = max(trained, key=_area, default=row)
    if strongest is not row and not _is_reference(strongest, page):
        said.append(f"The strongest other model, {_quoted(strongest)}, has {_difference(strongest, row, page)}.")
    return said


def where_it_fails(page: Page) -> list[str]:
    """Best and worst classes, the most frequent mistake, confidences that are off, the worst past."""
    diagnosis = page.diagnosis
    name_C = [short_name(ACTIONS[index]) for index in diagnosis.classes]
    enough = np.flatnonzero(diagnosis.events_C >= MIN_EVENTS)
    said = []
    if not len(enough):
        said.append(f"No class has {MIN_EVENTS} events or more, so no class can be judged.")
    elif len(enough) == 1:
        said.append(f"Only {name_C[enough[0]]} has {MIN_EVENTS} events or more, so no other class can be judged.")
    else:
        order = enough[np.argsort(diagnosis.class_mean_C[enough])]
        best, worst = (f"{name_C[c]} ({diagnosis.class_mean_C[c]:.1f}" for c in (order[-1], order[0]))
        said.append(f"It anticipates {best} of 100 in average precision) best and {worst}) worst.")
    said += _mistake(diagnosis, enough, name_C)
    said += _trust(diagnosis.calibration)
    row = own_row(page)
    if row and page.pasts:
        seen = [other for other in page.rows if other["variant"] == row["variant"]]
        worst_seen = min(seen, key=_area)
        if worst_seen is not row:
            value, full = worst_seen["area"][0], row["area"][0]
            said.append(
                f"Seen through {worst_seen['decoding']}, it falls from {full:.2f} to {value:.2f} of exact area."
            )
    return said


def own_row(page: Page) -> Mapping | None:
    """Row of the run that the page shows in detail; under pasts, the reference's past."""
    column = page.reference[1] if page.pasts else page.chosen[1]
    found = (row for row in page.rows if (row["variant"], row["decoding"]) == (page.variant, column))
    return next(found, None)


def _count(others: Sequence[Mapping]) -> str:
    """Count the rows that are significantly lower than the reference, higher, or neither."""
    significant = [row["area_difference"][0] for row in others if row["significant"][1]]
    lower, higher = sum(value < 0 for value in significant), sum(value > 0 for value in significant)
    return (
        f"By exact area it is significantly better than {lower} of {len(others)} others and significantly worse than "
        f"{higher}; the difference to {len(others) - lower - higher} is not significant."
    )


def _difference(other: Mapping, row: Mapping, page: Page) -> str:
    """Difference of another row from the run's; intervals exist for differences to the reference alone."""
    value, low, high = other["area"][0] - row["area"][0], 0.0, 0.0
    compared = other if _is_reference(row, page) else row if _is_reference(other, page) else None
    if compared and compared["area_difference"]:
        value, low, high = compared["area_difference"]
        value, low, high = (value, low, high) if compared is other else (-value, -high, -low)
    size = f"{abs(value):.2f} {'more' if value > 0 else 'less'}" if round(value, 2) else "as much"
    if low == high:
        return f"{size} exact area (no interval: only the reference is compared with each)"
    if compared and compared["significant"][1]:
        verdict = "significant"
    elif low <= 0 <= high:
        verdict = "not significant"
    else:
        why = page.counted if page.n_matches < FEW_MATCHES else "fewer than three seeds"
        verdict = f"but {why} cannot make it significant"
    return f"{size} exact area [{low:+.2f}, {high:+.2f}], {verdict}"


def _is_reference(row: Mapping, page: Page) -> bool:
    """Whether rows of the same decoding are compared with this one."""
    return row["variant"] == page.reference[0]


def _area(row: Mapping) -> float:
    return row["area"][0]


def _quoted(row: Mapping) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{row['variant']}\N{RIGHT DOUBLE QUOTATION MARK}"


def _mistake(diagnosis: Diagnosis, enough: np.ndarray, name_C: Sequence[str]) -> list[str]:
    """The class that is most often taken for another."""
    wrong_CC = diagnosis.confusion_CC * (1 - np.eye(len(name_C)))
    if not len(enough) or not wrong_CC[enough].any():
        return []
    happened, taken = np.unravel_index(wrong_CC[enough].argmax(), wrong_CC[enough].shape)
    c = enough[happened]
    share = _percent(wrong_CC[c, taken])
    return [f"Of the {diagnosis.events_C[c]:,} events of {name_C[c]}, it takes {share} for {name_C[int(taken)]}."]


def _trust(calibration: Sequence[ReliabilityRow]) -> list[str]:
    """Whether confidences are right, judged by the bins with enough anticipations."""
    judged = [row for row in calibration if row.anticipations >= _MIN_IN_BIN]
    if not judged:
        return [f"No bin of confidence holds {_MIN_IN_BIN} anticipations, so its confidence cannot be judged."]
    worst = max(judged, key=lambda row: abs(row.stated - row.happened))
    off, points = worst.stated - worst.happened, 100 * abs(worst.stated - worst.happened)
    if abs(off) <= _TOLERATED:
        return [f"Its confidence can be trusted: the largest error of a bin is {points:.1f} percentage points."]
    side = "overconfident" if off > 0 else "underconfident"
    return [f"It is {side}: where it states {_percent(worst.stated)}, {_percent(worst.happened)} comes true."]


def _mean_of(rows: Sequence[ReliabilityRow], name: str) -> float:
    return float(np.average([getattr(row, name) for row in rows], weights=[row.anticipations for row in rows]))


def _with_interval(interval: Sequence[float]) -> str:
    value, low, high = interval
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if low < high else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
