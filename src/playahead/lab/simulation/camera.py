"""A camera in the main stand that pans after the ball.

Camera axes: right, down, forward. Axes: T frames, P points, 2 or 3 coordinates (pixels or metres).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from playahead.domain.grid import GRID
from playahead.domain.pitch import PITCH_M

_STAND_M = np.array([PITCH_M[0] / 2, -30.0, 17.0])
_SHOWN_M = 46.0  # width of the pitch in the picture, where the camera looks
_LAG_S = 0.5
_FOLLOWS = 0.25  # the camera itself moves so far along the stand
_AIM_M, _TILTS = 28.0, 0.45  # how far across the pitch it aims, and how much of the ball's way it follows there
_SHAKE_M = 0.05


@dataclass(frozen=True)
class Camera:
    """A pose for every frame.

    Attributes:
        position_T3: metres.
        turn_T33: world to camera.
        focal_px: focal length.
        width, height: of the picture.
    """

    position_T3: NDArray[np.float64]
    turn_T33: NDArray[np.float64]
    focal_px: float
    width: int
    height: int

    def project(self, points_TP3: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(pixels_TP2, pixels_per_metre_TP) of world points, one set for each frame."""
        seen_TP3 = np.einsum("tij,tpj->tpi", self.turn_T33, points_TP3 - self.position_T3[:, None])
        scale_TP = self.focal_px / np.maximum(seen_TP3[..., 2], 0.1)
        centre = np.array([self.width / 2, self.height / 2])
        return centre + seen_TP3[..., :2] * scale_TP[..., None], scale_TP

    def ground_of_pixels(self, frame: int) -> NDArray[np.float64]:
        """3 x 3: homogeneous pixels of one frame -> homogeneous metres on the ground."""
        turn, position = self.turn_T33[frame], self.position_T3[frame]
        lens = np.array([[self.focal_px, 0, self.width / 2], [0, self.focal_px, self.height / 2], [0, 0, 1]])
        ground_to_pixels = lens @ np.column_stack([turn[:, 0], turn[:, 1], -turn @ position])
        return np.linalg.inv(ground_to_pixels)


def follow(ball_T3: NDArray[np.floating], width: int, height: int, rng: np.random.Generator) -> Camera:
    """A camera that pans after the ball, half a second late."""
    keep = np.exp(-1 / (_LAG_S * GRID.fps))
    start = ball_T3[:1, :2].astype(np.float64)
    smooth_T2, _ = lfilter([1 - keep], [1, -keep], ball_T3[:, :2], axis=0, zi=keep * start)
    x_T = np.clip(smooth_T2[:, 0], 20, PITCH_M[0] - 20)
    y_T = _AIM_M + _TILTS * (smooth_T2[:, 1] - PITCH_M[1] / 2)
    shake_T3 = _SHAKE_M * rng.standard_normal((len(ball_T3), 3))
    target_T3 = np.column_stack([x_T, y_T, np.zeros(len(x_T))]) + shake_T3
    position_T3 = np.repeat(_STAND_M[None], len(x_T), axis=0)
    position_T3[:, 0] += _FOLLOWS * (x_T - PITCH_M[0] / 2)
    forward_T3 = _unit(target_T3 - position_T3)
    right_T3 = _unit(np.cross(forward_T3, [0.0, 0.0, 1.0]))
    down_T3 = np.cross(forward_T3, right_T3)
    away_m = float(np.linalg.norm(np.array([PITCH_M[0] / 2, PITCH_M[1] / 2, 0]) - _STAND_M))
    turn_T33 = np.stack([right_T3, down_T3, forward_T3], axis=1)
    return Camera(position_T3, turn_T33, width * away_m / _SHOWN_M, width, height)


def _unit(vectors_T3: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors_T3 / np.linalg.norm(vectors_T3, axis=1, keepdims=True)
