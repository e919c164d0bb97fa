"""The demo and the benchmark's whole pipeline, on simulated broadcasts a few seconds long."""

import os
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from playahead.cli.main import run
from playahead.evaluation.submission import check_submission
from playahead.lab.demo import DemoConfig
from playahead.lab.recipes import demo
from playahead.sources.soccernet import read_baa_split
from playahead.video.reader import probe
from tests.support.paths import ROOT


@pytest.mark.slow
def test_demo_ends_with_a_table_a_video_and_the_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    brief = partial(DemoConfig, matches=4, minutes=1.2, start="0:50", end="0:54")
    monkeypatch.setattr("playahead.lab.demo.DemoConfig", brief)
    monkeypatch.setattr("playahead.lab.demo.demo_recipe", lambda: replace(demo(), steps_per_epoch=10))
    assert run(["demo", "--out", "made", "--epochs", "1"]) == 0
    shown = capsys.readouterr().out
    in_table = ("average precision", "Player successful tackle", "mAP", "expected at")
    assert all(part in shown for part in (*in_table, "weights.safetensors", "ahead.mp4"))
    assert probe(tmp_path / "made" / "ahead.mp4").duration_s > 3


@pytest.mark.slow
@pytest.mark.timeout(600)  # a dozen processes
def test_the_whole_pipeline_in_one_script(tmp_path):
    """Download aside: check, pretrain, extract, train, evaluate, submit, check, report."""
    brief = {
        "SIMULATE": "--matches 4 --minutes 0.9",
        "PRETRAIN": "--epochs 1 --steps-per-epoch 2 --batch 2 --validation-videos 1 --precision 32-true",
        "TRAIN": "--epochs 1 --steps-per-epoch 2 --sequences 2 --precision 32-true",
        "OMP_NUM_THREADS": "1",
    }
    command = [str(ROOT / "scripts" / "reproduce.sh"), "--simulate", str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, **brief}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("no problems found") >= 2
    for split in ("test", "challenge"):
        names = [clip.name for clip in read_baa_split(tmp_path / "benchmark" / split).clips]
        for decoding in ("", "-paper"):
            archive = tmp_path / f"submission-{split}{decoding}" / "results_anticipation.zip"
            # After two steps of training no slot may be sure of anything, which the paper's threshold then submits.
            allowed = [[], ["no clip anticipates anything: it scores 0"]] if decoding else [[]]
            assert check_submission(archive, names) in allowed
    page = (tmp_path / "report.html").read_text()
    said = ("Simulated matches", "data:image/jpeg;base64", "five-minute runs of clips", "No match is in two")
    assert all(text in page for text in said)


def test_a_split_whose_labels_are_withheld_is_not_scored(pipeline, capsys):
    command = ["evaluate", "video", pipeline.benchmark / "challenge", "--features", pipeline.features]
    assert run([str(word) for word in (*command, "--weights", pipeline.video_run / "weights.safetensors")]) == 2
    assert "withheld" in capsys.readouterr().err


RECORDER = """#!/usr/bin/env bash
echo "$@" >> "$RECORD"
echo "$SOCCERNET_PASSWORD" >> "$RECORD.password"
[ "$1" != "${FAILS:-}" ]
"""


def reproduce(folder: Path, *words: str, **environment: str) -> tuple[subprocess.CompletedProcess, list[str]]:
    """The script with a stand-in for ``playahead``, from another folder; and what it called, a line a call."""
    recorder, record = folder / "playahead", folder / "record"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    (folder / "p.pth").touch()
    record.unlink(missing_ok=True)
    known = {"PLAYAHEAD": str(recorder), "RECORD": str(record), "SOCCERNET_PASSWORD": "from the NDA"}
    command, known = [str(ROOT / "scripts" / "reproduce.sh"), *words], {**os.environ, **known, **environment}
    done = subprocess.run(command, env=known, cwd=folder, capture_output=True, text=True, check=False)
    return done, record.read_text().splitlines() if record.exists() else []


