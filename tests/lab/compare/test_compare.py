"""``playahead compare`` on simulated plays: trained, scored, gone on with, failures named."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml

from playahead.cli.main import run
from playahead.datasets.dataset import FeedDataset
from playahead.lab.compare.compare import CompareConfig, Comparison, compare as run_grid, summarise
from playahead.lab.compare.grid import open_grid
from playahead.lab.compare.runs import runs_of
from playahead.sources.feed_tables import read_split, write_feed_table
from tests.conftest import simulate
from tests.support.scores import skilled_scores

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


def write_grid(folder, **changes):
    path = folder / "grid.yaml"
    path.write_text(yaml.safe_dump({**GRID, **changes}, sort_keys=False))
    return path


def compare(path, data, out, only="") -> Comparison:
    return run_grid(open_grid(str(path)), FeedDataset(data), out, CompareConfig(only=only))


def rows_of(out) -> dict:
    document = json.loads((out / "comparison-val.json").read_text())
    return {(row["variant"], row["decoding"]): row for row in document["rows"]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feed")
    simulate(folder, matches=5, minutes=3.0, halves=1)
    return folder


@pytest.fixture(scope="module")
def compared(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    path = write_grid(folder)
    assert not compare(path, data, folder / "runs").failed
    return path, folder / "runs"


def test_every_row_is_there_with_its_budget(compared):
    rows = rows_of(compared[1])
    slots = {(name, decoding) for name in ("plain", "first", "second") for decoding in ("marginal", "tuned threshold")}
    assert set(rows) == slots | {(name, "marginal") for name in ("dense", "both", "constant-rate", "markov")}
    assert rows["plain", "marginal"]["examples"] == rows["second", "marginal"]["examples"] == 16
    assert rows["both", "marginal"]["examples"] == 32
    assert rows["markov", "marginal"]["difference"] is not None
    assert all(row["significant"] == [False, False] for row in rows.values())  # over one match, nothing is
    document = json.loads((compared[1] / "comparison-val.json").read_text())
    assert (document["failed"], document["matches"], document["notices"]) == ({}, 1, [])
    described = json.loads((compared[1] / "second-0" / "run.json").read_text())
    assert described["train"]["model"]["d_model"] == 16
    assert {"torch", "python", "processor", "threads"} <= described["environment"].keys()


def test_run_again_it_trains_and_scores_nothing(compared, data):
    path, out = compared
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.*") if file.suffix in (".safetensors", ".npz")}
    assert not compare(path, data, out).failed
    assert {file: file.stat().st_mtime_ns for file in before} == before


@pytest.mark.slow
def test_another_configuration_in_the_same_folder_fails_with_what_rests_on_it(compared, data, tmp_path):
    out = tmp_path / "runs"
    shutil.copytree(compared[1], out)
    others = {**GRID["variants"], "plain": {"optim.lr": 1e-3}, "first": {"steps_per_epoch": 2, "optim.lr": 1e-3}}
    comparison = compare(write_grid(tmp_path, variants=others), data, out)
    assert set(comparison.failed) == {"plain-0", "first-0", "second-0"}
    assert "other settings or data" in comparison.failed["plain-0"]
    assert "first-0, which it starts from" in comparison.failed["second-0"]
    assert {row.variant for row in comparison.rows} == {"dense", "constant-rate", "markov"}


@pytest.mark.slow
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


def test_the_first_seed_of_all_comes_before_the_second(tmp_path):
    runs = runs_of(open_grid(str(write_grid(tmp_path, seeds=[0, 7]))), tmp_path)
    assert [run.seed for run in runs] == [0] * 4 + [7] * 4
    assert runs[3].start == runs[2].folder
    assert len({run.folder for run in runs}) == 8


def test_bad_options_are_one_line(data, tmp_path, capsys):
    assert run(["compare", "gone", "--data", str(data), "--out", str(tmp_path)]) == 2
    assert run(["compare", "paper", "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert run(["compare", "paper", "--data", str(data), "--processes", "0"]) == 2
    errors = capsys.readouterr().err
    assert "no such grid" in errors
    assert "processes: 0 is below 1" in errors


def test_a_report_of_the_comparison_and_of_one_run(compared, data, tmp_path):
    page = tmp_path / "report.html"
    assert run(["report", str(compared[1]), "--data", str(data), "--out", str(page)]) == 0
    written = page.read_text()
    for text in ("Simulated matches", "markov, marginal", "both, marginal", "No match is in two", "model.d_model"):
        assert text in written
    narrow = ["--run", "second-0", "--decoding", "tuned threshold", "--examples", "2", "--out", str(page)]
    assert run(["report", str(compared[1]), "--data", str(data), *narrow]) == 0
    assert page.read_text().count("<figure") == 4
    assert run(["report", str(compared[1] / "dense-0"), "--data", str(data), "--out", str(page)]) == 0
    assert "no slots here" in page.read_text()


def test_a_report_of_nothing_is_one_line(compared, data, tmp_path, capsys):
    for arguments in (
        [str(tmp_path)],
        [str(compared[1]), "--run", "../../secret"],
        [str(compared[1]), "--split", "test"],
    ):
        assert run(["report", *arguments, "--data", str(data), "--out", str(tmp_path / "page.html")]) == 2
    errors = capsys.readouterr().err
    assert "holds neither comparison-val.json nor weights.safetensors" in errors
    assert "run: secret: no trained run of that name" in errors
    (tmp_path / "comparison-val.json").write_text('{"rows": [')
    assert run(["report", str(tmp_path), "--data", str(data)]) == 2
    assert "is not a comparison" in capsys.readouterr().err


def test_one_model_under_each_past(data, compared, tmp_path):
    """Rows are variants under pasts; nothing is trained for them, and their scores are cached beside the others'."""
    pasts, out = ["full feed", "labels only", "greedy spotter"], tmp_path / "runs"
    changes = {"variants": {"plain": {}}, "ensembles": {"both": ["plain"]}, "baselines": ["markov"]}
    path = write_grid(tmp_path, **changes, pasts=pasts, decodings={"marginal": None})
    shutil.copytree(compared[1] / "plain-0", out / "plain-0")
    rows = {(row.variant, row.decoding): row for row in compare(path, data, out).rows}
    assert set(rows) == {(v, p) for v in ("plain", "both", "markov") for p in pasts}
    assert rows["plain", "greedy spotter"].against == ("plain", "full feed")
    assert rows["markov", "labels only"].against == ("plain", "labels only")
    full = rows_of(compared[1])["plain", "marginal"]
    assert rows["plain", "full feed"].area == full["area"]
    assert rows["plain", "greedy spotter"].area != full["area"]
    cache = out / "plain-0" / "scores-val-greedy-spotter.npz"
    before = cache.stat().st_mtime_ns
    compare(path, data, out)
    assert cache.stat().st_mtime_ns == before


