"""The three questions of a report: every word follows from hand-made figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playahead.domain.grid import RASTER_FRAMES
from playahead.evaluation.frames import NO_EVENT
from playahead.evaluation.reliability import ReliabilityRow
from playahead.lab.report.answers import answers, better_than_what, how_good, warnings, where_it_fails
from playahead.lab.report.examples import best_and_worst
from playahead.lab.report.write import render
from tests.support.report_pages import half, page, row
from tests.support.tables import with_labels

REFERENCE = {"difference": None, "area_difference": None, "significant": (False, False)}


def page_of(rows, variant="plain", diagnosis=None, **changes):
    made = page(rows=rows, variant=variant, **changes)
    return replace(made, diagnosis=replace(made.diagnosis, **(diagnosis or {})))


def one(area: float, low: float, high: float, *, significant: bool, name="other", **changes):
    """A row with that difference to the reference, whose area is 20."""
    found = {"area_difference": [area, low, high], "significant": (False, significant)}
    return row(name, 20 + area, **found, **changes)


def plain(**changes):
    return row("plain", 20.0, **{**REFERENCE, **changes})


def test_how_good_names_scores_confidence_and_data():
    lines = [ReliabilityRow(0.2, 0.3, 900, 0.25, 0.2, 0.2), ReliabilityRow(0.5, 0.6, 300, 0.55, 0.5, 0.5)]
    lines += [ReliabilityRow(0.9, 1.0, 100, 0.95, 0.9, 0.9)]
    first, second, third = how_good(page_of([plain()], diagnosis={"calibration": lines}))
    assert first.startswith("“plain” reaches 20.00 [19.50, 20.50] of 100 in exact area and 20.00 [19.50, 20.50] in")
    assert first.endswith("on 45,000 examples of 40 matches; mean of 2 seeds.")
    assert second.replace("\xa0", " ") == (
        "Where it is at least 50 % sure (400 times, 65 % on average), "
        "such an action comes near that time in 60 % of cases."
    )
    assert "chosen on val" in third
    assert len(how_good(page_of([plain()], split="test", diagnosis={"calibration": []}))) == 1
    assert "never 50" in how_good(page_of([plain()], diagnosis={"calibration": lines[:1]}))[1]
    assert how_good(page_of([plain()], variant=""))[0].startswith("plain-0 reaches ")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, []),
        ({"n_matches": 5}, []),
        ({"n_matches": 1}, ["With only 1 match the figures mean little."]),
        ({"n_matches": 4, "unit": "runs"}, ["With only 4 runs the figures mean little."]),
        ({"simulated": True}, ["Simulated matches: nothing here says anything about real football."]),
    ],
)
def test_warnings(settings, said):
    assert warnings(page(**settings)) == said


def test_the_reference_is_compared_with_each():
    rows = [plain(), one(1.0, 0.4, 1.6, significant=True), one(-2.0, -3.0, -1.0, significant=True, name="worse")]
    rows += [one(0.5, -0.1, 1.1, significant=False, name="near"), row("elsewhere", 90, decoding="tuned-threshold")]
    _, counted, strongest = better_than_what(page_of(rows))
    assert counted == (
        "By exact area it is significantly better than 1 of 3 others and significantly worse than 1; "
        "the difference to 1 is not significant."
    )
    assert strongest == "The strongest other model, “other”, has 1.00 more exact area [+0.40, +1.60], significant."


@pytest.mark.parametrize(
    ("changes", "n_matches", "verdict"),
    [
        ((0.5, -0.1, 1.1, False), 40, "0.50 more exact area [-0.10, +1.10], not significant."),
        (
            (-0.5, -0.9, -0.1, False),
            40,
            "0.50 less exact area [-0.90, -0.10], but fewer than three seeds cannot make it significant.",
        ),
        (
            (0.5, 0.1, 0.9, False),
            3,
            "0.50 more exact area [+0.10, +0.90], but 3 matches cannot make it significant.",
        ),
        ((0.0, -0.1, 0.1, False), 40, "as much exact area [-0.10, +0.10], not significant."),
    ],
)
def test_only_what_is_significant_is_called_so(changes, n_matches, verdict):
    *interval, significant = changes
    rows = [plain(), one(*interval, significant=significant)]
    assert better_than_what(page_of(rows, n_matches=n_matches))[-1].endswith(verdict)


def test_another_variant_is_compared_with_the_reference_and_with_the_baselines():
    rows = [plain(), one(1.0, 0.4, 1.6, significant=True), one(-6, -7, -5, significant=True, name="markov", examples=0)]
    rows += [one(1.5, 1.0, 2.0, significant=True, name="third")]
    baseline, reference, strongest = better_than_what(page_of(rows, variant="other"))
    assert baseline.startswith("The best baseline, “markov”, has 7.00 less exact area (no interval")
    assert reference == "The reference, “plain”, has 1.00 less exact area [-1.60, -0.40], significant."
    assert strongest.startswith("The strongest other model, “third”, has 0.50 more exact area (no interval")


def test_a_single_run_is_compared_with_a_constant_rate():
    gains = {"gain_O": np.array([2.0, 1.0, 0.5, -1.5])}
    rate, alone = better_than_what(page_of([plain()], diagnosis=gains))
    assert rate.replace("\xa0", " ") == (
        "It explains 75 % of the examples better than a constant rate does, "
        "and is 0.50 nats per example better on average."
    )
    assert alone.startswith("No other model was scored here")
    worse, nowhere = better_than_what(page_of([plain()], variant="", diagnosis={"gain_O": np.array([-1.0])}))
    assert "1.00 nats per example worse" in worse
    assert "in no row" in nowhere


def test_failures_leave_out_classes_with_few_events():
    confusion_CC = np.eye(10)
    confusion_CC[3, [3, 0]] = 0.4, 0.6
    confusion_CC[9, [9, 8]] = 0.0, 1.0  # four events
    found = {"events_C": np.array([50] * 9 + [4]), "confusion_CC": confusion_CC}
    found |= {"precision_DC": np.tile([50.0, 60, 30, 20, 30, 30, 10, 30, 30, 1], (6, 1)), "calibration": []}
    classes, mistake, trust = where_it_fails(page_of([plain()], diagnosis=found))
    assert classes == "It anticipates Drive (60.0 of 100 in average precision) best and Shot (10.0) worst."
    assert mistake.replace("\xa0", " ") == "Of the 50 events of High pass, it takes 60 % for Pass."
    assert "cannot be judged" in trust
    none = where_it_fails(page_of([plain()], diagnosis={**found, "events_C": np.full(10, 4)}))
    assert none[0] == "No class has 5 events or more, so no class can be judged."
    assert len(none) == 2
    alone = where_it_fails(page_of([plain()], diagnosis={**found, "events_C": np.array([5] + [4] * 9)}))
    assert alone[0].startswith("Only Pass has 5 events")


@pytest.mark.parametrize(
    ("stated", "happened", "said"),
    [(0.45, 0.43, "can be trusted"), (0.45, 0.3, "overconfident"), (0.3, 0.45, "underconfident")],
)
def test_confidence_is_judged_by_bins_that_hold_enough(stated, happened, said):
    lines = [ReliabilityRow(0.4, 0.5, 100, stated, happened, 0.0), ReliabilityRow(0.9, 1.0, 99, 0.95, 0.0, 0.0)]
    assert said in where_it_fails(page_of([plain()], diagnosis={"calibration": lines}))[-1]


def test_the_worst_past_is_named():
    rows = [plain(decoding="full"), plain(decoding="late", area=[15.0, 14.0, 16.0])]
    seen = page_of(rows, pasts=("full", "late"), reference=("plain", "full"))
    assert where_it_fails(seen)[-1] == "Seen through late, it falls from 20.00 to 15.00 of exact area."


def test_the_page_begins_with_the_answers():
    made = page_of([plain()], simulated=True)
    written = render(made)
    for answer in answers(made):
        assert written.index(answer.question) < written.index("<h2>Scores</h2>")
        assert all(sentence.split("“")[0] in written for sentence in answer.sentences)
    assert '<p class="flag">Simulated matches' in written
    assert written.index("<summary>How to read this table") < written.index("are resampled 1,000 times")


def test_classes_with_few_events_are_grey_in_every_table():
    made = page()
    events_C = np.where(np.arange(10) == 6, 1, 50)
    written = render(replace(made, diagnosis=replace(made.diagnosis, events_C=events_C)))
    assert written.count('title="1 event: too few to judge"') == 4  # its row twice, its column twice
    assert written.count("too few to judge.</p>") == 3
    assert "too few to judge" not in render(replace(made, diagnosis=replace(made.diagnosis, events_C=np.full(10, 5))))


def test_calibration_shows_its_counts():
    made = page()
    lines = [ReliabilityRow(0.2, 0.3, 12_345, 0.25, 0.2, 0.2)]
    assert ">12,345</text>" in render(replace(made, diagnosis=replace(made.diagnosis, calibration=lines)))


def test_best_examples_gain_and_worst_lose():
    class Matches:
        halves = (half(np.random.default_rng(0)),)
        end_ms = (np.arange(30_000, 330_000, 5000),)
        names = ()

    labels_NR = np.full((60, RASTER_FRAMES), NO_EVENT, np.int32)
    labels_NR[:, 3] = 1
    table = with_labels(labels_NR, np.zeros((60, RASTER_FRAMES, 11), np.float32))
    for gains, counts in ((np.linspace(-1, 1, 60), (4, 4)), (np.full(60, -1.0), (0, 4)), (np.full(60, 1.0), (4, 0))):
        best, worst = best_and_worst(Matches(), Path(), table, gains, 4)
        assert (len(best), len(worst)) == counts
        assert all(example.gain > 0 for example in best)
        assert all(example.gain < 0 for example in worst)
