"""Recorded figures: what makes one stale, what cannot be typed, and how others add theirs."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from playahead.cli.main import run
from playahead.evaluation.frames import load_frame_case
from playahead.evaluation.official import benchmark_average, score_videos
from playahead.evaluation.scores import Evaluation, load_scores
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.lab import results
from playahead.lab.record import record, record_feed
from playahead.lab.results import check, read_result, table
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, real_matches) -> Path:
    """A folder with the packaged model's figures on nine real matches, through a full feed and through labels."""
    folder = tmp_path_factory.mktemp("results")
    kept = str(tmp_path_factory.mktemp("kept") / "full.npz")
    for name, words in (("full", ("--predictions", kept)), ("labels", ("--past", "labels only"))):
        assert run(["results", "record", str(folder / f"{name}.json"), "--data", str(real_matches), *words]) == 0
    found, full = load_frame_case(Path(kept)), read_result(folder / "full.json")
    assert found[0].scores_NRV.dtype == np.float16
    assert 100 * benchmark_average(score_videos(found)) == pytest.approx(full.official[0], abs=0.2), (
        "float16 moves a score a little"
    )
    return folder


@pytest.fixture
def folder(recorded, tmp_path) -> Path:
    return shutil.copytree(recorded, tmp_path / "results")


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_several_weights_are_their_mean(real_matches, tmp_path):
    packaged = packaged_weights()
    one, two = (record_feed(tmp_path / f"{n}.json", real_matches, weights=[packaged] * n) for n in (1, 2))
    assert two.area == one.area
    assert two.seeds == [0, 0]
    assert len(two.weights) == 2
    assert not check(tmp_path)[1].stale


def test_what_was_just_recorded_is_not_stale(folder, capsys):
    assert run(["results", "check", str(folder)]) == 0
    assert capsys.readouterr().out == "2 results, nothing stale\n"
    full, labels = (read_result(folder / f"{name}.json") for name in ("full", "labels"))
    assert (full.split, full.past, full.matches, full.seeds) == ("test", "", 9, [0])
    assert labels.past == "labels only"
    assert full.area[0] > labels.area[0] + 3
    assert full.benchmark == "", "nine matches are not the benchmark's split"
    assert labels.command.endswith("--split test --past 'labels only'")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: change(path, code={"domain/time.py": "0" * 12}), "the code has changed (domain/time.py)"),
        (lambda path: change(path, code={"gone.py": "0" * 12}), "the code has changed (gone.py)"),
        (lambda path: change(path, code={"evaluation": "0" * 12}), "the code has changed (evaluation)"),
        (
            lambda path: change(path, code={"../../pyproject.toml": "0" * 12}),
            "the code has changed (../../pyproject.toml)",
        ),
        (lambda path: change(path, weights=["0" * 64]), "the packaged weights have changed"),
        (lambda path: change(path, area=[50.0, 49.0, 51.0]), "area is not what the counts give"),
        (lambda path: change(path, by_class={"PASS": 99.0}), "by_class is not what the counts give"),
        (lambda path: change(path, code={}), "it does not say which code made it"),
        (lambda path: change(path, seeds=[0, 1, 2]), "3 seeds, but counts of 1 runs"),
        (lambda path: change(path, counts=""), "no counts: nobody can compute the figures again"),
        (lambda path: path.with_suffix(".npz").unlink(), "full.npz is missing"),
        (lambda path: path.with_suffix(".npz").write_bytes(b"x"), "full.npz is another file"),
    ],
)
def test_what_is_not_todays_is_stale_and_says_how_to_make_it_again(folder, spoil, why, capsys):
    spoil(folder / "full.json")
    assert run(["results", "check", str(folder)]) == 2
    said = capsys.readouterr()
    assert re.search(rf"full\.json: .*{re.escape(why)}.*Again: playahead results record", said.err)
    assert said.out == "2 results, 1 stale\n"
    assert run(["results", "check", str(folder), "--json"]) == 2
    listed = json.loads(capsys.readouterr().out)["results"]
    assert [bool(one["stale"]) for one in listed] == [True, False]


