"""A scene drawn as a camera in the main stand sees it: the pitch in perspective, players, the ball, noise.

The camera pans after the ball. Camera axes: right, down, forward.

Luma is drawn at full size; colour is a class for each 2 x 2 pixels, looked up at the end, as video stores it.
Axes: T frames, J players, P points, 2 or 3 coordinates (pixels or metres), H, W.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from playahead.domain.grid import GRID
from playahead.domain.pitch import PITCH_M
from playahead.lab.simulation.scene import ARMS_UP, JUMPING, SLIDING, Scene, lagging

_PX_PER_M = 8
_RIM_M = (60.0, 60.0)  # ground beyond the lines, along and across: grass, then the stands
_VERGE_M = 6.0
_GROUND_TO_TEXTURE = np.diag([_PX_PER_M, _PX_PER_M, 1.0]) @ np.array([[1, 0, _RIM_M[0]], [0, 1, _RIM_M[1]], [0, 0, 1]])
_HALF_SIZE = np.diag([2.0, 2.0, 1.0])  # pixels of colour to pixels of luma
_LINE_OVER_GRASS, _BALL_LUMA = 70, 250
_BALL_M = 0.45  # larger than life: a real ball is half a pixel at 224 lines
_BALL_PX = 1.6
_JUMP_M = 0.5
_GRASS, _STAND, _KIT_0, _KIT_1, _PLAIN = range(5)
_CHUNK = 250  # frames projected together

_STAND_M = np.array([PITCH_M[0] / 2, -30.0, 17.0])
_SHOWN_M = 46.0  # width of the pitch in the picture, where the camera looks
_LAG_S = 0.5
_FOLLOWS = 0.25  # the camera itself moves so far along the stand
_AIM_M, _TILTS = 28.0, 0.45  # how far across the pitch it aims, and how much of the ball's way it follows there
_SHAKE_M = 0.05


@dataclass(frozen=True)
class Camera:
    """A pose for every frame: position in metres, turn from world to camera."""

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
    # The camera aims at the ball's smoothed place, less far across the pitch, and shakes a little.
    smooth_T2 = lagging(ball_T3[:, :2].astype(np.float64), keep)
    x_T = np.clip(smooth_T2[:, 0], 20, PITCH_M[0] - 20)
    y_T = _AIM_M + _TILTS * (smooth_T2[:, 1] - PITCH_M[1] / 2)
    shake_T3 = _SHAKE_M * rng.standard_normal((len(ball_T3), 3))
    target_T3 = np.column_stack([x_T, y_T, np.zeros(len(x_T))]) + shake_T3
    position_T3 = np.repeat(_STAND_M[None], len(x_T), axis=0)
    position_T3[:, 0] += _FOLLOWS * (x_T - PITCH_M[0] / 2)
    # Its axes: forward to the target, right along the ground, down at right angles to both.
    forward_T3 = _unit(target_T3 - position_T3)
    right_T3 = _unit(np.cross(forward_T3, [0.0, 0.0, 1.0]))
    down_T3 = np.cross(forward_T3, right_T3)
    away_m = float(np.linalg.norm(np.array([PITCH_M[0] / 2, PITCH_M[1] / 2, 0]) - _STAND_M))
    turn_T33 = np.stack([right_T3, down_T3, forward_T3], axis=1)
    return Camera(position_T3, turn_T33, width * away_m / _SHOWN_M, width, height)


def _unit(vectors_T3: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors_T3 / np.linalg.norm(vectors_T3, axis=1, keepdims=True)


@dataclass(frozen=True)
class Look:
    """Light, kits and noise of one match."""

    grass: int
    stripe: int
    kit_0: int
    kit_1: int
    noise: float
    chroma_5x2: NDArray[np.uint8]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Look":
        """A look with kits that can be told apart."""
        dark, light = int(rng.integers(25, 60)), int(rng.integers(185, 230))
        kits = (dark, light) if rng.random() < 0.5 else (light, dark)
        hues = rng.uniform(0, 2 * np.pi, 2)
        kit_chroma = 128 + 55 * np.column_stack([np.cos(hues), np.sin(hues)])
        chroma = np.array([[108, 112], [126, 130], *kit_chroma, [128, 128]])
        grass = int(rng.integers(85, 125))
        return cls(grass, int(rng.integers(4, 12)), *kits, float(rng.uniform(2, 5)), chroma.round().astype(np.uint8))


def draw_frames(scene: Scene, width: int, height: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Every frame of a scene as a yuv420p array (H * 3 / 2, W), full luma range kept within 16 to 235.

    ``width`` and ``height`` are even; the same seed gives the same frames.
    """
    rng = np.random.default_rng([seed, 77])
    painter = _Painter(Look.drawn(rng), follow(scene.ball_T3, width, height, rng), rng)
    for start in range(0, len(scene), _CHUNK):
        yield from painter.paint(scene, slice(start, min(start + _CHUNK, len(scene))))


