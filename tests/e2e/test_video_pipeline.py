"""The demo and the benchmark's whole pipeline, on simulated broadcasts a few seconds long."""

import os
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from playahead.cli.main import run
from playahead.demo import DemoConfig
from playahead.recipes import demo
from playahead.sources.soccernet_baa import read_baa_split
from playahead.submission.check import check_submission
from playahead.video.reader import probe

ROOT = Path(__file__).parents[2]


def test_demo_ends_with_a_table_a_video_and_the_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    brief = partial(DemoConfig, matches=4, minutes=1.2, start="0:50", end="0:54")
    monkeypatch.setattr("playahead.demo.DemoConfig", brief)
    monkeypatch.setattr("playahead.demo.demo_recipe", lambda: replace(demo(), steps_per_epoch=10))
    assert run(["demo", "--out", "made", "--epochs", "1"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "average precision",
        "Player successful tackle",
        "mAP",
        "weights.safetensors",
        "ahead.mp4",
        "expected at",
    ):
        assert part in shown
    assert probe(tmp_path / "made" / "ahead.mp4").duration_s > 3


@pytest.mark.timeout(600)  # a dozen processes
def test_the_whole_pipeline_in_one_script(tmp_path, capsys):
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
    assert done.stdout.count("no problems found") == 2
    for split in ("test", "challenge"):
        names = [clip.name for clip in read_baa_split(tmp_path / "benchmark" / split).clips]
        assert check_submission(tmp_path / f"submission-{split}" / "results_anticipation.zip", names) == []
    page = (tmp_path / "report.html").read_text()
    for said in ("Simulated matches", "data:image/jpeg;base64", "five-minute runs of clips", "No match is in two"):
        assert said in page
    weights = ["--weights", str(tmp_path / "run" / "weights.safetensors")]
    withheld = [
        "evaluate",
        "video",
        str(tmp_path / "benchmark" / "challenge"),
        "--features",
        str(tmp_path / "features"),
    ]
    assert run([*withheld, *weights]) == 2
    assert "withheld" in capsys.readouterr().err


RECORDER = """#!/usr/bin/env bash
echo "$@" >> "$RECORD"
"""


@pytest.mark.parametrize(
    ("words", "said", "never"),
    [
        (["WORK", "pw"], ["--resolution 224p", "--recipe backbone-small", "--recipe video"], "weights convert"),
        (["WORK", "pw", "p.pth"], ["--resolution 720p", "weights convert p.pth", "--recipe video"], "pretrain"),
        (["--preset", "paper", "WORK", "pw", "p.pth"], ["benchmark/720p --out", "weights convert p.pth"], "pretrain"),
        (
            ["--preset", "720p", "WORK", "pw"],
            ["--resolution 720p", "--recipe backbone", "/720p/train"],
            "backbone-small",
        ),
    ],
)
def test_presets_say_what_they_download_and_train(tmp_path, words, said, never):
    """The published checkpoint never meets 224p, nor the small network 720p."""
    recorder, record = tmp_path / "playahead", tmp_path / "record"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    given = [word.replace("WORK", str(tmp_path / "work")) for word in words]
    command = [str(ROOT / "scripts" / "reproduce.sh"), *given]
    environment = {**os.environ, "PLAYAHEAD": str(recorder), "RECORD": str(record)}
    subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    ran = record.read_text()
    for part in said:
        assert part in ran
    assert never not in ran


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "paper", "WORK", "pw"], "needs the published checkpoint"),
        (["--preset", "224p", "WORK", "pw", "p.pth"], "reads 720p"),
        (["--preset", "best", "WORK", "pw"], "is not paper, 720p or 224p"),
        (["--preset", "224p", "--simulate", "WORK"], "leave --preset out"),
    ],
)
def test_presets_that_cannot_be_are_refused(tmp_path, words, said):
    command = [str(ROOT / "scripts" / "reproduce.sh"), *words]
    done = subprocess.run(command, env={**os.environ, "PLAYAHEAD": "true"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
