"""What sessions keep for their readers: events with numbers, and pictures made only while somebody watches."""

import asyncio
import io
import threading

import numpy as np
import pytest
from av import VideoFrame
from PIL import Image

from playahead.live.server import backlog as module
from playahead.live.server.backlog import Backlog, Entry, Pictures
from playahead.live.session.frames import Frame


def test_the_newest_entries_are_kept_by_number_and_by_size():
    backlog = Backlog(3, 10)
    for text in (b"a", b"b", b"c", b"d"):
        backlog.add(Entry("answer", text))
    assert backlog.after(0) == ([(n, Entry("answer", text)) for n, text in ((2, b"b"), (3, b"c"), (4, b"d"))], False)
    backlog.add(Entry("answer", b"x" * 20))
    assert [number for number, _ in backlog.after(0)[0]] == [5], "one that is larger than all may be is kept alone"
    assert backlog.after(5) == ([], False)
    backlog.add(None, last=True)
    assert backlog.after(5) == ([], True)


def test_a_reader_waits_for_entries_of_another_thread():
    backlog = Backlog(3, 10)

    async def read() -> tuple[list, bool]:
        assert await backlog.wait(0, 0.01) == ([], False)
        threading.Timer(0.05, backlog.add, (Entry("end", b""), True)).start()
        return await backlog.wait(0, 30)

    assert asyncio.run(read()) == ([(1, Entry("end", b""))], True)
    assert not backlog._readers


RED = VideoFrame.from_ndarray(np.full((720, 1280, 3), (200, 30, 30), np.uint8), format="rgb24")


@pytest.fixture
def now_s(monkeypatch) -> list[float]:
    clock = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    return clock


def test_a_picture_is_drawn_of_every_fourth_frame_while_somebody_watches(now_s):
    pictures = Pictures()
    assert [pictures.draw(RED) for _ in range(8)] == [None] * 8
    pictures.watch()
    jpegs = [jpeg for _ in range(8) if (jpeg := pictures.draw(RED))]
    assert len(jpegs) == 2
    image = Image.open(io.BytesIO(jpegs[0]))
    assert (image.format, image.size) == ("JPEG", (640, 360))
    red, green, _ = image.getpixel((320, 180))
    assert red > green + 100
    now_s[0] += 10
    assert [pictures.draw(RED) for _ in range(8)] == [None] * 8


def test_a_picture_is_shown_once_and_old_ones_are_forgotten(now_s):
    pictures, one, other = Pictures(), bytes([1]), bytes([2])
    pictures.watch()
    for time_ms, jpeg in ((40, one), (80, one), (100, None), (120, other)):
        pictures.show(time_ms, Frame(np.zeros((2, 2), np.uint8), jpeg))
    assert [(number, picture.label) for number, picture in pictures.backlog.after(0)[0]] == [(1, "40"), (2, "120")]
    now_s[0] += 60
    pictures.watch()
    assert pictures.backlog.after(0) == ([], False)
