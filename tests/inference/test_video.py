"""From a video to anticipated actions in every format, with a model of seconds' training."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
from playahead.features.encoder import VideoEncoder
from playahead.features.store import FeatureStore, StoreFacts
from playahead.inference.predictor import Predictor
from playahead.inference.video import facts_of, input_size_of
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.io.tensors import read_tensors, write_tensors
from playahead.lab.simulation.plays import simulate_half
from playahead.sources.feed_tables import write_feed_table
from playahead.video.reader import probe


@pytest.fixture
def command(made, video, backbone_file):
    weights = ["--weights", str(made / "run" / "weights.safetensors"), "--backbone", str(backbone_file)]
    return ["predict", str(video), *weights, "--min-confidence", "0.01", "--from", "0:32", "--to", "0:40"]


def test_json_holds_anticipated_and_spotted_actions(command, capsys):
    assert run([*command, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {line["observed_until_ms"] for line in found["anticipated"]} == set(range(32_000, 40_001, 1000))
    assert {line["action"] for line in found["anticipated"]} <= set(map(str, ACTIONS))
    for line in found["anticipated"]:
        assert 0 <= line["time_ms"] - line["observed_until_ms"] <= 5000
        assert 0.01 <= line["confidence"] <= 1
    assert all(2_000 <= seen["time_ms"] <= 40_000 for seen in found["spotted"])


def test_table_csv_subtitles_and_annotations(command, capsys, video):
    def written(form: str) -> str:
        assert run([*command, "--format", form]) == 0
        return capsys.readouterr().out

    assert "expected at" in written("table")
    assert {row["kind"] for row in csv.DictReader(io.StringIO(written("csv")))} <= {"spotted", "anticipated"}
    assert written("vtt").startswith("WEBVTT\n\n00:00:32.000 --> 00:00:33.000\nNext: ")
    document = json.loads(written("osl"))
    (sample,) = document["data"]
    assert sample["inputs"][0]["path"] == video.name
    assert {event["head"] for event in sample["events"]} <= {"action", "anticipation"}
    for event in sample["events"]:
        assert event["label"] in document["labels"][event["head"]]["labels"]
        assert isinstance(event["position_ms"], int)


def test_a_running_video_gives_the_stored_features(made, model, frames):
    """Rolling prediction sees what extraction stored, on the 5-s grid."""
    encoder = VideoEncoder(model.backbone, 25)
    for gray_HW in frames:
        encoder.push(gray_HW)
    store = FeatureStore(made / "features")
    (name,) = [name for name in store.videos() if name.startswith("test/")]
    stored = np.stack(store.windows(name)).astype(np.float32)
    windows = encoder.windows(np.arange(1, len(stored) + 1) * 125)
    assert len(windows) > 6
    assert np.allclose(windows, stored, rtol=5e-3, atol=5e-3)


def test_what_comes_after_a_moment_never_changes_its_answer(command, capsys, tmp_path):
    overlay = tmp_path / "ahead.mp4"
    answers = []
    for until, options in (("0:35", ()), ("0:40", ("--overlay", str(overlay)))):
        assert run([*command[:-1], until, *options, "--format", "json"]) == 0
        lines = json.loads(capsys.readouterr().out)["anticipated"]
        answers.append([line for line in lines if line["observed_until_ms"] <= 35_000])
    assert probe(overlay).duration_s == pytest.approx(8, abs=0.1)
    short, long = answers
    assert [(line["time_ms"], line["action"]) for line in short] == [(line["time_ms"], line["action"]) for line in long]
    assert [line["confidence"] for line in short] == pytest.approx([line["confidence"] for line in long], abs=2e-3)


def test_short_answers_from_what_there_is(command, capsys):
    twenty_seconds = [word for word in command[:-1] if word not in ("--from", "0:32")]
    assert run([*twenty_seconds, "0:20"]) == 2
    capsys.readouterr()
    assert run([*twenty_seconds, "0:20", "--short", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert "rest on less than 30 s (the first on 5 s)" in shown.err
    assert min(line["observed_until_ms"] for line in json.loads(shown.out)["anticipated"]) == 5_000


def test_evaluate_and_the_wrong_backbone(made, capsys):
    weights = str(made / "run" / "weights.safetensors")
    words = [
        "evaluate",
        "video",
        str(made / "sim" / "test"),
        "--features",
        str(made / "features"),
        "--weights",
        weights,
    ]
    assert run([*words, "--json"]) == 0
    assert 0 <= json.loads(capsys.readouterr().out)["average"] <= 1
    assert run([*words, "--decoding", "paper", "--tau", "0.1", "--json"]) == 0
    facts = Predictor.open(weights).about["features"]
    Predictor.open(weights, facts)
    others = {"weights": "0" * 64, "input_size": (*facts["input_size"][:2], "full"), "precision": "bfloat16"}
    for name, another in others.items():
        with pytest.raises(InputError, match="features of another"):
            Predictor.open(weights, {**facts, name: another})
    with pytest.raises(InputError, match="input size or luma"):
        Predictor.open(weights, {**facts, "input_size": (64, 64, "limited")})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--every", "0.05"], "whole number of frames"),
        (["--from", "9:00", "--to", "9:10"], "no pictures"),
        (["--to", "0:20"], "lies before"),
        (["--from", "1:20", "--to", "1:21"], "observation needs 30 s"),
        (["--min-confidence", "2"], "not in"),
    ],
)
def test_impossible_wishes_are_one_line(command, words, said, capsys):
    assert run([*command, *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_neither_or_both_sources(capsys, video):
    assert run(["predict"]) == 2
    assert run(["predict", str(video), "--feed", "x.json"]) == 2
    assert run(["predict", "--feed", str(video)]) == 2
    assert capsys.readouterr().err.count("playahead:") == 3


def test_options_of_video_are_refused_for_a_feed(tmp_path, capsys):
    write_feed_table(tmp_path / "match.npz", [simulate_half(0, minutes=1)])
    for name, value in (("stream", "1"), ("backbone", "b.safetensors")):
        assert run(["predict", str(tmp_path / "match.npz"), f"--{name}", value]) == 2
        assert f"{name}: is for video" in capsys.readouterr().err


WHOLE = {"kind": "video", **asdict(StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 64))}
ODD_SIZES = (7, None, [96, 64], ["a", {}, 1], [96, 64, "loud"], [0, 64, "full"])
ODD = {"precision": ["float32"], "weights": 5, "snippets": "many", "kind": "feed", "other": 1}


@pytest.mark.parametrize(
    "features",
    [
        *({**WHOLE, "input_size": size} for size in ODD_SIZES),
        *({**WHOLE, name: value} for name, value in ODD.items()),
        *({**WHOLE, "precision": "float8"}, None, [], 7, "video", {"kind": "video"}),
    ],
)
def test_a_damaged_description_of_the_features_is_one_line(features):
    assert facts_of(SimpleNamespace(about={"features": WHOLE}, where="w")).input_size == (96, 64, "limited")
    with pytest.raises(InputError, match=r"^w: ") as caught:
        input_size_of(SimpleNamespace(about={"features": features}, where="w"))
    assert "\n" not in str(caught.value)


def test_predict_says_so_of_a_whole_file(tmp_path, capsys):
    tensors, about = read_tensors(packaged_weights("simulated-video"))
    write_tensors(tmp_path / "odd.safetensors", tensors, {**about, "features": {**about["features"], "input_size": 7}})
    (tmp_path / "clip.mp4").write_bytes(b"")  # the weights are read first
    words = ["predict", str(tmp_path / "clip.mp4"), "--weights", str(tmp_path / "odd.safetensors")]
    assert run([*words, "--device", "cpu"]) == 2
    assert "odd.safetensors: features: " in capsys.readouterr().err


ONLY_VIDEO = """
import sys
sys.modules |= dict.fromkeys(("torch", "torchvision", "lightning_fabric", "scipy", "timm", "onnx", "huggingface_hub"))
from playahead.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_with_the_extra_video_alone_a_video_is_predicted_and_drawn(video, tmp_path):
    overlay = tmp_path / "ahead.mp4"
    asked = ["predict", str(video), "--from=0:32", "--to=0:34", "--min-confidence=0.05", "--overlay", str(overlay)]
    command = [sys.executable, "-c", ONLY_VIDEO, *asked, "--format=csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "anticipated," in done.stdout
    assert overlay.stat().st_size > 10_000
