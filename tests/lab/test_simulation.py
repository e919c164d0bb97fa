"""A simulated scene shows what the feed says when it says it; halves are rendered, and clips cut from them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import Action
from playahead.domain.feed import UNKNOWN, FeedHalf, FeedRow
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.lab.simulation.picture import Look, draw_frames, follow
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.scene import stage
from playahead.lab.simulation.simulate import Rendering, render, render_all
from playahead.sources.soccernet import read_baa_split, read_bas_match
from playahead.video.input_size import InputSize
from playahead.video.reader import probe, read_frames
from tests.conftest import simulate


def half_of(rows) -> FeedHalf:
    """Rows of (ms, action, team, x, y)."""
    return FeedHalf.from_rows(1, 1, [FeedRow(1, ms, action.class_index, *place) for ms, action, *place in rows])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_ball_is_where_each_action_happens_when_it_happens(seed):
    half = simulate_half(seed, minutes=1)
    scene = stage(half, 1500, seed)
    frames = np.minimum(np.round(half.t_ms / 40).astype(int), 1499)
    alone = np.diff(half.t_ms, prepend=-9999) > 200  # of two actions in a moment the ball is between
    alone &= np.diff(half.t_ms, append=half.t_ms[-1] + 9999) > 200
    share = np.stack([half.x, half.y], axis=1).astype(float)
    share = np.where(half.team[:, None] == 0, share, 100 - share)
    off_m = np.linalg.norm(scene.ball_T3[frames, :2] - share / 100 * PITCH_M, axis=1)
    assert np.median(off_m[alone]) < 0.7
    assert off_m[alone].max() < 6  # a fast ball within half a frame


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), minutes=st.floats(0.2, 2))
def test_everything_is_finite_and_near_the_pitch(seed, minutes):
    half = simulate_half(seed, minutes=minutes)
    scene = stage(half, int(minutes * 1500), seed)
    assert np.isfinite(scene.ball_T3).all()
    assert 0 <= scene.ball_T3[:, 2].min() <= scene.ball_T3[:, 2].max() <= 15
    assert (np.abs(scene.players_TJ2 - np.array(PITCH_M) / 2) <= np.array(PITCH_M) / 2 + 2).all()


def test_a_header_meets_the_ball_in_the_air_and_a_pass_on_the_ground():
    rows = [(1000, Action.HIGH_PASS, 0, 30, 50), (4000, Action.HEADER, 1, 40, 40)]
    rows += [(6000, Action.PASS, 0, 50, 50), (8000, Action.PASS, 0, 60, 50)]
    height = stage(half_of(rows), 250, 0).ball_T3[:, 2]
    assert height[100] == pytest.approx(2.0, abs=0.3)
    assert height[25:100].max() > 3
    assert height[200] < 0.5


def test_whoever_acts_is_there():
    half = half_of([(2000, Action.PASS, 0, 20, 20), (5000, Action.PASS, 0, 60, 70), (9000, Action.SHOT, 0, 90, 50)])
    scene = stage(half, 300, 0)
    for frame in (50, 125, 225):
        away = np.linalg.norm(scene.players_TJ2[frame, :11] - scene.ball_T3[frame, :2], axis=1)
        assert away.min() < 1.5


def test_an_unknown_place_is_where_the_ball_was():
    rows = [(1000, Action.PASS, 0, 20, 20), (3000, Action.PASS, 0, UNKNOWN, UNKNOWN)]
    scene = stage(half_of(rows), 100, 0)
    assert np.allclose(scene.ball_T3[75, :2], scene.ball_T3[25, :2], atol=0.1)


def test_the_camera_keeps_the_ball_in_the_picture():
    scene = stage(simulate_half(4, minutes=2), 3000, 4)
    camera = follow(scene.ball_T3, 320, 180, np.random.default_rng(0))
    pixels, scale = camera.project(scene.ball_T3[:, None] * [1, 1, 0])
    inside = ((pixels >= 0) & (pixels <= [320, 180])).all(axis=2)
    assert inside.mean() > 0.94  # as on television, it leaves the picture for moments
    assert (scale > 0).all()


def test_ground_and_projection_agree():
    scene = stage(simulate_half(4, minutes=0.2), 100, 4)
    camera = follow(scene.ball_T3, 320, 180, np.random.default_rng(0))
    point = np.array([40.0, 30.0, 0.0])
    pixel = camera.project(np.tile(point, (100, 1, 1)))[0][7, 0]
    ground = camera.ground_of_pixels(7) @ [*pixel, 1]
    assert ground[:2] / ground[2] == pytest.approx(point[:2])


BRIEF = {"matches": 4, "minutes": 0.65, "halves": 1, "video": True, "width": 96, "height": 54}


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """A simulated benchmark: four splits of clips."""
    folder = tmp_path_factory.mktemp("benchmark")
    simulate(folder, "baa", **BRIEF)
    return folder


def pixels(path) -> np.ndarray:
    return np.stack([gray for _, gray in read_frames(path, InputSize(96, 64))])


def test_the_same_seed_draws_the_same_frames():
    scene = stage(simulate_half(0, minutes=0.1), 30, 0)
    first, again, other = (np.stack(list(draw_frames(scene, 96, 54, seed))) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert first.shape == (30, 81, 96)
    assert first.min() >= 16


def test_the_ball_is_drawn():
    """The brightest spot of the picture is where the camera sees the ball, most of the time."""
    scene = stage(simulate_half(0, minutes=0.5), 500, 0)
    rng = np.random.default_rng([3, 77])
    Look.drawn(rng)
    camera = follow(scene.ball_T3, 320, 180, rng)
    at = camera.project(scene.ball_T3[:, None])[0][:, 0].round().astype(int)
    frames = zip(draw_frames(scene, 320, 180, 3), at, strict=True)
    shown = [frame[y - 1 : y + 2, x - 1 : x + 2] for frame, (x, y) in frames if 2 <= x < 318 and 2 <= y < 178]
    assert np.mean([spot.max() > 220 for spot in shown]) > 0.95


def test_an_error_in_a_rendering_process_arrives_as_it_is(tmp_path):
    half = simulate_half(0, minutes=0.1)
    silent = replace(half, code=np.full(len(half), 12, np.uint8))
    with pytest.raises(InputError, match=r"^match 1, half 1: holds no actions to show$"):
        list(render_all([Rendering(silent, 0, 96, 54, tmp_path / "silent.mp4")], 1))


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


def test_a_simulated_benchmark_has_its_four_splits(benchmark):
    for split in ("train", "valid", "test", "challenge"):
        clips = read_baa_split(benchmark / split).clips
        assert clips
        assert all((clip.anticipation is None) == (split == "challenge") for clip in clips)
        for clip in clips:
            assert probe(benchmark / split / clip.video).duration_s == pytest.approx(30, abs=0.05)


@pytest.mark.slow
def test_simulating_again_renders_only_what_is_missing(benchmark):
    lost, other = (benchmark / split / "clip_1" / "54p.mp4" for split in ("train", "test"))
    before, expected = other.stat().st_mtime_ns, pixels(lost)
    lost.unlink()
    simulate(benchmark, "baa", **BRIEF)
    assert (pixels(lost) == expected).all()
    assert other.stat().st_mtime_ns == before


@pytest.mark.slow
def test_whole_matches_of_real_sequences(tmp_path):
    """The plays of a feed table, rendered."""
    simulate(tmp_path / "feed", "feed", matches=4, minutes=1, halves=1)
    table = tmp_path / "feed" / "train.npz"
    with pytest.raises(InputError, match="holds 2 matches"):
        simulate(tmp_path / "bas", "bas", matches=4, minutes=0.3, halves=1, real_plays=table)
    simulate(tmp_path / "feed", "feed", matches=6, minutes=1, halves=1)
    simulate(tmp_path / "bas", "bas", real_plays=table, **{**BRIEF, "minutes": 0.3})
    (folder,) = (tmp_path / "bas" / "train").iterdir()
    match = read_bas_match(folder / "Labels-ball.json")
    assert max(event.position_ms for event in match[1]) < 0.3 * 60_000
    assert probe(folder / "1_54p.mp4").duration_s > 10


@pytest.mark.parametrize("wrong", [{"width": 97}, {"height": 10}, {"matches": 3}, {"halves": 3}, {"layout": "feed"}])
def test_impossible_settings_are_refused(tmp_path, wrong):
    with pytest.raises(InputError):
        simulate(tmp_path, **{"layout": "baa", **BRIEF, **wrong})
