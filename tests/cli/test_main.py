"""The command line: help with an example on every command, errors as one line with exit code 2."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.cli.registry import COMMANDS, SECTIONS, Command
from playahead.lab.recipes import recipe
from playahead.training.run import Finished
from playahead.training.trainer import TrainConfig
from tests.support.paths import GOLDENS

GOLDEN = GOLDENS / "scorer" / "case09_one_clip.npz"
PATHS = [
    [name, part] if part else [name]
    for name, command in COMMANDS.items()
    for part in getattr(command, "commands", [""])
]


def command_of(path: list[str]) -> Command:
    entry = COMMANDS[path[0]]
    return entry if isinstance(entry, Command) else entry.commands[path[1]]


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_help_with_an_example(path, capsys):
    with pytest.raises(SystemExit) as stop:
        run([*path, "--help"])
    assert stop.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"example: playahead {' '.join(path)} {command_of(path).example}".strip() in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate", "frames", "nothing.npz"], "nothing.npz: no such file"),
        (["evaluate", "submission", "x.zip", "--labels", "nothing.json"], "nothing.json: no such file"),
        (["evaluate", "video", "nowhere", "--weights", "nothing.safetensors"], "nothing.safetensors: no such file"),
        (["predict", "nothing.mp4"], "nothing.mp4: no such file"),
        (["data", "convert", "nothing.json", "--out", "x.npz"], "nothing.json: no such file"),
        (["predict", "--feed", "nothing.json", "--every", "0"], "is not in 0.001 to 3600"),
        (["predict", "--feed", "nothing.json", "--min-confidence", "2"], "is not in [0, 1]"),
        (["predict", "--feed", "nothing.json", "--start", "9" * 20 + ":00"], "more than a day"),
        (["evaluate", "feed", "x", "--tau", "0.2"], "--tau: is for slots that emit"),
        (["bench", "core", "--steps", "0"], "--steps: 0 is below 1"),
        (["data", "simulate", "--out", "x", "--seed", "-1"], "seed: -1 is negative"),
        (["predict", "--feed", "nothing.json", "--start", "soon"], "not of the form 12:30"),
        (["train", "feed", "--data", "nowhere"], "no such file"),
        (["train", "feed", "--data", "nowhere", "--recipe", "best"], "is not one of demo, faantra, feed"),
        (["train", "feed", "--data", "nowhere", "--model.slots", "0"], "--model.slots: 0 is not 1 or more"),
        (["train", "feed", "--data", "nowhere", "--optim.lr", "-1"], "optim.lr: -1.0 is not a number of 0 or more"),
        (["data", "check", "nowhere"], "no dataset found"),
        (["data", "simulate", "--out", "x", "--matches", "2"], "at least 4"),
        (["data", "download", "baa", "--out", "x"], "password"),
        (["submit"], "--labels: needs a split with clips in it, or --check"),
        (["predict", "x.mp4", "--overlay="], "an argument: is empty"),
        (["predict", ""], "an argument: is empty"),
        (["predict", "x.mp4", "--overlay", "."], ".: is a folder, not a file to write"),
        (["predict", "rtsp://me:secret@[x"], "source: is no address"),
        (["view", str(GOLDEN.with_suffix(".json")), "--out", "."], "files: one file of predictions is needed"),
    ],
)
def test_errors_are_one_line_with_exit_code_two(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOCCERNET_PASSWORD", raising=False)
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert not shown.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["evaluate", "frames", "x", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["train", "feed", "--data", "x", "--seed", "y"], "\"seed\": Expected a <class 'int'>"),
        (["train", "feed", "--data", "x", "--model.head", "best"], '"model.head"'),
        (["train", "feed", "--data", "x", "--recipe"], "expected one argument"),
        (["train", "feed", "--data", "x", "--model.pieces", "2"], "--model.pieces"),
    ],
)
def test_wrong_arguments_are_one_line_with_exit_code_two(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        run(arguments)
    assert stop.value.code == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


@pytest.fixture
def trained_with(monkeypatch):
    """What ``train feed`` would have trained with, instead of training."""
    found = []
    done = Finished(Path("weights"), {}, Path("log"))
    monkeypatch.setattr("playahead.cli.commands.train.train", lambda _, config, *__: found.append(config) or done)
    return found


def test_every_setting_of_a_recipe_is_an_option(trained_with):
    command = ["train", "feed", "--data", "x", "--recipe", "feed-slots", "--seed", "3", "--optim.lr", "0.5"]
    assert run([*command, "--criterion.frequency", "none"]) == 0
    (config,) = trained_with
    expected = recipe("feed-slots", TrainConfig)
    assert config.model == expected.model
    assert (config.seed, config.optim.lr, config.criterion.frequency) == (3, 0.5, "none")
    assert config.epochs == expected.epochs


def test_printed_settings_are_read_back(trained_with, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(
            [
                "train",
                "feed",
                "--data",
                "x",
                "--recipe",
                "feed-slots",
                "--model.head",
                "dense",
                "--model.bins",
                "7",
                "--print_config",
            ]
        )
    (tmp_path / "run.yaml").write_text(capsys.readouterr().out)
    assert run(["train", "feed", "--config", str(tmp_path / "run.yaml"), "--model.slots", "5"]) == 0
    (config,) = trained_with
    assert (config.model.head, config.model.bins, config.model.slots) == ("dense", 7, 5)
    (tmp_path / "run.yaml").write_text("data: x\nrecipe: feed-slots\nseed: 4\n")
    assert run(["train", "feed", "--config", str(tmp_path / "run.yaml")]) == 0
    assert trained_with[1] == replace(recipe("feed-slots", TrainConfig), seed=4)


@pytest.mark.parametrize("command", [["train", "feed"], ["predict", "x.npz"], ["serve"]])
def test_a_key_twice_in_a_file_of_options_is_one_line(command, tmp_path, capsys):
    (tmp_path / "run.yaml").write_text("device: cpu\n\ndevice: cuda\n")
    assert run([*command, "--config", str(tmp_path / "run.yaml")]) == 2
    said = capsys.readouterr().err
    assert "key 'device' twice" in said
    assert "line 3" in said
    assert said.count("\n") == 1


def test_evaluate_frames_as_a_table_and_as_json_with_the_golden_names(capsys):
    assert run([]) == 2
    assert "Watch 30 s of football" in capsys.readouterr().out
    assert run(["evaluate", "frames", str(GOLDEN), "--exact"]) == 0
    shown = capsys.readouterr().out
    assert "mAP" in shown
    assert "every threshold" in shown
    assert run(["evaluate", "frames", str(GOLDEN), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"] == json.loads(GOLDEN.with_suffix(".json").read_text())["metrics"]


def test_a_folder_that_cannot_be_made_and_a_damaged_case_are_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(["data", "simulate", "--out", str(tmp_path / "file" / "sim"), "--matches", "4", "--minutes", "1"]) == 2
    shown = capsys.readouterr().err
    assert "Not a directory" in shown
    assert shown.count("\n") == 1
    damaged = tmp_path / "case.npz"
    damaged.write_bytes(GOLDEN.read_bytes()[:1500])
    assert run(["evaluate", "frames", str(damaged)]) == 2
    assert str(damaged) in capsys.readouterr().err
    with np.load(GOLDEN) as arrays:
        np.savez(damaged, **{**arrays, "v0_pred_scores": np.full((1, 32, 11), np.nan, np.float32)})
    assert run(["evaluate", "frames", str(damaged)]) == 2
    assert "NaN" in capsys.readouterr().err


def test_predict_gives_the_same_lines_in_every_format_and_a_part_of_one_half(tmp_path, capsys):
    assert run(["data", "simulate", "--out", str(tmp_path), "--matches", "4", "--minutes", "2.5"]) == 0
    capsys.readouterr()
    shown = {}
    for kind in ("table", "json", "csv"):
        assert run(["predict", "--feed", str(tmp_path / "test.npz"), "--format", kind, "--every", "2.5"]) == 0
        shown[kind] = capsys.readouterr().out
    document = json.loads(shown["json"])
    assert document["version"] == 1
    lines = document["anticipated"]
    assert lines
    assert len(shown["csv"].splitlines()) == len(lines) + 1
    assert f"{len(lines)} actions anticipated" in shown["table"]
    for line in lines:
        assert line["observed_until_ms"] >= 30_000
        assert 0 < line["time_ms"] - line["observed_until_ms"] <= 5_000
    command = ["predict", "--feed", str(tmp_path / "test.npz"), "--format", "json", "--half", "2", "--start", "1:00"]
    assert run([*command, "--end", "1:30", "--every", "1"]) == 0
    lines = json.loads(capsys.readouterr().out)["anticipated"]
    assert {line["half"] for line in lines} == {2}
    assert {line["observed_until_ms"] for line in lines} <= set(range(60_000, 90_001, 1_000))


NO_ROOM = "playahead: standard output or a disk: No space left on device (is it writable, and is there room?)\n"


def in_a_shell(rest: str, **variables: str) -> subprocess.CompletedProcess[str]:
    text = f"exec {sys.executable} -m playahead.cli.main evaluate frames {GOLDEN} {rest}"
    return subprocess.run(
        ["bash", "-c", text], capture_output=True, text=True, check=False, env={**os.environ, **variables}, timeout=100
    )


@pytest.mark.parametrize(
    ("rest", "code", "said"),
    [
        (">&-", 2, "playahead: standard output is closed (to throw it away: > /dev/null)\n"),
        (">/dev/full", 2, NO_ROOM),
        ("--json >/dev/full", 2, NO_ROOM),
        ("--help >/dev/full", 2, NO_ROOM),
        (">/dev/null 2>&-", 0, ""),
        (">&- 2>&-", 2, ""),
        ("nothing 2>/dev/full", 2, ""),
        (">/dev/full 2>/dev/full", 2, ""),
        ("> >(true)", 0, ""),
        ("--json > >(head -1 >/dev/null)", 0, ""),
    ],
)
def test_wherever_output_goes_there_is_at_most_one_line_about_it(rest, code, said):
    if "/dev/full" in rest and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    done = in_a_shell(rest)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii", "COLUMNS": "8", "NO_COLOR": "1", "TERM": "dumb"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_a_table_is_ascii_where_nothing_else_can_be_shown(variables):
    done = in_a_shell("--exact", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "\\u" not in done.stdout
    assert "+---" in done.stdout


def test_scoring_a_file_starts_without_torch():
    program = f"""
