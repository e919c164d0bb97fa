"""Diagnoses small enough to solve by hand; the page needs nothing else, escapes its input, fits a desk and a phone."""

import re
import shutil
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from playahead.decoding.predictions import DensePredictions, SlotPredictions, health
from playahead.evaluation.frames import NO_EVENT
from playahead.evaluation.official import benchmark_average, count_detections
from playahead.lab.report import charts
from playahead.lab.report.diagnose import ERROR_EDGES_S, confusion, diagnose, gains, sweep, time_errors
from playahead.lab.report.examples import example
from playahead.lab.report.write import render
from tests.support.report_pages import half, labels, page, predictions, row
from tests.support.tables import table_of, with_labels


def one_class(n=200, rate=0.5, seed=0):
    """Windows with a guess of confidence ``rate`` at frame 16, right in that share of them."""
    rng = np.random.default_rng(seed)
    labels_NR = np.full((n, 32), NO_EVENT, np.int32)
    labels_NR[rng.permutation(n)[: int(n * rate)], 16] = 1
    scores_NRV = np.zeros((n, 32, 11), np.float32)
    scores_NRV[:, 16, 1] = rate
    return with_labels(labels_NR, scores_NRV)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.7])
def test_confidences_that_are_right_lie_on_the_diagonal(rate):
    guessed = one_class(rate=rate)
    (row,) = diagnose(predictions(np.random.default_rng(0), 200), guessed, guessed).calibration
    assert (row.stated, row.happened, row.anticipations) == (pytest.approx(rate), pytest.approx(rate), 200)


def test_the_sweep_starts_at_the_score_and_falls():
    rng = np.random.default_rng(1)
    read, happened = predictions(rng), labels(rng)
    table = with_labels(happened, rng.random((60, 32, 11)).astype(np.float32))
    made = [made for _, made, _ in diagnose(read, table, table).sweep]
    assert all(fewer < more for more, fewer in pairwise(made))
    counts = count_detections(one_class())
    assert sweep(counts, 200)[0][2] == pytest.approx(100 * benchmark_average(counts))
    assert sweep(counts, 200)[-1][1:] == (0.0, 0.0)  # no guess is that sure


def test_a_late_prediction_is_counted_late():
    counts_B = time_errors(table_of([(0, 3, 3), (0, 20, 3)], [(0, 24, 3, 0.9), (0, 1, 3, 0.2)]))[3]
    late = counts_B.argmax()
    assert ERROR_EDGES_S[late] < 0.64 < ERROR_EDGES_S[late + 1]  # 4 frames
    assert counts_B.sum() == 1


def test_errors_that_are_even_look_even():
    placed = [(clip, 31 if off < 0 else 0, off) for clip, off in enumerate(range(-31, 32))]
    events = [(clip, event, 0) for clip, event, _ in placed]
    predictions = [(clip, event + off, 0, 0.5) for clip, event, off in placed]
    assert time_errors(table_of(events, predictions, 63))[0].tolist() == [3] * 21


def test_a_decoding_that_guesses_nothing_can_be_drawn():
    rng = np.random.default_rng(0)
    table = with_labels(labels(rng), np.zeros((60, 32, 11), np.float32))
    nothing = diagnose(predictions(rng), table, table)
    assert nothing.calibration == []
    assert "<svg" in charts.calibration(nothing)
    assert "<svg" in charts.threshold_sweep(nothing)


def test_confusion_reads_what_was_likeliest_near_the_event():
    labels_NR = np.full((2, 32), NO_EVENT, np.int32)
    labels_NR[0, 10], labels_NR[1, 10] = 3, 3
    intensity_ORC = np.full((2, 32, 10), 0.01, np.float32)
    intensity_ORC[0, 12, 2] = 1.0
    intensity_ORC[1, 12, 5] = 1.0
    intensity_ORC[1, 20, 2] = 9.0  # too far away to count
    shares = confusion(intensity_ORC, labels_NR)
    assert (shares[2, 2], shares[2, 5]) == (0.5, 0.5)
    assert shares.sum() == 1.0


def test_the_constant_rate_gains_nothing_and_the_truth_much():
    labels_NR = labels(np.random.default_rng(2), 300)
    rate_C = np.bincount(labels_NR[labels_NR != NO_EVENT] - 1, minlength=10) / labels_NR.size
    flat_ORC = np.broadcast_to(rate_C, (300, 32, 10)).astype(np.float32)
    np.testing.assert_allclose(gains(flat_ORC, labels_NR), 0, atol=1e-3)
    truth_ORC = (labels_NR[..., None] == np.arange(1, 11)).astype(np.float32)
    assert gains(truth_ORC, labels_NR).mean() > 3


def test_health_counts_live_slots_and_mass():
    n, slots = 50, 8
    objectness_OK = np.zeros((n, slots), np.float32)
    objectness_OK[:, :2] = 0.75  # six of eight slots are dead
    even = np.full((n, slots, 10), 0.1, np.float32), np.full((n, slots, 20), 0.05, np.float32)
    found = health(SlotPredictions(objectness_OK, *even), 75)
    assert found.live_slots == pytest.approx(2.0)
    assert (found.expected, found.happened) == (pytest.approx(1.5), pytest.approx(1.5))
    assert found.top_probability == pytest.approx(0.75)
    dense = health(DensePredictions(np.full((n, 32, 10), 0.01, np.float32)), 75)
    assert dense.live_slots == 0
    assert dense.expected == pytest.approx(-320 * np.log(0.99), rel=1e-4)