def test_a_comparison_is_stale_once_the_code_changes(folder, capsys):
    path = folder / "claims.json"
    path.write_text(
        json.dumps({"grid": "paper", "command": "playahead compare paper", "code": results.code_of_training()})
    )
    assert run(["results", "check", str(folder)]) == 0
    assert capsys.readouterr().out == "3 results, nothing stale\n"
    change(path, code=dict.fromkeys(results.code_of_training(), "0" * 12))
    assert run(["results", "check", str(folder)]) == 2
    assert "more). Again: playahead compare paper" in capsys.readouterr().err
    assert len(results.recorded(folder)) == 2
    change(path, code=results.code_of_training(), failed={"static-0": "disk full"})
    assert [one.stale for one in check(folder) if one.path == path] == [["runs failed: 1"]]
    change(path, code=None)
    assert run(["results", "check", str(folder)]) == 2
    assert "claims.json: does not say which command and which code made it" in capsys.readouterr().err


def test_a_table_is_stale_once_it_is_gone_or_the_code_has_changed(folder, capsys):
    tables = folder.parent / "docs" / "tables"
    tables.mkdir(parents=True)
    (tables / "one.md").write_text("| a |\n| --- |\n| 1 |\n")
    made = {"command": "python one.py wyscout", "code": results.code_of_training(), "files": {}}
    listed: dict = {"one.md": made}
    (folder / results.TABLES).write_text(json.dumps(listed))
    assert run(["results", "check", str(folder)]) == 0
    listed["one.md"]["code"]["domain/time.py"] = "0" * 12
    (folder / results.TABLES).write_text(json.dumps(listed))
    assert run(["results", "check", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "one.md: the code has changed (domain/time.py). Again: python one.py wyscout" in " ".join(said.split())
    for file in ("docs/tables/one.md", "gone.py"):
        made["files"] = {file: "0" * 64}
        (folder / results.TABLES).write_text(json.dumps(listed))
        assert f"{file} is another file" in next(one.stale for one in check(folder) if one.path.name == "one.md")
    for wrong in ({"../secret": "0"}, {"/etc/hosts": "0"}, ["one.py"]):
        made["files"] = wrong
        (folder / results.TABLES).write_text(json.dumps(listed))
        with pytest.raises(InputError, match="does not say from which files it was made"):
            check(folder)


def test_predictions_do_not_go_where_the_counts_go(real_matches, tmp_path, capsys):
    path = tmp_path / "one.json"
    words = ["--data", str(real_matches), "--predictions", str(tmp_path / "one.npz")]
    assert run(["results", "record", str(path), *words]) == 2
    assert "is where the result's counts go" in capsys.readouterr().err
    assert not path.exists()


def test_counts_of_another_row_are_not_taken_for_its_own(folder):
    shutil.copy(folder / "labels.npz", folder / "full.npz")
    (full, labels) = check(folder)
    assert full.stale == ["full.npz is another file"]
    assert not labels.stale


def test_comments_are_not_code_and_code_is(tmp_path, monkeypatch):
    package = tmp_path / "playahead"
    (package / "evaluation").mkdir(parents=True)
    source = package / "evaluation" / "one.py"
    monkeypatch.setattr(results, "_PACKAGE", package)
    monkeypatch.setattr(results, "_CODE", ("evaluation",))
    monkeypatch.setattr(results, "_TRAINING", ())
    digests = []
    for text in (
        '"""What it is."""\n\ndef f(x):\n    """Add."""\n    return x + 1\n',
        '"""In other words."""\n\n\ndef f(x):  # a comment\n    """Add one."""\n\n    return x + 1\n',
        "def f(x):\n    return x + 2\n",
        "def f(x):\n    return x + 2\n\nTEXT = 'one'\n",
        "def f(x):\n    return x + 2\n\nTEXT = 'two'\n",
    ):
        source.write_text(text)
        results._digest_of.cache_clear()
        digests.append(results.code_of_training()["evaluation/one.py"])
    results._digest_of.cache_clear()
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_a_figure_depends_on_the_files_that_made_it(real_matches, tmp_path):
    """The packaged model answers by products of its own: the paper's losses make none of its figures."""
    words = ["results", "record", str(tmp_path / "one.json"), "--data", str(real_matches)]
    program = f"import sys; from playahead.cli.main import run; sys.exit(run({words!r}))"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100, capture_output=True)
    code = read_result(tmp_path / "one.json").code
    assert {"features/now.py", "inference/moment_predictor.py", "evaluation/exact.py", "decoding/marginal.py"} <= set(
        code
    )
    assert not {"paper/losses.py", "variants/model.py", "lab/baselines.py"} & set(code)


def test_a_figure_of_a_script_is_stale_once_the_script_changes(folder):
    by_match = load_scores(folder / "full.npz", "full")["0"]
    counts = sum(by_match.counts_M[1:], start=by_match.counts_M[0])
    about = json.loads((folder / "full.json").read_text())
    kept = {key: about[key] for key in ("benchmark", "split", "past", "seeds", "examples")} | {"model": "chance"}
    script, made = "benchmarks/baselines.py", folder / "constant.json"
    record(made, [Evaluation(counts, [], [], by_match)], kept, ["python", script, "wyscout"])
    of_script = read_result(made).code[script]
    assert of_script == results._digest_of(ROOT / script)
    assert [one.stale for one in check(folder) if one.path == made] == [[f"the code has changed ({script})"]], "gone"
    (folder.parent / "benchmarks").mkdir()
    shutil.copy(ROOT / script, folder.parent / "benchmarks")
    assert [one.stale for one in check(folder) if one.path == made] == [[]]
    results._digest_of.cache_clear()
    (folder.parent / script).write_text("print('another')\n")
    assert [one.stale for one in check(folder) if one.path == made] == [[f"the code has changed ({script})"]]


def test_a_script_depends_on_the_scripts_that_it_imports(tmp_path, monkeypatch):
    (tmp_path / "benchmarks").mkdir()
    for name in ("neighbour", "stranger"):
        (tmp_path / "benchmarks" / f"{name}.py").write_text(f"{name} = 1\n")
    loaded = SimpleNamespace(__file__=str(tmp_path / "benchmarks" / "neighbour.py"))
    monkeypatch.setitem(sys.modules, "neighbour", cast(ModuleType, loaded))
    scripts = [name for name in results.code_in_use((), tmp_path) if name.startswith("benchmarks/")]
    assert scripts == ["benchmarks/neighbour.py"]


def test_what_trains_depends_on_the_code_of_training():
    program = "import playahead.lab.faantra.end_to_end as _; from playahead.lab import results; "
    program += "code = results.code_in_use(); assert not results.changed_since(code); print(*code)"
    done = subprocess.run([sys.executable, "-c", program], check=True, timeout=100, capture_output=True, text=True)
    assert {"training/loop.py", "lab/faantra/network.py", "paper/losses.py"} <= set(done.stdout.split())


def test_the_digest_is_the_same_under_every_python():
    """``ast.dump`` is not: 3.12 added ``type_params=[]``, 3.13 leaves empty fields out."""
    assert results._bare("def f(x):\n    return [x, None]\n") == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='x')]), "
        "body=[Return(value=List(elts=[Name(id='x', ctx=Load()), Constant()], ctx=Load()))])])"
    )


