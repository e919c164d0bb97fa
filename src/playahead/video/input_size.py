"""A decoded picture -> gray pixels, fitted to the backbone's input size.

Axes: H, W.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation
from numpy.typing import NDArray

from playahead.io.errors import InputError
from playahead.io.settings import check_choices

Luma = Literal["limited", "full"]
"""``limited``: the luma plane as broadcast stores it, 16 black to 235 white (the published predictor reads it).
``full``: 0 to 255 (what its CPU path, OpenCV's gray, reads)."""

_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})
_ALWAYS_FULL = frozenset({"yuvj420p", "yuvj422p", "yuvj444p", "gray"})
_STRETCH = 255 / 219


@dataclass(frozen=True)
class InputSize:
    """Size of the frames that the backbone sees: the picture scaled to fit, zeros around it.

    The published preprocessing puts a 1280 x 720 picture on 1280 x 736, 8 rows of zeros above and below: the network
    halves its input five times, and 736 = 23 x 32.
    """

    width: int = 1280
    height: int = 736
    luma: Luma = "limited"

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            size = getattr(self, name)
            if size < 32 or size % 32:
                raise InputError(f"InputSize.{name}", f"{size} is not a multiple of 32 from 32 up")
        check_choices(self)

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of a picture scaled to fit; both even, as chroma needs."""
        max_height = self.height * 720 // 736  # enlarging never fills the published rim of 16 rows
        scale = min(self.width / width, max_height / height)
        return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)

    def draw(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Draw a decoded frame: gray_HW."""
        width, height = self.fitted(frame.width, frame.height)
        gray = _luma_plane(frame, width, height, self.luma)
        drawn = np.zeros((self.height, self.width), np.uint8)
        top, left = (self.height - height) // 2, (self.width - width) // 2
        drawn[top : top + height, left : left + width] = gray
        return drawn


def _luma_plane(frame: VideoFrame, width: int, height: int, luma: Luma) -> NDArray[np.uint8]:
    """Scaled first plane of a frame; one without 8-bit luma is converted to limited yuv420p first."""
    is_full = frame.color_range == ColorRange.JPEG or frame.format.name in _ALWAYS_FULL
    if frame.format.name not in _PLANAR:
        limited = {"format": "yuv420p", "dst_color_range": ColorRange.MPEG}
        frame = frame.reformat(width, height, interpolation=Interpolation.AREA, **limited)
        is_full = False
    elif (frame.width, frame.height) != (width, height):
        frame = frame.reformat(width=width, height=height, interpolation=Interpolation.AREA)
    plane = frame.planes[0]
    gray = np.frombuffer(memoryview(plane), np.uint8)  # type: ignore[bad-argument-type]
    gray = gray.reshape(-1, plane.line_size)[:height, :width]
    if is_full == (luma == "full"):
        return gray
    return _FULL_OF_LIMITED[gray] if luma == "full" else _LIMITED_OF_FULL[gray]


def _table(values: NDArray) -> NDArray[np.uint8]:
    return values.round().clip(0, 255).astype(np.uint8)


_FULL_OF_LIMITED = _table((np.arange(256) - 16) * _STRETCH)
_LIMITED_OF_FULL = _table(np.arange(256) / _STRETCH + 16)


def parse_input_size(text: str, luma: Luma = "limited") -> InputSize:
    """Parse an input size such as ``"1280x736"``.

    Raises:
        InputError: not two sizes, or not multiples of 32.
    """
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise InputError("input_size", f"{text!r} is not of the form 1280x736") from None
    return InputSize(width, height, luma)
