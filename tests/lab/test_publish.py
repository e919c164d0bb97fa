"""Publishing weights, and opening them again by their name, against a stand-in hub."""

from pathlib import Path

import pytest
import yaml

import playahead
from playahead.cli.main import run
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.io.hub import is_on_hub, weights_file
from playahead.lab.record import record_feed
from tests.support.hub import StandIn, serving


@pytest.fixture
def published(tmp_path, real_matches) -> Path:
    record_feed(tmp_path / "results" / "full.json", real_matches)
    words = f"publish playahead/feed --out {tmp_path / 'out'} --results {tmp_path / 'results'}"
    assert run(words.split()) == 0
    return tmp_path / "out"


def test_the_card_holds_the_recorded_figures_where_the_hub_looks_for_them(published, tmp_path):
    card = (published / "README.md").read_text()
    head = yaml.safe_load(card.split("---\n")[1])
    (index,) = head["model-index"]
    (entry,) = index["results"]
    result = yaml.safe_load((tmp_path / "results" / "full.json").read_text())
    assert {metric["type"]: metric["value"] for metric in entry["metrics"]} == {
        "exact-area": result["area"][0],
        "official": result["official"][0],
    }
    assert entry["dataset"]["split"] == "test"
    assert head["license"] == "mit"
    assert f"**{result['area'][0]:.2f}**" in card
    assert result["command"] in card
    assert (published / "weights.safetensors").read_bytes() == packaged_weights().read_bytes()


def test_what_was_published_opens_by_its_name(published, tmp_path, monkeypatch):
    files = {path.name: path.read_bytes() for path in published.iterdir()}
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(StandIn({}, models={"playahead/feed": files, "playahead/empty": {"README.md": b""}})):
        opened = playahead.open_predictor("playahead/feed")
        again = playahead.open_predictor("playahead/feed")
        assert playahead.Predictor.open("playahead/feed").examples_seen == opened.examples_seen > 0
        with pytest.raises(InputError, match=r"playahead/empty: holds no weights\.safetensors"):
            playahead.open_predictor("playahead/empty")
        with pytest.raises(InputError, match="playahead/gone: is no file, and no model of that name"):
            playahead.open_predictor("playahead/gone")
        with pytest.raises(InputError, match="no name that the Hugging Face Hub allows"):
            playahead.open_predictor("playahead/a--b..c")
    half = playahead.read_feed("sample")[0]
    ours, theirs, twice = (
        one.anticipate_at(one.prepare(half), [750_000]) for one in (playahead.open_predictor(), opened, again)
    )
    assert ours == theirs == twice


def test_a_name_is_one_on_the_hub_only_if_it_can_be_no_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert is_on_hub("playahead/feed")
    for name in (
        "runs/mine",
        "mine.safetensors",
        "gone/mine.safetensors",
        "a/b/c",
        "../feed",
        "/feed",
        "~/feed",
        "feed",
    ):
        assert not is_on_hub(name), name
        assert weights_file(name) == Path(name)


def test_no_connection_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(StandIn({}, status=503)), pytest.raises(InputError) as raised:
        playahead.open_predictor("playahead/feed")
    assert "\n" not in str(raised.value)


def test_weights_without_a_result_of_theirs_are_told(tmp_path, pipeline, real_matches, capsys):
    record_feed(tmp_path / "results" / "full.json", real_matches)
    weights = pipeline.feed_run / "weights.safetensors"
    words = f"publish me/mine --out {tmp_path / 'out'} --weights {weights}"
    assert run([*words.split(), "--license", "mit", "--results", str(tmp_path / "results")]) == 2
    assert "holds no result of weights.safetensors (playahead results record" in capsys.readouterr().err
    assert run(words.split()) == 2
    assert "license: under which licence are these weights?" in capsys.readouterr().err
    assert run([*words.split(), "--license", "apache-2.0"]) == 0
    assert (tmp_path / "out" / "README.md").read_text().startswith("---\nlicense: apache-2.0\n")


def test_stale_figures_are_not_published(published, tmp_path, capsys):
    path = tmp_path / "results" / "full.json"
    path.write_text(path.read_text().replace('"counts": "', '"counts": "0'))
    words = f"publish playahead/feed --out {tmp_path / 'other'} --results {tmp_path / 'results'}"
    assert run(words.split()) == 2
    assert "full.npz is another file (again: playahead results record" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_an_export_is_no_weights_file(tmp_path, capsys):
    assert (
        run(["publish", "me/mine", "--out", str(tmp_path / "out"), "--weights", str(tmp_path), "--license", "mit"]) == 2
    )
    assert "a folder" in capsys.readouterr().err
