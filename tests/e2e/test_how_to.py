"""Each how-to page, followed with its own toy."""

import json
import re
import sys
from types import ModuleType
from typing import Literal

import numpy as np
import pytest
import torch

from playahead.cli import registry
from playahead.cli.main import run
from playahead.evaluation import scores as evaluation
from playahead.inference.predictor import Predictor
from playahead.sources import feeds
from playahead.variants import model
from playahead.variants.config import AnticipatorConfig
from tests.support.paths import ROOT

PAGES = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "how-to" / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_at_most_four_files_and_they_exist(page):
    named = re.findall(r"^\*\*\d\. `(.+?)`\*\*", page.read_text(), re.MULTILINE)
    assert 3 <= len(named) <= 4
    for path in named:
        assert (ROOT / path).parent.is_dir(), path


def test_a_provider(tmp_path, monkeypatch, capsys):
    reader, entry = blocks("add-a-provider.md")
    names: dict = {"FeedReader": feeds.FeedReader, "starting": feeds.starting}
    exec(compile(reader, "lines.py", "exec"), names)
    monkeypatch.setattr(feeds, "READERS", (*feeds.READERS, eval(entry, names)))
    events = "".join(f"1;{t};PASS;{t // 3000 % 2}\n" for t in range(0, 60_000, 1_500))
    match = tmp_path / "17.txt"
    match.write_text(f"half;ms;action;team\n{events}1;60000;GOAL;0\n")
    assert run(["predict", str(match), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["anticipated"]
    assert run(["data", "convert", str(match), "--out", str(tmp_path / "test.npz")]) == 0
    assert "1 free kicks and goals not read" in capsys.readouterr().err
    for wrong in ("1;soon;PASS;0", "1;99999999999;PASS;0", "3;0;PASS;0", "1;0;PASS;256", "1;0;DUEL;0", ""):
        match.write_text(f"half;ms;action;team\n1;0;PASS;0\n{wrong}\n")
        assert run(["predict", str(match)]) == 2
        error = capsys.readouterr().err
        assert "17.txt" in error
        assert error.count("\n") == 1
    match.write_bytes(b"half;ms;action;team\n1;0;P\xff;0\n")
    assert run(["predict", str(match)]) == 2


def test_a_head(tmp_path, monkeypatch):
    (code,) = blocks("add-a-head.md")
    names = dict(vars(model))
    exec(compile(code, "model.py", "exec"), names)
    monkeypatch.setitem(model.FRAME_HEADS, "two-layer", names["TwoLayerHead"])
    for kind in (AnticipatorConfig, AnticipatorConfig.__init__):  # what editing ``Head`` does
        monkeypatch.setitem(kind.__annotations__, "head", Literal["slots", "dense", "two-layer"])
    sizes = {"feature_dim": 8, "d_model": 16, "heads": 2, "ffn_dim": 16, "decoder_layers": 1}
    config = AnticipatorConfig(**sizes, head="two-layer")  # type: ignore[arg-type]
    network = model.build(config).eval()
    Predictor(network, {}).save(tmp_path / "weights.safetensors")
    logits_ORC = network(torch.zeros(2, 7, 33, 8)).slots
    assert logits_ORC.shape == (4, 32, 10)
    assert logits_ORC.sigmoid().mean() < 0.2
    opened = Predictor.open(tmp_path / "weights.safetensors").network
    assert torch.equal(opened(torch.ones(1, 6, 33, 8)).slots, network(torch.ones(1, 6, 33, 8)).slots)


def test_a_metric(tmp_path, monkeypatch, capsys):
    (code,) = blocks("add-a-metric.md")
    names = {"FrameTable": evaluation.FrameTable}
    exec(compile(code, "evaluate.py", "exec"), names)
    monkeypatch.setitem(evaluation.FIGURES, "clips with predictions", names["clips_with_predictions"])
    nothing = evaluation.FrameTable(np.zeros((0, 32), int), np.zeros((0, 32), int), np.zeros((0, 32, 11), np.float32))
    assert names["clips_with_predictions"](nothing) == 0
    case = ROOT / "tests" / "goldens" / "scorer" / "case09_one_clip.npz"
    assert run(["evaluate", "frames", str(case), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["clips with predictions"] == 1.0
    assert run(["evaluate", "frames", str(case)]) == 0
    assert "clips with predictions 1.00" in capsys.readouterr().out


def test_a_command(tmp_path, monkeypatch, capsys):
    code, entry = blocks("add-a-command.md")
    module = ModuleType("playahead.cli.commands.count")
    exec(compile(code, "count.py", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(registry.COMMANDS, "count", eval(entry, vars(registry)))
    assert run(["data", "simulate", "--out", str(tmp_path), "--matches", "4", "--minutes", "1"]) == 0
    capsys.readouterr()
    assert run(["count", str(tmp_path / "val.npz"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows == len(np.load(tmp_path / "val.npz")["cls"])
