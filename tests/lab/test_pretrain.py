"""Pre-training: what a spotter is shown, that it learns, resumes to the same bits, and writes a backbone."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from playahead.backbone import network
from playahead.backbone.checkpoint import load_backbone, save_backbone
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.decoding.marginal import pick_peaks
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.records import ActionEvent
from playahead.io.errors import InputError
from playahead.lab import pretrain as spotting
from playahead.lab.pretrain import (
    Augmentation,
    PretrainConfig,
    SnippetSampler,
    SpottingTrainer,
    first_weights,
    focal_loss,
    pretrain,
    spotting_map,
)
from playahead.lab.recipes import recipe
from playahead.sources.layouts import LabelledVideo, find_labelled_videos
from playahead.sources.soccernet import read_baa_split
from playahead.variants.config import OptimConfig
from playahead.video import frame_cache
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import InputSize
from playahead.video.writer import write_video
from tests.conftest import simulate

UNCHANGED = Augmentation(flip=False, zoom=0, brightness=0)
SIZES = {"stage": 3, "maps": 16, "blocks_3d": 1, "squeeze": 4, "projection": 8, "classes": 10}
NETWORK = BackboneConfig(encoder="test_resnet.r160_in1k", **SIZES)
OPTIM = OptimConfig(lr=2e-3, warmup_epochs=0.5, restart_epochs=None)
BRIEF = {"epochs": 2, "steps_per_epoch": 5, "batch": 4, "save_every": 2, "average_decay": 0.9, "precision": "32-true"}
TINY = PretrainConfig(backbone=NETWORK, input_size="96x64", optim=OPTIM, **BRIEF)


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


def sampler_of(folder: Path, share: float, events=((2000, Action.SHOT),), n_frames=300, augmentation=None):
    """A sampler of one video; each frame's gray level says which it is."""
    path = folder / "v.mp4"
    levels = 16 + np.arange(n_frames) % 200
    write_video(path, [np.full((30, 64, 3), level, np.uint8) for level in levels], (64, 30), quality=1)
    video = LabelledVideo("v", path, tuple(ActionEvent(ms, action) for ms, action in events))
    frames = FrameCache(folder / "cache", InputSize(64, 32))
    frames.fill([path])
    config = replace(TINY, action_share=share, augmentation=augmentation or UNCHANGED)
    return SnippetSampler([video], frames, config)


def test_snippets_on_actions_show_them_at_their_centre(tmp_path):
    sampler = sampler_of(tmp_path, 1.0, [(2000, Action.SHOT), (8000, Action.PASS)])
    frames, happens, names = sampler.batch(64, np.random.default_rng(0))
    assert frames.shape == (64, 15, 32, 64)
    assert (happens.sum(dim=1) == 1).all()
    for row, name in zip(happens, names, strict=True):
        centre = int(name.split()[-1]) + 14
        nearest = Action.SHOT if abs(centre - 50) < abs(centre - 200) else Action.PASS
        assert row[nearest.class_index] == 1
        assert min(abs(centre - 50), abs(centre - 200)) <= 3


def test_what_is_nobody_s_centre_is_nothing(tmp_path):
    sampler = sampler_of(tmp_path, 0.0)
    assert sampler.happening(0, 50)[Action.SHOT.class_index] == 1
    assert [sampler.happening(0, centre).sum() for centre in (53, 54)] == [1, 0]
    _, happens, _ = sampler.batch(200, np.random.default_rng(0))
    assert 0 < happens.sum() < 40


def test_frames_come_at_the_snippet_s_step_and_in_order(tmp_path):
    frames, _, (name,) = sampler_of(tmp_path, 1.0, n_frames=120).batch(1, np.random.default_rng(1))
    steps = np.diff(frames[0, :, 16, 32].numpy() * 255)
    assert np.median(steps) == pytest.approx(2 * 219 / 255, abs=0.6)
    assert int(name.split()[-1]) + 28 < 120


