"""Gate-shift-fuse moves by one frame; the network learns from frames; a window never sees its future."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from playahead.domain.grid import GRID
from playahead.inference.predictor import Predictor
from playahead.io.errors import InputError
from playahead.lab.faantra.end_to_end import (
    EndToEndTrainer,
    FrameExamples,
    FramesEvaluationSet,
    benchmark_ends,
    find_annotated_videos,
    observed_frames,
    observed_indices,
    tiling,
)
from playahead.lab.faantra.network import EndToEnd, EndToEndModelConfig, GateShiftFuse, open_end_to_end
from playahead.video.frame_cache import FrameCache
from playahead.video.input_size import parse_input_size
from tests.conftest import simulate
from tests.support.faantra import TINY

INPUT_SIZE = parse_input_size("64x32", "limited")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broadcasts")
    simulate(folder, layout="baa", matches=4, minutes=0.9, halves=1, video=True, width=64, height=32)
    return folder


@pytest.fixture(scope="module")
def windows(data, tmp_path_factory):
    videos = tiling(find_annotated_videos(data / "train"))
    cache = FrameCache(tmp_path_factory.mktemp("cache"), INPUT_SIZE)
    cache.fill([video.source.path for video in videos])
    return FrameExamples(videos, cache, TINY.model)


def test_half_look_ahead_half_back_and_the_rest_stay():
    module = GateShiftFuse(16, 5).eval()
    with torch.no_grad():
        module.gate.bias.fill_(20.0)  # the gate is open: everything moves
        for weigh in module.fuse:
            weigh.weight.zero_()
            weigh.bias.fill_(20.0)  # and only what came from the neighbour counts
    x_PCHW = torch.randn(10, 16, 3, 4)
    out_BTCHW = module(x_PCHW).unflatten(0, (2, 5))
    x_BTCHW = x_PCHW.unflatten(0, (2, 5))
    torch.testing.assert_close(out_BTCHW[:, :-1, :2], x_BTCHW[:, 1:, :2], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out_BTCHW[:, 1:, 2:4], x_BTCHW[:, :-1, 2:4], atol=1e-4, rtol=1e-4)
    assert out_BTCHW[:, -1, :2].abs().max() < 1e-4  # nothing comes from beyond the clip
    assert torch.equal(out_BTCHW[:, :, 4:], x_BTCHW[:, :, 4:])
    with torch.no_grad():  # a closed gate changes nothing
        for layer, bias in ((module.gate, 0.0), *((weigh, -30.0) for weigh in module.fuse)):
            layer.weight.zero_()
            layer.bias.fill_(bias)
    torch.testing.assert_close(module(x_PCHW), x_PCHW)


def test_shapes_and_clips_of_a_batch_do_not_mix():
    model = EndToEnd(TINY.model).eval()
    frames_BTHW = torch.rand(3, 16, 32, 64)
    all_three = model(frames_BTHW)
    assert all_three.slots.offset_OKT.shape == (3, 8, 20)
    torch.testing.assert_close(
        model(frames_BTHW[1:2]).slots.class_OKC[0], all_three.slots.class_OKC[1], atol=1e-4, rtol=1e-3
    )
    assert model.train()(frames_BTHW).presence_PNC.shape == (3, 16, 10)


def test_the_last_frame_seen_is_the_last_before_the_end():
    index_OT = observed_indices(np.array([30_000, 30_040]), EndToEndModelConfig())
    assert index_OT.shape == (2, 64)
    assert index_OT[:, -1].tolist() == [749, 750]
    assert (np.diff(index_OT) == 4).all()
    assert (index_OT[0, -1] + 1) * 1000 / GRID.fps <= 30_000


def test_decoded_alone_or_through_the_cache_frames_are_the_same(windows):
    video = windows.videos[0]
    alone_OTHW = observed_frames(video, benchmark_ends(video), TINY.model, INPUT_SIZE)
    indices = observed_indices(benchmark_ends(video), TINY.model)
    np.testing.assert_array_equal(alone_OTHW, windows.frames[0][indices])


def test_windows_hold_what_follows_and_what_is_seen(windows):
    frames_BTHW, targets, names = windows.batch(12, np.random.default_rng(0))
    assert frames_BTHW.shape == (12, 16, 32, 64)
    assert 0 <= frames_BTHW.min() <= frames_BTHW.max() <= 1
    assert targets.presence_BWNC.shape == (12, 1, 16, 10)
    videos = {video.source.name: video for video in windows.videos}
    for name, presence_TC in zip(names, targets.presence_BWNC[:, 0], strict=True):
        video, end = videos[name.split(", ")[0]], int(name.split(", ")[1].split()[0])
        last = end * GRID.fps // 1000 - 1
        frame = video.actions.t_ms * GRID.fps // 1000
        seen = video.actions.is_target & (frame > last - 64) & (frame <= last)
        assert set(presence_TC.nonzero()[:, 1].tolist()) == set(video.actions.code[seen].tolist())


def test_trained_kept_loaded_and_scored(windows, data, tmp_path):
    matches = FramesEvaluationSet(find_annotated_videos(data / "valid")[:3], TINY.model)
    trainer = EndToEndTrainer(TINY, windows, matches, tmp_path)
    found = trainer.run()
    assert 0 <= found["map"] <= 100
    opened = open_end_to_end(tmp_path / "last.safetensors")
    assert opened.about["step"] == 2
    kept, read = (p.predict_all(matches) for p in (Predictor(trainer.averaged_model, {}), opened))
    np.testing.assert_allclose(kept.objectness_OK, read.objectness_OK, atol=1e-6)
    with pytest.raises(InputError, match="was trained end to end"):
        Predictor.open(tmp_path / "last.safetensors")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoder": "resnet18"}, "is no RegNet"),
        ({"encoder": "regnet_of_mine"}, "timm has no such encoder"),
        ({"frames": 0}, "EndToEndModelConfig.frames: 0 is below 1"),
        ({"anticipator": replace(TINY.model.anticipator, encoder="windows")}, "encoder: is not steps"),
    ],
)
def test_what_cannot_be_is_refused(changes, reason):
    with pytest.raises(InputError, match=reason):
        EndToEnd(replace(TINY.model, **changes))


def test_a_video_that_is_cut_short_and_withheld_labels_are_named(windows, data):
    with pytest.raises(InputError, match="ends before 31 s"):
        observed_frames(windows.videos[0], np.array([31_000]), TINY.model, INPUT_SIZE)
    with pytest.raises(InputError, match="withheld"):
        find_annotated_videos(data / "challenge")
