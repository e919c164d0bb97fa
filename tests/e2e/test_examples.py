"""Every example runs, and the tutorial with it."""

import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from playahead.cli.main import run
from tests.support.paths import ROOT
from tests.support.pipeline import FIRST_RUN

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()


def example(name: str, *arguments: Path) -> None:
    before, sys.argv = sys.argv, [name, *map(str, arguments)]
    try:
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    finally:
        sys.argv = before


def test_your_feed(pipeline, capsys):
    example("your_feed.py", pipeline.tables / "test.npz")
    assert re.search(r"in \d\.\d s \(\d+%\)", capsys.readouterr().out)


@pytest.mark.slow
def test_train_and_compare(pipeline, tmp_path, capsys):
    example("train_and_compare.py", pipeline.tables, tmp_path)
    assert "fewer slots, marginal" in capsys.readouterr().out


def test_your_video(pipeline, capsys):
    example("your_video.py", pipeline.match_video)
    assert "simulated broadcasts" in capsys.readouterr().err


def test_the_tutorial(pipeline, tmp_path, monkeypatch, capsys):
    shutil.copytree(pipeline.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for line in re.findall(r"^\$ (playahead .+)$", TUTORIAL, re.MULTILINE)]
    for _, *words in commands:
        if words == ["--help"]:
            continue
        if words[:2] == ["data", "simulate"]:
            words = [*words[:-1], "4"]
        assert run([*words, *(shlex.split(FIRST_RUN) if words[0] == "train" else [])]) == 0, words
        assert ("weights:" in capsys.readouterr().err) == (words[0] == "train")
    assert (tmp_path / "report.html").exists()


def test_the_tutorials_python(pipeline, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pipeline.tables, "tables")
    (program,) = re.findall(r"```python\n(.+?)```", TUTORIAL, re.DOTALL)
    program = program.replace("epochs=2", "epochs=1, steps_per_epoch=4, precision='32-true'")
    exec(compile(program, "tutorial.md", "exec"), {})
    assert "mAP" in capsys.readouterr().out
