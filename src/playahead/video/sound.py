"""The sound of a part of a video, in frames that an encoder takes."""

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.error import FFmpegError

from playahead.errors import PlayaheadError
from playahead.video.reader import VideoWarning
from playahead.video.source import is_stream, opened, shown, video_stream

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
                yield from _cut(
                    _decoded(container, start_s + origin_s), start_s + origin_s, stop_s and stop_s - start_s
                )
    except (FFmpegError, PlayaheadError, OSError) as reason:
        said = getattr(reason, "strerror", None) or reason
        warnings.warn(f"{shown(source)}: no sound from here on ({said})", VideoWarning, stacklevel=2)


def _decoded(container: InputContainer, start_s: float) -> Iterator[AudioFrame]:
    """Resampled frames of the first stream with sound, from a little before ``start_s`` on."""
    sound = container.streams.audio[0]
    if start_s > 0:
        container.seek(int(start_s * av.time_base), backward=True)
    resampler = AudioResampler("fltp", LAYOUT, RATE_HZ, _FRAME)
    for frame in container.decode(sound):
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _cut(frames: Iterator[AudioFrame], start_s: float, lasts_s: float | None) -> Iterator[AudioFrame]:
    """Whole frames of the part, on a clock that begins with it; those that overlap the one before are left out."""
    next_pts = 0
    for frame in frames:
        if frame.pts is None or frame.time_base is None:
            continue
        pts = round((float(frame.pts * frame.time_base) - start_s) * RATE_HZ)
        if lasts_s is not None and pts >= lasts_s * RATE_HZ:
            return
        if pts >= next_pts:
            frame.pts, frame.time_base = pts, Fraction(1, RATE_HZ)
            next_pts = pts + frame.samples
            yield frame
