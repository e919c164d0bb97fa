"""Tables, submissions, grids and manifests whose meaning would have changed without a word."""

import io
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.evaluation.exact import TimedEvents, score_exactly
from playahead.evaluation.submission import RESULTS_NAME, check_submission
from playahead.features.store import FeatureStore, StoreFacts
from playahead.io.errors import InputError
from playahead.lab.compare.grid import open_grid
from playahead.lab.simulation.plays import simulate_half
from playahead.sources.feed_tables import read_feed_table, write_feed_table


def test_bad_rows_are_dropped_and_counted_when_asked(tmp_path, capsys):
    write_feed_table(tmp_path / "bad.npz", [simulate_half(0, minutes=1)])
    with np.load(tmp_path / "bad.npz") as table:
        columns = dict(table)
    columns["x"][1] = 101
    np.savez(tmp_path / "bad.npz", **columns)
    command = ["data", "convert", str(tmp_path / "bad.npz"), "--out", str(tmp_path / "out.npz")]
    assert run(command) == 2
    assert "(--drop-bad-rows leaves such rows out)" in " ".join(capsys.readouterr().err.split())
    assert run(["predict", str(tmp_path / "bad.npz")]) == 2  # has no such option
    assert "leaves such rows out" not in " ".join(capsys.readouterr().err.split())
    assert run([*command, "--drop-bad-rows"]) == 0
    assert "1 bad rows dropped" in " ".join(capsys.readouterr().err.split())
    assert len(read_feed_table(tmp_path / "out.npz")[0]) == len(columns["x"]) - 1


@pytest.mark.parametrize("path", [None, 7, "\ud800", "clip\n1"])
def test_submissions_with_paths_that_are_none(tmp_path, path):
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"videos": [{"path": path, "annotations": {"anticipation": []}}]}))
    assert check_submission(file)


def test_zips_that_servers_would_not_take(tmp_path):
    good = json.dumps({"videos": [{"path": "clip_1", "annotations": {"anticipation": []}}]})

    def problems(name=RESULTS_NAME, content=b""):
        content = content or good.encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        (tmp_path / "s.zip").write_bytes(buffer.getvalue())
        return " | ".join(check_submission(tmp_path / "s.zip"))

    assert "entries outside the zip's folder: ../x" in problems("../x")
    assert "entries outside the zip's folder: /x" in problems("/x")
    assert "UTF-16" in problems(content=good.encode("utf-16"))
    assert "unpacks to" in problems(content=bytes(300 << 20))
    assert "lies in a folder" in problems(f"folder/{RESULTS_NAME}")
    assert "other files in the zip: __MACOSX/x" in problems("__MACOSX/x")


def test_the_exact_score_of_nothing():
    nothing = TimedEvents(*(np.zeros(0, int) for _ in range(3)))
    one = TimedEvents(np.zeros(1, int), np.zeros(1, int), np.ones(1), np.ones(1))
    assert score_exactly(nothing, one).average == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)), "aliases"),
        ("variants: " + "[" * 5000, "nested"),
        ("variants: &v {a: *v}", "aliases"),
        ("x" * (2 << 20), "too large"),
    ],
    ids=["bomb", "nesting", "inside itself", "large"],
)
def test_grids_that_are_bombs(tmp_path, text, said):
    (tmp_path / "g.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        open_grid(str(tmp_path / "g.yaml"))


@pytest.mark.parametrize(
    "change",
    [
        {"precision": None},
        {"precision": "float64"},
        {"snippets": -1},
        {"feature_dim": float("nan")},
        {"weights": "\x1b[31m"},
        {"input_size": [1, 2]},
    ],
)
def test_manifests_with_fields_that_cannot_be(tmp_path, change):
    facts = asdict(StoreFacts("w", (96, 64, "limited"), "float32", 33, 4))
    (tmp_path / "manifest.json").write_text(json.dumps({**facts, **change}))
    with pytest.raises(InputError, match="manifest"):
        FeatureStore(tmp_path)
