"""The page needs nothing else, escapes what it is given, and fits both a desk and a phone."""

import re
import shutil
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest

from playahead.lab.report.page import render
from tests.lab.report.pages import page, row

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class _Ids(HTMLParser):
    def __init__(self):
        super().__init__()
        self.anchors, self.targets, self.loaded = set(), set(), []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "section":
            self.anchors.add(found["id"])
        if tag == "a":
            self.targets.add(found["href"].lstrip("#"))
        self.loaded += [found[key] for key in ("src",) if key in found and not found[key].startswith("data:")]


def test_it_is_one_file_that_asks_for_nothing():
    written = render(page())
    found = _Ids()
    found.feed(written)
    assert found.targets == found.anchors
    assert found.loaded == []
    assert not re.search(r"@import|url\(\s*['\"]?http|<script|<link", written)


def test_names_are_escaped_and_colours_are_the_page_s():
    written = render(page())
    assert "variant &lt;1&gt;, marginal" in written
    assert "variant <1>" not in re.sub(r"<!--.*?-->", "", written, flags=re.DOTALL)
    assert "#010101" not in written
    assert "var(--accent)" in written


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({"simulated": True}, "Simulated matches", None),
        ({"simulated": False}, "No match is in two of these", "Simulated matches"),
        ({"leaks": ["match 3 is in train and val"]}, "match 3 is in train and val", "No match is in two"),
        ({"leaks": None}, "was not checked", "No match is in two"),
        ({"unread": ["test.npz: truncated"]}, "Not read: test.npz: truncated", None),
        ({"notice": "weights saw the test matches"}, "weights saw the test matches", None),
        ({"unit": "five-minute runs of clips"}, "examples of 40 five-minute runs of clips", None),
        ({"rows": [row("cost $a_{b$ x", 20.0)]}, "cost $a_{b$ x, marginal", ">reference<"),
        ({"n_matches": 2}, "With only 2 matches they mean little", None),
        ({"importance_W": [], "curves": {}}, "Inside the model", "How much each past window counts"),
    ],
)
def test_it_says_what_bears_on_its_figures(changes, said, unsaid):
    written = render(page(**changes))
    assert said in written
    assert unsaid is None or unsaid not in written


@contextmanager
def opened(path, width, **options):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 900}, offline=True, **options)
        messages = []
        tab.on("console", lambda message: messages.append(message.text))
        tab.on("pageerror", lambda error: messages.append(str(error)))
        tab.goto(path.as_uri())
        yield tab, messages
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(tmp_path, width, scheme):
    path = tmp_path / "report.html"
    path.write_text(render(page()))
    with opened(path, width, color_scheme=scheme) as (tab, messages):
        assert messages == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width  # only tables scroll sideways
        ink, ground = (tab.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
        assert _contrast(ink, ground) > 7
        faint = tab.evaluate("getComputedStyle(document.querySelector('.note')).color")
        card = tab.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
        assert _contrast(faint, card) > 4.5
        assert tab.evaluate("[...document.querySelectorAll('svg')].every(s => s.getBoundingClientRect().width > 100)")


def _contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio of two rgb() colours."""

    def luminance(colour):
        parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
