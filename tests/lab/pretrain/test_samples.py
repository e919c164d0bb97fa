"""What a spotter is shown, and what it is told that it shows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from playahead.decoding.marginal import pick_peaks
from playahead.domain.actions import ACTIONS, Action
from playahead.domain.records import ActionEvent
from playahead.io.errors import InputError
from playahead.lab.pretrain.samples import Augmentation, SnippetSampler
from playahead.lab.pretrain.trainer import focal_loss
from playahead.sources.layouts import LabelledVideo, find_labelled_videos
from playahead.video import frame_cache as frames_module
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import InputSize
from playahead.video.writer import write_video
from tests.conftest import simulate

INPUT_SIZE = InputSize(64, 32)
PLAIN = Augmentation(flip=False, zoom=0, brightness=0)


def video(folder: Path, n_frames: int, events, name="v") -> LabelledVideo:
    """Frames whose gray level says which they are."""
    path = folder / f"{name}.mp4"
    levels = 16 + np.arange(n_frames) % 200
    write_video(path, [np.full((30, 64, 3), level, np.uint8) for level in levels], (64, 30), quality=1)
    return LabelledVideo(name, path, tuple(ActionEvent(ms, action) for ms, action in events))


@pytest.fixture
def cache(tmp_path) -> FrameCache:
    return FrameCache(tmp_path / "cache", INPUT_SIZE)


def test_clips_on_actions_show_them_at_their_centre(tmp_path, cache):
    shown = video(tmp_path, 300, [(2000, Action.SHOT), (8000, Action.PASS)])
    cache.fill([shown.path])
    sampler = SnippetSampler([shown], cache, reach_frames=3, action_share=1.0, augmentation=PLAIN)
    frames, happens, names = sampler.batch(64, np.random.default_rng(0))
    assert frames.shape == (64, 15, 32, 64)
    assert (happens.sum(dim=1) == 1).all()
    for row, name in zip(happens, names, strict=True):
        centre = int(name.split()[-1]) + 14
        nearest = Action.SHOT if abs(centre - 50) < abs(centre - 200) else Action.PASS
        assert row[nearest.class_index] == 1
        assert min(abs(centre - 50), abs(centre - 200)) <= 3


def test_what_is_nobody_s_centre_is_nothing(tmp_path, cache):
    shown = video(tmp_path, 300, [(2000, Action.SHOT)])
    cache.fill([shown.path])
    sampler = SnippetSampler([shown], cache, 3, 0.0, PLAIN)
    assert sampler.happening(0, 50)[Action.SHOT.class_index] == 1
    assert sampler.happening(0, 53).sum() == 1
    assert sampler.happening(0, 54).sum() == 0
    _, happens, _ = sampler.batch(200, np.random.default_rng(0))
    assert 0 < happens.sum() < 40


def test_frames_come_at_the_clip_s_step_and_in_order(tmp_path, cache):
    shown = video(tmp_path, 120, [(2000, Action.SHOT)])
    cache.fill([shown.path])
    frames, _, (name,) = SnippetSampler([shown], cache, 3, 1.0, PLAIN).batch(1, np.random.default_rng(1))
    steps = np.diff(frames[0, :, 16, 32].numpy() * 255)
    assert np.median(steps) == pytest.approx(2 * 219 / 255, abs=0.6)
    assert int(name.split()[-1]) + 28 < 120


def test_augmentation_changes_the_picture_and_not_its_time(tmp_path, cache):
    shown = video(tmp_path, 120, [(2000, Action.SHOT)])
    cache.fill([shown.path])
    frames, _, _ = SnippetSampler([shown], cache, 3, 1.0, Augmentation()).batch(8, np.random.default_rng(1))
    assert frames.min() >= 0
    assert frames.max() <= 1
    assert (np.diff(frames[:, :, 16, 32].numpy(), axis=1).mean(axis=1) > 0).all()
    assert len({round(float(frame.mean()), 4) for frame in frames}) > 4


def test_a_full_disk_is_told_before_decoding(tmp_path, cache, monkeypatch):
    shown = video(tmp_path, 60, [(1000, Action.SHOT)])
    monkeypatch.setattr(frames_module, "free_bytes", lambda folder: 1000)
    with pytest.raises(InputError, match="decoded frames need"):
        cache.fill([shown.path])
    assert not list((tmp_path / "cache").rglob("*.u8"))


def test_filling_again_decodes_nothing(tmp_path, cache):
    shown = video(tmp_path, 60, [(1000, Action.SHOT)])
    cache.fill([shown.path])
    (path,) = (tmp_path / "cache").rglob("*.u8")
    before = path.stat().st_mtime_ns
    cache.fill([shown.path])
    assert path.stat().st_mtime_ns == before
    assert len(cache.frames(shown.path)) == 60


def test_videos_without_actions_or_shorter_than_a_clip_are_refused(tmp_path, cache):
    silent, brief = video(tmp_path, 60, [], "silent"), video(tmp_path, 20, [(100, Action.SHOT)], "brief")
    cache.fill([silent.path, brief.path])
    with pytest.raises(InputError, match="no action"):
        SnippetSampler([silent], cache, 3, 0.5, PLAIN)
    with pytest.raises(InputError, match="29 frames"):
        SnippetSampler([brief], cache, 3, 0.5, PLAIN)


def test_clips_of_a_split_tile_it_and_matches_are_found(tmp_path):
    asked = {"matches": 4, "minutes": 1.4, "halves": 1, "video": True, "width": 64, "height": 32}
    simulate(tmp_path / "baa", "baa", **asked)
    clips = find_labelled_videos(tmp_path / "baa" / "train")
    assert [clip.name for clip in clips] == ["clip_1", "clip_7"]
    assert all(event.position_ms <= 30_000 for clip in clips for event in clip.events)
    simulate(tmp_path / "bas", "bas", **asked)
    matches = find_labelled_videos(tmp_path / "bas")
    assert len(matches) == 4
    assert all(match.events for match in matches)
    matches[0].path.unlink()
    with pytest.raises(InputError, match="0 videos of half 1"):
        find_labelled_videos(tmp_path / "bas")
    (tmp_path / "baa" / "train" / "clip_7" / "32p.mp4").unlink()
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
