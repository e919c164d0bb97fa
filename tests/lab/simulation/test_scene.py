"""The scene shows what the feed says, at the moment that it says it."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from playahead.domain.actions import Action
from playahead.domain.feed import UNKNOWN, FeedHalf
from playahead.domain.pitch import PITCH_M
from playahead.io.errors import InputError
from playahead.lab.simulation.picture import follow
from playahead.lab.simulation.plays import simulate_half
from playahead.lab.simulation.scene import stage


def half_of(rows) -> FeedHalf:
    """Rows of (ms, action, team, x, y)."""
    t_ms, action, team, x, y = zip(*rows, strict=True)
    n = len(rows)
    return FeedHalf(
        match=1,
        half=1,
        t_ms=np.array(t_ms, np.int32),
        code=np.array([a.class_index for a in action], np.uint8),
        team=np.array(team, np.uint8),
        x=np.array(x, np.uint8),
        y=np.array(y, np.uint8),
        setpiece=np.zeros(n, np.uint8),
        delay_ms=np.zeros(n, np.uint16),
    )


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
    assert (scene.ball_T3[:, 2] >= 0).all()
    assert (scene.ball_T3[:, 2] <= 15).all()
    for coordinate in range(2):
        assert scene.players_TJ2[..., coordinate].min() >= -2
        assert scene.players_TJ2[..., coordinate].max() <= PITCH_M[coordinate] + 2


def test_a_header_meets_the_ball_in_the_air_and_a_pass_on_the_ground():
    half = half_of(
        [
            (1000, Action.HIGH_PASS, 0, 30, 50),
            (4000, Action.HEADER, 1, 40, 40),
            (6000, Action.PASS, 0, 50, 50),
            (8000, Action.PASS, 0, 60, 50),
        ]
    )
    height = stage(half, 250, 0).ball_T3[:, 2]
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


def test_a_half_without_actions_is_refused():
    with pytest.raises(InputError, match="no actions"):
        stage(half_of([(1000, Action.PASS, 0, 1, 1)]).__class__(1, 1, *[np.zeros(0, np.int32)] * 7), 100, 0)


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
