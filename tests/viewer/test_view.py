"""The page of ``playahead view``, made from any mix of files and used in a browser."""

import json
import re
import shutil

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from playahead.cli.main import run
from playahead.domain.grid import GRID
from playahead.errors import InputError
from playahead.simulation.plays import simulate_half
from playahead.sources.feed_tables import write_feed_table
from playahead.video.writer import write_video
from playahead.viewer.page import recognise

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EXPECTED = [
    {"match": 0, "half": 1, "observed_until_ms": 30_000, "time_ms": 31_200, "action": "PASS", "confidence": 0.8},
    {"match": 0, "half": 1, "observed_until_ms": 30_000, "time_ms": 34_000, "action": "CROSS", "confidence": 0.35},
    {"match": 0, "half": 1, "observed_until_ms": 35_000, "time_ms": 36_000, "action": "DRIVE", "confidence": 0.6},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("view")
    half = simulate_half(0, match=0, minutes=1)
    write_feed_table(made / "match.npz", [half])
    (made / "feed.json").write_text(json.dumps({"source": "a <b> match", "kind": "feed", "anticipated": EXPECTED}))
    of_video = [{key: value for key, value in line.items() if key not in ("match", "half")} for line in EXPECTED]
    spotted = [{"time_ms": 29_000, "action": "PASS", "confidence": 0.9}]
    document = {"source": "match.mp4", "kind": "video", "spotted": spotted, "anticipated": of_video}
    (made / "video.json").write_text(json.dumps(document))
    frames = (np.full((90, 96, 3), index % 250, np.uint8) for index in range(40 * GRID.fps))
    write_video(made / "the match.mp4", frames, (96, 90), key_every=25)
    return made


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="match">(.+?)</script>', page, re.DOTALL)[1])


def test_a_feed_with_what_happened(folder):
    assert run(["view", str(folder / "feed.json"), str(folder / "match.npz"), "--out", str(folder / "feed.html")]) == 0
    page = (folder / "feed.html").read_text()
    assert "a &lt;b&gt; match: what was expected" in page
    (part,) = data_of(page)["parts"]
    assert [len(answer["expected"]) for answer in part["answers"]] == [2, 1]
    assert {"t", "c", "x", "y", "team"} == set(part["seen"][0])
    assert len(part["labels"]) <= len(part["seen"])
    assert "http" not in re.sub(r'id="match">.+?</script>', "", page, flags=re.DOTALL)


def test_a_video_is_named_relative_to_the_page(folder):
    assert (
        run(["view", str(folder / "the match.mp4"), str(folder / "video.json"), "--out", str(folder / "page.html")])
        == 0
    )
    found = data_of((folder / "page.html").read_text())
    assert found["video"] == "the%20match.mp4"
    assert found["parts"][0]["labels"] is None
    assert found["parts"][0]["seen"] == [{"t": 29_000, "c": 0}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"anticipated": [{"time_ms": 1, "action": "GOAL", "confidence": 1, "observed_until_ms": 0}]}', "GOAL"),
        ('{"anticipated": [{"time_ms": -1, "action": "PASS", "confidence": 1, "observed_until_ms": 0}]}', "time_ms"),
        ('{"anticipated": [7]}', "anticipated 0: expected an object"),
        ('{"anticipated": [{"action": "PASS"}]}', "observed_until_ms"),
    ],
)
def test_damaged_predictions_are_one_line(tmp_path, capsys, content, said):
    (tmp_path / "predictions.json").write_text(content)
    assert run(["view", str(tmp_path / "predictions.json"), "--out", str(tmp_path / "page.html")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_what_is_missing_is_named(folder):
    with pytest.raises(InputError, match="needs one file of predictions, 0 are given"):
        recognise([folder / "match.npz"])
    with pytest.raises(InputError, match="at most one video"):
        recognise([folder / "video.json", folder / "the match.mp4", folder / "the match.mp4"])


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser, folder):
    """Opens a page, and fails where it complains."""
    complaints, pages = [], []

    def open_page(name: str, **how):
        page = browser.new_page(**how)
        pages.append(page)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
        page.goto((folder / name).as_uri())
        page.wait_for_function("document.getElementById('status').textContent.includes('answers')")
        return page

    yield open_page
    assert not complaints
    for page in pages:
        page.close()


def test_scrub_step_filter_and_slide(opened, folder):
    test_a_feed_with_what_happened(folder)
    page = opened("feed.html")
    assert page.text_content("#clock") == "0:30.00"
    assert page.locator("#expected li").count() == 2
    page.keyboard.press("ArrowRight")
    assert page.text_content("#clock") == "0:30.04"
    page.keyboard.press("l")
    assert page.text_content("#clock") == "0:35.04"
    assert "Drive at 0:36.00, 60 %" in page.text_content("#expected")
    page.keyboard.press("j")
    page.get_by_label("Confidence at least").fill("0.5")
    assert page.locator("#expected li").count() == 1
    assert "of 2 anticipations" in page.text_content("#right")
    page.get_by_role("checkbox", name="Pass", exact=True).uncheck()
    assert page.locator("#expected li").count() == 0
    page.get_by_role("checkbox", name="Pass", exact=True).check()
    page.locator("#expected button").first.click()
    assert page.text_content("#clock") == "0:31.20"
    page.get_by_label("Moment of the match").fill("35000")
    assert page.text_content("#clock") == "0:35.00"
    assert "Drive in 1.0 s, 60 %" in page.get_attribute("#lanes", "aria-label")


def test_playing_moves_on_and_pausing_stays(opened, folder):
    test_a_feed_with_what_happened(folder)
    page = opened("feed.html")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.getElementById('clock').textContent > '0:30.30'")
    page.get_by_role("button", name="Pause").click()
    stands = page.text_content("#clock")
    page.wait_for_timeout(200)
    assert page.text_content("#clock") == stands


def test_a_video_is_stepped_frame_by_frame(opened, folder):
    test_a_video_is_named_relative_to_the_page(folder)
    page = opened("page.html")
    page.wait_for_function("document.getElementById('video').readyState >= 1")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.text_content("#clock") == "0:30.12"
    page.wait_for_function("Math.abs(document.getElementById('video').currentTime - 30.13) < 0.02")
    page.reload()
    page.wait_for_function("document.getElementById('status').textContent.includes('answers')")
    assert page.text_content("#clock") == "0:30.00"


def test_a_video_that_is_gone_is_said(opened, folder):
    text = (folder / "page.html").read_text().replace("the%20match.mp4", "gone.mp4")
    (folder / "gone.html").write_text(text)
    page = opened("gone.html")
    page.wait_for_function("!document.getElementById('nothing').hidden")
    assert "cannot be played" in page.text_content("#nothing")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(opened, folder, width, scheme):
    test_a_feed_with_what_happened(folder)
    page = opened("feed.html", viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, folder, scheme):
    test_a_feed_with_what_happened(folder)
    found = Axe().run(opened("feed.html", color_scheme=scheme))
    assert found.violations_count == 0, found.generate_report()


def test_what_is_shown_can_be_saved(opened, folder):
    test_a_feed_with_what_happened(folder)
    page = opened("feed.html")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save what is shown").click()
    saved = json.loads(download.value.path().read_text())
    assert saved["now_ms"] == 30_000
    assert [line["action"] for line in saved["expected"]] == ["PASS", "CROSS"]
