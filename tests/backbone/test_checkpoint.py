"""Backbone weights: published checkpoints as they are found, and everything that is not one."""

import pickle
from collections import OrderedDict
from importlib.util import find_spec

import pytest
import torch

from playahead.backbone.checkpoint import load_backbone, read_published, save_backbone
from playahead.cli.main import run
from playahead.features.extract import ExtractConfig, prepare
from playahead.io.errors import InputError
from playahead.io.tensors import write_tensors
from tests.support.backbone import golden_backbone

pytestmark = pytest.mark.skipif(find_spec("timm") is None, reason="needs the extra 'backbone'")


@pytest.fixture(scope="module")
def backbone():
    return golden_backbone()


def published(path, state, prefix=""):
    params = {"nn_module": ("multidim_stacker", {"num_frames": 15, "stack_size": 3})}
    named = OrderedDict((prefix + name, value) for name, value in state.items())
    torch.save({"nn_state_dict": named, "params": params, "model_name": "spotting"}, path)
    return path


@pytest.mark.parametrize("prefix", ["", "_orig_mod.", "module._orig_mod."])
def test_published_checkpoints_load_strictly_however_they_were_wrapped(backbone, tmp_path, prefix):
    loaded, provenance = read_published(published(tmp_path / "model.pth", backbone.state_dict(), prefix))
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert not loaded.training
    assert provenance["source"] == "model.pth"
    assert len(str(provenance["sha256"])) == 64
    assert "leak" in str(provenance["notice"])


def test_written_weights_are_read_back_with_their_provenance(backbone, tmp_path):
    save_backbone(tmp_path / "weights.safetensors", backbone, {"source": "formula"})
    loaded, provenance = load_backbone(tmp_path / "weights.safetensors")
    assert loaded.config == backbone.config
    assert provenance == {"source": "formula"}
    assert torch.equal(loaded.global_pool.p, backbone.global_pool.p)
    write_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(1)}, {"model": {}})
    with pytest.raises(InputError, match="not a backbone"):
        load_backbone(tmp_path / "other.safetensors")


class Trap:
    """Would call print when unpickled carelessly."""

    def __reduce__(self):
        return (print, ("unpickled",))


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, capsys):
    path = tmp_path / "trap.pth"
    torch.save({"nn_state_dict": {"a": Trap()}}, path)
    with pytest.raises(InputError, match="read safely"):
        read_published(path)
    path.write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(InputError, match="read safely"):
        read_published(path)
    assert "unpickled" not in capsys.readouterr().out


def test_what_is_no_checkpoint_is_named(backbone, tmp_path):
    path, state = tmp_path / "model.pth", backbone.state_dict()
    with pytest.raises(InputError, match=r"model\.pth: no such file"):
        read_published(path)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="holds no nn_state_dict"):
        read_published(path)
    projection = "conv2d_projection.0.weight"
    for tensors, what in (
        ({"weight": torch.zeros(3)}, r"holds no classifier\.weight"),
        ({name: state[name] for name in state if name != projection}, f"do not fit the network: .*{projection}"),
        ({**state, "global_pool.p": torch.tensor([float("nan")])}, "holds NaN"),
        (
            {**state, "classifier.weight": torch.zeros(12, 2816)},
            r"a 33-frame model \(2,816 features a snippet\), but a snippet is 15 frames",
        ),
    ):
        with pytest.raises(InputError, match=what):
            read_published(published(path, tensors))
    whole = published(path, state).read_bytes()
    for share in (0.0, 0.3, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match=r"model\.pth"):
            read_published(path)


def test_the_command_converts_and_tells_the_leak_and_extraction_passes_it_on(backbone, tmp_path, capsys):
    source = published(tmp_path / "model.pth", backbone.state_dict())
    assert run(["weights", "convert", str(source), "--out", str(tmp_path / "b.safetensors")]) == 0
    shown = capsys.readouterr()
    assert "carries that leak" in " ".join(shown.err.split())
    assert "1,280 features a snippet" in " ".join(shown.out.split())
    _, store = prepare(ExtractConfig(backbone=tmp_path / "b.safetensors", input_size="96x64"), tmp_path / "store")
    assert "carries that leak" in store.notice
    assert store.facts.input_size == (96, 64, "limited")
    assert run(["weights", "convert", str(tmp_path / "none.pth")]) == 2
