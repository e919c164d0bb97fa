"""The page of ``playahead view``, made from any mix of files and used in a browser."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.grid import GRID
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import simulate_half
from playahead.live.page.page import Shown, _parts, recognise, write_page
from playahead.sources.feed_tables import write_feed_table
from playahead.video.writer import write_video

HAND_MADE = {
    "source": "MATCHDATA.json",
    "kind": "feed",
    "times": [{"match": 7, "half": 1, "from_ms": 30_000, "to_ms": 45_000, "every_ms": 5_000}],
    "anticipated": [
        {"match": 7, "half": 1, "observed_until_ms": now, "time_ms": at, "action": action, "confidence": confidence}
        for now, at, action, confidence in (
            (30_000, 30_200, "PASS", 0.8),  # the pass at 29.5 was seen before
            (30_000, 31_900, "PASS", 0.5),  # comes at 31.5
            (30_000, 32_000, "PASS", 0.4),  # there is no second one
            (30_000, 33_400, "DRIVE", 0.6),  # comes at 33.0
            (35_000, 36_200, "PASS", 0.7),  # comes at 37.0
        )
    ],
}
"""Four answers, the last two of them expect nothing. Of seven actions, four lie in 5 s after an answer."""
HAPPENED = ((10_000, 0), (29_500, 0), (31_500, 0), (33_000, 1), (37_000, 0), (44_000, 5), (52_000, 0))
COUNTED = {
    "source": "counted by hand",
    "kind": "feed",
    "teams": ["Reds", "Blues <b>&"],
    "min_confidence": dict.fromkeys(ACTIONS, 0.1),
    "times": [{"match": 7, "half": 1, "from_ms": 30_000, "to_ms": 50_000, "every_ms": 10_000}],
    "anticipated": [
        {"match": 7, "half": 1, "observed_until_ms": now, "time_ms": at, "action": action, "confidence": p, **more}
        for now, at, action, p, more in (
            (30_000, 31_000, "PASS", 0.8, {"team": "Reds", "x": 60, "y": 40, "times_usual": 1.2}),  # comes at 31.4
            (30_000, 34_000, "SHOT", 0.24, {"team": "Blues <b>&", "times_usual": 16.4}),  # comes 1.4 s earlier
            (40_000, 43_000, "CROSS", 0.2, {}),  # never comes
        )
    ],
    "chances": [
        {
            "match": 7,
            "half": 1,
            "observed_until_ms": now,
            "possession": team,
            **{f"within_{s}_s": [by_class.get(action, 0.01) for action in ACTIONS] for s in (1, 2, 5)},
        }
        for now, team, by_class in (
            (30_000, "Reds", {Action.PASS: 0.9, Action.SHOT: 0.3}),
            (40_000, None, {Action.DRIVE: 0.02}),
            (50_000, "Blues <b>&", {Action.HEADER: 0.004, Action.SHOT: 0.06}),
        )
    ],
}
"""Three answers, the last of which expects nothing."""
CAME = ((29_000, 0), (31_400, 0), (32_600, 6), (39_000, 0), (44_000, 1), (51_000, 2), (56_000, 0))
"""Four of them within 5 s after an answer: pass, shot, drive, header."""
NAMES = (
    "MATCHDATA.json",
    "TITLE SCRIPT STYLE DATA $title $data ${script} $$ {{data}} %s \\1 \\u003c",
    "</script><script>document.title='broken'</script><!--<script>",
    "</title></style>'\"&amp; \u2028 \u202e",
)
CHANCES = {"observed_until_ms": 30_000, **{f"within_{s}_s": [0.1] * 10 for s in (1, 2, 5)}}
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
    files = [str(folder / name) for name in ("the match.mp4", "video.json")]
    assert run(["view", *files, "--out", str(folder / "page.html")]) == 0
    found = data_of((folder / "page.html").read_text())
    assert (found["video"], found["videoName"]) == ("the%20match.mp4", "the match.mp4")
    assert found["parts"][0]["labels"] is None
    assert found["parts"][0]["seen"] == [{"t": 29_000, "c": 0}]


def test_the_times_that_were_asked_about_are_in_what_predict_writes(tmp_path, capsys):
    halves = [simulate_half(0, match=3, minutes=2), replace(simulate_half(1, match=3, minutes=1), half=2)]
    write_feed_table(tmp_path / "match.npz", halves)
    assert run(["predict", str(tmp_path / "match.npz"), "--min-confidence", "0.9", "--format", "json"]) == 0
    (tmp_path / "all.json").write_text(capsys.readouterr().out)
    parts = _parts(recognise([tmp_path / "all.json", tmp_path / "match.npz"]))
    assert [part["name"] for part in parts] == ["Half 1", "Half 2"]
    for part, half in zip(parts, halves, strict=True):
        last_ms = int(half.t_ms[-1])
        assert [answer["now"] for answer in part["answers"]] == list(range(30_000, last_ms + 1, 5_000))
        assert any(not answer["expected"] for answer in part["answers"])


def test_halves_of_several_matches_are_parts_of_their_own(tmp_path):
    halves = [simulate_half(seed, match=seed, minutes=1) for seed in (1, 2)]
    lines = [{**EXPECTED[0], "match": 1}, {**EXPECTED[1], "match": 2}]
    parts = _parts(Shown({"anticipated": lines}, None, halves))
    assert [part["name"] for part in parts] == ["Match 1, half 1", "Match 2, half 1"]
    assert [[mark["t"] for mark in part["seen"]] for part in parts] == [
        half.t_ms[half.code < 10].tolist() for half in halves
    ]


def shown_as(name: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


@pytest.mark.parametrize("name", [*NAMES, "\udcff.mp4", "a\nb"])
def test_a_name_is_a_name_whatever_is_in_it(tmp_path, name):
    source = {"source": name + "\ud800\x00", "anticipated": EXPECTED}
    write_page(Shown(source, Path(name), ()), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    found = data_of(page)
    assert found["title"] == f"{shown_as(name)}\ufffd\ufffd: what was expected"
    assert found["videoName"] == shown_as(name).rpartition("/")[2]
    assert page.count("</script>") == 2
    assert page.count("<title>") == 1
    assert "what was expected" in re.search(r"<title>(.+?)</title>", page)[1]
    assert len(found["parts"][0]["answers"]) == 2


def test_no_page_is_written_over_what_it_is_made_from(folder, capsys):
    before = (folder / "the match.mp4").read_bytes()
    words = [str(folder / "the match.mp4"), str(folder / "video.json")]
    assert run(["view", *words, "--out", str(folder / "." / "the match.mp4")]) == 2
    assert "is a file that the page is made from" in capsys.readouterr().err
    assert (folder / "the match.mp4").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"anticipated": [], "times": [7]}', "times 0: expected an object"),
        ('{"anticipated": [], "times": [{"from_ms": 0, "to_ms": 1e9, "every_ms": 0}]}', "more than 100,000 times"),
        ('{"anticipated": [], "times": [{"from_ms": 0, "to_ms": "x", "every_ms": 1}]}', "to_ms 'x'"),
        (json.dumps({"anticipated": [{**EXPECTED[0], "confidence": 80}]}), "from 0 to 1"),
        (json.dumps({"anticipated": [{**EXPECTED[0], "action": "GOAL"}]}), "GOAL"),
        (json.dumps({"anticipated": [{**EXPECTED[0], "time_ms": -1}]}), "time_ms"),
        ('{"anticipated": [7]}', "anticipated 0: expected an object"),
        (json.dumps({"anticipated": [{**EXPECTED[0], "x": 101}]}), "x '101' is not a number from 0 to 100"),
        ('{"anticipated": [], "teams": ["one"]}', "names 1 teams, not 2"),
        ('{"anticipated": [], "teams": 7}', "teams: expected a list"),
        ('{"anticipated": [], "min_confidence": {"PASS": 2}}', "PASS '2' is not a number from 0 to 1"),
        ('{"anticipated": [], "chances": [{"observed_until_ms": 1, "within_1_s": [0.5]}]}', "holds 1 chances, not 10"),
        ('{"anticipated": [], "chances": [{"observed_until_ms": 1}]}', "has no 'within_1_s'"),
        (json.dumps({"anticipated": [], "chances": [CHANCES | {"within_5_s": [2] * 10}]}), "within_5_s '2'"),
        ('{"anticipated": [{"action": "PASS"}]}', "observed_until_ms"),
    ],
)
def test_damaged_predictions_are_one_line(tmp_path, capsys, content, said):
    (tmp_path / "predictions.json").write_text(content)
    assert run(["view", str(tmp_path / "predictions.json"), "--out", str(tmp_path / "page.html")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_what_is_missing_is_named(folder):
    with pytest.raises(InputError, match="one file of predictions is needed, 0 are given"):
        recognise([folder / "match.npz"])
    with pytest.raises(InputError, match="at most one video"):
        recognise([folder / "video.json", folder / "the match.mp4", folder / "the match.mp4"])


@pytest.fixture
def opened(new_page, folder):
    """Opens a page of the folder, which must ask for nothing in the net."""
    complaints = []

    def open_page(name: str, **how):
        page = new_page(**how)
        page.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
        page.goto((folder / name).as_uri())
        page.wait_for_function("document.getElementById('status').textContent.includes('answers')")
        return page

    yield open_page
    assert not complaints


def clock_after(page, *keys: str) -> str:
    for key in keys:
        page.keyboard.press(key)
    return page.text_content("#clock")


@pytest.mark.browser
def test_scrub_step_filter_slide_and_save(opened, folder):
    test_a_feed_with_what_happened(folder)
    page = opened("feed.html")
    expected = page.locator("#expected li")
    assert (clock_after(page), expected.count()) == ("0:30.00", 2)
    assert [clock_after(page, "ArrowRight"), clock_after(page, "l")] == ["0:30.04", "0:35.04"]
    assert "Drive in 1.0 s 60 %" in page.text_content("#expected")
    page.keyboard.press("j")
    page.get_by_label("Minimum confidence").fill("0.5")
    assert (expected.count(), "of 2 anticipations" in page.text_content("#right")) == (1, True)
    assert page.text_content("#min-confidence-shown") == "50 %"
    page.get_by_role("checkbox", name="Pass", exact=True).uncheck()
    assert expected.count() == 0
    page.get_by_role("checkbox", name="Pass", exact=True).check()
    page.locator("#expected button").first.click()
    assert clock_after(page) == "0:31.20"
    page.get_by_label("Moment of the match").fill("35000")
    assert clock_after(page) == "0:35.00"
    assert "Drive in 1.0 s, 60 %" in page.get_attribute("#lanes", "aria-label")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.getElementById('clock').textContent > '0:35.30'")
    page.get_by_role("button", name="Pause").click()
    stands = clock_after(page)
    page.wait_for_timeout(200)
    assert clock_after(page) == stands
    page.get_by_label("Moment of the match").fill("30000")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save what is shown").click()
    saved = json.loads(download.value.path().read_text())
    assert (saved["now_ms"], [line["action"] for line in saved["expected"]]) == (30_000, ["PASS"])


@pytest.fixture(scope="module")
def hand_made(folder):
    """The page of ``HAND_MADE``, with what happened."""
    return page_of(folder, "hand made", HAND_MADE, HAPPENED)


@pytest.fixture(scope="module")
def counted(folder):
    """The page of ``COUNTED``, with what happened."""
    return page_of(folder, "counted", COUNTED, CAME)


def page_of(folder, name, predictions, happened):
    t_ms, code = (np.array(column) for column in zip(*happened, strict=True))
    unknown, none = np.full(len(code), UNKNOWN, np.uint8), np.zeros(len(code), np.uint16)
    columns = dict.fromkeys(("team", "x", "y", "setpiece"), unknown)
    half = FeedHalf(match=7, half=1, t_ms=t_ms.astype(np.int32), code=code.astype(np.uint8), delay_ms=none, **columns)
    write_feed_table(folder / f"{name}.npz", [half])
    (folder / f"{name}.json").write_text(json.dumps(predictions))
    files = [str(folder / f"{name}.{kind}") for kind in ("json", "npz")]
    assert run(["view", *files, "--out", str(folder / f"{name}.html")]) == 0
    return f"{name}.html"


@pytest.mark.browser
def test_the_figures_are_those_worked_out_by_hand(opened, hand_made):
    page = opened(hand_made)
    assert page.text_content("#title") == "MATCHDATA.json: what was expected"
    assert page.text_content("#status") == "4 answers, 0:57 of half 1"
    assert lines_of(page, "#right") == [
        "60 % of 5 anticipations came within 1 s (3)",
        "0 % came earlier or later in the 5 s (0)",
        "40 % did not come (2)",
        "75 % of 4 actions that came were named (3)",
        "4 answers, 2 of which expected nothing",
    ]
    assert lines_of(page, "#expected") == [
        "Pass in 0.2 s 80 % ✗ it did not come",
        "Pass in 1.9 s 50 % ✓ it came",
        "Pass in 2.0 s 40 % ✗ it did not come",
        "Drive in 3.4 s 60 % ✓ it came",
    ]
    assert "this file holds no chances" in page.text_content("#curve")
    page.get_by_label("Moment of the match").fill("40000")
    assert page.locator("#expected li").count() == 0
    assert page.locator("#silent").is_visible(), "an answer that expects nothing is an answer"
    assert page.get_attribute("#lanes", "aria-label") == "Nothing expected"
    assert lines_of(page, "#surprises")[0] == "0:44 Cross, not expected"
    page.get_by_label("Minimum confidence").fill("0.65")
    right = lines_of(page, "#right")
    assert (right[0], right[3]) == (
        "50 % of 2 anticipations came within 1 s (1)",
        "25 % of 4 actions that came were named (1)",
    )
    page.get_by_role("checkbox", name="Cross", exact=True).uncheck()
    assert "33 % of 3 actions" in page.text_content("#right")


def lines_of(page, name: str) -> list[str]:
    return [line.text_content() for line in page.locator(f"{name} li").all()]


@pytest.mark.browser
def test_totals_moments_and_verdicts_of_a_match_counted_by_hand(opened, counted):
    page = opened(counted)
    assert lines_of(page, "#right") == [
        "33 % of 3 anticipations came within 1 s (1)",
        "33 % came earlier or later in the 5 s (1)",
        "33 % did not come (1)",
        "25 % of 4 actions that came were named (1)",
        "3 answers, 1 of which expected nothing",
    ]
    assert lines_of(page, "#expected") == [
        "Pass in 1.0 s 80 % Reds · ✓ it came",
        "Shot in 4.0 s 24 %, 16 times the usual Blues <b>& · ✗ shot came 1.4 s earlier",
    ]
    assert page.text_content("#curve-now") == "Now: shot 30 %, cross 1 %"
    assert [page.text_content(f"#team-{team}-name") for team in (0, 1)] == ["Reds", "Blues <b>&"]
    assert "has-ball" in page.get_attribute("#team-0", "class")
    # The shot of 50 s, 6 %, is less than half a minute away from that of 30 s.
    assert lines_of(page, "#dangers") == ["0:30 Shot 30 % within 5 s (Reds) ✓ it came"]
    assert lines_of(page, "#surprises") == [
        "0:51 Header, 0.4 % expected",
        "0:44 Drive, 2 % expected",
        "0:32 Shot, 30 % expected",
        "0:31 Pass, 90 % expected",
    ]
    assert "pass 10 %" in page.text_content("#minimums")
    page.get_by_label("Minimum confidence").fill("0.25")
    assert lines_of(page, "#right")[0] == "100 % of 1 anticipation came within 1 s (1)"
    assert lines_of(page, "#right")[-1] == "3 answers, 2 of which expected nothing"
    page.locator("#surprises button").first.click()
    assert page.text_content("#clock") == "0:49.00"


@pytest.mark.browser
def test_keys_step_by_action_and_by_answer_and_are_listed(opened, counted):
    page = opened(counted)
    assert [clock_after(page, "n"), clock_after(page, "n"), clock_after(page, "p")] == ["0:31.40", "0:32.60", "0:31.40"]
    assert [clock_after(page, "N"), clock_after(page, "N"), clock_after(page, "P")] == ["0:40.00", "0:50.00", "0:40.00"]
    page.get_by_role("button", name="Next action").click()
    assert page.text_content("#clock") == "0:44.00"
    page.get_by_role("button", name="Previous answer").click()
    assert page.text_content("#clock") == "0:40.00"
    page.keyboard.press("?")
    assert "previous or next answer" in page.locator("dialog").inner_text()
    assert Axe().run(page).violations_count == 0
    assert clock_after(page, "n") == "0:40.00", "a list of keys is read, not played"
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()
    box = page.locator("#strip").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    assert page.text_content("#clock").startswith("0:30.5"), "half of the 61 s"


@pytest.mark.browser
def test_a_video_is_stepped_frame_by_frame_or_said_to_be_gone(opened, folder):
    test_a_video_is_named_relative_to_the_page(folder)
    page = opened("page.html")
    page.wait_for_function("document.getElementById('video').readyState >= 1")
    assert clock_after(page, *["ArrowRight"] * 3) == "0:30.12"
    page.wait_for_function("Math.abs(document.getElementById('video').currentTime - 30.13) < 0.02")
    page.reload()
    page.wait_for_function("document.getElementById('status').textContent.includes('answers')")
    assert clock_after(page) == "0:30.00"
    text = (folder / "page.html").read_text().replace("the%20match.mp4", "gone.mp4")
    (folder / "gone.html").write_text(text)
    gone = opened("gone.html")
    gone.wait_for_function("!document.getElementById('nothing').hidden")
    assert "cannot be played" in gone.text_content("#nothing")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_screens_and_axe_finds_nothing(opened, folder, counted, scheme):
    test_a_feed_with_what_happened(folder)
    for name in ("feed.html", counted):
        page = opened(name, viewport={"width": 1280, "height": 800}, color_scheme=scheme)
        curve = page.locator("#curve").bounding_box()
        assert curve["y"] + curve["height"] <= 800, "all down to the curve is above the fold"
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            violations = Axe().run(page)
            assert violations.violations_count == 0, violations.generate_report()
