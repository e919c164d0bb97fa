"""``playahead compare`` on simulated plays: trained, scored, gone on with, failures named."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml

from playahead.cli.main import run
from playahead.datasets.dataset import FeedDataset
from playahead.io.errors import InputError
from playahead.lab.compare.compare import CompareConfig, Comparison, compare as run_grid
from playahead.lab.compare.grid import read_grid
from playahead.lab.compare.runs import jobs_of
from playahead.sources.feed_tables import read_split, write_feed_table
from tests.conftest import simulate

SMALL = {
    "model.d_model": 16,
    "model.heads": 2,
    "model.ffn_dim": 16,
    "epochs": 1,
    "steps_per_epoch": 4,
    "sequences": 2,
    "examples": 2,
    "precision": "32-true",
}
GRID = {
    "recipe": "paper-small",
    "seeds": [0],
    "common": SMALL,
    "variants": {
        "plain": {},
        "dense": {"model.head": "dense"},
        "first": {"steps_per_epoch": 2},
        "second": {"steps_per_epoch": 2, "start": "first"},
    },
    "ensembles": {"both": ["plain", "dense"]},
    "baselines": ["constant-rate", "markov"],
}


def compare(path, data, out, only="") -> Comparison:
    return run_grid(read_grid(str(path)), FeedDataset(data), out, CompareConfig(only=only))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feed")
    simulate(folder, matches=5, minutes=3.0, halves=1)
    return folder


@pytest.fixture(scope="module")
def compared(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    path = out / "grid.yaml"
    path.write_text(yaml.safe_dump(GRID, sort_keys=False))
    assert not compare(path, data, out=out / "runs").failed
    return path, out / "runs"


def test_every_row_is_there_with_its_budget(compared):
    document = json.loads((compared[1] / "comparison-val.json").read_text())
    found = {(row["variant"], row["decoding"]): row for row in document["rows"]}
    assert set(found) == {
        *(
            (variant, decoding)
            for variant in ("plain", "first", "second")
            for decoding in ("marginal", "tuned threshold")
        ),
        ("dense", "marginal"),
        ("both", "marginal"),
        ("constant-rate", "marginal"),
        ("markov", "marginal"),
    }
    assert found["plain", "marginal"]["examples"] == found["second", "marginal"]["examples"] == 16
    assert found["both", "marginal"]["examples"] == 32
    assert found["markov", "marginal"]["difference"] is not None
    assert document["failed"] == {}


def test_a_folder_says_what_its_run_was(compared):
    told = json.loads((compared[1] / "second-0" / "run.json").read_text())
    assert told["train"]["model"]["d_model"] == 16
    assert {"torch", "python", "processor", "threads"} <= told["environment"].keys()


def test_run_again_it_trains_and_scores_nothing(compared, data, monkeypatch):
    path, out = compared
    kept = {file: file.stat().st_mtime_ns for file in out.rglob("*.*") if file.suffix in (".safetensors", ".npz")}
    assert not compare(path, data, out=out).failed
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_another_configuration_in_the_same_folder_fails_with_what_rests_on_it(compared, data, tmp_path):
    out = tmp_path / "runs"
    shutil.copytree(compared[1], out)
    path = tmp_path / "grid.yaml"
    others = {**GRID["variants"], "plain": {"optim.lr": 1e-3}, "first": {"steps_per_epoch": 2, "optim.lr": 1e-3}}
    path.write_text(yaml.safe_dump({**GRID, "variants": others}, sort_keys=False))
    found = compare(path, data, out=out)
    assert set(found.failed) == {"plain-0", "first-0", "second-0"}
    assert "other settings or data" in found.failed["plain-0"]
    assert "first-0, which it starts from" in found.failed["second-0"]
    assert {row.variant for row in found.rows} == {"dense", "constant-rate", "markov"}


def test_other_data_under_a_finished_run_is_refused(compared, data, tmp_path):
    """Same labels, other places: the windows differ, so the weights are not of this data."""
    out, moved = tmp_path / "runs", tmp_path / "moved"
    shutil.copytree(compared[1], out)
    shutil.copytree(data, moved)
    halves = [replace(half, x=(half.x // 2).astype(half.x.dtype)) for half in read_split(moved, "train")]
    write_feed_table(moved / "train.npz", halves)
    assert "other settings or data" in compare(compared[0], moved, out=out, only="plain").failed["plain-0"]
    (out / "plain-0" / "trained.json").unlink()  # as of a run that was killed: its state refuses too
    assert "other settings or data" in compare(compared[0], moved, out=out, only="plain").failed["plain-0"]


def test_over_one_match_nothing_is_significant(compared):
    document = json.loads((compared[1] / "comparison-val.json").read_text())
    assert document["matches"] == 1
    assert all(row["significant"] == [False, False] for row in document["rows"])


def test_the_first_seed_of_all_comes_before_the_second(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump({**GRID, "seeds": [0, 7]}, sort_keys=False))
    jobs = jobs_of(read_grid(str(path)), tmp_path)
    assert [job.seed for job in jobs] == [0] * 4 + [7] * 4
    assert jobs[3].start == jobs[2].folder
    assert len({job.folder for job in jobs}) == 8


def test_bad_options_are_one_line(data, tmp_path, capsys):
    assert run(["compare", "gone", "--data", str(data), "--out", str(tmp_path)]) == 2
    assert run(["compare", "paper", "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert run(["compare", "paper", "--data", str(data), "--processes", "0"]) == 2
    told = capsys.readouterr().err
    assert "no such grid" in told
    assert "--processes: 0 is below 1" in told


def test_a_report_of_the_comparison(compared, data, tmp_path, capsys):
    page = tmp_path / "report.html"
    assert run(["report", str(compared[1]), "--data", str(data), "--out", str(page)]) == 0
    written = page.read_text()
    for said in (
        "Simulated matches",
        "markov, marginal",
        "both, marginal",
        "No match is in two of these",
        "model.d_model",
    ):
        assert said in written
    narrow = ["--run", "second-0", "--decoding", "tuned threshold", "--examples", "2", "--out", str(page)]
    assert run(["report", str(compared[1]), "--data", str(data), *narrow]) == 0
    assert page.read_text().count("<figure") == 4


def test_a_report_of_one_run(compared, data, tmp_path):
    page = tmp_path / "one.html"
    assert run(["report", str(compared[1] / "dense-0"), "--data", str(data), "--out", str(page)]) == 0
    assert "no slots here" in page.read_text()


def test_a_report_of_nothing_is_one_line(compared, data, tmp_path, capsys):
    for arguments in (
        [str(tmp_path)],
        [str(compared[1]), "--run", "../../secret"],
        [str(compared[1]), "--split", "test"],
    ):
        assert run(["report", *arguments, "--data", str(data), "--out", str(tmp_path / "page.html")]) == 2
    told = capsys.readouterr().err
    assert "holds neither comparison-val.json nor weights.safetensors" in told
    assert "--run: secret: no trained run of that name" in told
    (tmp_path / "comparison-val.json").write_text('{"rows": [')
    assert run(["report", str(tmp_path), "--data", str(data)]) == 2
    assert "is not a comparison" in capsys.readouterr().err


def test_one_model_under_each_past(data, compared, tmp_path):
    """Rows are variants under pasts; nothing is trained for them, and their scores are kept beside the others'."""
    path, out = tmp_path / "pasts.yaml", tmp_path / "runs"
    grid = GRID | {"variants": {"plain": {}}, "ensembles": {"both": ["plain"]}, "baselines": ["markov"]}
    grid |= {"pasts": ["full feed", "labels only", "greedy spotter"], "decodings": {"marginal": None}}
    path.write_text(yaml.safe_dump(grid, sort_keys=False))
    shutil.copytree(compared[1] / "plain-0", out / "plain-0")
    rows = {(row.variant, row.decoding): row for row in compare(path, data, out).rows}
    assert set(rows) == {(v, p) for v in ("plain", "both", "markov") for p in grid["pasts"]}
    assert rows["plain", "greedy spotter"].against == ("plain", "full feed")
    assert rows["markov", "labels only"].against == ("plain", "labels only")
    full = json.loads((compared[1] / "comparison-val.json").read_text())["rows"][0]
    assert rows["plain", "full feed"].area == full["area"]
    assert rows["plain", "greedy spotter"].area != full["area"]
    kept = out / "plain-0" / "scores-val-greedy-spotter.npz"
    before = kept.stat().st_mtime_ns
    compare(path, data, out)
    assert kept.stat().st_mtime_ns == before


