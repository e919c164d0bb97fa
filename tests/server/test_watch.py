"""The page of a running session, in a browser: it follows, shows hits, and comes back after a cut."""

import re
import shutil

import httpx
import pytest

from playahead.server.config import ServeConfig
from playahead.server.run import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def base():
    with serving(ServeConfig(port=0, device="cpu")) as (_, address):
        yield address


def test_a_session_fed_by_rows_is_followed(base):
    from playwright.sync_api import expect, sync_playwright

    begun = httpx.post(f"{base}/v1/sessions", json={"speed": 0, "min_confidence": 0.05}).json()
    rows = base + begun["url"].replace("/events", "/rows")
    post = lambda *lines: httpx.post(rows, json={"rows": list(lines)}).raise_for_status()  # noqa: E731
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(base + begun["page"])
        status, now = page.locator("#status"), page.locator("#clock")
        expect(status).to_have_text(re.compile("^Connected"))
        post({"t_ms": 900, "action": "PASS"}, {"t_ms": 2_400, "action": "DRIVE"}, {"now_ms": 4_000})
        expect(now).to_have_text("0:04.00")
        expect(status).to_contain_text("seen so far: 4 s of 30")
        page.get_by_label("Confidence at least").fill("0")
        assert page.locator("#expected li").count() > 0
        page.get_by_role("button", name="One frame back").click()
        assert page.text_content("#clock") == "0:03.96"
        post({"t_ms": 5_000, "action": "PASS"}, {"now_ms": 20_000})
        expect(status).to_contain_text("0:20.00")
        assert page.text_content("#clock") == "0:03.96", "somebody who looks back is left alone"
        assert "it came" in page.text_content("#expected")
        page.get_by_role("button", name="Back to live").click()
        assert page.text_content("#clock") == "0:20.00"
        post({"half": 2, "t_ms": 1_000, "action": "PASS"}, {"half": 2, "now_ms": 3_000})
        expect(status).to_contain_text("half 2 0:03.00")
        httpx.delete(base + begun["url"].removesuffix("/events"))
        expect(status).to_have_text(re.compile("^Over"))
        page.goto(base + "/watch/nothing")
        expect(status).to_contain_text("There is no such session")
        browser.close()
    assert not complaints
