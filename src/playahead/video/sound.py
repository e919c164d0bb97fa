"""The sound of a part of a video, in frames that an encoder takes."""

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from playahead.io.errors import PlayaheadError
from playahead.video.continuity import Continuity
from playahead.video.source import is_stream, opened, shown, video_stream
from playahead.video.warning import VideoWarning

RATE_HZ = 48_000
LAYOUT = "stereo"
_FRAME = 1024  # samples: what AAC takes


def read_sound(source: Path | str, start_s: float, stop_s: float | None, stream: int | None) -> Iterator[AudioFrame]:
    """Sound from ``start_s`` to ``stop_s`` of the pictures' clock, its own clock beginning at ``start_s``.

    Nothing of a video without sound, and nothing of a stream, which cannot be read twice. A ``VideoWarning`` tells
    where sound cannot be read any more; the pictures do not need it.

    Args:
        source: a video.
        start_s, stop_s: of the part; None is the end.
        stream: which of several streams with moving pictures it belongs to.
    """
    if is_stream(source):
        return
    try:
        with opened(source) as container:
            if container.streams.audio:
                pictures = video_stream(container, source, stream)
                origin_s = float((pictures.start_time or 0) * (pictures.time_base or 0))
                lasts_s = None if stop_s is None else stop_s - start_s
                yield from _cut(_resampled(container, origin_s, start_s), start_s, lasts_s)
    except (FFmpegError, PlayaheadError, OSError, ValueError) as reason:
        said = getattr(reason, "strerror", None) or reason
        warnings.warn(f"{shown(source)}: no sound from here on ({said})", VideoWarning, stacklevel=2)


def _resampled(container: InputContainer, origin_s: float, start_s: float) -> Iterator[AudioFrame]:
    """Frames of the first stream with sound on the pictures' clock, in one layout whatever the stream changes to."""
    sound = container.streams.audio[0]
    if start_s > 0:
        container.seek(int((start_s + origin_s) * av.time_base), backward=True)
    resampler, given = None, None
    for time_s, frame in _decoded(container, sound, origin_s, start_s):
        if given != (frame.format.name, frame.layout.name, frame.sample_rate):
            yield from resampler.resample(None) if resampler else ()
            given = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = AudioResampler("fltp", LAYOUT, RATE_HZ, _FRAME)
        assert resampler is not None
        frame.pts, frame.time_base = round(time_s * frame.sample_rate), Fraction(1, frame.sample_rate)
        yield from resampler.resample(frame)
    yield from resampler.resample(None) if resampler else ()


def _decoded(
    container: InputContainer, sound: AudioStream, origin_s: float, start_s: float
) -> Iterator[tuple[float, AudioFrame]]:
    """Frames with their times from the first picture on; a clock that jumps goes on, as that of the pictures does."""
    clock = None
    for frame in container.decode(sound):
        stamp_s = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
        if clock is None:  # sound may begin long after the pictures
            clock = Continuity(origin_s, 0.0, start_s if stamp_s is None else stamp_s - origin_s, _told_by_the_pictures)
        yield clock.seconds(stamp_s), frame
        clock.step_s = frame.samples / frame.sample_rate


def _told_by_the_pictures(_: str) -> None:
    """Their clock jumps too."""


def _cut(frames: Iterator[AudioFrame], start_s: float, lasts_s: float | None) -> Iterator[AudioFrame]:
    """Whole frames of the part, on a clock that begins with it; what lies before the end of the one before is left out.

    Timestamps are no finer than the container's: less than half a frame off means right after the one before.
    """
    next_pts = 0
    for frame in frames:
        pts = round((frame.time or 0.0) * RATE_HZ) - round(start_s * RATE_HZ)
        if lasts_s is not None and pts >= lasts_s * RATE_HZ:
            return
        if abs(pts - next_pts) <= _FRAME // 2:
            pts = next_pts
        if pts >= next_pts:
            frame.pts, frame.time_base = pts, Fraction(1, RATE_HZ)
            next_pts = pts + frame.samples
            yield frame
