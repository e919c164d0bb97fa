"""``data check`` of whole matches on video, in either layout."""

import json
import shutil

import pytest

from playahead.cli.main import run
from playahead.datasets.check import check_dataset
from playahead.io.errors import InputError
from tests.conftest import simulate


@pytest.fixture(params=["bas", "osl"])
def dataset(request, tmp_path):
    simulate(tmp_path / "sim", layout=request.param, matches=4, minutes=1.0)
    for labels in (tmp_path / "sim").rglob("Labels-ball.json"):
        for half in (1, 2):
            (labels.parent / f"{half}_224p.mp4").touch()
    for annotations in (tmp_path / "sim").glob("annotations_*.json"):
        for item in json.loads(annotations.read_text())["data"]:
            (annotations.parent / item["inputs"][0]["path"]).touch()
    return tmp_path / "sim"


def test_matches_are_counted_and_found_in_two_splits(dataset, capsys):
    assert run(["data", "check", str(dataset)]) == 0
    shown = capsys.readouterr().out
    assert "train: " in shown
    assert "no problems" in shown
    if (dataset / "annotations_test.json").exists():
        shutil.copy(dataset / "annotations_test.json", dataset / "annotations_valid.json")
    else:
        shutil.copytree(dataset / "test", dataset / "valid", dirs_exist_ok=True)
    assert run(["data", "check", str(dataset)]) == 2
    assert "is in valid and test" in capsys.readouterr().out


def test_a_split_alone_and_a_missing_video(dataset):
    place = dataset / "annotations_test.json"
    place = place if place.exists() else dataset / "test"
    assert list(check_dataset(place).splits) == ["test"]
    next(dataset.glob("test/**/*.mp4")).unlink()
    (reason,) = check_dataset(place).rejected
    assert "no such video" in reason or "0 videos of half" in reason


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="no dataset found"):
        check_dataset(tmp_path)
