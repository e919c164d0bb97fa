"""The page needs nothing else, escapes what it is given, and fits both a desk and a phone."""

import re
import shutil

import pytest

from playahead.lab.report.write import render
from tests.support.report_pages import page, row

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
    other = render(
        page(
            simulated=True,
            leaks=["match 3 is in train and val"],
            unread=["test.npz: truncated"],
            notices=["weights saw the test matches"],
            unit="five-minute runs of clips",
            rows=[row("cost $a_{b$ x", 20.0)],
            n_matches=2,
            importance_W=[],
            curves={},
        )
    )
    for text in (
        *("Simulated matches", "match 3 is in train and val", "Not read: test.npz: truncated", "Inside the model"),
        *("weights saw the test matches", "examples of 2 five-minute runs of clips", "cost $a_{b$ x, marginal"),
        "With only 2 five-minute runs of clips they mean little",
    ):
        assert text in other
    for text in ("No match is in two", "How much each past window counts", ">reference<"):
        assert text not in other
    unchecked = render(page(leaks=None, importance_W=[], curves={}))
    assert "was not checked" in unchecked
    assert "No match is in two" not in unchecked


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_in_a_browser(tmp_path, written):
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(written)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
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