_Pens = tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw]  # luma, colour class


class _Painter:
    def __init__(self, look: Look, camera: Camera, rng: np.random.Generator) -> None:
        self.look, self.camera, self.rng = look, camera, rng
        self.ground, self.ground_class = _ground(look, rng)
        shape = (camera.height, camera.width)
        self.noise = (look.noise * rng.standard_normal((8, *shape))).round().astype(np.int16)

    def paint(self, scene: Scene, frames: slice) -> Iterator[NDArray[np.uint8]]:
        pose = {"position_T3": self.camera.position_T3[frames], "turn_T33": self.camera.turn_T33[frames]}
        part = replace(self.camera, **pose)
        # Everything is projected for all frames of the part at once: feet (lifted in a jump), ball and its shadow.
        players_TJ2, pose_TJ = scene.players_TJ2[frames], scene.pose_TJ[frames]
        lift_TJ = np.where(pose_TJ == JUMPING, _JUMP_M, 0.0)
        feet_TJ2, scale_TJ = part.project(np.concatenate([players_TJ2, lift_TJ[..., None]], axis=2))
        ball_T13 = scene.ball_T3[frames][:, None]
        ball_T2, ball_scale_T = (value[:, 0] for value in part.project(ball_T13))
        shadow_T2 = part.project(ball_T13 * [1, 1, 0])[0][:, 0]
        # Python floats: the same bits as NumPy scalars, and faster one by one.
        feet, scales, poses = feet_TJ2.tolist(), scale_TJ.tolist(), pose_TJ.tolist()
        balls, shadows, ball_scales = ball_T2.tolist(), shadow_T2.tolist(), ball_scale_T.tolist()
        for t in range(len(ball_T2)):
            luma, chroma = self._pitch(part.ground_of_pixels(t))
            pens = (ImageDraw.Draw(luma), ImageDraw.Draw(chroma))
            strides = np.sin((players_TJ2[t].sum(axis=1)) * 2.2).tolist()
            for j in np.argsort(feet_TJ2[t, :, 1]).tolist():  # the nearest is drawn last
                self._player(pens, feet[t][j], scales[t][j], j, poses[t][j], strides[j])
            self._ball(pens, balls[t], shadows[t], ball_scales[t])
            yield self._finished(luma, chroma)

    def _pitch(self, ground_of_pixels: NDArray[np.float64]) -> tuple[Image.Image, Image.Image]:
        to_texture, perspective = _GROUND_TO_TEXTURE @ ground_of_pixels, Image.Transform.PERSPECTIVE
        size, half = (self.camera.width, self.camera.height), (self.camera.width // 2, self.camera.height // 2)
        full, small = _coefficients(to_texture), _coefficients(to_texture @ _HALF_SIZE)
        luma = self.ground.transform(size, perspective, full, Image.Resampling.BILINEAR)
        return luma, self.ground_class.transform(half, perspective, small, fillcolor=_STAND)

    def _player(self, pens: _Pens, foot: list[float], px_per_m: float, player: int, pose: int, stride: float) -> None:
        x, y = foot
        if not (-20 < x < self.camera.width + 20 and -20 < y < self.camera.height + 40):
            return
        kit, kind = (self.look.kit_0, _KIT_0) if player < 11 else (self.look.kit_1, _KIT_1)
        tall, wide = 1.85 * px_per_m, max(0.28 * px_per_m, 0.8)
        luma, chroma = pens
        luma.ellipse((x - 2 * wide, y - wide * 0.5, x + 2 * wide, y + wide * 0.5), fill=self.look.grass - 30)
        if pose == SLIDING:
            box = (x - tall * 0.5, y - 2 * wide, x + tall * 0.4, y)
            head = (x - tall * 0.62, y - 2 * wide, x - tall * 0.46, y)
        else:
            leg = 0.5 * wide + abs(stride) * wide
            for foot_x in (x - leg, x + leg):
                luma.line((x, y - 0.5 * tall, foot_x, y), fill=40, width=max(1, round(0.5 * wide)))
            box = (x - wide, y - 0.86 * tall, x + wide, y - 0.42 * tall)
            head = (x - 0.6 * wide, y - 1.02 * tall, x + 0.6 * wide, y - 0.84 * tall)
        if pose == ARMS_UP:
            luma.line((x, y - 0.8 * tall, x, y - 1.35 * tall), fill=190, width=max(1, round(0.8 * wide)))
        luma.rectangle(box, fill=kit)
        luma.ellipse(head, fill=150)
        chroma.rectangle(tuple(value / 2 for value in box), fill=kind)

    def _ball(self, pens: _Pens, at: list[float], shadow: list[float], px_per_m: float) -> None:
        radius = max(_BALL_M * px_per_m, _BALL_PX)
        luma, chroma = pens
        x, y = shadow
        luma.ellipse((x - radius, y - 0.4 * radius, x + radius, y + 0.4 * radius), fill=25)
        x, y = at
        luma.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_BALL_LUMA)
        chroma.rectangle(((x - radius) / 2, (y - radius) / 2, (x + radius) / 2, (y + radius) / 2), fill=_PLAIN)

    def _finished(self, luma: Image.Image, chroma: Image.Image) -> NDArray[np.uint8]:
        noise_HW = self.noise[self.rng.integers(len(self.noise))]
        noisy_HW = np.clip(np.asarray(luma) + noise_HW, 16, 235).astype(np.uint8)
        class_HW = np.asarray(chroma)
        planes = [noisy_HW.ravel(), *(self.look.chroma_5x2[:, c][class_HW].ravel() for c in range(2))]
        return np.concatenate(planes).reshape(-1, self.camera.width)