def test_the_table_has_a_row_for_each_result(folder, capsys):
    assert run(["results", "table", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed == table(results.recorded(folder))
    full = read_result(folder / "full.json")
    assert f"| packaged weights | test | **{full.area[0]:.2f}** [{full.area[1]:.2f}, {full.area[2]:.2f}] |" in printed


def test_the_name_of_a_model_is_text_and_nothing_else(folder):
    full = read_result(folder / "full.json")
    one = replace(full, model="a | b <b>c</b> [d](e) ~~f~~ $g$ https://h.org www.i.org", command="javascript:alert(1)")
    shown = r"| a \| b &lt;b>c&lt;/b> \[d\](e) \~\~f\~\~ \$g\$ https:&#47;/h.org www&#46;i.org | test |"
    assert table([one]).splitlines()[2].startswith(shown)
    assert (
        table([replace(full, command="https://g\u0456thub.com/x")]).splitlines()[2].startswith("| packaged weights |")
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"official": [20.0]}, r"official \[20.0\] is not a figure with its interval"),
        ({"area": [20.0, 21.0, 22.0]}, "area"),
        ({"by_tolerance": [1.0]}, "by_tolerance has 1 figures, not 6"),
        ({"by_class": {"DRIBBLE": 1.0}}, "'DRIBBLE', which is no class"),
        ({"benchmark": "wyscout-baa-v1", "split": "exam"}, "split 'exam' is not one of train, val, test, large"),
        ({"benchmark": "wyscout-baa-v1"}, "scores 9 matches, but wyscout-baa-v1 test has 64"),
        ({"benchmark": "wyscout-baa-v2"}, "benchmark 'wyscout-baa-v2' is not wyscout-baa-v1, and not empty"),
        ({"past": "next week"}, "past 'next week' is not one of full feed, "),
        ({"examples": -5}, "examples -5 is below 0"),
        ({"command": " "}, "command is empty"),
        ({"model": "x\n\n# Heading"}, "model is empty, or not one line of text"),
        ({"split": "<!-- end results.md -->"}, "split '<!-- end results.md -->' is not one of train, val, test, large"),
        ({"weights": []}, "says that its model is the packaged weights, but not how they were scored"),
        ({"name": "empty"}, "says that its name is 'empty'"),
        ({"matches": "many"}, "matches"),
        ({"luck": 1}, "luck"),
    ],
)
def test_a_result_that_cannot_be_is_one_line(folder, values, message):
    change(folder / "full.json", **values)
    with pytest.raises(InputError, match=message) as raised:
        check(folder)
    assert "\n" not in str(raised.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40) | st.builds(lambda value: json.dumps(value).encode(), st.recursive(
    st.none() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "area", "official", "seeds"]), inner, max_size=3),
    max_leaves=6,
)))  # fmt: skip
def test_anything_is_a_result_or_one_line(tmp_path, content):
    path = tmp_path / "any.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_result(path)
    assert "\n" not in str(raised.value)


