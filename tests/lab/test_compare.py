"""Grids: what one may say; and ``playahead compare`` on simulated plays: trained, scored, resumed, failures named."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml

from playahead.cli.main import run
from playahead.datasets.dataset import FeedDataset
from playahead.decoding.choosing import Decoding
from playahead.io.errors import InputError
from playahead.io.settings import read_yaml
from playahead.lab.compare.compare import CompareConfig, Comparison, compare as run_grid, summarise
from playahead.lab.compare.grid import changed, narrowed, open_grid, shipped_grids
from playahead.lab.compare.runs import CODE, _note_code, code_of_runs, runs_of
from playahead.lab.recipes import feed
from playahead.lab.results import changed_since, code_of_training
from playahead.sources.feed_tables import read_split, write_feed_table
from tests.conftest import simulate
from tests.support.scores import skilled_scores

WRITTEN = {
    "recipe": "paper-small",
    "seeds": [3, 4],
    "reference": ["plain", "marginal"],
    "variants": {"plain": {}, "static": {"model.conditioned": False}},
    "decodings": {"marginal": None, "low": {"kind": "tuned-threshold", "tau": 0.1}},
    "ensembles": {"both": ["plain", "static"]},
    "baselines": ["markov"],
}


def written(tmp_path, **changes) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**WRITTEN, **changes}, sort_keys=False))
    return str(path)


def test_a_grid_is_read(tmp_path):
    grid = open_grid(written(tmp_path, common={"epochs": 2}))
    assert (grid.name, grid.seeds, grid.reference) == ("mine", (3, 4), ("plain", "marginal"))
    assert [v.config.model.conditioned for v in grid.variants.values()] == [True, False]
    assert {v.config.epochs for v in grid.variants.values()} == {2}
    assert grid.decodings == {"marginal": Decoding(), "low": Decoding("tuned-threshold", tau=0.1)}
    assert grid.ensembles == {"both": (("plain", "static"),)}
    assert grid.budget_of("plain") == 2 * 300 * 64


@pytest.mark.parametrize("name", ["paper", "decoding", "winner", "pasts"])
def test_shipped_grids_are_whole(name):
    grid = open_grid(name)
    assert grid.about
    assert all(len(grid.seeds_of(variant)) >= 3 for variant in grid.variants if grid.variants[variant].config)
    assert name in shipped_grids()


def test_phases_are_added_up_and_unequal_budgets_refused(tmp_path):
    phases = {"plain": {}, "first": {"epochs": 2}, "second": {"epochs": 4, "start": "first"}}
    grid = open_grid(written(tmp_path, variants=phases, ensembles={}))
    assert grid.budget_of("second") == grid.budget_of("plain")
    longer = phases | {"second": {"epochs": 7, "start": "first"}}
    with pytest.raises(InputError, match=r"unequal numbers of examples \(plain 115,200, second 172,800\)"):
        open_grid(written(tmp_path, variants=longer, ensembles={}))


PLAIN = {"ensembles": {}, "variants": {"plain": {}}}


def only(**settings) -> dict:
    """The grid with one variant of these settings."""
    return PLAIN | {"variants": {"plain": settings}}


def decoded(**decoding) -> dict:
    return {"decodings": {"odd": decoding or None}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"variants": {}}, "names no variants"),
        (only(**{"model.slot": 3}), "variant 'plain': model.slot: no such setting"),
        (only(**{"model.slots": "many"}), "many"),
        (only(**{"model.slots": 0}), "slots: 0 is not 1 or more"),
        (only(recipe="mine"), "'mine' is not one of"),
        (only(start="plain"), "does not stand before it"),
        (only(weights="gone.safetensors"), "gone.safetensors: no such file"),
        (only(weights=[]), "weights: no such file"),
        (only(weights="packaged", epochs=2), "epochs is not one of weights"),
        (PLAIN | {"variants": {"a": {"weights": "packaged"}, "b": {"start": "a"}}}, "'a', which is not trained here"),
        (only(weights="packaged") | {"ensembles": {"two": ["plain/1"]}}, "plain/1 is not one of"),
        ({"variants": [1, 2]}, "is not a mapping"),
        (PLAIN | {"variants": {"plain": 3}}, "variant 'plain': 3 is not a mapping"),
        (PLAIN | {"variants": {"a b": {}, "a-b": {}}, "reference": ["a b", "low"]}, "stands for two rows"),
        (PLAIN | {"variants": {"markov": {}}, "reference": ["markov", "low"]}, "stands for two rows"),
        ({"seeds": []}, "not a list of whole numbers"),
        ({"seeds": [0, "1"]}, "not a list of whole numbers"),
        ({"reference": "plain"}, r"not a variant and a decoding \(or past\), such as \['plain', 'marginal'\]"),
        ({"reference": ["other", "marginal"]}, "not a variant and a decoding"),
        (decoded(tow=0.3), "is not made of kind, tau"),
        (decoded(), "is not made of kind, tau"),
        (decoded(kind="marginal", tau=0.1), "marginal has no tau"),
        (decoded(kind="treshold"), "is not one of marginal, paper, tuned-threshold"),
        (decoded(kind="tuned-threshold", tau=2), r"2 is not in \[0, 1\)"),
        (decoded(kind="tuned-threshold", tau=float("nan")), "nan is not in"),
        (decoded(kind="tuned-threshold", tau="0.1"), "'0.1' is not a number"),
        (decoded(kind="tuned-threshold", time="x"), "is not one of argmax, expected"),
        (decoded(kind="tuned-threshold", rescue=3), "true or false"),
        ({"ensembles": {"both": ["plain", "gone"]}}, "gone is not one of plain, static, plain/3"),
        ({"ensembles": {"both": None}}, "is not a list of names"),
        ({"ensembles": {"both": []}}, "is not a list of names"),
        ({"baselines": 3}, "baselines: 3 is not a list of names"),
        ({"baselines": ["oracle"]}, "oracle is not one of constant-rate, markov"),
        ({"pasts": ["foggy"]}, "pasts: foggy is not one of full feed"),
        ({"varients": {}}, "varients is not one of"),
    ],
)
def test_each_mistake_is_named(tmp_path, changes, reason):
    with pytest.raises(InputError, match=reason):
        open_grid(written(tmp_path, **changes))


def test_a_damaged_or_unknown_grid_is_refused(tmp_path):
    path = tmp_path / "odd.yaml"
    for content in (b"\xff\xfe", b"a: [", b"[]", b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"odd\.yaml"):
            open_grid(str(path))
    with pytest.raises(InputError, match=r"no such grid.*decoding, paper, pasts, winner"):
        open_grid("papers")


def test_changed_checks_types_and_leaves_the_rest():
    config = changed(feed(), {"criterion.frequency": "none", "seed": 3, "optim.restart_epochs": None})
    assert config.criterion.frequency == "none"
    assert config.model == feed().model
    for wrong in ({"criterion.frequency": "often"}, {"epochs": 1.5}, {"model.slots.many": 1}, {"": 1}):
        with pytest.raises(InputError):
            changed(feed(), wrong)


def test_narrowed_keeps_the_reference_and_what_others_start_from(tmp_path):
    phases = {"plain": {}, "first": {"epochs": 2}, "second": {"epochs": 4, "start": "first"}, "extra": {}}
    grid = open_grid(written(tmp_path, variants=phases, ensembles={"all": ["plain", "extra"]}))
    assert list(narrowed(grid, ["second"]).variants) == ["plain", "first", "second"]
    assert narrowed(grid, ["second"]).ensembles == {}
    with pytest.raises(InputError, match="only: gone"):
        narrowed(grid, ["gone"])


def test_another_variant_may_be_the_reference(tmp_path):
    grid = open_grid(written(tmp_path), "static")
    assert grid.reference == ("static", "marginal")
    assert narrowed(grid, ["static"]).variants.keys() == {"static"}
    with pytest.raises(InputError, match="reference: 'gone'"):
        open_grid(written(tmp_path), "gone")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("variants:\n  plain: {}\n  wide: {model.d_model: 192}\n  plain: {epochs: 2}\n", "line 4: key 'plain' twice"),
        ("variants: {plain: {}}\nseeds: [0]\nvariants: {other: {}}\n", "line 3: key 'variants' twice"),
        ("variants: {plain: {epochs: 1,\n epochs: 2}}\n", "line 2: key 'epochs' twice"),
        ("variants:\n  1: {}\n  1: {}\n", "line 3: key '1' twice"),
        ("base: &b {a: 1}\nvariants: {plain: {<<: *b, \"a\": 2, 'a': 3}}\n", "line 2: key 'a' twice"),
        ('{"variants": {"plain": {}, "plain": {}}}', "line 1: key 'plain' twice"),
        ("variants: {1: {}, '1': {epochs: 2}}\n", "1, '1' are not names that differ"),
        ("variants: {plain: {}}\nseeds: [0, 1, 0]\n", "seeds: 0 is listed twice"),
        ("variants: {plain: {}}\nbaselines: [markov, markov]\n", "baselines: 'markov' is listed twice"),
        ("variants: {plain: {}}\nensembles: {both: [plain, plain]}\n", "'plain' is listed twice"),
    ],
)
def test_what_stands_twice_is_refused_with_its_line(tmp_path, text, line):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InputError, match=line) as caught:
        open_grid(str(tmp_path / "mine.yaml"))
    assert "\n" not in str(caught.value)


def test_what_a_merge_brings_in_may_be_written_again(tmp_path):
    (tmp_path / "mine.yaml").write_text("base: &b {epochs: 1, seed: 3}\nx: {<<: *b, epochs: 2}\n")
    assert read_yaml(tmp_path / "mine.yaml")["x"] == {"epochs": 2, "seed": 3}


SMALL = {"model.d_model": 16, "model.heads": 2, "model.ffn_dim": 16, "precision": "32-true"}
SMALL |= {"epochs": 1, "steps_per_epoch": 4, "sequences": 2, "examples": 2}
VARIANTS = {"plain": {}, "dense": {"model.head": "dense"}, "first": {"steps_per_epoch": 2}}
VARIANTS["second"] = {"steps_per_epoch": 2, "start": "first"}
GRID = {"recipe": "paper-small", "seeds": [0], "common": SMALL, "variants": VARIANTS}
GRID |= {"ensembles": {"both": ["plain", "dense"]}, "baselines": ["constant-rate", "markov"]}


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


@pytest.mark.slow
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
    assert document["code"] == code_of_training()
    described = json.loads((compared[1] / "second-0" / "run.json").read_text())
    assert described["train"]["model"]["d_model"] == 16
    assert {"torch", "python", "processor", "threads"} <= described["environment"].keys()


@pytest.mark.slow
def test_a_comparison_is_as_old_as_the_code_of_its_runs(compared, tmp_path):
    shutil.copytree(compared[1], tmp_path / "runs")
    runs = runs_of(open_grid(str(compared[0])), tmp_path / "runs")
    assert not changed_since(code_of_runs(runs))
    older = tmp_path / "runs" / "plain-0" / CODE
    older.write_text(json.dumps(json.loads(older.read_text()) | {"training/loop.py": "0" * 12}))
    assert changed_since(code_of_runs(runs)) == ["training/loop.py"]
    _note_code(older)  # resumed by today's code
    assert changed_since(code_of_runs(runs)) == ["training/loop.py"]
    older.unlink()
    assert changed_since(code_of_runs(runs)) == ["unknown: plain-0"]


@pytest.mark.slow
def test_run_again_it_trains_and_scores_nothing(compared, data):
    path, out = compared
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.*") if file.suffix in (".safetensors", ".npz")}
    assert not compare(path, data, out).failed
    assert {file: file.stat().st_mtime_ns for file in before} == before


@pytest.mark.slow
def test_another_configuration_in_the_same_folder_fails_with_what_rests_on_it(compared, data, tmp_path):
    out = tmp_path / "runs"
    shutil.copytree(compared[1], out)
    others = {**VARIANTS, "plain": {"optim.lr": 1e-3}, "first": {"steps_per_epoch": 2, "optim.lr": 1e-3}}
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


@pytest.mark.slow
def test_a_report_of_the_comparison_and_of_one_run(compared, data, tmp_path):
    page = tmp_path / "report.html"
    assert run(["report", str(compared[1]), "--data", str(data), "--out", str(page)]) == 0
    written = page.read_text()
    for text in ("Simulated matches", "markov, marginal", "both, marginal", "No match is in two", "model.d_model"):
        assert text in written
    narrow = ["--run", "second-0", "--decoding", "tuned threshold", "--examples", "2", "--out", str(page)]
    assert run(["report", str(compared[1]), "--data", str(data), *narrow]) == 0
    assert 2 <= page.read_text().count("<figure") <= 4, "two of each at most; only those that gain are called best"
    assert run(["report", str(compared[1] / "dense-0"), "--data", str(data), "--out", str(page)]) == 0
    assert "slots in effective use" not in page.read_text(), "a dense head has none"


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_rows_are_compared_with_the_reference_in_the_same_decoding():
    runs = {
        ("good", "marginal"): [skilled_scores(0, 0.9), skilled_scores(1, 0.9)],
        ("good", "threshold"): [skilled_scores(0, 0.7), skilled_scores(1, 0.7)],
        ("poor", "marginal"): [skilled_scores(0, 0.1), skilled_scores(1, 0.1)],
        ("poor", "threshold"): [skilled_scores(0, 0.1)],
        ("baseline", "other"): [skilled_scores(0, 0.0)],
    }
    best, examples = ("good", "marginal"), dict.fromkeys(("good", "poor", "baseline"), 5)
    rows = {(row.variant, row.decoding): row for row in summarise(runs, best, examples)}
    assert [row.against for row in rows.values()] == [None, best, best, ("good", "threshold"), best]
    assert rows[best].difference is None
    poor = rows["poor", "marginal"]
    assert poor.difference[0] == pytest.approx(poor.mean[0] - rows[best].mean[0], abs=0.02)
    assert poor.difference[2] < 0 > poor.area_difference[2]
    assert rows["poor", "threshold"].seed_spread == 0


def test_fewer_than_three_seeds_show_nothing_and_another_seed_widens_the_interval():
    one = {("good", "marginal"): [skilled_scores(0, 0.9)], ("poor", "marginal"): [skilled_scores(0, 0.1)]}
    two = {key: [*runs, skilled_scores(0, 0.2)] for key, runs in one.items()}
    examples = {"good": 5, "poor": 5}
    alone, spread = (summarise(runs, ("good", "marginal"), examples)[1] for runs in (one, two))
    assert alone.significant == (False, False)
    assert spread.difference[2] - spread.difference[1] > alone.difference[2] - alone.difference[1]
    assert spread.significant == (False, False)
    reference, poor = one
    three = {reference: one[reference] * 3, poor: one[poor]}
    for of_reference, expected in ((one, False), (three, True)):  # a baseline has no seed to vary, the reference has
        baseline = summarise(of_reference, reference, {"good": 5, "poor": 0})[1]
        assert baseline.significant == (expected, expected)
    assert summarise(three, reference, examples)[1].significant == (False, False)
    assert summarise({**three, poor: one[poor] * 3}, reference, examples)[1].significant == (True, True)
