"""What a grid may say, and what it may not."""

import pytest
import yaml

from playahead.decoding.choosing import Decoding
from playahead.io.errors import InputError
from playahead.io.settings import read_yaml
from playahead.lab.compare.grid import changed, narrowed, open_grid, shipped_grids
from playahead.lab.recipes import feed

GRID = {
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
    path.write_text(yaml.safe_dump({**GRID, **changes}, sort_keys=False))
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
        (only(**{"model.slots": 0}), "model.slots: 0 is below 1"),
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
    config = changed(feed(), {"criterion.matcher.frequency": "none", "seed": 3, "optim.restart_epochs": None})
    assert config.criterion.matcher.frequency == "none"
    assert config.model == feed().model
    for wrong in ({"criterion.matcher.frequency": "often"}, {"epochs": 1.5}, {"model.slots.many": 1}, {"": 1}):
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