import sys
from playahead.cli.main import run
run(["evaluate", "frames", {str(GOLDEN)!r}])
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


WITHOUT_EXTRAS = r"""
import json, re, sys
from importlib.metadata import requires

extras = re.findall(r"^([\w-]+).*; extra == .(?!dev|docs)", "\n".join(requires("playahead")), re.MULTILINE)
hidden = {"PIL", "tensorboardX", *(name.replace("-", "_") for name in extras)}
assert {"av", "ray", "fastapi", "onnxruntime", "torch", "scipy", "huggingface_hub"} <= hidden
sys.modules |= dict.fromkeys(hidden)
from playahead.cli.main import run
for arguments in json.loads(sys.argv[1]):
    try:
        code = run(arguments)
    except SystemExit as stop:  # of --help
        code = stop.code
    print("exit code", code, flush=True)
"""
NEEDS = {
    "train": (
        *("demo", "pretrain", "train feed", "train video", "train frames", "extract", "compare"),
        *("bench extract", "weights convert"),
    ),
    "report": ("report",),
}


def without_extras(commands: list[list[str]]) -> tuple[str, str, list[str]]:
    """(standard output, standard error, exit codes)."""
    program = [sys.executable, "-c", WITHOUT_EXTRAS, json.dumps(commands)]
    done = subprocess.run(program, text=True, capture_output=True, check=True)
    return done.stdout, done.stderr, re.findall(r"exit code (\d)", done.stdout)


