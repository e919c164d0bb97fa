"""Pre-training learns, resumes to the same bits, and writes a backbone that extraction takes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from playahead.backbone.checkpoint import load_backbone, read_published
from playahead.backbone.config import BackboneConfig
from playahead.backbone.network import Backbone
from playahead.io.errors import InputError
from playahead.lab.pretrain.spotting import PretrainConfig, SpottingTrainer, pretrain, spotting_map
from playahead.lab.recipes import recipe
from playahead.sources.layouts import find_labelled_videos
from playahead.training.optim import OptimConfig
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import InputSize
from tests.conftest import simulate

TINY = PretrainConfig(
    backbone=BackboneConfig(
        encoder="test_resnet.r160_in1k", stage=3, maps=16, blocks_3d=1, squeeze=4, projection=8, classes=10
    ),
    input_size="96x64",
    optim=OptimConfig(lr=2e-3, warmup_epochs=0.5, restart_epochs=None),
    epochs=2,
    steps_per_epoch=5,
    batch=4,
    save_every=2,
    average_decay=0.9,
    precision="32-true",
)


@pytest.fixture(scope="module")
def matches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bas")
    simulate(folder, "bas", matches=4, minutes=0.4, halves=1, video=True, width=96, height=60)
    return folder


@pytest.fixture(scope="module")
def cache(matches, tmp_path_factory) -> FrameCache:
    cache = FrameCache(tmp_path_factory.mktemp("cache"), InputSize(96, 64))
    cache.fill([video.path for video in find_labelled_videos(matches)])
    return cache


def trained(folder, matches, cache, config=TINY, stop_at=None) -> SpottingTrainer:
    training, validation = (find_labelled_videos(matches / split) for split in ("train", "valid"))
    trainer = SpottingTrainer(config, training, validation, cache, folder)

    def show(progress):
        if progress.done == stop_at:
            raise KeyboardInterrupt

    try:
        trainer.run(show)
    except KeyboardInterrupt:
        assert stop_at is not None
    return trainer


@pytest.mark.parametrize("stop_at", [1, 4, 5, 8])
def test_a_killed_run_ends_with_the_same_bits(tmp_path, matches, cache, stop_at):
    whole = trained(tmp_path / "whole", matches, cache).average.module.state_dict()
    trained(tmp_path / "killed", matches, cache, stop_at=stop_at)
    resumed = trained(tmp_path / "killed", matches, cache).average.module.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


@pytest.mark.parametrize("parts", [2, 4])
def test_a_step_in_parts_has_the_gradient_of_the_whole(tmp_path, matches, cache, parts):
    """Batch norm apart, which sees a part at a time."""
    gradients = []
    for accumulate in (1, parts):
        training, validation = (find_labelled_videos(matches / split) for split in ("train", "valid"))
        config = replace(TINY, accumulate=accumulate)
        trainer = SpottingTrainer(config, training, validation, cache, tmp_path / str(accumulate))
        trainer.model.eval()
        losses, names = trainer.backward(np.random.default_rng(0))
        gradients.append({name: value.grad for name, value in trainer.plain_model.named_parameters()})
        gradients[-1]["loss"] = losses["total"]
        assert len(names) == config.batch
    for name, value in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], value, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize(("change", "said"), [({"accumulate": 0}, "is below 1"), ({"accumulate": 3}, "shared evenly")])
def test_parts_that_a_step_does_not_have_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        replace(TINY, **change)


def test_the_published_network_trains_on_one_card_of_24_gb():
    """16 snippets a step, as many at once as memory holds: see the recipe."""
    config = recipe("backbone", PretrainConfig)
    assert (config.batch, config.batch // config.accumulate) == (16, 4)


def test_it_learns_by_heart_what_it_is_shown_often(tmp_path, matches, cache):
    config = replace(TINY, epochs=1, steps_per_epoch=60, batch=8, augmentation=recipe_without_changes())
    trainer = trained(tmp_path, matches, cache, config)
    losses = [trainer.losses(np.random.default_rng([0, step]))[0]["total"].item() for step in range(5)]
    training, validation = (find_labelled_videos(matches / split) for split in ("train", "valid"))
    fresh = SpottingTrainer(config, training, validation, cache, tmp_path / "fresh")
    before = [fresh.losses(np.random.default_rng([0, step]))[0]["total"].item() for step in range(5)]
    assert np.mean(losses) < 0.6 * np.mean(before)


def recipe_without_changes():
    from playahead.lab.pretrain.samples import Augmentation

    return Augmentation(flip=False, zoom=0, brightness=0)


def test_a_perfect_spotter_would_score_everything(matches, cache, monkeypatch):
    """The scoring around the network, with a network that knows."""
    from playahead.lab.pretrain import spotting as trainer_module

    videos = find_labelled_videos(matches / "valid")

    def knows(_backbone, frames_THW):
        times = np.arange(0, len(frames_THW) * 40, 120)
        scores = np.zeros((len(times), 10), np.float32)
        for event in videos[0].events:
            scores[np.abs(times - event.position_ms).argmin(), event.action.class_index] = 0.9
        return scores, times

    monkeypatch.setattr(trainer_module, "spotting_scores", knows)
    assert spotting_map(Backbone(TINY.backbone), videos, cache) > 0.9
    monkeypatch.setattr(trainer_module, "spotting_scores", lambda b, f: (np.zeros((5, 10), np.float32), np.arange(5)))
    assert spotting_map(Backbone(TINY.backbone), videos, cache) == 0


def test_the_command_writes_weights_with_where_they_come_from(tmp_path, matches):
    pretrain((matches / "train", matches / "valid"), TINY, tmp_path / "run")
    backbone, about = load_backbone(tmp_path / "run" / "backbone.safetensors")
    assert backbone.config == TINY.backbone
    assert about["input_size"] == "96x64"
    assert about["pretrain"]["seed"] == 0
    assert "notice" not in about


def test_validating_on_training_matches_is_refused(tmp_path, matches):
    with pytest.raises(InputError, match="splits: validation is the same"):
        pretrain((matches / "train", matches / "train"), TINY, tmp_path / "run")


@pytest.mark.parametrize("field", ["batch", "devices", "epochs"])
def test_impossible_settings_are_refused(field):
    with pytest.raises(InputError, match=field):
        replace(TINY, **{field: 0})


def test_recipes_are_of_their_kind():
    assert recipe("backbone", PretrainConfig).backbone == BackboneConfig(classes=10)
    with pytest.raises(InputError, match="not one of"):
        recipe("feed", PretrainConfig)


def test_imagenet_weights_that_cannot_be_fetched_are_said_so(monkeypatch):
    from playahead.backbone import network

    class Timm:
        @staticmethod
        def create_model(*_args, **_kwargs):
            raise OSError("we are offline")

    monkeypatch.setattr(network, "import_timm", lambda: Timm)
    with pytest.raises(InputError, match="ImageNet weights cannot be fetched"):
        Backbone(TINY.backbone, imagenet=True)


def test_what_is_pretrained_is_not_a_published_checkpoint(tmp_path):
    with pytest.raises(InputError):
        read_published(tmp_path / "none.pth")


def test_going_on_from_earlier_weights_keeps_them_and_their_notice(tmp_path, matches, cache):
    from playahead.backbone.checkpoint import save_backbone
    from playahead.lab.pretrain.spotting import first_weights

    earlier = Backbone(replace(TINY.backbone, classes=2))
    save_backbone(tmp_path / "earlier.safetensors", earlier, {"source": "published", "notice": "a leak"})
    going_on = replace(TINY, start=tmp_path / "earlier.safetensors")
    backbone, about = first_weights(going_on)
    assert about["notice"] == "a leak"
    assert torch.equal(backbone.conv2d_projection[0].weight, earlier.conv2d_projection[0].weight)
    assert backbone.classifier.out_features == 10
    trained(tmp_path / "run", matches, cache, replace(going_on, epochs=1))
    assert load_backbone(tmp_path / "run" / "last.safetensors")[1]["notice"] == "a leak"
    with pytest.raises(InputError, match="another network"):
        first_weights(replace(going_on, backbone=replace(TINY.backbone, maps=8)))


def test_validation_without_actions_is_refused(tmp_path, matches, cache):
    training = find_labelled_videos(matches / "train")
    silent = [replace(video, events=()) for video in find_labelled_videos(matches / "valid")]
    for validation in ([], silent):
        with pytest.raises(InputError, match="no action is labelled in the validation"):
            SpottingTrainer(TINY, training, validation, cache, tmp_path)