def test_weights_that_are_there_are_compared_and_reported(data, compared, tmp_path):
    """Nothing is trained for them; the report opens them where they are."""
    shutil.copy(compared[1] / "plain-0" / "weights.safetensors", tmp_path / "mine.safetensors")
    path, out = tmp_path / "mine.yaml", tmp_path / "runs"
    grid = {"variants": {"mine": {"weights": ["mine.safetensors", "mine.safetensors"]}}, "ensembles": {"two": ["mine"]}}
    path.write_text(yaml.safe_dump(grid | {"pasts": ["full feed", "labels only"], "baselines": ["markov"]}))
    rows = {(row.variant, row.decoding): row for row in compare(path, data, out).rows}
    full = rows_of(compared[1])["plain", "marginal"]
    assert rows["mine", "full feed"].areas[0] == full["area"][0]
    assert (rows["mine", "full feed"].examples, len(rows["mine", "full feed"].seeds)) == (full["examples"], 2)
    assert rows["two", "labels only"].area[0] > 0
    assert not list(out.rglob("*.safetensors"))
    page = tmp_path / "report.html"
    assert run(["report", str(out), "--data", str(data), "--out", str(page)]) == 0
    assert "What each past is worth" in page.read_text()
    assert "mine-0, marginal" in page.read_text()


def test_rows_are_compared_with_the_reference_in_the_same_decoding():
    runs = {
        ("good", "marginal"): [skilled_scores(0, 0.9), skilled_scores(1, 0.9)],
        ("good", "threshold"): [skilled_scores(0, 0.7), skilled_scores(1, 0.7)],
        ("poor", "marginal"): [skilled_scores(0, 0.1), skilled_scores(1, 0.1)],
        ("poor", "threshold"): [skilled_scores(0, 0.1)],
        ("baseline", "other"): [skilled_scores(0, 0.0)],
    }
    examples = dict.fromkeys(("good", "poor", "baseline"), 5)
    rows = {(row.variant, row.decoding): row for row in summarise(runs, ("good", "marginal"), examples)}
    assert {key: row.against for key, row in rows.items()} == {
        ("good", "marginal"): None,
        ("good", "threshold"): ("good", "marginal"),
        ("poor", "marginal"): ("good", "marginal"),
        ("poor", "threshold"): ("good", "threshold"),
        ("baseline", "other"): ("good", "marginal"),
    }
    assert rows["good", "marginal"].difference is None
    poor = rows["poor", "marginal"]
    assert poor.difference is not None
    assert poor.difference[0] == pytest.approx(poor.mean[0] - rows["good", "marginal"].mean[0], abs=0.02)
    assert poor.difference[2] < 0
    assert poor.area_difference is not None
    assert poor.area_difference[2] < 0
    assert rows["poor", "threshold"].seed_spread == 0


def test_one_seed_shows_nothing_and_another_seed_widens_the_interval():
    one = {("good", "marginal"): [skilled_scores(0, 0.9)], ("poor", "marginal"): [skilled_scores(0, 0.1)]}
    two = {key: [*runs, skilled_scores(0, 0.2)] for key, runs in one.items()}
    examples = {"good": 5, "poor": 5}
    alone, spread = (summarise(runs, ("good", "marginal"), examples)[1] for runs in (one, two))
    assert alone.significant == (False, False)
    assert alone.difference is not None
    assert spread.difference is not None
    assert spread.difference[2] - spread.difference[1] > alone.difference[2] - alone.difference[1]
    baseline = summarise(one, ("good", "marginal"), {"good": 5, "poor": 0})[1]
    assert baseline.significant == (True, True)  # it has no seed to vary
