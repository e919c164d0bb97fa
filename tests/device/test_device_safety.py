"""Every recipe trains, validates, saves, resumes and predicts on a device that refuses implicit transfers.

Nobody here has a GPU, so ``tests.device.standin`` takes its place. What the host reads of a device is counted: twice a
training step, once the slots to match them, once the losses and the gradient's norm.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.accelerators import CPUAccelerator
from lightning_fabric.strategies import SingleDeviceStrategy

from playahead.backbone.fast import FastBackbone
from playahead.datasets.evaluation_set import FeedEvaluationSet
from playahead.datasets.examples import FeedExamples
from playahead.features.encoder import SnippetStream, WindowEncoder, every
from playahead.features.feed import N_FEATURES
from playahead.inference.predictor import Predictor
from playahead.lab.faantra.end_to_end import (
    EndToEndConfig,
    EndToEndTrainer,
    FrameExamples,
    FramesEvaluationSet,
    find_annotated_videos,
    tiling,
)
from playahead.lab.faantra.network import EndToEndModelConfig
from playahead.lab.pretrain import PretrainConfig, SpottingTrainer
from playahead.lab.recipes import RECIPES, recipe
from playahead.lab.simulation.plays import simulate_half
from playahead.sources.layouts import find_labelled_videos
from playahead.training import loop
from playahead.training.run import validate
from playahead.training.trainer import TrainConfig, Trainer
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size
from tests.conftest import simulate
from tests.device.standin import NAME, StandIn, Watch, stand_in
from tests.support.backbone import TINY as TINY_BACKBONE, tiny_backbone

BRIEF = {"epochs": 1, "steps_per_epoch": 3, "validate_every": 1, "save_every": 1, "precision": "32-true"}
READS_A_STEP = 2
QUICK = {"feed", "feed-slots", "paper-feed", "faantra"}
"""One recipe of each kind of head, criterion and trainer; the others are slow tests."""


def recipes(kind: type) -> list:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in RECIPES[kind.__name__]]


class AnyDevice(CPUAccelerator):
    """Takes the stand-in for what it is."""

    def setup_device(self, device: torch.device) -> None:
        pass


@pytest.fixture
def watch(monkeypatch):
    """Everything that trains, trains on the stand-in."""

    def on_stand_in(settings) -> Fabric:
        strategy = SingleDeviceStrategy(torch.device(NAME, 0), AnyDevice())
        return Fabric(strategy=strategy, precision=settings.precision)

    monkeypatch.setattr(loop, "make_fabric", on_stand_in)
    with stand_in() as watch:
        yield watch
    assert not watch.undetermined, "refused on CUDA with --deterministic true"


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    simulate(folder, layout="baa", matches=4, minutes=0.75, halves=1, video=True, width=64, height=32)
    return folder


def small(name: str) -> TrainConfig:
    config = recipe(name, TrainConfig)
    assert isinstance(config, TrainConfig)
    feature_dim = config.model.feature_dim if config.model.reads_moments else N_FEATURES
    sizes = {"feature_dim": feature_dim, "d_model": 16, "heads": 2, "ffn_dim": 16, "encoder_layers": 1}
    model = replace(config.model, **sizes, decoder_layers=1)
    return replace(config, model=model, sequences=2, examples=2, **BRIEF)  # type: ignore[arg-type]


def reads_of_a_step(trainer: loop.Loop, watch: Watch) -> Counter[str]:
    """One step more, and what the host read in it."""
    watch.read.clear()
    trainer._train_step()
    found = Counter(watch.read)
    watch.read.clear()
    return found


def assert_here(network: torch.nn.Module) -> None:
    assert all(isinstance(value, StandIn) for value in network.state_dict().values() if value.dim())


@pytest.mark.parametrize("name", recipes(TrainConfig))
def test_an_anticipator_trains_validates_resumes_and_predicts(tmp_path, watch, name):
    config, halves = small(name), [simulate_half(0, minutes=2)]
    validation = FeedEvaluationSet(halves, "val")

    def make() -> Trainer:
        return Trainer(
            config,
            FeedExamples(halves, 2, reading=config.reading),
            lambda predictor: validate(predictor, validation),
            tmp_path,
        )

    trainer = make()
    assert_here(trainer.plain_model)
    reads = reads_of_a_step(trainer, watch)
    assert reads.total() <= READS_A_STEP, reads
    trainer.run()
    resumed = make()
    assert resumed.step == config.total_steps
    assert_here(resumed.plain_model)
    opened = Predictor.open(tmp_path / "best.safetensors", device="cpu")
    here = Predictor(resumed.averaged_model, opened.about).predict_all(validation)
    there = opened.predict_all(validation)
    for part, ours in vars(here).items():
        if ours is not None:  # frames without sides and places
            np.testing.assert_allclose(ours, getattr(there, part), atol=1e-5)


@pytest.mark.parametrize("name", recipes(PretrainConfig))
def test_a_backbone_trains_validates_and_resumes(tmp_path, watch, films, name):
    config = recipe(name, PretrainConfig)
    assert isinstance(config, PretrainConfig)
    tiny = {"imagenet": False, "backbone": TINY_BACKBONE, "input_size": "64x32", "batch": 2, "accumulate": 1}
    config = replace(config, **tiny, **BRIEF)  # type: ignore[arg-type]
    training, validation = find_labelled_videos(films / "train")[:1], find_labelled_videos(films / "valid")[:1]
    cache = FrameCache(tmp_path, parse_input_size(config.input_size))
    cache.fill([video.path for video in (*training, *validation)])
    trainer = SpottingTrainer(config, training, validation, cache, tmp_path)
    assert_here(trainer.plain_model)
    assert reads_of_a_step(trainer, watch).total() <= READS_A_STEP
    trainer.run()
    assert SpottingTrainer(config, training, validation, cache, tmp_path).step == config.total_steps


@pytest.mark.parametrize("name", recipes(EndToEndConfig))
def test_end_to_end_trains_validates_resumes_and_predicts(tmp_path, watch, films, name):
    config = recipe(name, EndToEndConfig)
    assert isinstance(config, EndToEndConfig)
    sizes = {"d_model": 16, "heads": 2, "ffn_dim": 16, "encoder_layers": 1, "decoder_layers": 1}
    model = EndToEndModelConfig(
        encoder="regnety_002",
        frames=8,
        stride_frames=4,
        input_size="64x32",
        anticipator=replace(config.model.anticipator, **sizes),  # type: ignore[arg-type]
    )
    config = replace(config, model=model, batch=2, **BRIEF)  # type: ignore[arg-type]
    videos = tiling(find_annotated_videos(films / "train"))[:1]
    cache = FrameCache(tmp_path, parse_input_size("64x32"))
    cache.fill([video.source.path for video in videos])
    validation = FramesEvaluationSet(videos, model)
    examples = FrameExamples(videos, cache, model)
    trainer = EndToEndTrainer(config, examples, validation, tmp_path)
    assert_here(trainer.plain_model)
    assert reads_of_a_step(trainer, watch).total() <= READS_A_STEP
    trainer.run()
    assert EndToEndTrainer(config, examples, validation, tmp_path).step == config.total_steps


def test_a_backbone_encodes_windows_and_streams_as_on_the_cpu(watch):
    frames_THW = np.random.default_rng(0).integers(0, 255, (125, 32, 64), np.uint8)
    here, there = (FastBackbone(tiny_backbone(), device=device) for device in ("cpu", NAME))
    ours, theirs = (WindowEncoder(fast, 8).encode(frames_THW) for fast in (here, there))
    np.testing.assert_allclose(ours, theirs, rtol=2e-3)
    np.testing.assert_allclose(here.spot(ours), there.spot(theirs), atol=1e-3)
    streamed = [features for _, features in SnippetStream(there, every(3)).encode(frames_THW)]
    np.testing.assert_allclose(np.concatenate(streamed), ours, rtol=2e-3)


def test_the_stand_in_refuses_what_a_gpu_would(watch):
    here = torch.ones(3).to(NAME)
    with pytest.raises(RuntimeError, match="expected all tensors on standin"):
        here + torch.ones(3)
    with pytest.raises(RuntimeError, match="expected all tensors on standin"):
        here[torch.tensor([0, 1])]
    with pytest.raises((RuntimeError, TypeError)):
        here.numpy()
    assert not watch.read
    assert bool((here > 0).all())
    here.cpu()
    here[here > 0]
    here.nonzero()
    assert watch.read.total() == 4


def test_the_stand_in_notes_what_cuda_refuses_to_determine(watch):
    torch.ones(3).to(NAME).cumsum(0)
    torch.nn.functional.adaptive_avg_pool1d(torch.ones(1, 2, 33).to(NAME).requires_grad_(), 4).sum().backward()
    assert {name.partition(".")[2] for name in watch.undetermined} == {
        "cumsum.default",
        "_adaptive_avg_pool2d_backward.default",
    }
    watch.undetermined.clear()