def test_augmentation_changes_the_picture_and_not_its_time(tmp_path):
    sampler = sampler_of(tmp_path, 1.0, n_frames=120, augmentation=Augmentation())
    frames, _, _ = sampler.batch(8, np.random.default_rng(1))
    assert frames.min() >= 0
    assert frames.max() <= 1
    assert (np.diff(frames[:, :, 16, 32].numpy(), axis=1).mean(axis=1) > 0).all()
    assert len({round(float(frame.mean()), 4) for frame in frames}) > 4


def test_videos_without_actions_or_shorter_than_a_snippet_are_refused(tmp_path):
    with pytest.raises(InputError, match="no action"):
        sampler_of(tmp_path, 0.5, [], 60)
    with pytest.raises(InputError, match="29 frames"):
        sampler_of(tmp_path, 0.5, [(100, Action.SHOT)], 20)


def test_a_full_disk_is_told_before_decoding(tmp_path, matches, monkeypatch):
    monkeypatch.setattr(frame_cache, "free_bytes", lambda folder: 1000)
    with pytest.raises(InputError, match="decoded frames need"):
        FrameCache(tmp_path / "cache", InputSize(64, 32)).fill([find_labelled_videos(matches / "train")[0].path])
    assert not list((tmp_path / "cache").rglob("*.u8"))


def test_clips_of_a_split_tile_it_and_matches_are_found(tmp_path):
    for layout in ("baa", "bas"):
        simulate(tmp_path / layout, layout, matches=4, minutes=1.4, halves=1)
    for clip in read_baa_split(tmp_path / "baa" / "train").clips:
        (tmp_path / "baa" / "train" / clip.video).parent.mkdir()
        (tmp_path / "baa" / "train" / clip.video).touch()
    for folder in (tmp_path / "bas").glob("*/match_*"):
        (folder / "1_224p.mp4").touch()
    clips = find_labelled_videos(tmp_path / "baa" / "train")
    assert [clip.name for clip in clips] == ["clip_1", "clip_7"]
    assert all(event.position_ms <= 30_000 for clip in clips for event in clip.events)
    matches = find_labelled_videos(tmp_path / "bas")
    assert [bool(match.events) for match in matches] == [True] * 4
    matches[0].path.unlink()
    with pytest.raises(InputError, match="0 videos of half 1"):
        find_labelled_videos(tmp_path / "bas")
    (tmp_path / "baa" / "train" / "clip_7" / "224p.mp4").unlink()
    with pytest.raises(InputError, match="no such video"):
        find_labelled_videos(tmp_path / "baa" / "train")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 80), radius=st.sampled_from([40, 500, 2000]))
def test_peaks_are_apart_and_the_highest_stays(seed, count, radius):
    rng = np.random.default_rng(seed)
    scores = rng.random((count, len(ACTIONS)))
    times = np.arange(count) * 120
    found = pick_peaks(scores, times, min_confidence=0.3, radius_ms=radius)
    for c in range(len(ACTIONS)):
        mine = found.class_index == c
        when = np.sort(found.time_ms[mine])
        assert (np.diff(when) >= radius).all()
        if count and scores[:, c].max() >= 0.3:
            assert found.score[mine].max() == pytest.approx(scores[:, c].max(), abs=1e-6)
    assert (found.score >= 0.3 - 1e-6).all()


def test_focal_loss_forgives_what_is_nearly_right():
    logits, happens = torch.tensor([[4.0, -4.0]]), torch.tensor([[1.0, 0.0]])
    plain = torch.nn.functional.binary_cross_entropy_with_logits(logits, happens, reduction="sum")
    assert focal_loss(logits, happens, 0.0) == pytest.approx(float(plain))
    assert focal_loss(logits, happens, 2.0) < plain / 1000
    assert focal_loss(-logits, happens, 2.0) > plain * 100