@pytest.fixture(autouse=True)
def much_room(tmp_path_factory, monkeypatch):
    """A disk that is never full: ``df`` as the script reads it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "df").write_text("#!/usr/bin/env bash\nprintf 'x\\nx 9 9 %s 9%% /\\n' ${FREE_KB:-999000000}\n")
    (folder / "df").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("words", "said", "never"),
    [
        (["WORK"], ["--resolution 224p", "--recipe backbone-small", "--recipe video"], "weights convert"),
        (["WORK", "p.pth"], ["--resolution 720p", "weights convert HERE/p.pth", "--recipe video"], "pretrain"),
        (["--preset", "paper", "WORK", "p.pth"], ["--decoding paper", "weights convert HERE/p.pth"], "pretrain"),
        (["--preset", "720p", "WORK"], ["--resolution 720p", "--recipe backbone ", "/720p/train"], "backbone-small"),
        (["--simulate", "WORK"], ["data simulate", "--recipe backbone-small", "--decoding paper"], "download"),
    ],
)
def test_presets_say_what_they_download_and_train(tmp_path, words, said, never):
    """The published checkpoint never meets 224p, nor the small network 720p. Paths may be relative to anywhere."""
    done, called = reproduce(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    ran = "\n".join(line + " " for line in called)
    for part in said:
        assert part.replace("HERE", str(tmp_path)) in ran
    assert never not in ran
    assert f"{tmp_path}/WORK/" in ran
    assert "upload" in done.stderr


def test_test_is_scored_once_and_after_its_submission_was_written(tmp_path):
    _, called = reproduce(tmp_path, "WORK")
    on_test = [line for line in called if "224p/test" in line]
    assert [line.split()[0] for line in on_test] == ["submit"] * 4 + ["evaluate"] * 2
    assert called.index(on_test[-2]) > max(n for n, line in enumerate(called) if line.startswith("submit"))


@pytest.mark.parametrize("given", ["environment", "file"])
def test_the_password_is_on_no_command_line(tmp_path, given):
    (tmp_path / "secret").write_text("pw-1234\n")
    by = {"SOCCERNET_PASSWORD": "pw-1234"} if given == "environment" else {"SOCCERNET_PASSWORD": ""}
    _, called = reproduce(tmp_path, "WORK", **by, SOCCERNET_PASSWORD_FILE=str(tmp_path / "secret"))
    assert "pw-1234" not in "\n".join(called)
    assert "pw-1234" in (tmp_path / "record.password").read_text().splitlines()


@pytest.mark.parametrize("stage", ["data", "pretrain", "extract", "train", "evaluate", "submit", "report"])
def test_a_stage_that_ends_early_ends_the_script_and_the_same_words_go_on(tmp_path, stage):
    ended, called = reproduce(tmp_path, "WORK", FAILS=stage)
    assert called[-1].startswith(stage)
    done, again = reproduce(tmp_path, "WORK")
    assert (ended.returncode, done.returncode) == (1, 0)
    assert again[: len(called)] == called


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "paper", "WORK"], "needs the published checkpoint"),
        (["--preset", "224p", "WORK", "p.pth"], "reads 720p"),
        (["--preset", "best", "WORK"], "is not paper, 720p or 224p"),
        (["--preset", "224p", "--simulate", "WORK"], "leave --preset"),
        (["WORK", "pw", "p.pth"], "never from the command line"),
        (["WORK", "pw"], "no such file (the password is no argument"),
        (["--best", "WORK"], "no option --best"),
        (["--preset", "720p", "WORK"], "30 GB are free, 40 GB are needed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_fetched(tmp_path, words, said):
    done, called = reproduce(tmp_path, *words, FREE_KB="30000000")
    assert (done.returncode, called) == (2, [])
    assert said in done.stderr