def test_every_command_says_what_it_does_or_which_extra_it_needs():
    _, errors, codes = without_extras([[*path, "--help"] for path in PATHS])
    needs = {name: extra for extra, those in NEEDS.items() for name in those}
    refused = [" ".join(path) for path, code in zip(PATHS, codes, strict=True) if code == "2"]
    named = re.findall(r"^playahead: needs \w+, .* \(pip install 'playahead\[(\w+)\]'\)$", errors, re.MULTILINE)
    assert dict(zip(refused, named, strict=True)) == needs, errors


def test_without_the_extras_a_feed_is_predicted_scored_and_watched(tmp_path):
    sim, predictions, page = tmp_path / "sim", tmp_path / "predictions.json", tmp_path / "page.html"
    (tmp_path / "match.mp4").touch()
    found, errors, codes = without_extras([["predict", "sample", "--half=1", "--to=0:40", "--format=json"]])
    predictions.write_text(found.partition("exit code")[0])
    commands = [
        ["view", "sample", str(predictions), "--out", str(page)],
        ["data", "simulate", "--out", str(sim), "--matches=4", "--minutes=2"],
        ["data", "check", str(sim)],
        ["evaluate", "feed", str(sim)],
        ["evaluate", "next", str(sim)],
        ["evaluate", "frames", str(GOLDEN)],
        ["live", str(sim / "test.npz"), "--speed=0", "--json"],
        ["predict", str(tmp_path / "match.mp4")],
        ["serve"],
    ]
    output, errors, codes = without_extras(commands)
    assert codes == ["0"] * 7 + ["2"] * 2, errors
    assert "intensity_per_mille" in output
    named = re.findall(r"playahead: needs \w+, .* \(pip install 'playahead\[(\w+)\]'\)", errors)
    assert named == ["video", "live"], errors


def test_the_overview_names_every_command_once(capsys):
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(COMMANDS)
    with pytest.raises(SystemExit) as stop:
        run(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert printed.index("predict ") < printed.index("evaluate ") < printed.index("train ")
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(("words", "most"), [(["predict"], 68), (["live"], 45), (["evaluate", "feed"], 50)])
def test_help_is_a_screen_in_sections(words, most, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        run([*words, "--help"])
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert len(lines) <= most
    assert (
        lines.index("input:" if words != ["live"] else "output:")
        < lines.index("model:")
        < lines.index("other options:")
    )
    assert not re.search(r"Path|ConfigType|type:|\bNone\b|START", printed)


def test_times_are_called_what_people_say(capsys):
    with pytest.raises(SystemExit):
        run(["predict", "--help"])
    printed = capsys.readouterr().out
    assert "--from TIME " in printed
    assert "--to TIME " in printed
    assert "--start" not in printed
    with pytest.raises(SystemExit):
        run(["train", "feed", "--help"])
    assert "--start PATH" in capsys.readouterr().out


def test_the_overview_needs_no_library():
    """So that it comes at once."""
    program = """
import sys
sys.argv = ["playahead", "--help"]
from playahead.cli.entry import main
main()
assert not {"numpy", "jsonargparse", "rich"} & sys.modules.keys(), sorted(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: playahead COMMAND")