def _coefficients(matrix: NDArray[np.float64]) -> list[float]:
    """A 3 x 3 map of pixels, in Pillow's form."""
    return (matrix / matrix[2, 2]).ravel()[:8].tolist()


def _ground(look: Look, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """The ground from above, luma and colour class: grass in stripes, lines, boards and stand beyond the far line."""
    rim_x, rim_y = _RIM_M
    width, height = round((PITCH_M[0] + 2 * rim_x) * _PX_PER_M), round((PITCH_M[1] + 2 * rim_y) * _PX_PER_M)
    x_W, y_H1 = np.arange(width) / _PX_PER_M - rim_x, np.arange(height)[:, None] / _PX_PER_M - rim_y
    beyond_HW = np.maximum(np.maximum(-x_W, x_W - PITCH_M[0]), y_H1 - PITCH_M[1]) - _VERGE_M
    stripes_W = np.floor(x_W / 6) % 2 * look.stripe + look.grass
    crowd_HW = rng.integers(40, 170, (-(-height // 6), -(-width // 6))).repeat(6, axis=0).repeat(6, axis=1)
    boards_HW = 60 + 110 * (np.floor((x_W + y_H1) / 9) % 2)
    # Grass within the verge, then two metres of boards, then the crowd.
    luma_HW = np.where(beyond_HW < 0, stripes_W, np.where(beyond_HW < 2, boards_HW, crowd_HW[:height, :width]))
    class_HW = np.where(beyond_HW < 0, _GRASS, _STAND).astype(np.uint8)
    luma = Image.fromarray(luma_HW.astype(np.uint8))
    _lines(ImageDraw.Draw(luma), look.grass + _LINE_OVER_GRASS)
    return luma, Image.fromarray(class_HW)


def _lines(pen: ImageDraw.ImageDraw, luma: int) -> None:
    """The markings, seen from above."""
    length, breadth = PITCH_M
    middle = breadth / 2

    def box(x0: float, y0: float, x1: float, y1: float) -> tuple[float, ...]:
        rim_x, rim_y = _RIM_M
        return tuple(_PX_PER_M * v for v in (x0 + rim_x, y0 + rim_y, x1 + rim_x, y1 + rim_y))

    pen.rectangle(box(0, 0, length, breadth), outline=luma, width=2)
    pen.line(box(length / 2, 0, length / 2, breadth), fill=luma, width=2)
    pen.ellipse(box(length / 2 - 9.15, middle - 9.15, length / 2 + 9.15, middle + 9.15), outline=luma, width=2)
    for deep, wide in ((16.5, 20.16), (5.5, 9.16), (-2.0, 3.66)):
        pen.rectangle(box(min(0, deep), middle - wide, max(0, deep), middle + wide), outline=luma, width=2)
        near, far = sorted((length - deep, length))
        pen.rectangle(box(near, middle - wide, far, middle + wide), outline=luma, width=2)
