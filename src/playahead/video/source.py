"""Sources of video: a file, an address that FFmpeg knows, or standard input (``-``)."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.error import ExitError, FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from playahead.io.errors import InputError
from playahead.io.files import require_file

_TIMEOUT_S = (20.0, 20.0)  # to open, to read: a stream that says nothing for so long is dead
_PROTOCOLS = "http,https,tls,tcp,udp,crypto,httpproxy,rtp,rtsp,rtsps,srtp,rtmp,rtmps,srt"
STANDARD_INPUT = "-"
NOT_A_VIDEO = "cannot be opened as video"


def is_address(source: Path | str) -> bool:
    """Check whether a source is an address with a protocol of FFmpeg (HLS, RTSP, UDP ...)."""
    return isinstance(source, str) and "://" in source


def shown(source: Path | str) -> str:
    """Name of a source for messages and tables: a file's name, an address without credentials and query."""
    if source == STANDARD_INPUT:
        return "standard input"
    if not is_address(source):
        return Path(source).name
    try:
        parts = urlsplit(str(source))
    except ValueError as reason:  # it may hold a password: it is not shown
        raise InputError("source", f"is no address ({reason})") from None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def opened(
    source: Path | str,
    options: Mapping[str, str] | None = None,
    open_file: Callable[..., object] | None = None,
    from_byte: int = 0,
) -> InputContainer:
    """Open a container to read from.

    Args:
        source: a file, an address, or standard input.
        options: options of FFmpeg, beside or instead of the usual ones.
        open_file: function that opens each file instead of FFmpeg, also those that a playlist names.
        from_byte: first byte of a file to read; what lies before is ignored.

    Raises:
        InputError: missing, no ordinary file, no answer, or no video that FFmpeg reads.
    """
    where = shown(source) if is_stream(source) else source
    try:
        options = {**_options(source), **(options or {})}
        file = _for_ffmpeg(source, from_byte)
        return av.open(file, mode="r", timeout=_TIMEOUT_S, options=options, io_open=open_file)  # type: ignore[no-matching-overload]
    except ExitError:
        raise InputError(where, f"no answer within {_TIMEOUT_S[0]:.0f} s", "is it being sent?") from None
    except (FFmpegError, OSError, ValueError, IndexError, AttributeError) as reason:
        what = f"{NOT_A_VIDEO} ({getattr(reason, 'strerror', None) or reason})"
        raise InputError(where, what, "is it complete?") from None


def _options(source: Path | str) -> dict[str, str]:
    """Options of FFmpeg: follow pictures to another PID; let no remote playlist name a local file."""
    options = {"seg_format_options": "merge_pmt_versions=1"}  # of the segments of a playlist
    if is_address(source):
        options |= {"merge_pmt_versions": "1", "protocol_whitelist": _PROTOCOLS}
    return options


def is_stream(source: Path | str) -> bool:
    """Check whether a source is standard input or an address, not a file on this machine."""
    return source == STANDARD_INPUT or is_address(source)


def _for_ffmpeg(source: Path | str, from_byte: int) -> object:
    """Argument of ``av.open``: a colon in a file's name is no protocol, and a name need not be Unicode."""
    if source == STANDARD_INPUT:
        return sys.stdin.buffer
    if is_address(source):
        return source
    path = Path(source)
    if path.is_dir():
        playlists = sorted(path.glob("*.m3u8"))
        fix = f"name its playlist: {playlists[0]}" if playlists else "name the video in it"
        raise InputError(source, "is a folder, not a video", fix)
    if path.is_char_device():
        fix = f"send it: ffmpeg -f v4l2 -i {path} -f mpegts udp://127.0.0.1:5000, and watch udp://127.0.0.1:5000"
        raise InputError(source, "is a camera or another device, which cannot be opened here", fix)
    try:
        require_file(path)
    except InputError as reason:
        fix = f"to read a pipe: playahead predict {STANDARD_INPUT} < PIPE" if "pipe" in reason.what else reason.fix
        raise InputError(reason.where, reason.what, fix) from None
    if from_byte:
        return f"subfile,,start,{from_byte},end,0,,:{path}"
    return f"file:{path}" if str(path).isprintable() else path.open("rb")


def video_stream(container: InputContainer, source: Path | str, number: int | None = None) -> VideoStream:
    """Choose the stream of the match.

    Args:
        container: the opened source.
        source: its name for messages.
        number: number of the stream among those with moving pictures, from 0; None for the longest.

    Raises:
        InputError: no pictures, or no stream of that number.
    """
    stills = Disposition.attached_pic | Disposition.still_image
    videos = [stream for stream in container.streams.video if not stream.disposition & stills]
    moving = [stream for stream in videos if stream.codec_context is not None and stream.codec_context.width > 0]
    if not moving:
        raise InputError(shown(source), "holds no moving pictures", "is it an audio file, or a single picture?")
    if number is None:
        return max(moving, key=lambda stream: (_length_s(stream), stream.width * stream.height, -stream.index))
    if not 0 <= number < len(moving):
        raise InputError("stream", f"{number} is not in 0..{len(moving) - 1}", "streams with moving pictures count")
    return moving[number]


def _length_s(stream: VideoStream) -> float:
    """Declared length; 0 for streams that declare none, such as live ones."""
    if stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)
