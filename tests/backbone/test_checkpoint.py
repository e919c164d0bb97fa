"""Backbone weights: published checkpoints as they are found, and everything that is not one."""

import pickle
from collections import OrderedDict
from importlib.util import find_spec

import pytest
import torch

from playahead.backbone.checkpoint import load_backbone, read_published, save_backbone
from playahead.io.errors import InputError
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


@pytest.mark.parametrize("prefix", ["", "_orig_mod.", "module.", "module._orig_mod."])
def test_published_checkpoints_load_strictly_however_they_were_wrapped(backbone, tmp_path, prefix):
    found, provenance = read_published(published(tmp_path / "model.pth", backbone.state_dict(), prefix))
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, found.state_dict()[name]), name
    assert not found.training
    assert provenance["source"] == "model.pth"
    assert len(str(provenance["sha256"])) == 64
    assert "leak" in str(provenance["notice"])


def test_written_weights_are_read_back_with_their_provenance(backbone, tmp_path):
    save_backbone(tmp_path / "weights.safetensors", backbone, {"source": "formula"})
    found, provenance = load_backbone(tmp_path / "weights.safetensors")
    assert found.config == backbone.config
    assert provenance == {"source": "formula"}
    assert torch.equal(found.global_pool.p, backbone.global_pool.p)


def test_the_33_frame_model_is_refused_with_the_reason(backbone, tmp_path):
    state = {**backbone.state_dict(), "classifier.weight": torch.zeros(12, 2816)}
    with pytest.raises(InputError, match=r"a 33-frame model \(2,816 features a snippet\), but a snippet is 15 frames"):
        read_published(published(tmp_path / "model.pth", state))


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
    path = tmp_path / "model.pth"
    with pytest.raises(InputError, match=r"model\.pth: no such file"):
        read_published(path)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="holds no nn_state_dict"):
        read_published(path)
    published(path, {"weight": torch.zeros(3)})
    with pytest.raises(InputError, match=r"holds no classifier\.weight"):
        read_published(path)
    state = dict(backbone.state_dict())
    del state["conv2d_projection.0.weight"]
    published(path, state)
    with pytest.raises(InputError, match=r"do not fit the network: .*conv2d_projection\.0\.weight"):
        read_published(path)
    published(path, {**backbone.state_dict(), "global_pool.p": torch.tensor([float("nan")])})
    with pytest.raises(InputError, match="holds NaN"):
        read_published(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_checkpoints_are_refused(backbone, tmp_path, share):
    path = published(tmp_path / "model.pth", backbone.state_dict())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"model\.pth"):
        read_published(path)


def test_another_safetensors_file_is_not_a_backbone(tmp_path):
    from playahead.io.tensors import write_tensors

    write_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(1)}, {"model": {}})
    with pytest.raises(InputError, match="not a backbone"):
        load_backbone(tmp_path / "other.safetensors")


def test_the_command_converts_and_tells_the_leak_and_extraction_passes_it_on(backbone, tmp_path, capsys):
    from playahead.cli.main import run
    from playahead.features.extract import ExtractConfig, prepare
    from playahead.features.store import FeatureStore

    source = published(tmp_path / "model.pth", backbone.state_dict())
    assert run(["weights", "convert", str(source), "--out", str(tmp_path / "b.safetensors")]) == 0
    shown = capsys.readouterr()
    assert "carries that leak" in " ".join(shown.err.split())
    assert "1,280 features a snippet" in " ".join(shown.out.split())
    prepare(ExtractConfig(backbone=tmp_path / "b.safetensors", input_size="96x64"), tmp_path / "store")
    store = FeatureStore(tmp_path / "store")
    assert "carries that leak" in store.notice
    assert store.facts.input_size == (96, 64, "limited")
    assert run(["weights", "convert", str(tmp_path / "none.pth")]) == 2
