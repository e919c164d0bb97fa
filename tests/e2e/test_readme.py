"""Everything in the README, the tutorial and the examples runs: on simulated matches, its Python as it stands."""

import gzip
import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import matplotlib
import numpy as np
import pytest
import yaml

from playahead.cli.main import run
from playahead.cli.parser import build_parser, spelt_for_python
from playahead.datasets.benchmark import wyscout_baa
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import FeedHalf
from playahead.lab.compare.grid import open_grid
from playahead.lab.results import Checked, Result, check
from playahead.lab.simulation.plays import simulate_half, write_bas_labels
from playahead.live.session.lines import parse_line
from tests.support import spotter_stand_ins
from tests.support.paths import ROOT
from tests.support.pipeline import BRIEF, FIRST_RUN, TINY

README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^\$ (?:\.venv/bin/)?(playahead .+?)(?:\s+#.*)?$", README, re.MULTILINE)
TARGETS = re.findall(r"^\$ make (\w+)", README, re.MULTILINE)
PERCENT = re.compile(r"(\d+)%")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, pipeline, real_match):
    """A copy of the pipeline, whose names are the README's, and what else the README names, such as a real match."""
    folder = shutil.copytree(pipeline.folder, tmp_path_factory.mktemp("readme") / "work")
    (folder / "match.json").write_bytes(gzip.decompress(real_match.read_bytes()))
    (written,) = re.findall(r"say `wide.yaml`:\n```yaml\n(.+?)```", README, re.DOTALL)
    brief_run = {"seeds": [0], "common": {"epochs": 1, "steps_per_epoch": 2, "examples": 2, "precision": "32-true"}}
    (folder / "wide.yaml").write_text(yaml.safe_dump({**yaml.safe_load(written), **brief_run}, sort_keys=False))
    lines = ['{"t_ms": 900, "action": "PASS"}', '{"t_ms": 2500, "action": "DRIVE"}', '{"now_ms": 6000}']
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    write_bas_labels(folder / "Labels-ball.json", [simulate_half(0, minutes=2)])
    (folder / "results_spotting.json").write_text((folder / "Labels-ball.json").read_text())
    (folder / "mine.json").write_text((folder / "Labels-ball.json").read_text())
    spotter_stand_ins.t_deed(folder / "T-DEED", _actions_ms(simulate_half(0, minutes=0.9)))
    return folder


def _actions_ms(half: FeedHalf) -> tuple:
    rows = zip(half.t_ms.tolist(), half.code.tolist(), strict=True)
    return tuple((t_ms, str(ACTIONS[code]), 0.8) for t_ms, code in rows if code < len(ACTIONS))


