"""The whole pipeline as people take it, small: simulate, check, train, evaluate, submit, check."""

import json
import shutil

import pytest

from playahead.cli.main import run
from playahead.inference.predictor import Predictor


def answer(capsys, *words):
    """What a command prints as JSON."""
    capsys.readouterr()
    assert run([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Labels in the benchmark's layout, four splits; read only."""
    folder = tmp_path_factory.mktemp("clips")
    assert run(["data", "simulate", "--out", str(folder), "--layout", "baa", "--matches", "4", "--minutes", "6"]) == 0
    return folder


def test_feed_from_training_to_score(pipeline, capsys):
    trained = pipeline.feed_run
    assert {path.name for path in trained.iterdir()} >= {"weights.safetensors", "log.csv", "state.safetensors"}
    assert (trained / "log.csv").read_text().count("\n") == 3
    weights = trained / "weights.safetensors"
    assert Predictor.open(weights).decoder().calibration, "fitted on val at the end of every run"
    for decoding in ("marginal", "tuned-threshold", "paper"):
        command = ["evaluate", "feed", pipeline.tables, "--split", "test", "--weights", weights]
        found = answer(capsys, *command, "--decoding", decoding)
        low, high = found["average_interval_95"]
        assert 0 <= low <= high <= 1
        assert set(found["metrics"]) == {"at1", "at2", "at3", "at4", "at5", "atInfty", "tight", "tightV2"}
        assert all(row["anticipations"] > 0 and 0 <= row["happened"] <= 1 for row in found["reliability"])
        assert found["reliability"] or decoding == "paper", "two epochs leave every slot below the paper's threshold"


def test_benchmark_layout_from_labels_to_submission(clips, tmp_path, capsys):
    facts = answer(capsys, "data", "check", clips)["splits"]
    assert list(facts) == ["train", "valid", "test", "challenge"]
    assert facts["challenge"]["withheld"] == facts["challenge"]["clips"] > 0
    out = tmp_path / "submission"
    assert run(["submit", "--labels", str(clips / "test"), "--perfect", "--out", str(out)]) == 0
    archive = out / "results_anticipation.zip"
    assert run(["submit", "--check", str(archive), "--labels", str(clips / "test")]) == 0
    assert run(["submit", "--check", str(archive), "--labels", str(clips / "train")]) == 2, "another split's clips"
    scored = answer(capsys, "evaluate", "submission", archive, "--labels", clips / "test")
    present = sum(count > 0 for count in facts["test"]["actions"].values())
    assert scored["metrics"]["atInfty"]["a_mAP"] > 0.85 * present / 10


def test_a_submission_from_observed_actions(clips, tmp_path, capsys):
    """The packaged model on the benchmark's layout: nothing to complain of, and better than guessing at random."""
    out = tmp_path / "submission"
    assert run(["submit", "--labels", str(clips / "challenge"), "--out", str(tmp_path / "challenge")]) == 0
    archive = answer(capsys, "submit", "--labels", clips / "test", "--out", out)["archive"]
    assert run(["submit", "--check", archive, "--labels", str(clips / "test")]) == 0
    assert answer(capsys, "evaluate", "submission", archive, "--labels", clips / "test")["average"] > 0.1


def test_a_clip_is_anticipated_from_itself_alone(clips, tmp_path):
    """Taking every other clip away changes nothing in the answer for one."""
    videos = json.loads((clips / "test" / "Labels-ball.json").read_text())["videos"]
    labels = tmp_path / "Labels-ball.json"
    answers = []
    for n, kept in enumerate((videos, videos[3:4])):
        labels.write_text(json.dumps({"videos": kept}))
        assert run(["submit", "--labels", str(labels), "--out", str(tmp_path / str(n))]) == 0
        written = json.loads((tmp_path / str(n) / "results_anticipation.json").read_text())["videos"]
        answers.append({video["path"]: video["annotations"]["anticipation"] for video in written}["clip_4"])
    assert len(answers[0]) == len(answers[1]) > 0
    for ours, theirs in zip(*answers, strict=True):
        assert (ours["label"], ours["position"]) == (theirs["label"], theirs["position"])
        assert ours["confidence_vect"] == pytest.approx(theirs["confidence_vect"], abs=1e-3)


def test_checking_a_feed_counts_and_finds_matches_in_two_splits(pipeline, tmp_path, capsys):
    facts = answer(capsys, "data", "check", pipeline.tables)["splits"]["train"]
    assert facts["observed"]["PASS"] > facts["actions"]["PASS"] > 0
    assert sum(facts["per_example"].values()) == facts["examples"]
    for split in ("train", "val"):
        (tmp_path / f"{split}.npz").write_bytes((pipeline.tables / "train.npz").read_bytes())
    (tmp_path / "test.npz").write_bytes(b"nonsense")
    assert run(["data", "check", str(tmp_path)]) == 2
    shown = " ".join(capsys.readouterr().out.split())
    assert "match 1 is in train and val" in shown
    assert "bad entry" in shown
    assert "by number of actions: 0:" in shown


def test_overlap_across_splits_is_an_error(clips, tmp_path, capsys):
    data = shutil.copytree(clips, tmp_path / "clips")
    (data / "test" / "Labels-ball.json").write_text((data / "train" / "Labels-ball.json").read_text())
    capsys.readouterr()
    assert run(["data", "check", str(data)]) == 2
    assert "overlap across splits" in capsys.readouterr().out