def test_weights_that_are_there_are_compared_and_reported(data, compared, tmp_path):
    """Nothing is trained for them; the report opens them where they are."""
    shutil.copy(compared[1] / "plain-0" / "weights.safetensors", tmp_path / "mine.safetensors")
    path, out = tmp_path / "mine.yaml", tmp_path / "runs"
    grid = {"variants": {"mine": {"weights": ["mine.safetensors", "mine.safetensors"]}}, "ensembles": {"two": ["mine"]}}
    path.write_text(yaml.safe_dump(grid | {"pasts": ["full feed", "labels only"], "baselines": ["markov"]}))
    rows = {(row.variant, row.decoding): row for row in compare(path, data, out).rows}
    full = json.loads((compared[1] / "comparison-val.json").read_text())["rows"][0]
    assert rows["mine", "full feed"].areas[0] == full["area"][0]
    assert (rows["mine", "full feed"].examples, len(rows["mine", "full feed"].seeds)) == (full["examples"], 2)
    assert rows["two", "labels only"].area[0] > 0
    assert not list(out.rglob("*.safetensors"))
    page = tmp_path / "report.html"
    assert run(["report", str(out), "--data", str(data), "--out", str(page)]) == 0
    assert "What each past is worth" in page.read_text()
    assert "mine-0, marginal" in page.read_text()


def test_pasts_are_of_feeds(tmp_path):
    path = tmp_path / "pasts.yaml"
    path.write_text(yaml.safe_dump(GRID | {"pasts": ["foggy"]}))
    with pytest.raises(InputError, match="pasts: foggy is not one of full feed"):
        read_grid(str(path))
