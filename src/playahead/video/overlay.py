"""The video with a timeline under it: the last 30 s of actions, the coming 5 s with a bar for each action expected."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.domain.palette import COLOURS, short_name
from playahead.domain.records import Mark
from playahead.domain.time import format_clock
from playahead.video.reader import read_drawn
from playahead.video.timeline import Timeline
from playahead.video.writer import write_video

_LEAST_WIDTH = 960
_PANEL_SHARE = 0.17  # of the width
_NOW_SHARE = 0.56  # of the width lies in the past
_ROWS = 5
_GROUND, _INK, _FAINT = "#14181c", "#f2f2f2", "#5d6770"


def write_overlay(
    source: Path | str,
    path: Path,
    timeline: Timeline,
    span_ms: tuple[int, int | None],
    stream: int | None = None,
    quality: int = 23,
) -> None:
    """Write ``source`` from the start to the end of ``span_ms`` with its timeline, at 25 fps, without sound.

    Small pictures are enlarged until text can be read.
    """
    start_s, stop_s = span_ms[0] / 1000, None if span_ms[1] is None else span_ms[1] / 1000
    first = next(iter(read_drawn(source, _rgb, start_s, start_s + 1, stream)))[1]
    scale = -(-_LEAST_WIDTH // first.shape[1]) if first.shape[1] < _LEAST_WIDTH else 1
    panel = Panel(first.shape[1] * scale // 2 * 2, timeline)
    picture_height = first.shape[0] * scale // 2 * 2

    def frames() -> Iterator[NDArray[np.uint8]]:
        for index, rgb_HWC in read_drawn(source, _rgb, start_s, stop_s, stream):
            large = rgb_HWC.repeat(scale, axis=0).repeat(scale, axis=1)[:picture_height, : panel.width]
            yield np.concatenate([large, panel.draw(span_ms[0] + index * 1000 // GRID.fps)])

    write_video(path, frames(), (panel.width, picture_height + panel.height), quality=quality)


def _rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    return frame.to_ndarray(format="rgb24", interpolation=Interpolation.BILINEAR).astype(np.uint8, copy=False)


class Panel:
    """The strip under the picture."""

    def __init__(self, width: int, timeline: Timeline) -> None:
        self.width, self.timeline = width, timeline
        self.height = round(width * _PANEL_SHARE / 2) * 2
        self.now_x = round(width * _NOW_SHARE)
        self.rim = width // 60
        self.font = ImageFont.load_default(width / 62)
        self.small = ImageFont.load_default(width / 80)
        self.top = round(self.height * 0.24)
        self.bottom = round(self.height * 0.84)

    def draw(self, now_ms: int) -> NDArray[np.uint8]:
        """(H, W, 3) of the strip at a moment of the video."""
        image = Image.new("RGB", (self.width, self.height), _GROUND)
        pen = ImageDraw.Draw(image)
        self._draw_axes(pen, now_ms)
        self._draw_past(pen, now_ms)
        self._draw_coming(pen, now_ms)
        return np.asarray(image)

    def past_x(self, since_ms: float) -> float:
        """Where an action so long ago is drawn."""
        return self.now_x - since_ms / OBSERVATION_MS * (self.now_x - self.rim)

    def coming_x(self, until_ms: float) -> float:
        """Where an action so far ahead is drawn."""
        return self.now_x + until_ms / ANTICIPATION_MS * (self.width - 5 * self.rim - self.now_x)

    def _draw_axes(self, pen: ImageDraw.ImageDraw, now_ms: int) -> None:
        title_y = self.height * 0.1
        pen.text((self.rim, title_y), "last 30 s", _FAINT, self.font, anchor="lm")
        pen.text((self.now_x, title_y), format_clock(now_ms)[:-2], _INK, self.font, anchor="mm")
        pen.text((self.width - self.rim, title_y), "expected in the next 5 s", _FAINT, self.font, anchor="rm")
        for back_s in range(0, 31, 10):
            self._tick(pen, self.past_x(back_s * 1000), f"-{back_s} s" if back_s else "now")
        for ahead_s in range(1, 6):
            self._tick(pen, self.coming_x(ahead_s * 1000), f"+{ahead_s} s")
        pen.line((self.now_x, self.top, self.now_x, self.bottom), _INK, 2)

    def _tick(self, pen: ImageDraw.ImageDraw, x: float, text: str) -> None:
        pen.line((x, self.top, x, self.bottom), "#262d33", 1)
        pen.text((x, self.height * 0.92), text, _FAINT, self.small, anchor="mm")

    def _draw_past(self, pen: ImageDraw.ImageDraw, now_ms: int) -> None:
        """Marks in the class's colour; names where they have room, the latest first."""
        middle = (self.top + self.bottom) / 2
        free_until = [float(self.now_x)] * 4  # how far right a name may reach, by row
        for mark in sorted(self.timeline.past(now_ms), key=lambda m: -m.time_ms):
            x = self.past_x(now_ms - mark.time_ms)
            pen.line((x, self.top + 4, x, self.bottom - 4), COLOURS[mark.action], max(2, self.width // 320))
            text = short_name(mark.action)
            left = min(x + 2, self.now_x - pen.textlength(text, self.small) - 9)
            right = left + pen.textlength(text, self.small) + 6
            row = next((r for r, free in enumerate(free_until) if right < free), None)
            if row is not None:
                y = middle + (row - 1.5) * self.height * 0.13
                pen.rectangle((left, y - self.height * 0.055, right, y + self.height * 0.055), _GROUND)
                pen.text((left + 3, y), text, COLOURS[mark.action], self.small, anchor="lm")
                free_until[row] = min(x, left)

    def _draw_coming(self, pen: ImageDraw.ImageDraw, now_ms: int) -> None:
        """A row for each action expected, the likeliest; its bar is as long as it is sure."""
        likeliest = sorted(self.timeline.coming(now_ms), key=lambda m: -m.confidence)[:_ROWS]
        step = (self.bottom - self.top) / _ROWS
        for row, mark in enumerate(sorted(likeliest, key=lambda m: m.time_ms)):
            self._draw_row(pen, mark, mark.time_ms - now_ms, self.top + (row + 0.5) * step, step)

    def _draw_row(self, pen: ImageDraw.ImageDraw, mark: Mark, ahead_ms: int, y: float, step: float) -> None:
        colour = COLOURS[mark.action]
        x = self.coming_x(ahead_ms)
        length = mark.confidence * self.width * 0.1
        pen.rectangle((x, y - step * 0.32, x + max(length, 3), y + step * 0.32), colour)
        text = f"{short_name(mark.action)} {mark.confidence:.0%}"
        after = x + length + self.rim / 3
        if after + pen.textlength(text, self.font) < self.width - 2:
            pen.text((after, y), text, _INK, self.font, anchor="lm")
        else:
            pen.text((x - self.rim / 3, y), text, _INK, self.font, anchor="rm")