def test_an_empty_folder_says_how_to_record(tmp_path, capsys):
    assert run(["results", "check", str(tmp_path)]) == 2
    assert "holds no results (playahead results record" in capsys.readouterr().err


def test_others_add_a_row_by_the_readme(real_matches, tmp_path, monkeypatch):
    """The program of results/README.md, on nine matches, which it takes for the benchmark's."""
    (program,) = re.findall(r"```python\n(.+?)```", (ROOT / "results" / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wyscout").mkdir()
    for split in ("val", "test"):
        (tmp_path / "wyscout" / f"{split}.npz").symlink_to(real_matches / "test.npz")
    with pytest.raises(AssertionError, match="these are not the benchmark's tables"):
        exec(compile(program, "README.md", "exec"), {})
    claimed = SimpleNamespace(name="", recognise=lambda halves: "test")
    monkeypatch.setattr("playahead.datasets.benchmark.wyscout_baa", lambda: claimed)
    exec(compile(program, "README.md", "exec"), {})
    (mine,) = check(tmp_path / "results")
    assert not mine.stale
    assert mine.result.model == "what I did, in a sentence"
    assert 0 < mine.result.area[0] < 20
    assert "| [what I did, in a sentence](https://example.org/my-model) | test |" in table([mine.result])


def _counts_of(path: Path):
    return load_scores(path.with_suffix(".npz"), path.stem)["0"].counts_M


@pytest.mark.skipif(not (ROOT / "results").is_dir(), reason="an installed package has no results")
def test_what_the_project_has_recorded_is_whole():
    """Figures follow from their counts, of the same matches; staleness by code is for ``results check``."""
    events_of: dict = {}
    schema = json.loads((ROOT / "docs" / "result.schema.json").read_text())
    for one in check(ROOT / "results"):
        changes = ("the code has changed", "the packaged weights have changed")
        assert not [why for why in one.stale if not why.startswith(changes)], one.path
        if one.result and one.result.benchmark:
            events = [counts.events_GC.tolist() for counts in _counts_of(one.path)]
            split_of = (one.result.benchmark, one.result.split)
            assert events_of.setdefault(split_of, events) == events, f"{one.path}: other matches than {split_of}"
        if one.result:
            jsonschema_rs.validate(schema, json.loads(one.path.read_text()))
    for path in (ROOT / "results" / "predictions").glob("*.npz"):
        kept = 100 * benchmark_average(score_videos(load_frame_case(path)))
        assert kept == pytest.approx(read_result(ROOT / "results" / f"{path.stem}.json").official[0], abs=0.05)