def test_focal_loss_does_not_see_classes_that_nobody_annotated():
    logits, happens = torch.randn(4, 3, requires_grad=True), torch.tensor([[1.0, 0, 0]] * 4)
    loss = focal_loss(logits, happens, 2.0, torch.tensor([1.0, 1.0, 0.0]))
    loss.backward()
    assert loss.item() == pytest.approx(focal_loss(logits[:, :2], happens[:, :2], 2.0).item())
    assert not logits.grad[:, 2].any()


def trainer_of(folder, matches, cache, config=TINY) -> SpottingTrainer:
    training, validation = (find_labelled_videos(matches / split) for split in ("train", "valid"))
    return SpottingTrainer(config, training, validation, cache, folder)


def trained(folder, matches, cache, config=TINY, stop_at=None) -> SpottingTrainer:
    trainer = trainer_of(folder, matches, cache, config)

    def show(progress):
        if progress.done == stop_at:
            raise KeyboardInterrupt

    try:
        trainer.run(show)
    except KeyboardInterrupt:
        assert stop_at is not None
    return trainer


@pytest.mark.slow
@pytest.mark.parametrize("stop_at", [1, 5])
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
        trainer = trainer_of(tmp_path / str(accumulate), matches, cache, replace(TINY, accumulate=accumulate))
        trainer.model.eval()
        losses, names = trainer.backward(np.random.default_rng(0))
        gradients.append({name: value.grad for name, value in trainer.plain_model.named_parameters()})
        gradients[-1]["loss"] = losses["total"]
        assert len(names) == TINY.batch
    for name, value in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], value, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("accumulate", 0, "is below 1"), ("accumulate", 3, "shared evenly")]
    + [(field, 0, field) for field in ("batch", "devices", "epochs")],
)
def test_impossible_settings_are_refused(field, value, said):
    with pytest.raises(InputError, match=said):
        replace(TINY, **{field: value})


@pytest.mark.slow
def test_it_learns_by_heart_what_it_is_shown_often(tmp_path, matches, cache):
    config = replace(TINY, epochs=1, steps_per_epoch=60, batch=8, augmentation=UNCHANGED)
    trainer = trainer_of(tmp_path, matches, cache, config)

    def loss() -> float:
        draws = (np.random.default_rng([0, step]) for step in range(5))
        return np.mean([trainer.losses(rng)[0]["total"].item() for rng in draws])

    before = loss()
    trainer.run()
    assert loss() < 0.6 * before


def test_a_perfect_spotter_would_score_everything(matches, cache, monkeypatch):
    """The scoring around the network, with a network that knows."""
    videos = find_labelled_videos(matches / "valid")

    def knows(_backbone, frames_THW):
        times = np.arange(0, len(frames_THW) * 40, 120)
        scores = np.zeros((len(times), 10), np.float32)
        for event in videos[0].events:
            scores[np.abs(times - event.position_ms).argmin(), event.action.class_index] = 0.9
        return scores, times

    monkeypatch.setattr(spotting, "spotting_scores", knows)
    assert spotting_map(Backbone(TINY.backbone), videos, cache) > 0.9
    monkeypatch.setattr(spotting, "spotting_scores", lambda b, f: (np.zeros((5, 10), np.float32), np.arange(5)))
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


def test_recipes_are_of_their_kind():
    """The published network trains on one card of 24 GB: 16 snippets a step, as many at once as memory holds."""
    config = recipe("backbone", PretrainConfig)
    assert (config.backbone, config.batch, config.accumulate) == (BackboneConfig(classes=10), 16, 4)
    with pytest.raises(InputError, match="not one of"):
        recipe("feed", PretrainConfig)


def test_imagenet_weights_that_cannot_be_fetched_are_said_so(monkeypatch):
    timm = Mock(create_model=Mock(side_effect=OSError("we are offline")))
    monkeypatch.setattr(network, "import_timm", lambda: timm)
    with pytest.raises(InputError, match="ImageNet weights cannot be fetched"):
        Backbone(TINY.backbone, imagenet=True)


def test_going_on_from_earlier_weights_keeps_them_and_their_notice(tmp_path, matches, cache):
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
