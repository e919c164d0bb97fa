"""Scoring one file's actions, observed through another file of the same match."""

import json
from dataclasses import replace

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.datasets.dataset import feed_evaluation_set
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.domain.feed import ESTIMATED_OUT
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import simulate_half, write_bas_labels


@pytest.fixture
def files(tmp_path):
    halves = [simulate_half(0, half=half, minutes=3) for half in (1, 2)]
    write_bas_labels(tmp_path / "labels.json", halves)
    found = json.loads((tmp_path / "labels.json").read_text())["annotations"]
    (tmp_path / "spotted.json").write_text(json.dumps({"predictions": found[::2]}))
    return tmp_path


def test_what_is_seen_is_the_other_file_and_what_is_scored_is_not(files):
    whole, seen = (feed_evaluation_set(files / "labels.json", seen=s) for s in (None, files / "spotted.json"))
    assert len(whole) == len(seen)
    assert (np.concatenate([f for f, _ in whole.frames]) == np.concatenate([f for f, _ in seen.frames])).all()
    assert sum(map(len, seen.observed)) == pytest.approx(sum(map(len, whole.observed)) / 2, abs=1)
    assert not np.array_equal(next(whole.batches()), next(seen.batches()))


def test_a_half_that_nobody_watched_is_named(files):
    found = json.loads((files / "spotted.json").read_text())["predictions"]
    first = [entry for entry in found if entry["gameTime"].startswith("1")]
    (files / "spotted.json").write_text(json.dumps({"predictions": first}))
    with pytest.raises(InputError, match=r"spotted.json: has no half 2 of match 1, which is to be scored"):
        feed_evaluation_set(files / "labels.json", seen=files / "spotted.json")


def test_from_the_command_line(files, capsys):
    command = ["evaluate", "feed", str(files / "labels.json"), "--json"]
    assert run(command) == 0
    whole = json.loads(capsys.readouterr().out)["average"]
    assert run([*command, "--seen", str(files / "spotted.json")]) == 0
    assert json.loads(capsys.readouterr().out)["average"] != whole


def test_a_class_that_a_source_only_estimates_is_not_scored():
    half = simulate_half(0, minutes=5)
    estimated = replace(half, setpiece=np.where(half.code == 7, ESTIMATED_OUT, half.setpiece).astype(np.uint8))
    assert 7 in FeedEvaluationSet([half]).classes
    assert FeedEvaluationSet([estimated]).classes == (0, 1, 2, 3, 4, 5, 6, 8, 9)
    guessed_once = estimated.setpiece.copy()
    guessed_once[np.flatnonzero(half.code == 7)[0]] = 0
    assert 7 in FeedEvaluationSet([replace(estimated, setpiece=guessed_once)]).classes