def follow(command: str, brief: str, capsys) -> None:
    """Run a command; one that needs a network, or somebody who ends it, is parsed only."""
    arguments = shlex.split(command)[1:]
    if arguments[:2] == ["data", "download"] or arguments[0] == "serve" or "https" in arguments[1]:
        build_parser(arguments).parse_args([spelt_for_python(word) for word in arguments])
    else:
        assert run(arguments + shlex.split(brief)) == 0, (command, capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.timeout(900)  # twenty-five commands
def test_the_commands_run_in_their_order(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    assert len(COMMANDS) > 9
    for command in COMMANDS:
        briefs = (options for start, options in BRIEF.items() if command.startswith(f"playahead {start}"))
        follow(command, next(briefs, ""), capsys)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_how_to_on_real_video_runs_with_a_stand_in(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    page = (ROOT / "docs" / "how-to" / "real-video.md").read_text()
    commands = re.findall(r"^\$ (playahead .+)$", page.partition("## A recorded session")[0], re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        follow(command, "--to 0:45" if " predict " in command else "", capsys)
    assert (workplace / "ahead.mp4").exists()


@pytest.mark.timeout(300)
def test_the_how_to_on_fine_tuning_runs(real_match, tmp_path, monkeypatch, capsys):
    """One real match stands for both splits: what is trained means nothing, the commands are the page's."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "how-to" / "fine-tune.md").read_text()
    commands = re.findall(r"^\$ (playahead .+)$", page, re.MULTILINE)
    for split in ("train", "val"):
        (tmp_path / "mine" / split).mkdir(parents=True)
        (tmp_path / "mine" / split / "1.json").write_bytes(gzip.decompress(real_match.read_bytes()))
    for command in commands:
        brief = f"{TINY} --examples 8" if " train feed " in command else ""
        follow(command.replace("*.json", "1.json"), brief, capsys)
    assert (tmp_path / "runs" / "mine-tuned" / "weights.safetensors").exists()


def test_every_table_that_a_command_made_is_shown_and_says_something():
    names = runpy.run_path(str(ROOT / "scripts" / "doc_tables.py"))
    shown = "".join(path.read_text() for path in names["PAGES"])
    for path in (ROOT / "docs" / "tables").iterdir():
        assert len(path.read_text().splitlines()) > 2, path
        assert f"<!-- begin {path.name} -->" in shown, path


def test_pages_show_the_tables_that_commands_made():
    names = runpy.run_path(str(ROOT / "scripts" / "doc_tables.py"))
    constraints = (ROOT / "constraints.txt").read_text()  # another Matplotlib may draw other lines
    for path, text in names["made"]().items():
        if path.suffix != ".svg" or f"matplotlib=={matplotlib.__version__}\n" in constraints:
            assert path.read_text() == text, f"{path}: run scripts/doc_tables.py"
    drawn = names["CHART"].read_text()
    for one in names["recorded"](ROOT / "results"):
        if one.model == names["PACKAGED"]:  # the chart writes the model's figures, the baselines are marks
            assert f">{one.area[0]:.1f}<" in drawn, f"{one.name}: run scripts/doc_tables.py"
    for path in names["PAGES"]:
        assert names["with_tables"](path.read_text()) == path.read_text(), f"{path}: run scripts/doc_tables.py"


def test_the_recorded_claims_are_of_the_whole_grid():
    """Every variant of the grid in the repository, with every seed."""
    for path in (ROOT / "results").glob("claims-*.json"):
        compared = json.loads(path.read_text())
        grid = open_grid(str(ROOT / "benchmarks" / f"{compared['grid']}.yaml"))
        assert not compared["failed"]
        assert {row["variant"] for row in compared["rows"]} == {*grid.variants, *grid.baselines}
        for row in compared["rows"]:
            assert len(row["areas"]) == (1 if row["variant"] in grid.baselines else len(grid.seeds)), row["variant"]


def test_a_table_is_written_down_with_what_made_it_and_is_stale_once_any_of_it_changes(tmp_path):
    remake = runpy.run_path(str(ROOT / "scripts" / "remake.py"))
    (tmp_path / "results").mkdir()
    (tmp_path / "docs" / "tables").mkdir(parents=True)
    script = tmp_path / "one.py"
    (tmp_path / "neighbour.py").write_text("")
    script.write_text(
        "import sys\nimport neighbour\nimport playahead.domain.time\nprint('| a |\\n| --- |\\n|', sys.argv[1], '|')\n"
    )
    assert remake["_write_table"](tmp_path, "one.md", "python one.py 7") == []
    table = tmp_path / "docs" / "tables" / "one.md"
    assert table.read_text() == "| a |\n| --- |\n| 7 |\n"
    (one,) = check(tmp_path / "results")
    assert (one.path.name, one.command, one.stale) == ("one.md", "python one.py 7", [])
    for changed in (table, script):
        kept = changed.read_text()
        changed.write_text(f"{kept}# more\n")
        (one,) = check(tmp_path / "results")
        assert one.stale == [f"{changed.relative_to(tmp_path)} is another file"]
        changed.write_text(kept)
    script.write_text("raise SystemExit(3)\n")
    assert remake["_write_table"](tmp_path, "one.md", "python one.py 7") == ["one.md"]
    assert table.read_text().endswith("7 |\n"), "a command that fails changes nothing"


@pytest.mark.parametrize(
    "command",
    ["pip install evil", "https://example.org/playahead", "by Bob's script", "python", "python benchmarks/../one.py x"],
)
def test_the_command_of_a_strangers_row_is_not_run(tmp_path, monkeypatch, command):
    remake = runpy.run_path(str(ROOT / "scripts" / "remake.py"))
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("it was run"))
    row = Checked(tmp_path / "results" / "one.json", command, ["old"], cast(Result, object()))
    assert remake["_again"](tmp_path, "one.json", row) == ["one.json"]


def test_the_leagues_of_matches_are_told_by_their_numbers():
    fine_tuning = runpy.run_path(str(ROOT / "benchmarks" / "fine_tuning.py"))
    halves = [SimpleNamespace(match=match) for match in wyscout_baa().splits["large"]]
    found = {league: fine_tuning["matches_of"](halves, league) for league in fine_tuning["FIRST_MATCH"]}
    assert {league: len(of) for league, of in found.items()} == {
        "France": 370,
        "Germany": 296,
        "Spain": 370,
        "Italy": 370,
    }
    assert fine_tuning["matches_of"](halves, "Spain", others=True) == [h for h in halves if h not in found["Spain"]]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_how_to_on_training_on_video_runs(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    page = (ROOT / "docs" / "how-to" / "train-on-your-video.md").read_text()
    commands = re.findall(r"^\$ (playahead .+?)(?:\s+#.*)?$", page, re.MULTILINE)
    assert len(commands) >= 8
    for command in commands:
        if command.startswith("playahead features import"):
            for video in (workplace / "mine").rglob("*.mp4"):  # a minute each, at 2 steps a second
                path = workplace / "npy" / video.relative_to(workplace / "mine").with_suffix(".npy")
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32))
        briefs = (options for start, options in BRIEF.items() if command.startswith(f"playahead {start}"))
        follow(command, next(briefs, ""), capsys)


@pytest.mark.slow  # it exports ONNX graphs
@pytest.mark.timeout(600)
def test_the_how_to_on_live_use_runs(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    page = (ROOT / "docs" / "how-to" / "live.md").read_text()
    commands = re.findall(r"^\$ (playahead .+)$", page, re.MULTILINE)
    assert len(commands) == 7
    for command in (command for command in commands if command not in COMMANDS):
        follow(command, "", capsys)
    for row in re.findall(r"^\{.+\}$", page, re.MULTILINE):
        parse_line(row, "docs")


def test_the_how_to_shows_the_same_few_lines_for_each_kind_of_match():
    page = (ROOT / "docs" / "how-to" / "your-match.md").read_text()
    for block in re.findall(r"```console\n(.+?)```", page, re.DOTALL):
        commands = block.strip().splitlines()
        assert 3 <= len(commands) <= 4
        assert {command.removeprefix("$ ") for command in commands} <= set(COMMANDS)


def test_the_output_shown_is_the_packaged_models(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    shown = re.search(r"^\$ playahead (predict .+?)\n(.+?)\n```", README, re.MULTILINE | re.DOTALL)
    assert run(shlex.split(shown[1])) == 0
    printed = capsys.readouterr().out
    assert PERCENT.sub("%", shown[2]).split() == PERCENT.sub("%", printed).split()
    confidence = [[int(value) for value in PERCENT.findall(text)] for text in (shown[2], printed)]
    assert confidence[0] == pytest.approx(confidence[1], abs=1), "rounding may differ between processors"


def test_the_python_runs(workplace, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    (program,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    assert re.match(r"[A-Z ]+ in \d\.\d s \(\d+%\)", capsys.readouterr().out)


def test_the_site_begins_with_the_readmes_command_and_picture():
    home = (ROOT / "docs" / "index.md").read_text()
    first = r"```console\n(\$ pip install .+?)```"
    assert re.search(first, home, re.DOTALL)[1] == re.search(first, README, re.DOTALL)[1]
    picture = re.search(r"!\[([^\]]+)\]\(docs/danger\.png\)", README)[1]
    assert f"![{picture}](danger.png)" in home
    for link in re.findall(r"\]\((?!http)([^)#]+)", home):
        assert (ROOT / "docs" / link).exists(), link


def test_the_api_pages_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    exec(compile(program, "api.md", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r"^DRIVE at 175\.\d s \(\d+%\)$", printed, re.MULTILINE)
    assert "mAP" in printed
    assert (tmp_path / "danger.png").exists()


def test_the_targets_and_links_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in TARGETS:
        assert f"\n{target}:" in makefile
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link.split("#")[0]).exists(), link


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


@pytest.mark.slow
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
