"""A device by its name means one thing everywhere; a name that cannot be is one line."""

import sys
import threading
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from playahead.backbone.fast import FastBackbone
from playahead.cli.main import run
from playahead.features.extract import ExtractionReport, Video, extract_by_ray
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.io.runtime import emulates_bfloat16, float32_as, pick_device
from playahead.lab.recipes import recipe
from playahead.variants.model import build
from tests.conftest import simulate
from tests.support.backbone import tiny_backbone


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_auto_is_the_first_available(monkeypatch, two_gpus):
    assert pick_device() == "cuda"
    assert pick_device("cuda:1") == "cuda:1"
    assert not emulates_bfloat16()
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device() == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device() == pick_device("cpu") == "cpu"


def rounds_to_tf32() -> tuple[bool, bool]:
    """(convolutions and recurrent layers, products)."""
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.fixture
def torchs_own_rounding():
    before = rounds_to_tf32()
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = True, False
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def test_only_a_tf32_backbone_rounds_and_only_while_it_computes(two_gpus, torchs_own_rounding, monkeypatch):
    assert rounds_to_tf32() == (True, False)
    fast = FastBackbone(tiny_backbone(), device=pick_device("cpu"))
    assert rounds_to_tf32() == (False, False), "float32 is float32 once a device is picked, also in a GRU"
    seen = []
    monkeypatch.setattr(fast, "encode_stacks", lambda _: seen.append(rounds_to_tf32()))
    for precision in ("tf32", "float32"):
        monkeypatch.setattr(fast, "precision", precision)
        fast.maps(torch.zeros(1, 3, 32, 64, dtype=torch.uint8))
    assert seen == [(True, True), (False, False)]
    assert rounds_to_tf32() == (False, False)
    with pytest.raises(InputError, match="/x"), float32_as("tf32"):
        raise InputError("/x", "cannot be read")
    assert rounds_to_tf32() == (False, False)


def test_a_name_that_cannot_be_and_a_device_that_is_not_here(two_gpus):
    for name in ("gpu", "cuda:x", "cuda:", "CPU", ""):
        with pytest.raises(InputError, match="is not auto, cuda, mps, cpu"):
            pick_device(name)
    with pytest.raises(InputError, match="cuda:2 is not on this machine"):
        pick_device("cuda:2")


def test_every_command_says_so_in_one_line(tmp_path, capsys):
    simulate(tmp_path, matches=4, minutes=6.0)
    for command in ("predict {}/test.npz", "evaluate feed {}", "train feed --data {} --out {}/run"):
        assert run([*command.replace("{}", str(tmp_path)).split(), "--device", "gpu"]) == 2
        error = capsys.readouterr().err
        assert "device: 'gpu' is not auto" in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(("on_gpus", "workers", "gpus"), [(True, 2, 1), (False, 7, None)])
def test_rays_actors_ask_for_gpus(monkeypatch, tmp_path, on_gpus, workers, gpus):
    options_of_map = {}

    class Rows:
        def map(self, _, **options):
            options_of_map.update(options)
            return SimpleNamespace(iter_rows=lambda: iter(()))

    context = SimpleNamespace(get_current=lambda: SimpleNamespace(enable_progress_bars=True))
    data = ModuleType("ray.data")
    data.DataContext, data.from_items = context, lambda _: Rows()  # type: ignore[attr-defined]
    data.ActorPoolStrategy = lambda size: size  # type: ignore[attr-defined]
    ray = ModuleType("ray")
    ray.is_initialized, ray.data = lambda: True, data  # type: ignore[attr-defined]
    ray.cluster_resources = lambda: {"CPU": 8, "GPU": 2}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.data", data)
    videos = [Video("a", tmp_path / "a.mp4")]
    assert extract_by_ray(videos, lambda: None, lambda _: None, on_gpus) == ExtractionReport()  # type: ignore
    assert (options_of_map["compute"], options_of_map["num_gpus"]) == (workers, gpus)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="another PyTorch keeps its threads")
def test_a_feed_computes_with_one_thread_and_the_others_keep_theirs(two_threads):
    reads_windows = build(recipe("feed-slots").model)
    predictor, counted = Predictor(reads_windows, {"features": {"kind": "feed"}}), []
    video = Predictor(predictor.network, {**predictor.about, "features": {"kind": "video"}})

    def count(*_):
        elsewhere = threading.Thread(target=lambda: counted.append((threads, torch.get_num_threads())))
        threads = (torch.get_num_threads(), "mkl_get_max_threads() : 1\n" in torch.__config__.parallel_info())
        elsewhere.start()
        elsewhere.join()

    for module in (predictor.network.encoder, predictor.network.memory):
        module.register_forward_pre_hook(count)
    windows = np.zeros((6, 33, predictor.network.config.feature_dim), np.float32)
    for used in (predictor, video):
        used.predict(windows[None])
        used.answer(used.encode(windows), np.arange(6)[None])
    of_feed, of_video = counted[: len(counted) // 2], counted[len(counted) // 2 :]
    assert of_feed == [((1, True), 2)] * 4
    assert of_video == [((2, False), 2)] * 4
    assert torch.get_num_threads() == 2
