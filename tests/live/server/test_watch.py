"""The page of a running session, in a browser: it follows, shows hits, and comes back after a cut."""

import io
import re
import threading
import time

import httpx
import pytest
from PIL import Image

from playahead.live.server.config import ServeConfig
from playahead.live.server.run import serving
from tests.support.broadcast import broadcast

BRIGHT = """() => {
    const canvas = document.getElementById("picture"), pen = canvas.getContext("2d");
    return pen.getImageData(0, 0, canvas.width, canvas.height).data.some((value, n) => n % 4 < 3 && value > 40);
}"""


@pytest.fixture(scope="module")
def base():
    with serving(ServeConfig(port=0, device="cpu")) as (_, address):
        yield address


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture
def weights(made, backbone_file):
    return {"video_weights": made / "run" / "weights.safetensors", "backbone": backbone_file}


@pytest.mark.browser
def test_a_session_fed_by_rows_is_followed(base, page):
    from playwright.sync_api import expect

    begun = httpx.post(f"{base}/v1/sessions", json={"speed": 0, "min_confidence": 0.05}).json()
    rows = base + begun["url"].replace("/events", "/rows")
    post = lambda *lines: httpx.post(rows, json={"rows": list(lines)}).raise_for_status()  # noqa: E731
    page.goto(base + begun["page"])
    status, now = page.locator("#status"), page.locator("#clock")
    expect(status).to_have_text(re.compile("^Connected"))
    expect(page.locator("#nothing")).to_have_text("Waiting for the first row")
    expect(page.locator("#title")).to_have_text("Live feed")
    post({"t_ms": 900, "action": "PASS"}, {"t_ms": 2_400, "action": "DRIVE"}, {"now_ms": 4_000})
    expect(now).to_have_text("0:04.00")
    expect(status).to_contain_text("seen so far: 4 s of 30")
    expect(page.locator("#nothing")).to_have_text("These rows say what happened, not where.")
    expect(page.locator("#curve-now")).to_contain_text("shot")
    assert page.locator("#expected li").count() > 0
    assert "did not come" not in page.text_content("#expected"), "five seconds have not passed"
    expect(page.locator("#right")).to_have_text("Nothing has come yet.")
    page.get_by_role("button", name="One frame back").click()
    assert page.text_content("#clock") == "0:03.96"
    post({"t_ms": 5_000, "action": "PASS"}, {"now_ms": 20_000})
    expect(status).to_contain_text("0:20.00")
    expect(page.locator("#expected")).to_contain_text("it came")
    assert page.text_content("#clock") == "0:03.96", "somebody who looks back is left alone"
    page.get_by_role("button", name="Back to live").click()
    expect(now).to_have_text("0:20.00")
    place = {"team": "home", "x": 70, "y": 30}
    post({"half": 2, "t_ms": 1_000, "action": "PASS", **place}, {"half": 2, "now_ms": 3_000})
    expect(page.locator("#nothing")).to_be_hidden()
    expect(page.locator("#pitch")).to_have_attribute("aria-label", re.compile("home attack →; last seen: pass, home"))
    expect(status).to_contain_text("half 2 0:03.00")
    httpx.delete(base + begun["url"].removesuffix("/events"))
    expect(status).to_have_text(re.compile("^Over"))
    assert "did not come" not in page.text_content("#expected"), "nobody knows what came after the end"
    page.goto(base + "/watch/nothing")
    expect(status).to_contain_text("There is no such session")


@pytest.mark.slow
@pytest.mark.browser
def test_a_broadcast_is_watched_dies_and_comes_back(tmp_path, page, frames, weights):
    from playwright.sync_api import expect

    with broadcast(tmp_path, frames, speed=3.0) as sent:
        threading.Thread(target=sent.segments, args=(0, 50), daemon=True).start()
        while len(sent.entries) < 3:
            time.sleep(0.05)
        root = sent.address.rpartition("/")[0]
        config = ServeConfig(port=0, device="cpu", sources=root, allow_private=True, **weights)
        with serving(config) as (_, address):
            asked = {"kind": "video", "source": sent.address}
            begun = httpx.post(f"{address}/v1/sessions", json=asked, timeout=60).raise_for_status().json()
            page.goto(address + begun["page"])
            status, over_the_picture = page.locator("#status"), page.locator("#nothing")
            expect(status).to_contain_text("Live, match", timeout=30_000)
            page.wait_for_function(BRIGHT, timeout=30_000)
            expect(page.locator("#title")).to_have_text(sent.address)
            page.get_by_role("button", name="Pause").click()
            paused = page.text_content("#clock")
            sent.down()
            expect(over_the_picture).to_contain_text("the source is lost", timeout=40_000)
            assert page.text_content("#clock") == paused
            sent.up()
            expect(status).to_contain_text("Live, match", timeout=30_000)
            expect(over_the_picture).to_be_hidden(timeout=40_000)
            page.get_by_role("button", name="Back to live").click()
            assert page.text_content("#clock") != paused
            httpx.delete(f"{address}/v1/sessions/{begun['id']}")
            expect(over_the_picture).to_have_text("Over: the session was closed.")


@pytest.mark.slow
def test_pictures_are_a_document_of_jpegs(video, weights):
    with serving(ServeConfig(port=0, device="cpu", sources=str(video.parent), **weights)) as (_, address):
        asked = {"kind": "video", "source": str(video), "speed": 4}
        begun = httpx.post(f"{address}/v1/sessions", json=asked, timeout=60).json()
        with httpx.stream("GET", f"{address}/v1/sessions/{begun['id']}/pictures", timeout=60) as response:
            assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
            document = b"".join(response.iter_bytes())
        feed = httpx.post(f"{address}/v1/sessions", json={}).json()
        assert httpx.get(f"{address}/v1/sessions/{feed['id']}/pictures").status_code == 409
    *parts, end = document.split(b"--picture")[1:]
    assert end == b"--\r\n"
    times_ms = [int(re.search(rb"Time-Ms: (\d+)", part)[1]) for part in parts]
    assert len(times_ms) > 20
    assert times_ms == sorted(set(times_ms))
    picture = Image.open(io.BytesIO(parts[0].partition(b"\r\n\r\n")[2]))
    assert (picture.format, picture.size) == ("JPEG", (96, 60))
