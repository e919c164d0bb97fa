"""Pictures for who looks on: made only then, every fourth, none twice, none from before."""

import io

import numpy as np
import pytest
from av import VideoFrame
from PIL import Image

from playahead.live.session import pictures as module
from playahead.live.session.pictures import Pictures


def frame(width: int = 1280, height: int = 720) -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((height, width, 3), (200, 30, 30), np.uint8), format="rgb24")


@pytest.fixture
def now_s(monkeypatch) -> list[float]:
    found = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: found[0])
    return found


def test_nothing_is_drawn_while_nobody_looks(now_s):
    pictures = Pictures()
    assert [pictures.draw(frame()) for _ in range(8)] == [None] * 8
    pictures.after(0)
    assert sum(pictures.draw(frame()) is not None for _ in range(8)) == 2
    now_s[0] += 10
    assert [pictures.draw(frame()) for _ in range(8)] == [None] * 8


def test_a_picture_is_small_and_in_colour(now_s):
    pictures = Pictures()
    pictures.after(0)
    (jpeg,) = [jpeg for _ in range(4) if (jpeg := pictures.draw(frame()))]
    image = Image.open(io.BytesIO(jpeg))
    assert (image.format, image.size) == ("JPEG", (640, 360))
    red, green, _ = image.getpixel((320, 180))
    assert red > green + 100


def test_each_is_shown_once_and_old_ones_are_forgotten(now_s):
    pictures, one, other = Pictures(), bytes([1]), bytes([2])
    pictures.after(0)
    for time_ms, jpeg in ((40, one), (80, one), (120, other)):
        pictures.show(time_ms, jpeg)
    assert [(p.number, p.time_ms) for p in pictures.after(0)] == [(1, 40), (2, 120)]
    assert pictures.after(2) == []
    now_s[0] += 60
    assert pictures.after(0) == []