def test_an_example_shows_only_its_window_and_names_never_overlap():
    rng = np.random.default_rng(3)
    played = half(rng)
    for end_ms in range(30_000, 300_000, 5000):
        shown = example(played, "here", end_ms, rng.random((32, 11)).astype(np.float32), 0.0)
        near = played.is_target & (played.t_ms > end_ms - 10_000) & (played.t_ms <= end_ms + 5000)
        assert len(shown.happened) == near.sum()
        for marks in (shown.happened, shown.expected):
            for lane in range(3):
                named = [mark for mark in marks if mark.name and mark.lane == lane]
                ends = [mark.text_x + 5.1 * len(mark.name) for mark in named]
                assert all(mark.text_x >= end for mark, end in zip(named[1:], ends, strict=False))
                assert all(end <= 381 for end in ends)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def written() -> str:
    return render(page())


def test_it_is_one_file_that_asks_for_nothing(written):
    sections, links = (set(re.findall(p, written)) for p in (r'<section id="(\w+)"', r'<a href="#(\w+)"'))
    assert sections == links
    assert written.count("<a ") == len(links)
    assert all(source.startswith("data:") for source in re.findall(r'\bsrc="([^"]*)', written))
    assert not re.search(r"@import|url\(\s*['\"]?http|<script|<link", written)


def test_names_are_escaped_and_colours_are_the_page_s(written):
    assert "variant &lt;1&gt;, marginal" in written
    assert "variant <1>" not in re.sub(r"<!--.*?-->", "", written, flags=re.DOTALL)
    assert "#010101" not in written
    assert "var(--accent)" in written


def test_it_says_what_bears_on_its_figures(written):
    assert "No match is in two of these" in written
    assert "How much each past window counts" in written
    assert ">reference<" in written
    assert "Simulated matches" not in written
    bare = {"importance_W": [], "curves": {}, "rows": [row("cost $a_{b$ x", 20.0)]}
    said = {"leaks": ["match 3 is in train and val"], "unread": ["test.npz: truncated"]}
    said |= {"notices": ["weights saw the test matches"], "unit": "five-minute runs of clips"}
    other = render(page(simulated=True, n_matches=2, **bare, **said))
    for text in (
        *("Simulated matches", "match 3 is in train and val", "Not read: test.npz: truncated", "Inside the model"),
        *("weights saw the test matches", "examples of 2 five-minute runs of clips", "cost $a_{b$ x, marginal"),
        "With only 2 five-minute runs of clips the figures mean little",
    ):
        assert text in other
    for text in ("No match is in two", "How much each past window counts", ">reference<"):
        assert text not in other
    unchecked = render(page(leaks=None, **bare))
    assert "was not checked" in unchecked
    assert "No match is in two" not in unchecked


_NAMES_WHERE = "[...document.querySelectorAll('section > .scroller > .wide')]"
_NAMES_WHERE += ".filter(wide => %s).map(wide => wide.ariaLabel)"
_SCROLLS = "wide.scrollWidth > wide.clientWidth"
_HINTS = "getComputedStyle(wide.parentElement, '::after').height === '18px'"


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_in_a_browser(tmp_path):
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    made = page()
    events_C = np.where(np.arange(10) == 6, 1, made.diagnosis.events_C)  # a class in grey
    path.write_text(render(replace(made, simulated=True, diagnosis=replace(made.diagnosis, events_C=events_C))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in product((1280, 390), ("light", "dark")):
            tab = browser.new_page(viewport={"width": width, "height": 900}, offline=True, color_scheme=scheme)
            messages: list[str] = []
            tab.on("console", lambda message: messages.append(message.text))  # noqa: B023
            tab.on("pageerror", lambda error: messages.append(str(error)))  # noqa: B023
            tab.goto(path.as_uri())
            assert messages == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= width  # only tables scroll sideways
            ink, ground = (tab.evaluate(f"getComputedStyle(document.body).{n}") for n in ("color", "backgroundColor"))
            assert _contrast(ink, ground) > 7
            faint = tab.evaluate("getComputedStyle(document.querySelector('.note')).color")
            card = tab.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
            assert _contrast(faint, card) > 4.5
            wide = "[...document.querySelectorAll('svg')].every(s => s.getBoundingClientRect().width > 100)"
            assert tab.evaluate(wide)
            # What is wider than the screen says so, in a word and with a fading edge; what fits says nothing.
            scrolls, hints = (set(tab.evaluate(_NAMES_WHERE % condition)) for condition in (_SCROLLS, _HINTS))
            assert scrolls == hints
            assert ("Average precision by class" in scrolls) == (width == 390)
            violations = Axe().run(tab)
            assert violations.violations_count == 0, violations.generate_report()
            tab.close()
        browser.close()


def _contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio of two rgb() colours."""

    def luminance(colour):
        parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
