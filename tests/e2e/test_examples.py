"""Every example runs, and the tutorial with it."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from playahead.cli.main import run

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
BRIEF = ["--epochs", "1", "--steps-per-epoch", "2", "--precision", "32-true"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    assert run(["data", "simulate", "--out", str(folder), "--matches", "4", "--minutes", "3"]) == 0
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    folder = tmp_path_factory.mktemp("video")
    small = ["--video", "--halves", "1", "--width", "112", "--height", "62", "--matches", "4", "--minutes", "0.7"]
    assert run(["data", "simulate", "--out", str(folder), "--layout", "bas", *small]) == 0
    return next((folder / "test").rglob("*.mp4"))


def example(name: str, *arguments: Path) -> None:
    before, sys.argv = sys.argv, [name, *map(str, arguments)]
    try:
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    finally:
        sys.argv = before


def test_your_feed(tables, capsys):
    example("your_feed.py", tables / "test.npz")
    assert re.search(r"in \d\.\d s \(\d+%\)", capsys.readouterr().out)


def test_train_and_compare(tables, tmp_path, capsys):
    example("train_and_compare.py", tables, tmp_path)
    assert "fewer slots, marginal" in capsys.readouterr().out


def test_your_video(video, capsys):
    example("your_video.py", video)
    assert "simulated broadcasts" in capsys.readouterr().err


def test_the_tutorial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for line in re.findall(r"^\$ (playahead .+)$", TUTORIAL, re.MULTILINE)]
    for _, *words in commands:
        if words == ["--help"]:
            continue
        if words[:2] == ["data", "simulate"]:
            words = [*words[:-1], "3"]
        assert run(words + (BRIEF if words[0] == "train" else [])) == 0, words
    assert (tmp_path / "report.html").exists()


def test_the_tutorials_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["data", "simulate", "--out", "tables", "--matches", "4", "--minutes", "3"]) == 0
    (program,) = re.findall(r"```python\n(.+?)```", TUTORIAL, re.DOTALL)
    program = program.replace("epochs=2", "epochs=1, steps_per_epoch=4, precision='32-true'")
    exec(compile(program, "tutorial.md", "exec"), {})
    assert "mAP" in capsys.readouterr().out
