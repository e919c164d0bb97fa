"""The video with ten lanes under it, drawn as the page draws them: the last 30 s, now, and the coming 5 s."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from playahead.domain.actions import ACTIONS
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.domain.palette import COLOURS, DARK, PAST_SHARE, short_name
from playahead.domain.records import Anticipation, Mark
from playahead.domain.time import format_clock
from playahead.video.reader import read_drawn
from playahead.video.sound import read_sound
from playahead.video.timeline import Timeline
from playahead.video.writer import write_video

_LEAST_WIDTH = 960
_PANEL_SHARE = 0.25  # of the width
_NAMES_SHARE = 0.1
_SMOOTH = 4  # dots are drawn so many times larger, then made small


def write_overlay(
    source: Path | str,
    path: Path,
    timeline: Timeline,
    span_ms: tuple[int, int | None],
    stream: int | None = None,
    quality: int = 23,
) -> None:
    """Write ``source`` from the start to the end of ``span_ms`` with its timeline and its sound, at 25 fps.

    Small pictures are enlarged until text can be read.
    """
    start_s, stop_s = span_ms[0] / 1000, None if span_ms[1] is None else span_ms[1] / 1000
    pictures = read_drawn(source, _rgb, start_s, stop_s, stream)
    first_index, first = next(pictures)
    scale = -(-_LEAST_WIDTH // first.shape[1]) if first.shape[1] < _LEAST_WIDTH else 1
    panel = Panel(first.shape[1] * scale // 2 * 2, timeline)
    picture_height = first.shape[0] * scale // 2 * 2

    def frames() -> Iterator[NDArray[np.uint8]]:
        for index, rgb_HWC in chain([(first_index, first)], pictures):
            large = rgb_HWC.repeat(scale, axis=0).repeat(scale, axis=1)[:picture_height, : panel.width]
            yield np.concatenate([large, panel.draw(span_ms[0] + index * 1000 // GRID.fps)])

    size = (panel.width, picture_height + panel.height)
    write_video(path, frames(), size, quality=quality, sound=read_sound(source, start_s, stop_s, stream))


def _rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    return frame.to_ndarray(format="rgb24", interpolation=Interpolation.BILINEAR).astype(np.uint8, copy=False)


class Panel:
    """The lanes under the picture: dots for what was seen, bars as high as they are sure for what is expected."""

    def __init__(self, width: int, timeline: Timeline) -> None:
        self.width, self.timeline = width, timeline
        self.height = round(width * _PANEL_SHARE / 2) * 2
        self.left = round(width * _NAMES_SHARE)
        self.now_x = self.left + round((width - self.left) * PAST_SHARE)
        self.rim = width // 60
        self.font = ImageFont.load_default(width / 74)
        self.top = round(self.height * 0.1)
        self.lane = (self.height * 0.98 - self.top) / len(ACTIONS)
        self.bar = max(4, width // 120)
        self._still = self._draw_still()
        self._dots = {action: self._dot(COLOURS[action]) for action in ACTIONS}

    def draw(self, now_ms: int) -> NDArray[np.uint8]:
        """(H, W, 3) of the strip at a moment of the video."""
        image = self._still.copy()
        pen = ImageDraw.Draw(image)
        pen.text(
            (self.left - self.rim / 2, self.top / 2), format_clock(now_ms)[:-2], DARK["ink"], self.font, anchor="rm"
        )
        for mark in self.timeline.past(now_ms):
            dot = self._dots[mark.action]
            x, y = self.past_x(now_ms - mark.time_ms), self._lane_y(mark)
            image.paste(dot, (round(x - dot.width / 2), round(y - dot.height / 2)), dot)
        self._draw_coming(pen, now_ms)
        pen.line((self.now_x, 2, self.now_x, self.height - 2), DARK["now"], max(2, self.width // 480))
        return np.asarray(image)

    def past_x(self, since_ms: float) -> float:
        """Where an action so long ago is drawn."""
        return self.now_x - since_ms / OBSERVATION_MS * (self.now_x - self.left)

    def coming_x(self, until_ms: float) -> float:
        """Where an action so far ahead is drawn."""
        return self.now_x + until_ms / ANTICIPATION_MS * (self.width - self.rim - self.now_x)

    def _lane_y(self, mark: Mark | Anticipation) -> float:
        return self.top + self.lane * (mark.action.class_index + 0.5)

    def _draw_still(self) -> Image.Image:
        """What no moment changes: names and lanes."""
        image = Image.new("RGB", (self.width, self.height), DARK["panel"])
        pen = ImageDraw.Draw(image)
        pen.text((self.left, self.top / 2), "last 30 s", DARK["soft"], self.font, anchor="lm")
        pen.text((self.now_x + self.rim / 2, self.top / 2), "next 5 s", DARK["soft"], self.font, anchor="lm")
        for row, action in enumerate(ACTIONS):
            y = self.top + self.lane * (row + 0.5)
            pen.text((self.left - self.rim / 2, y), short_name(action), DARK["ink"], self.font, anchor="rm")
            pen.line((self.left, y, self.width - self.rim, y), DARK["line"], 1)
        return image

    def _dot(self, colour: str) -> Image.Image:
        size = round(self.lane * 0.64)
        large = Image.new("RGBA", (size * _SMOOTH, size * _SMOOTH), colour + "00")
        ImageDraw.Draw(large).ellipse((0, 0, size * _SMOOTH - 1, size * _SMOOTH - 1), colour)
        return large.resize((size, size), Image.Resampling.BOX)

    def _draw_coming(self, pen: ImageDraw.ImageDraw, now_ms: int) -> None:
        """A bar for each action expected; its number where no likelier one of its class stands close."""
        coming = self.timeline.coming(now_ms)
        for mark in coming:
            x, y = self.coming_x(mark.time_ms - now_ms), self._lane_y(mark)
            half = max(1.0, self.lane * 0.45 * mark.confidence)
            pen.rectangle((x - self.bar / 2, y - half, x + self.bar / 2, y + half), COLOURS[mark.action])
            close = self.width * 0.04 / (self.width - self.now_x) * ANTICIPATION_MS
            if not any(
                other.action == mark.action
                and other.confidence > mark.confidence
                and abs(other.time_ms - mark.time_ms) < close
                for other in coming
            ):
                self._draw_number(pen, f"{mark.confidence:.0%}", x, y)

    def _draw_number(self, pen: ImageDraw.ImageDraw, text: str, x: float, y: float) -> None:
        after = x + self.bar
        if after + pen.textlength(text, self.font) < self.width - 2:
            pen.text((after, y), text, DARK["ink"], self.font, anchor="lm")
        else:
            pen.text((x - self.bar, y), text, DARK["ink"], self.font, anchor="rm")
