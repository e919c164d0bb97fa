"""Predictions on a feed, written for video: subtitles, annotations, and the overlay over the match's video."""

import json

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
from playahead.lab.simulation.plays import simulate_match
from playahead.sources.feed_tables import write_feed_table
from playahead.video.reader import probe, read_drawn
from playahead.video.writer import write_video

ASKED = ["--from", "0:30", "--to", "0:31", "--min-confidence", "0.05"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    write_feed_table(folder / "match.npz", simulate_match(1, match=7, minutes_per_half=2))
    frames = (np.full((32, 64, 3), index % 250, np.uint8) for index in range(40 * 25))
    write_video(folder / "match.mp4", frames, (64, 32))
    return folder


def predict(capsys, folder, *options: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["predict", str(folder / "match.npz"), *ASKED, *options])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_subtitles_are_on_the_clock_of_the_video(capsys, folder):
    code, plain, _ = predict(capsys, folder, "--half", "2", "--format", "vtt")
    assert code == 0
    assert "00:00:30.000 --> 00:00:35.000" in plain
    _, shifted, _ = predict(capsys, folder, "--format", "vtt", "--kick-off", "0:02,58:40")
    assert "00:00:32.000 --> 00:00:37.000" in shifted
    assert "00:59:10.000 --> 00:59:15.000" in shifted


def test_a_whole_match_in_one_video_is_predicted_half_by_half(capsys, tmp_path):
    """Kick-offs make halves of what a spotter found in the whole video; the answers are on the video's clock."""
    marks = [
        {"label": str(ACTIONS[code]), "position_ms": start_ms + int(t_ms), "confidence_score": 0.9}
        for half, start_ms in zip(simulate_match(1, match=7, minutes_per_half=2), (12_000, 3_900_000), strict=True)
        for t_ms, code in zip(half.t_ms, half.code, strict=True)
        if code < len(ACTIONS)
    ]
    inputs = [{"type": "video", "path": "match.mp4"}]
    path = tmp_path / "spotted.json"
    path.write_text(json.dumps({"data": [{"id": "match", "inputs": inputs, "events": marks}]}))
    assert run(["predict", str(path), *ASKED, "--format", "json"]) == 0
    whole = capsys.readouterr()
    assert "looks like a whole match" in whole.err.replace("\n", " ")
    assert {line["half"] for line in json.loads(whole.out)["anticipated"]} == {1}
    assert run(["predict", str(path), *ASKED, "--format", "vtt", "--kick-off", "0:12,65:00"]) == 0
    halves = capsys.readouterr()
    assert "looks like" not in halves.err
    assert "00:00:42.000 --> 00:00:47.000" in halves.out
    assert "01:05:30.000 --> 01:05:35.000" in halves.out


def test_halves_that_nobody_placed_are_named(capsys, folder):
    for options in ([], ["--kick-off", "0:02"]):
        code, out, said = predict(capsys, folder, "--format", "vtt", *options)
        assert (code, "does not say when half" in said, "-->" in out) == (2, True, False)


def test_annotations_of_a_feed(capsys, folder):
    code, written, _ = predict(capsys, folder, "--half", "1", "--format", "osl", "--kick-off", "0:02")
    assert code == 0
    assert {event["observed_until_ms"] for event in json.loads(written)["data"][0]["events"]} == {32_000}


def test_the_overlay_is_drawn_over_the_video(capsys, folder):
    film, out = folder / "match.mp4", folder / "ahead.mp4"
    options = ["--half", "1", "--video", str(film), "--kick-off", "0:02", "--overlay", str(out)]
    code, _, said = predict(capsys, folder, *options)
    assert code == 0, said
    assert probe(out).duration_s == pytest.approx(5, abs=0.1)
    _, first = next(iter(read_drawn(out, lambda frame: frame.to_ndarray(format="rgb24"))))
    assert first.shape[1] >= 960
    assert len(np.unique(first[-100:].reshape(-1, 3), axis=0)) > 20, "actions are drawn in the strip"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--overlay", "a.mp4"], "of a feed is drawn over its video"),
        (["--video", "a.mp4"], "is what a feed's overlay is drawn over"),
        (["--video", "a.mp4", "--overlay", "b.mp4"], "give an overlay and kick-offs, too"),
        (["--kick-off", "soon"], "time 'soon' is not of the form"),
    ],
)
def test_options_that_do_not_go_together(capsys, folder, options, reason):
    code, _, said = predict(capsys, folder, *options)
    assert (code, reason in said) == (2, True)
