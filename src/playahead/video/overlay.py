"""The overlay: a video with its sound, and lanes under it that show the last 30 s, now, and the coming 5 s."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, VideoFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from playahead.domain.actions import ACTIONS, Action
from playahead.domain.grid import ANTICIPATION_MS, GRID, OBSERVATION_MS
from playahead.domain.notices import Notices
from playahead.domain.palette import COLOURS, DARK, PAST_SHARE, short_name
from playahead.domain.records import Anticipation, Mark, Timeline
from playahead.domain.time import format_clock
from playahead.io.errors import PlayaheadError
from playahead.video.clock import Continuity
from playahead.video.reader import read_drawn
from playahead.video.source import is_stream, opened, shown, video_stream
from playahead.video.writer import SOUND_LAYOUT, SOUND_RATE_HZ, write_video

_MIN_WIDTH = 960
_LOW_DANGER = 0.15  # the strip of the chance of a shot is at least so high
_NAMES_SHARE = 0.1
_SMOOTH = 4  # dots are drawn so many times larger, then made small
_SOUND_FRAME = 1024  # samples: the frames that AAC takes


def write_overlay(
    source: Path | str,
    path: Path,
    timeline: Timeline,
    span_ms: tuple[int, int | None],
    stream: int | None = None,
    notices: Notices | None = None,
) -> None:
    """Write a part of a video with its timeline and its sound, at 25 fps.

    Small pictures are enlarged until text can be read.

    Args:
        source: the video.
        path: the .mp4 to write.
        timeline: actions to show.
        span_ms: start and end of the part; None for the end of the video.
        stream: number of the stream, as for ``read_frames``.
        notices: collector, as for ``read_frames``.
    """
    start_s, stop_s = span_ms[0] / 1000, None if span_ms[1] is None else span_ms[1] / 1000
    pictures = read_drawn(source, rgb_of, start_s, stop_s, stream, notices)
    first_index, first = next(pictures)
    scale = -(-_MIN_WIDTH // first.shape[1]) if first.shape[1] < _MIN_WIDTH else 1
    panel = Panel(first.shape[1] * scale // 2 * 2, timeline)
    picture_height = first.shape[0] * scale // 2 * 2

    def frames() -> Iterator[NDArray[np.uint8]]:
        for index, rgb_HWC in chain([(first_index, first)], pictures):
            large = rgb_HWC.repeat(scale, axis=0).repeat(scale, axis=1)[:picture_height, : panel.width]
            yield np.concatenate([large, panel.draw(span_ms[0] + index * 1000 // GRID.fps)])

    size = (panel.width, picture_height + panel.height)
    sound = read_sound(source, start_s, stop_s, stream, notices)
    write_video(path, frames(), size, sound=sound)


def rgb_of(frame: VideoFrame) -> NDArray[np.uint8]:
    """Colours of a decoded frame, (H, W, 3)."""
    return frame.to_ndarray(format="rgb24", interpolation=Interpolation.BILINEAR).astype(np.uint8, copy=False)


LANES = (
    (Action.PASS, Action.HIGH_PASS),
    (Action.DRIVE,),
    (Action.HEADER,),
    (Action.CROSS,),
    (Action.SHOT,),
    (Action.THROW_IN, Action.OUT),
    (Action.BLOCK, Action.TACKLE),
)
"""Classes of each lane: rare ones share one."""
_LANE_OF = {action: lane for lane, actions in enumerate(LANES) for action in actions}


class Panel:
    """Under the picture: the chance of a shot, and lanes with dots for actions seen and bars for expected ones.

    Lanes take a fifth of a picture of 16:9. Left of now a mark is 5 s, right of it one.
    """

    def __init__(self, width: int, timeline: Timeline) -> None:
        self.width, self.timeline = width, timeline
        self.font, self.small = ImageFont.load_default(width / 80), ImageFont.load_default(width / 100)
        self.head, self.danger = width * 0.022, width * 0.034 if timeline.shot_chance else 0.0
        self.top = self.head + self.danger
        self.lane = width * 9 / 16 / 5 / len(LANES)
        self.height = round((self.top + self.lane * len(LANES) + width * 0.004) / 2) * 2
        self.left = round(width * _NAMES_SHARE)
        self.now_x = self.left + round((width - self.left) * PAST_SHARE)
        self.rim = width // 60
        self.bar = max(4, width // 120)
        self._still = self._names_and_lanes()
        self._dots = {action: self._dot(COLOURS[action]) for action in ACTIONS}

    def draw(self, now_ms: int) -> NDArray[np.uint8]:
        """Draw the strip at a moment of the video, (H, W, 3)."""
        image = self._still.copy()
        pen = ImageDraw.Draw(image, "RGBA")
        at = self.left - self.rim / 2, self.head / 2
        pen.text(at, format_clock(now_ms)[:-2], DARK["ink"], self.font, anchor="rm")
        for mark in self.timeline.past(now_ms):
            dot = self._dots[mark.action]
            x, y = self.past_x(now_ms - mark.time_ms), self._lane_y(mark)
            image.paste(dot, (round(x - dot.width / 2), round(y - dot.height / 2)), dot)
        self._draw_coming(pen, now_ms)
        self._draw_danger(pen, now_ms)
        pen.line((self.now_x, 2, self.now_x, self.height - 2), DARK["now"], max(2, self.width // 480))
        return np.asarray(image)

    def past_x(self, since_ms: float) -> float:
        """Position of an action so long ago."""
        return self.now_x - since_ms / OBSERVATION_MS * (self.now_x - self.left)

    def coming_x(self, until_ms: float) -> float:
        """Position of an action so far ahead."""
        return self.now_x + until_ms / ANTICIPATION_MS * (self.width - self.rim - self.now_x)

    def _lane_y(self, mark: Mark | Anticipation) -> float:
        return self.top + self.lane * (_LANE_OF[mark.action] + 0.5)

    def _names_and_lanes(self) -> Image.Image:
        image = Image.new("RGB", (self.width, self.height), DARK["panel"])
        pen = ImageDraw.Draw(image)
        pen.rectangle((self.now_x, 0, self.width, self.height), DARK["page"])
        # Where seconds lie: every fifth of the past, every one of the future.
        for ago_s in range(5, OBSERVATION_MS // 1000 + 1, 5):
            self._draw_tick(pen, self.past_x(1000 * ago_s), f"-{ago_s} s", is_named=ago_s in (10, 20))
        for ahead_s in range(1, ANTICIPATION_MS // 1000 + 1):
            self._draw_tick(pen, self.coming_x(1000 * ahead_s), f"+{ahead_s} s", is_named=True)
        for row, actions in enumerate(LANES):
            y = self.top + self.lane * (row + 0.5)
            name = ", ".join(map(short_name, actions)).capitalize()
            font = self.font if pen.textlength(name, self.font) < self.left - self.rim else self.small
            pen.text((self.left - self.rim / 2, y), name, DARK["ink"], font, anchor="rm")
            pen.line((self.left, y, self.width - self.rim, y), DARK["line"], 1)
        if self.danger:
            at = self.left - self.rim / 2, self.head + self.danger / 2
            pen.text(at, "Shot in 5 s", DARK["soft"], self.font, anchor="rm")
        return image

    def _draw_tick(self, pen: ImageDraw.ImageDraw, x: float, name: str, is_named: bool) -> None:
        pen.line((x, self.head * 0.9, x, self.height - 2), DARK["line"], 1)
        if is_named:
            anchor = "rm" if x > self.width - 2 * self.rim else "mm"
            pen.text((x, self.head / 2), name, DARK["soft"], self.small, anchor=anchor)

    def _dot(self, colour: str) -> Image.Image:
        size = round(self.lane * 0.64)
        large = Image.new("RGBA", (size * _SMOOTH, size * _SMOOTH), colour + "00")
        ImageDraw.Draw(large).ellipse((0, 0, size * _SMOOTH - 1, size * _SMOOTH - 1), colour)
        return large.resize((size, size), Image.Resampling.BOX)

    def _draw_danger(self, pen: ImageDraw.ImageDraw, now_ms: int) -> None:
        """Draw the chance of a shot over the last 30 s, and say it."""
        known = self.timeline.shot_chances(now_ms)
        if not known:
            return
        low, high = self.head + self.danger * 0.95, self.head + self.danger * 0.1
        top = max(_LOW_DANGER, *(chance for _, chance in known))
        corners = [(self.past_x(now_ms - ms), low + (high - low) * chance / top) for ms, chance in known]
        corners.append((self.now_x, corners[-1][1]))
        pen.polygon([(corners[0][0], low), *corners, (self.now_x, low)], COLOURS[Action.SHOT] + "55")
        pen.line(corners, COLOURS[Action.SHOT], max(2, self.width // 640))
        at = self.now_x + self.rim / 2, (low + high) / 2
        pen.text(at, f"{known[-1][1]:.0%}", DARK["ink"], self.font, anchor="lm")

    def _draw_coming(self, pen: ImageDraw.ImageDraw, now_ms: int) -> None:
        """Draw a bar for each expected action, with its confidence unless a likelier one of its lane is close."""
        coming = self.timeline.coming(now_ms)
        for mark in coming:
            x, y = self.coming_x(mark.time_ms - now_ms), self._lane_y(mark)
            half = max(self.lane * 0.12, self.lane * 0.45 * mark.confidence)
            pen.rectangle((x - self.bar / 2, y - half, x + self.bar / 2, y + half), COLOURS[mark.action])
            close = self.width * 0.04 / (self.width - self.now_x) * ANTICIPATION_MS
            lane = _LANE_OF[mark.action]
            likelier = [m for m in coming if _LANE_OF[m.action] == lane and m.confidence > mark.confidence]
            if not any(abs(other.time_ms - mark.time_ms) < close for other in likelier):
                text = f"{mark.confidence:.0%}"
                fits = x + self.bar + pen.textlength(text, self.font) < self.width - 2
                at, anchor = (x + self.bar, "lm") if fits else (x - self.bar, "rm")
                pen.text((at, y), text, DARK["ink"], self.font, anchor=anchor)


def read_sound(
    source: Path | str, start_s: float, stop_s: float | None, stream: int | None, notices: Notices | None = None
) -> Iterator[AudioFrame]:
    """Read the sound of a part of a video, in frames that an encoder takes, on a clock that begins at ``start_s``.

    A video without sound gives nothing, nor does a stream, which cannot be read twice. Sound that cannot be read any
    more ends with a notice; the pictures do not need it.

    Args:
        source: a video.
        start_s, stop_s: the part on the pictures' clock; None for the end.
        stream: number of the stream of pictures that it belongs to, as for ``read_frames``.
        notices: collector, as for ``read_frames``.
    """
    if is_stream(source):
        return
    try:
        with opened(source) as container:
            if container.streams.audio:
                pictures = video_stream(container, source, stream)
                origin_s = float((pictures.start_time or 0) * (pictures.time_base or 0))
                lasts_s = None if stop_s is None else stop_s - start_s
                yield from _cut_sound(_resampled(container, origin_s, start_s), start_s, lasts_s)
    except (FFmpegError, PlayaheadError, OSError, ValueError) as reason:
        if notices is not None:
            notices.add(f"{shown(source)}: no sound from here on ({getattr(reason, 'strerror', None) or reason})")


def _resampled(container: InputContainer, origin_s: float, start_s: float) -> Iterator[AudioFrame]:
    """Frames of the first stream with sound on the pictures' clock, in one layout even if the stream's changes."""
    sound = container.streams.audio[0]
    if start_s > 0:
        container.seek(int((start_s + origin_s) * av.time_base), backward=True)
    resampler, given = None, None
    for time_s, frame in _decoded_sound(container, sound, origin_s, start_s):
        if given != (frame.format.name, frame.layout.name, frame.sample_rate):
            yield from resampler.resample(None) if resampler else ()
            given = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = AudioResampler("fltp", SOUND_LAYOUT, SOUND_RATE_HZ, _SOUND_FRAME)
        assert resampler is not None
        frame.pts, frame.time_base = round(time_s * frame.sample_rate), Fraction(1, frame.sample_rate)
        yield from resampler.resample(frame)
    yield from resampler.resample(None) if resampler else ()


def _decoded_sound(
    container: InputContainer, sound: AudioStream, origin_s: float, start_s: float
) -> Iterator[tuple[float, AudioFrame]]:
    """Frames with their times from the first picture on; jumps of the clock are bridged, as those of the pictures."""
    clock = None
    for frame in container.decode(sound):
        stamp_s = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
        if clock is None:  # sound may begin long after the pictures
            first_s = start_s if stamp_s is None else stamp_s - origin_s
            clock = Continuity(origin_s, 0.0, first_s, lambda _: None)  # the pictures' clock reports the jump
        yield clock.seconds(stamp_s), frame
        clock.step_s = frame.samples / frame.sample_rate


def _cut_sound(frames: Iterator[AudioFrame], start_s: float, lasts_s: float | None) -> Iterator[AudioFrame]:
    """Whole frames of the part, on a clock that begins with it; frames that overlap the one before are left out.

    Timestamps are as coarse as the container's: a frame less than half a frame off follows right after the one before.
    """
    next_pts = 0
    for frame in frames:
        pts = round((frame.time or 0.0) * SOUND_RATE_HZ) - round(start_s * SOUND_RATE_HZ)
        if lasts_s is not None and pts >= lasts_s * SOUND_RATE_HZ:
            return
        if abs(pts - next_pts) <= _SOUND_FRAME // 2:
            pts = next_pts
        if pts >= next_pts:
            frame.pts, frame.time_base = pts, Fraction(1, SOUND_RATE_HZ)
            next_pts = pts + frame.samples
            yield frame
