"""Rendered halves and the clips cut from them."""

import numpy as np
import pytest

from playahead.io.errors import InputError
from playahead.lab.simulation.picture import draw_frames
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.rendering import Rendering, render
from playahead.lab.simulation.scene import stage
from playahead.sources.soccernet import read_baa_split, read_bas_match
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames
from tests.conftest import simulate

SMALL = InputSize(96, 64)


def pixels(path) -> np.ndarray:
    return np.stack([gray for _, gray in read_frames(path, SMALL)])


def test_the_same_seed_draws_the_same_frames():
    scene = stage(simulate_half(0, minutes=0.1), 30, 0)
    first, again, other = (np.stack(list(draw_frames(scene, 96, 54, seed))) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert first.shape == (30, 81, 96)
    assert first.min() >= 16


def test_the_ball_is_drawn():
    """The brightest spot of the picture is where the camera sees the ball, most of the time."""
    from playahead.lab.simulation.camera import follow

    scene = stage(simulate_half(0, minutes=0.5), 500, 0)
    rng = np.random.default_rng([3, 77])
    from playahead.lab.simulation.picture import Look

    Look.drawn(rng)
    camera = follow(scene.ball_T3, 320, 180, rng)
    at = camera.project(scene.ball_T3[:, None])[0][:, 0].round().astype(int)
    bright = []
    for frame, (x, y) in zip(draw_frames(scene, 320, 180, 3), at, strict=True):
        if 2 <= x < 318 and 2 <= y < 178:
            bright.append(frame[y - 1 : y + 2, x - 1 : x + 2].max())
    assert np.mean(np.array(bright) > 220) > 0.95


def test_clips_decode_to_the_pixels_of_their_half(tmp_path):
    half = simulate_half(1, minutes=0.75)
    whole = Rendering(half, 5, 96, 54, tmp_path / "whole.mp4")
    render(whole)
    clips = tuple(tmp_path / f"clip_{n}" / "54p.mp4" for n in (1, 2, 3))
    cutting = Rendering(half, 5, 96, 54, tmp_path / "cut.mp4", clips)
    render(cutting)
    frames = pixels(whole.path)
    assert len(frames) == whole.n_frames
    for n, clip in enumerate(clips):
        assert (pixels(clip) == frames[n * 125 : n * 125 + 750]).all()
    assert not cutting.path.exists()
    assert cutting.done


def test_a_simulated_benchmark_has_its_four_splits(tmp_path):
    simulate(tmp_path, "baa", matches=4, minutes=0.75, halves=1, video=True, width=96, height=54)
    for split in ("train", "valid", "test", "challenge"):
        clips = read_baa_split(tmp_path / split).clips
        assert clips
        assert all((clip.anticipation is None) == (split == "challenge") for clip in clips)
        for clip in clips:
            assert probe(tmp_path / split / clip.video).duration_s == pytest.approx(30, abs=0.05)


def test_simulating_again_renders_only_what_is_missing(tmp_path):
    asked = {"matches": 4, "minutes": 0.75, "halves": 1, "video": True, "width": 96, "height": 54}
    simulate(tmp_path, "baa", **asked)
    kept, lost = (tmp_path / "train" / f"clip_{n}" / "54p.mp4" for n in (1, 2))
    train = tmp_path / "train" / "clip_1" / "54p.mp4"
    other = tmp_path / "test" / "clip_1" / "54p.mp4"
    before, expected = other.stat().st_mtime_ns, pixels(train)
    kept.unlink()
    simulate(tmp_path, "baa", **asked)
    assert (pixels(train) == expected).all()
    assert lost.exists()
    assert other.stat().st_mtime_ns == before


def test_whole_matches_of_real_sequences(tmp_path):
    """The plays of a feed table, rendered."""
    simulate(tmp_path / "feed", "feed", matches=4, minutes=1, halves=1)
    table = tmp_path / "feed" / "train.npz"
    with pytest.raises(InputError, match="holds 2 matches"):
        simulate(tmp_path / "bas", "bas", matches=4, minutes=0.3, halves=1, real_plays=table)
    simulate(tmp_path / "feed", "feed", matches=6, minutes=1, halves=1)
    asked = {"matches": 4, "minutes": 0.3, "halves": 1, "video": True, "width": 96, "height": 54}
    simulate(tmp_path / "bas", "bas", real_plays=table, **asked)
    (folder,) = (tmp_path / "bas" / "train").iterdir()
    match = read_bas_match(folder / "Labels-ball.json")
    assert max(event.position_ms for event in match[1]) < 0.3 * 60_000
    assert probe(folder / "1_54p.mp4").duration_s > 10


@pytest.mark.parametrize("wrong", [{"width": 97}, {"height": 10}, {"matches": 3}, {"halves": 3}, {"layout": "feed"}])
def test_impossible_wishes_are_refused(tmp_path, wrong):
    asked = {"layout": "baa", "matches": 4, "minutes": 0.75, "halves": 1, "video": True, "width": 96, "height": 54}
    with pytest.raises(InputError):
        simulate(tmp_path, **{**asked, **wrong})
